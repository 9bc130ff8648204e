"""Every page opens, empty and full, light and dark, at 1440, 1024 and 390 px, and nothing scrolls sideways."""

import pytest
import reports
from browsing import Walk, serve
from steps import go, menu_is_over_the_page

from advisor.figures.style import COLOURS
from data.home import Home
from data.store import Store

pytestmark = pytest.mark.browser
PAGES = (
    "", "profile", "compress", "place", "language", "trends", "calculate", "calculate?calculate=A+fleet",
    "calculate?calculate=Energy+physics", "calculate?calculate=Published+figures", "report", "history", "about",
    "about?part=Claims", "about?part=Yours",
)  # fmt: skip
INKS = "() => [...document.querySelectorAll('.js-plotly-plot text')].map(text => getComputedStyle(text).fill)"
LIGHT_INK = "rgb({}, {}, {})".format(*bytes.fromhex(COLOURS["light"]["mute"].removeprefix("#")))


@pytest.fixture(scope="module")
def full_app(tmp_path_factory):
    """An app whose store holds the report of tests/reports.py, hostile names and all."""
    folder = tmp_path_factory.mktemp("full")
    store = Store(Home(folder).store)
    store.save(reports.report())
    store.close()
    with serve(folder) as address:
        yield address


def check(tab, path):
    """The page has a heading and no exception, and nothing of a file's name became markup."""
    assert tab.page.locator("h1").first.inner_text(), path
    assert tab.problems() == [], path
    scripts = "() => [...document.querySelectorAll('script')].filter(s => s.textContent.includes('alert(1)')).length"
    assert tab.page.evaluate(scripts) == 0, path


@pytest.fixture(scope="module")
def tab(chromium, full_app):
    """One tab for all pages: the browser compiles the app once."""
    found = Walk(chromium, full_app, width=390)
    yield found
    found.close()
    assert found.outside == []


@pytest.mark.parametrize("path", PAGES)
def test_full_pages(tab, path):
    """Loaded on a phone in light and widened, then turned dark on a desk: the colours and the width change all there
    is, so axe looks at both ends."""
    tab.page.emulate_media(color_scheme="light", reduced_motion="reduce")
    name = (path or "overview").replace("?", "-")
    tab.resize(390).open(path)
    check(tab, path)
    assert tab.findings() == [], "in light at 390 px"
    tab.shot(f"390-light-{name}")
    for width in (390, 1024, 1440):
        assert tab.resize(width).sideways_px() <= 0, f"at {width} px"
    if not path:
        assert tab.findings() == [], "in light at 1440 px, where the menu is"
    tab.turn("dark")
    check(tab, path)
    assert LIGHT_INK not in tab.page.evaluate(INKS), "charts are drawn for the mode that is shown"
    assert tab.findings() == [], "in dark at 1440 px"
    assert tab.sideways_px() <= 0, "in dark"
    tab.shot(f"1440-dark-{name}")
    assert tab.failures == []


def test_empty_pages(walk):
    """On a phone in dark, by its menu, which gives way to the page that was chosen."""
    tab = walk(width=390, height=844, scheme="dark").open()
    for path in PAGES:
        if "?" in path:
            tab.open(path)
        elif path:
            go(tab, path.capitalize())
        check(tab, path)
        assert not menu_is_over_the_page(tab), path
        assert tab.sideways_px() <= 0, path
    assert tab.findings() == []
    assert tab.failures == []


def test_the_keyboard_reaches_what_starts_the_work(walk):
    """From the top of the page, Tab alone gets to the first button of the page's own."""
    tab = walk().open()
    stops = 0
    for _ in range(200):
        tab.page.keyboard.press("Tab")
        place, text = tab.page.evaluate("() => [document.activeElement.tagName, document.activeElement.innerText]")
        if place != "BODY" and "Start with an example" in (text or ""):
            return
        stops = 0 if place == "BODY" else stops + 1  # what held the focus was drawn again: from the top once more
        assert stops < 40, "the keyboard does not reach the button that starts the example"
    raise AssertionError("the focus is lost again and again")
