"""About: this machine, the five words, the sources, what has been claimed, what is yours, the backtest."""

import streamlit as st

from pages.ui import about_parts, backtest_parts, cards, claims_parts, machine_parts, own_parts, settings_parts

cards.page("About", "This machine, where every figure comes from, what has been claimed, and what is yours.")
TABS = {
    "This machine": machine_parts.this_machine,
    "Settings": settings_parts.settings,
    "Five words": about_parts.words_of_basis,
    "Sources": about_parts.sources,
    "Claims": claims_parts.claims,
    "Yours": own_parts.show,
    "Backtest": backtest_parts.backtested,
}
chosen = st.segmented_control(
    "Part", list(TABS), default="This machine", required=True, key="part", label_visibility="collapsed",
    bind="query-params",
)  # fmt: skip
TABS[chosen]()
