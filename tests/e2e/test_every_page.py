"""Every page opens, empty and full, light and dark, on a desk, a small desk and a phone."""

import pytest
import reports
from conftest import serve

from data.home import Home
from data.store import Store

pytestmark = pytest.mark.browser
PAGES = ("", "profile", "compress", "trends", "report", "history", "about")
WIDTHS = {"desk": 1440, "small": 1024, "phone": 390}


@pytest.fixture(scope="module")
def full_app(tmp_path_factory):
    """An app whose store holds the report of tests/reports.py, hostile names and all."""
    folder = tmp_path_factory.mktemp("full")
    store = Store(Home(folder).store)
    store.save(reports.report())
    store.close()
    with serve(folder) as address:
        yield address


def look(tab, path, *, axe):
    """The page has a heading, no exception, fits the window, and axe finds nothing serious."""
    tab.open(path)
    assert tab.page.locator("h1").first.inner_text(), path
    assert tab.problems() == [], path
    assert tab.sideways_px() <= 0, path
    if axe:
        assert tab.findings() == [], path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", WIDTHS)
def test_full_pages(walk, full_app, device, scheme):
    tab = walk(address=full_app, width=WIDTHS[device], height=844 if device == "phone" else 900, scheme=scheme)
    for path in PAGES:
        look(tab, path, axe=device != "small")
        tab.shot(f"{device}-{scheme}-{path or 'overview'}")
    assert tab.failures == []


def test_empty_pages(walk):
    tab = walk(width=WIDTHS["phone"], height=844)
    for path in PAGES:
        look(tab, path, axe=path in ("", "compress"))
    assert tab.failures == []


def test_a_hostile_name_stays_text(walk, full_app):
    tab = walk(address=full_app)
    for path in PAGES:
        tab.open(path)
        scripts = "() => [...document.querySelectorAll('script')].filter(s => s.textContent.includes('alert(1)')).length"
        assert tab.page.evaluate(scripts) == 0, path
    assert tab.failures == []


def test_the_keyboard_reaches_what_starts_the_work(walk):
    """From the top of the page, Tab alone gets to the first button of the page's own."""
    tab = walk().open()
    for _ in range(40):
        tab.page.keyboard.press("Tab")
        if "Start with an example" in (tab.page.evaluate("() => document.activeElement.innerText") or ""):
            return
    raise AssertionError("the keyboard does not reach the button that starts the example")
