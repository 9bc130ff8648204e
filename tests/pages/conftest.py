"""Pages run without a browser, in a home of their own: empty, or with one model, its runs and its report in it."""

from pathlib import Path

import pytest
import reports
import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest, app_test

from data.home import home
from data.store import Store
from pages.ui import state

ROOT = Path(__file__).resolve().parents[2]


class Navigated(PagesManager):
    """AppTest forgets before every run that app.py calls st.navigation, and would run a page without app.py."""

    def __init__(self, *args, **kwargs):
        PagesManager.uses_pages_directory = False
        super().__init__(*args, **kwargs)


@pytest.fixture(autouse=True)
def through_the_app(monkeypatch):
    monkeypatch.setattr(app_test, "PagesManager", Navigated)


@pytest.fixture
def seeded(own_home):
    """The report of tests/reports.py, kept with its model, machine, runs and variants."""
    report = reports.report()
    store = Store(home().store)
    store.save(report)
    store.close()
    return report


@pytest.fixture
def open_page(own_home, monkeypatch):
    """open_page("compress"): that page of the app as AppTest saw it; no exception, or the test fails."""
    monkeypatch.chdir(ROOT)
    state.app.clear()
    st.cache_data.clear()  # tests share hashes: what one home answered is not for the next
    st.cache_resource.clear()

    def open_(name: str = "overview") -> AppTest:
        test = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
        if name != "overview":
            test = test.switch_page(f"pages/{name}.py").run()
        assert not test.exception, test.exception[0].stack_trace
        return test

    yield open_
    if own_home.exists():
        state.app().store.close()
    state.app.clear()


def text_of(test: AppTest) -> str:
    """Everything a page says, as markdown."""
    kinds = (test.title, test.header, test.markdown, test.caption, test.text, test.metric, test.warning)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


@pytest.fixture
def said():
    return text_of
