"""The pages of the app, and the way back into it for one that was opened alone."""

import threading

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
    made = [
        st.Page(f"pages/{name}.py", title=name.capitalize(), icon=icon, default=place == 0)
        for place, (name, icon) in enumerate(PAGES)
    ]
    found = st.navigation(made)
    _run.within = True
    return found


def through_the_app() -> None:
    """Start over through app.py where a page was run alone: until st.navigation has been called once, Streamlit takes
    pages/ for an app of the old kind, so that an address of a page, opened on a fresh server, would miss the app.
    Several visitors may open their first page at once, so each asks of its own run, not of the server."""
    if not getattr(_run, "within", False):
        # Without icons: the browser would fetch one from outside for a tab that has none of its own yet.
        made = [st.Page(f"pages/{name}.py", default=place == 0) for place, (name, _) in enumerate(PAGES)]
        st.navigation(made, position="hidden")
        _run.within = True
        st.rerun()
