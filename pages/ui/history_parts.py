"""What the history page is made of: runs to compare, what got slower, import, questions, deletion."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from advisor import history, model_frames
from advisor.figures import history as history_figures
from advisor.figures import named as figures
from advisor.forget import forget
from data import words
from data.questions import ready
from data.store import Store
from pages.ui import cards, formats, pickers, state, style, tables
from profiler.asking import select
from profiler.machine import machine
from profiler.types import Measurement

RUNS_SHOWN, MEDIANS_SHOWN, LARGEST_JSON_MB, LINE_PX = 500, 60, 100, 23
UNITS = {"ms": (words.LATENCY, 1e-3), "j": (words.JOULES, 1.0), "bytes": (words.BYTES, 1.0)}


def runs() -> list[Measurement]:
    """The table of runs; the two that were chosen, in the order they were made."""
    rows = state.ask("runs", limit=RUNS_SHOWN)
    elsewhere = rows["fingerprint"] != machine().fingerprint
    rows["machine"] = rows["machine"].where(~elsewhere, rows["machine"] + " (elsewhere)")
    picked = tables.show(
        rows,
        key="runs",
        alt="Every run: when, which file, latency, energy, memory, machine.",
        order=[column for column in rows.columns if column not in ("id", "fingerprint")],
        more={"created_at": "When (UTC)", "what": "File"},
        on_select="rerun",
        selection_mode="multi-row",
    ).selection.rows
    if picked:
        named = [str(rows["id"].iloc[row]) for row in sorted(picked, reverse=True)[:2]]
        st.query_params["runs"] = ",".join(named)
    else:
        named = st.query_params.get("runs", "").split(",")[:2]
    found = [state.get(Measurement, run_id) for run_id in named if run_id]
    return [run for run in found if run is not None]


def side_by_side(one: Measurement, other: Measurement) -> None:
    """Two runs: what changed, with its interval, and both distributions."""
    store = state.app().store
    rows = history.compare(one, other, (history.file_bytes(store, one), history.file_bytes(store, other)))
    st.markdown(" against ".join(f"**{_run(store, run)}**" for run in (other, one)))
    cards.warning("comparable", *history.comparable(one, other))
    left, right = st.columns(2, gap="medium")
    with left:
        cards.metrics("compare", [_changed(row) for row in rows.to_dict("records")], columns=2)
    with right:
        named = list(zip(history.labels(store, one, other), (one, other), strict=True))
        figure = figures.latency_ecdf(model_frames.samples(named), style.mode())
        shown = rows.drop(columns=["first", "second"])
        cards.chart(figure, key="compare_chart", alt="Share of calls below a time, for both runs.", table=shown)


def _run(store: Store, run: Measurement) -> str:
    """Which run this is: the file, when, where."""
    made = f"{history.file_name(store, run)}, {model_frames.when(run)}, {run.machine.cpu}"
    return formats.name(made, 160)


def _changed(row: Mapping[str, Any]) -> cards.Metric:
    ladder, factor = UNITS[row["unit"]]
    against = f"from {words.scaled(row['first'].mid * factor, ladder)}"
    low, high = words.change(row["ratio_low"]), words.change(row["ratio_high"])
    note = "" if low == high else f"change {low} to {high}"
    return cards.estimate(
        row["quantity"], row["second"], ladder, factor, delta=words.change(row["ratio"]), against=against, note=note
    )


def over_time() -> None:
    """The chosen model's median from run to run; nothing where it was run once."""
    model = pickers.current()
    rows = pd.DataFrame() if model is None else state.ask("medians", model_sha256=model.sha256, limit=MEDIANS_SHOWN)
    if model is None or len(rows) < 2:
        return
    title = f"{formats.name(model.name, 60)} over time"
    with cards.card("over-time", title, "The median of each run of the original, with its 95 % interval."):
        alt = f"Median latency of {len(rows)} runs of {formats.name(model.name, 60)} over time."
        cards.chart(history_figures.medians(rows, style.mode()), key="over_time", alt=alt, table=rows)


def slower() -> None:
    """Files whose newest run is slower than the one before."""
    pairs = state.ask("slower", same=history.SAME_FRAC)
    kept = [state.get(Measurement, run_id) for run_id in [*pairs["before_id"], *pairs["now_id"]]]
    for number, (before, now, ratio) in enumerate(history.regressions([run for run in kept if run is not None])):
        change = words.interval_of(ratio, words.change)
        cards.warning(
            f"slower-{number}",
            f"**Slower than before:** {formats.name(model_frames.settings(now))}, median {change} "
            f"since {model_frames.when(before)}.",
        )


def bring() -> None:
    """A run made on another machine."""
    st.code("python -m profiler measure MODEL.onnx --json > run.json", language=None, wrap_lines=True)
    upload = st.file_uploader("Run or report (.json)", type=["json"], key="run-upload", max_upload_size=LARGEST_JSON_MB)
    if upload and st.session_state.get("run_taken") != upload.file_id:
        with cards.guard("run-upload"):
            history.bring(state.app().store, upload.getvalue())
            st.session_state["run_taken"] = upload.file_id
            st.rerun()


def questions() -> None:
    """One SELECT over the store, ready ones to start from, and its rows to take away."""
    title = st.pills("Ready questions", list(ready()), key="ready", label_visibility="collapsed")
    wanted = ready().get(title or "", next(iter(ready().values())))
    height = LINE_PX * (wanted.strip().count("\n") + 3)  # the whole question, and where to go on
    statement = st.text_area("One SELECT", value=wanted, key=f"sql-{title}", height=height)
    if st.button("Ask", icon=":material/search:") or st.session_state.get("asked") == statement:
        st.session_state["asked"] = statement
        with cards.guard("sql"):
            _answer(*select(state.app().home, state.app().store, statement))


EXPORTS = (("CSV", history.as_csv, "text/csv"), ("Parquet", history.as_parquet, "application/octet-stream"))


def _answer(rows: pd.DataFrame, cut: bool) -> None:
    if cut:
        st.caption(f"The first {len(rows):,} rows; there are more.")
    tables.show(rows, key="sql_rows", alt="The rows this question has for an answer.")
    with st.container(horizontal=True):
        for title, word, mime in EXPORTS:
            st.download_button(
                title, lambda word=word: word(rows), file_name=f"rightsize.{title.lower()}", mime=mime,
                icon=":material/download:", key=f"sql-{title}", on_click="ignore",
            )  # fmt: skip


def delete() -> None:
    """Forget a model: its files, runs, variants and reports."""
    model = pickers.current()
    if model is None:
        st.caption("There is no model here.")
        return
    pickers.model()
    name = formats.name(model.name, 60)
    sure = st.checkbox(f"Delete {name} with everything measured on it", key=f"sure-{formats.short(model.sha256)}")
    if st.button("Delete", icon=":material/delete:", disabled=not sure):
        here = state.app()
        forget(here.home, here.store, model.sha256, here.jobs)
        state.forget_choice()
        st.rerun()
