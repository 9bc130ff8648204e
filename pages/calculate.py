"""Calculate: what a training and a fleet take, what an operation costs, and published figures recomputed."""

import streamlit as st

from pages.ui import calculate_fleet, calculate_physics, calculate_published, calculate_train, cards

cards.page("Calculate", "What a training or a fleet takes, without a file: energy, carbon, dollars, wind-turbine time.")
PARTS = {
    "Train it yourself": calculate_train.show,
    "A fleet": calculate_fleet.show,
    "Energy physics": calculate_physics.show,
    "Published figures": calculate_published.show,
}
chosen = st.segmented_control(
    "Part", list(PARTS), default="Train it yourself", required=True, key="calculate", label_visibility="collapsed",
    bind="query-params",
)  # fmt: skip
with cards.guard("calculate"):
    PARTS[chosen]()
