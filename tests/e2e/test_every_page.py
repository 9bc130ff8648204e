"""Every page opens, empty and full, light and dark, at 1440, 1024 and 390 px, and nothing scrolls sideways."""

import pytest
import reports
from conftest import serve

from data.home import Home
from data.store import Store

pytestmark = pytest.mark.browser
PAGES = (
    "", "profile", "compress", "place", "language", "trends", "calculate", "calculate?calculate=A+fleet",
    "calculate?calculate=Energy+physics", "calculate?calculate=Published+figures", "report", "history", "about",
    "about?part=Claims", "about?part=Yours",
)  # fmt: skip


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


@pytest.mark.parametrize(("scheme", "widths"), [("light", (390, 1024, 1440)), ("dark", (1440, 1024, 390))])
def test_full_pages(walk, full_app, scheme, widths):
    """Loaded at the first width and then resized, so that each mode is loaded on a phone or on a desk."""
    tab = walk(address=full_app, width=widths[0], scheme=scheme)
    for path in PAGES:
        tab.resize(widths[0]).open(path)
        check(tab, path)
        for width in widths:
            tab.resize(width)
            assert tab.sideways_px() <= 0, f"{path} at {width} px"
            if width != 1024:
                assert tab.findings() == [], f"{path} at {width} px"
                tab.shot(f"{width}-{scheme}-{(path or 'overview').replace('?', '-')}")
    assert tab.failures == []


def test_empty_pages(walk):
    tab = walk(width=390, height=844)
    for path in PAGES:
        tab.open(path)
        check(tab, path)
        assert tab.sideways_px() <= 0, path
    assert tab.findings() == []
    assert tab.failures == []


def test_the_keyboard_reaches_what_starts_the_work(walk):
    """From the top of the page, Tab alone gets to the first button of the page's own."""
    tab = walk().open()
    for _ in range(40):
        tab.page.keyboard.press("Tab")
        if "Start with an example" in (tab.page.evaluate("() => document.activeElement.innerText") or ""):
            return
    raise AssertionError("the keyboard does not reach the button that starts the example")
