"""About: this machine, the five words, the sources, published figures recomputed, the latency model's backtest."""

import streamlit as st

from pages.ui import about_parts, backtest_parts, cards, machine_parts, settings_parts

cards.page("About", "This machine, where every figure comes from, and published figures recomputed.")
TABS = {
    "This machine": machine_parts.this_machine,
    "Settings": settings_parts.settings,
    "Five words": about_parts.words_of_basis,
    "Sources": about_parts.sources,
    "Worked examples": about_parts.examples,
    "Backtest": backtest_parts.backtested,
}
chosen = st.segmented_control(
    "Part", list(TABS), default="This machine", required=True, key="part", label_visibility="collapsed",
    bind="query-params",
)  # fmt: skip
TABS[chosen]()
