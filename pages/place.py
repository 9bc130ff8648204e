"""Place: which device, how many and in which region, from a budget and the traffic."""

import streamlit as st

from pages.ui import cards, pickers, place_parts

cards.page("Place", "Where to run it: device, instance, region and how many, so that the budget holds at your traffic.")
model = pickers.current()
if model is None:
    cards.nothing_yet("place", "No model yet", todo="Add one on the overview", to="pages/overview.py")
    st.stop()

with cards.card("place-ask", cards.formats.name(model.name), "What is asked of the service, and where its users are."):
    asked = place_parts.question(model)
found = place_parts.answered(model, asked)
if found is None:
    st.stop()
place_parts.recommendation(found, asked)
if found.placements:
    left, right = st.columns([3, 2], gap="small")
    with left, cards.card("place-map", "Regions by the carbon of their grid", "Large dots meet the limits."):
        place_parts.world(found, asked)
    with right, cards.card("place-pareto", "Cost against CO₂e", "Both better when smaller; one dot a candidate."):
        place_parts.cost_carbon(found)
place_parts.here(found, asked)
if found.placements:
    with cards.card("place-table", "The best candidates", "Latency is predicted, cost is the list price."):
        place_parts.candidates(found)
