"""Overview: the way in, and all models at a glance."""

import streamlit as st

from pages.ui import cards, overview_parts, start, state

cards.page("Overview", "How small your models can be, where they should run, and what that saves.")
rows = state.ask("overview")
if start.taken():
    st.switch_page("pages/profile.py")
if rows.empty:
    overview_parts.welcome()
else:
    overview_parts.sums(rows)
    with cards.card("models", "Models", "Choose a row to go on with it."):
        overview_parts.models(rows)
start.add_model("overview")  # one key: a file on its way is not lost when another model arrives
