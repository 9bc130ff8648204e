"""Trends: compute, cost, power, hardware and grid carbon over time, and where your own model stands."""

import streamlit as st

from pages.ui import cards, trends_ahead, trends_cards, trends_controls, trends_mine, trends_parts

cards.page("Trends", "Training compute, cost, power, hardware and grid carbon over time, next to your own model.")
quantity = trends_controls.tab()
if quantity == trends_controls.GRID:
    trends_cards.grid_chart(*trends_controls.zones())
    st.stop()

choice, mine = trends_controls.chosen(quantity, trends_mine.asked)
shown = trends_parts.seen(choice)
trends_parts.key_numbers(shown)
trends_parts.chart(shown, choice, mine)
with st.grid(3, min_column_width=320, gap="small"):
    trends_cards.lines(shown)
    trends_mine.place(mine, shown)
    trends_cards.system(shown)
with cards.card("trend-more"):
    budget, ahead, mix, published, rebound = st.tabs(trends_cards.MORE, key="more", bind="query-params")
    with budget:
        if budget.open:
            trends_ahead.budget()
    with ahead, cards.guard("trend-ahead"):
        if ahead.open:
            trends_ahead.coming_years(shown, mine)
    with mix:
        if mix.open:
            trends_cards.workload_mix()
    with published:
        if published.open:
            trends_cards.published()
    with rebound:
        if rebound.open:
            trends_ahead.rebounds()
