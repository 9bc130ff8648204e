"""The app on a free port with a home of its own, and a real browser that may talk to nothing but 127.0.0.1."""

from pathlib import Path

import pytest
from browsing import ARGUMENTS, BRIEF, Walk, browser_path, serve


@pytest.fixture(scope="session")
def app(tmp_path_factory):
    """Address of a running app whose home is empty."""
    with serve(tmp_path_factory.mktemp("home")) as address:
        yield address


@pytest.fixture
def fresh_app(tmp_path):
    """Address of a running app that nobody has opened yet."""
    with serve(tmp_path, **BRIEF) as address:
        yield address


@pytest.fixture(scope="session")
def quick_app(tmp_path_factory):
    """An app that measures and searches briefly, in Germany; the walk is what counts there."""
    with serve(tmp_path_factory.mktemp("quick"), RIGHTSIZE_ZONE="DE", **BRIEF) as address:
        yield address


@pytest.fixture(scope="session")
def chromium():
    """One browser for the whole run."""
    sync_api = pytest.importorskip("playwright.sync_api")
    path = browser_path()
    if path is None:
        pytest.skip("no Chromium here; `make test` says how to get one")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def walk(chromium, app):
    """Makes tabs: walk(width=390, scheme="dark"); afterwards no tab asked for anything outside."""
    opened: list[Walk] = []

    def make(**options) -> Walk:
        opened.append(Walk(chromium, options.pop("address", app), **options))
        return opened[-1]

    yield make
    outside = [url for tab in opened for url in tab.outside]
    for tab in opened:
        tab.close()
    assert outside == [], f"the app asked for something outside this machine: {outside}"


def pytest_collection_modifyitems(items):
    """A browser on a busy machine can miss a moment: its tests get a second and a third try, and the run tells so."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.flaky(reruns=2, reruns_delay=2))
