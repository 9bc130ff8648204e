"""Rightsize: page config and navigation, nothing else. Start it with `make run`."""

from pathlib import Path

import streamlit as st

from pages.ui import cards, navigation, sidebar, style

ROOT = Path(__file__).parent
ABOUT = "Rightsize: how small your model can be, where it should run, and what that saves. Nothing leaves this machine."

st.set_page_config(
    page_title="Rightsize", page_icon=ROOT / "pages/ui/mark.svg", layout="wide", menu_items={"About": ABOUT}
)
st.logo(ROOT / "pages/ui/logo.svg", size="large", icon_image=ROOT / "pages/ui/mark.svg")
style.apply()
page = navigation.chosen()
with cards.guard():
    sidebar.show()
    page.run()
