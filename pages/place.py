"""Place: which variant on which device, how many and in which region, from a budget and the traffic."""

import streamlit as st

from pages.ui import cards, pickers, place_ask, place_more, place_parts, state

cards.page("Place", "Where to run it: device, instance, region and how many, so that the budget holds at your traffic.")
model = pickers.current()
if model is None:
    cards.nothing_yet("place", "No model yet", todo="Add one on the overview", to="pages/overview.py")
    st.stop()

report = state.report(model.sha256)
with cards.card("place-ask", cards.formats.name(model.name), "What is asked of the service, and where its users are."):
    pickers.switch()
    asked = place_ask.question(model, report)
    place_ask.unread(report, asked)
found = place_parts.answered(model, report, asked)
if found is None:
    st.stop()
place_parts.recommendation(found, asked, report)
if found.answer.placements:
    with cards.card("place-if", "What if", "The same question with other traffic or another budget."):
        place_more.what_if(found, asked)
    left, right = st.columns([3, 2], gap="small")
    with left, cards.card("place-map", "Regions by the carbon of their grid", "Large dots meet the limits."):
        place_parts.world(found, asked)
    with right, cards.card("place-pareto", "Cost against CO₂e", "Both better when smaller; one dot a candidate."):
        place_parts.cost_carbon(found)
place_parts.here(found, asked)
if found.answer.placements:
    with cards.card("place-table", "The best candidates", "Latency is predicted, cost is the list price."):
        place_parts.candidates(found)
    with cards.card("place-more", "What comes with it", "Energy, years, hours and other rooms of the first candidate."):
        place_more.more(found, asked, report)
