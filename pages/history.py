"""History: every run, any two side by side, questions to the store."""

import streamlit as st

from pages.ui import cards, history_parts, state

cards.page("History", "Every run, kept with the machine it was made on. Choose two to compare them.")
if state.ask("runs", limit=1).empty:
    cards.nothing_yet(
        "history",
        "Nothing measured yet",
        todo="Measure a model first",
        to="pages/profile.py",
        icon=":material/history:",
    )
else:
    history_parts.slower()
    with cards.card("runs", "Runs", "Choose two: the same file on two days, on two machines, or two files."):
        chosen = history_parts.runs()
    if len(chosen) == 1:
        st.caption(":material/touch_app: Choose a second run to see what changed and by how much.")
    if len(chosen) == 2:
        with cards.card("compare", "Side by side", "The later run against the earlier one."):
            history_parts.side_by_side(*chosen)
    history_parts.over_time()
left, right = st.columns(2, gap="small")
with left, cards.card("bring", "Bring a run", "Made on another machine, and compared with those of this one."):
    history_parts.bring()
with right, cards.card("delete", "Delete a model", "Files, runs, variants and reports; there is no way back."):
    history_parts.delete()
with cards.card("questions", "Ask the store", "Read-only SQL over every record."):
    history_parts.questions()
