"""The pages of the app, and the way back into it for one that was opened alone."""

import threading
from collections.abc import Mapping
from functools import partial

import streamlit as st

PAGES = (
    ("overview", ":material/dashboard:"),
    ("profile", ":material/speed:"),
    ("compress", ":material/compress:"),
    ("place", ":material/public:"),
    ("language", ":material/forum:"),
    ("trends", ":material/trending_up:"),
    ("calculate", ":material/calculate:"),
    ("report", ":material/description:"),
    ("history", ":material/history:"),
    ("about", ":material/info:"),
)
_run = threading.local()  # each visitor's script has a thread to itself; .within: whether it came through app.py


def chosen() -> st.Page:
    """The page that the address asks for; the menu of all pages. The page's own icon must have been set before."""
    found = st.navigation(_pages(dict(PAGES)))
    _run.within = True
    return found


def through_the_app() -> None:
    """Start over through app.py where a page was run alone: until st.navigation has been called once, Streamlit takes
    pages/ for an app of the old kind, so that an address of a page, opened on a fresh server, would miss the app.
    Several visitors may open their first page at once, so each asks of its own run, not of the server."""
    if not getattr(_run, "within", False):
        # Without icons: the browser would fetch one from outside for a tab that has none of its own yet.
        st.navigation(_pages({}), position="hidden")
        _run.within = True
        st.rerun()


def _pages(icons: Mapping[str, str]) -> list[st.Page]:
    """All pages. The address of the first has no name; who writes its name comes to it by a page out of the menu."""
    first, *others = (name for name, _ in PAGES)
    titled = {name: {"title": name.capitalize(), "icon": icons.get(name)} for name, _ in PAGES}
    home = st.Page(f"pages/{first}.py", default=True, url_path="home", **titled[first])
    named = st.Page(partial(st.switch_page, home), title=first.capitalize(), url_path=first, visibility="hidden")
    return [home, *(st.Page(f"pages/{name}.py", **titled[name]) for name in others), named]
