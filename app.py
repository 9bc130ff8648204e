"""Rightsize: page config and navigation, nothing else. Start it with `make run`."""

from pathlib import Path

import streamlit as st

from pages.ui import cards, sidebar, style

ROOT = Path(__file__).parent
ABOUT = "Rightsize: how small your model can be, where it should run, and what that saves. Nothing leaves this machine."

st.set_page_config(
    page_title="Rightsize", page_icon=ROOT / "pages/ui/mark.svg", layout="wide", menu_items={"About": ABOUT}
)
st.logo(ROOT / "pages/ui/logo.svg", size="large", icon_image=ROOT / "pages/ui/mark.svg")
style.apply()
PAGES = [
    st.Page("pages/overview.py", title="Overview", icon=":material/dashboard:", default=True),
    st.Page("pages/profile.py", title="Profile", icon=":material/speed:"),
    st.Page("pages/compress.py", title="Compress", icon=":material/compress:"),
    st.Page("pages/place.py", title="Place", icon=":material/public:"),
    st.Page("pages/language.py", title="Language", icon=":material/forum:"),
    st.Page("pages/trends.py", title="Trends", icon=":material/trending_up:"),
    st.Page("pages/report.py", title="Report", icon=":material/description:"),
    st.Page("pages/history.py", title="History", icon=":material/history:"),
    st.Page("pages/about.py", title="About", icon=":material/info:"),
]
page = st.navigation(PAGES)
with cards.guard():
    sidebar.show()
    page.run()
