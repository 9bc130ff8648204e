"""Putting the chart that is shown into a report, where every readable format shows it."""

from collections.abc import Callable
from urllib.parse import urlencode

import streamlit as st

from advisor import clip
from advisor.clippings import Clipping
from advisor.types import Report
from data.text import plain
from pages.ui import cards, formats, state

NEWEST = 50


def into_report(key: str, made: Callable[[str], Clipping], page: str = "trends") -> None:
    """A popover: which report, a button that puts the chart `made` (given the page's address) into it, and what the
    report holds already."""
    box = st.popover("Add to report", icon=":material/note_add:", key=f"into-{key}", on_change="rerun")
    if not box.open:
        return
    rows = state.ask("all_reports", limit=NEWEST)
    with box:
        if rows.empty:
            st.caption("There is no report yet: compress a model, and its charts can stand beside this one.")
            st.page_link("pages/compress.py", label="Compress", icon=":material/compress:")
            return
        titles = {row["id"]: _title(row) for row in rows.to_dict("records")}
        picked = st.selectbox("Report", list(titles), format_func=titles.__getitem__, key=f"into-{key}-report")
        kept = state.get(Report, picked)
        if kept is None:
            return
        with cards.guard(f"into-{key}"):
            if st.button("Add", icon=":material/add:", type="primary", key=f"into-{key}-add"):
                kept = clip.put(kept, made(_address(page)))
                state.app().store.save(kept)
                st.toast("The chart is in the report.", icon=":material/check:")
            _holds(key, kept)


def _holds(key: str, report: Report) -> None:
    for one in report.clippings:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f":material/show_chart: {formats.name(one.title, 80)}")
            if st.button("Take out", key=f"into-{key}-{one.id}", type="tertiary"):
                state.app().store.save(clip.take_out(report, one.id))
                st.rerun()
    if report.clippings and st.button("Open the report", icon=":material/description:", key=f"into-{key}-open"):
        state.choose_report(report.id, report.model.sha256)
        st.switch_page("pages/report.py", query_params={"model": report.model.sha256, "report": report.id})


def _title(row: dict[str, object]) -> str:
    return f"{plain(row['model'], 30)} · {str(row['created_at'])[:16]}"


def _address(page: str) -> str:
    """The page's address from its name on; it shows the same view again."""
    pairs = [(name, value) for name in st.query_params for value in st.query_params.get_all(name)]
    return f"{page}?{urlencode(pairs)}" if pairs else page
