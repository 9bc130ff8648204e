"""Trends: compute, cost, power, hardware and grid carbon over time, and where your own model stands."""

import streamlit as st

from pages.ui import cards, trends_controls, trends_mine, trends_parts

cards.page("Trends", "Training compute, cost, power, hardware and grid carbon over time, next to your own model.")
tab = trends_controls.tab()
if tab == trends_controls.GRID:
    trends_parts.grid_chart(*trends_controls.zones())
    st.stop()

choice, mine = trends_controls.chosen(tab, trends_mine.asked)
shown = trends_parts.seen(choice)
trends_parts.key_numbers(shown)
trends_parts.chart(shown, choice, mine)
left, right = st.columns(2)
with left:
    trends_parts.lines(shown)
with right:
    trends_mine.place(mine, shown)
trends_mine.coming_years(shown, mine)
left, right = st.columns(2)
with left:
    trends_parts.system(shown)
with right:
    trends_mine.budget()
trends_parts.published_card()
trends_mine.rebound_card()
