"""A model over settings and under load: sweeps of batch and threads, and requests that arrive at random."""

import streamlit as st

from advisor import model_frames
from advisor.figures import named as figures
from data import words
from pages.ui import cards, state, style, work
from profiler.inputs import fixed_batch
from profiler.load import load_kept, sweep_kept
from profiler.machine import machine
from profiler.run_types import LoadTest
from profiler.types import Measurement, Model

SWEEP, LOAD = "sweeping", "loading"
BATCHES = (1, 2, 4, 8, 16, 32)


def sweep(model: Model) -> None:
    """Every chosen batch size on every chosen number of threads."""
    cores = range(1, machine().physical_cores + 1)
    counts = sorted({1, *(count for count in (2, 4, 8, 16, 32) if count in cores), cores[-1]})
    with st.form("sweep", border=False):
        left, middle, right = st.columns([3, 2, 1], vertical_alignment="bottom")
        fixed = fixed_batch(model.inputs)
        known, usual = ((fixed,), [fixed]) if fixed else (BATCHES, [1, 4, 16])
        key = f"sweep-batches-{fixed}" if fixed else "sweep-batches"
        batches = left.pills("Batch sizes", known, default=usual, selection_mode="multi", key=key)
        threads = middle.pills("Threads", counts, default=[counts[-1]], selection_mode="multi", key="sweep-threads")
        sent = right.form_submit_button("Sweep", icon=":material/tune:", width="stretch", disabled=work.busy(SWEEP))
    if sent and batches and threads:
        arguments = {"sha256": model.sha256, "batch_sizes": list(batches), "threads": list(threads)}
        state.submit(sweep_kept, arguments, title=f"Sweeping {model.name}", lane="device", slot=SWEEP)
        st.rerun()
    work.take_result(SWEEP)
    kept = [state.get(Measurement, run_id) for run_id in state.ask("sweep", model_sha256=model.sha256)["id"]]
    rows = model_frames.sweep([run for run in kept if run is not None])
    if not rows.empty:
        best = rows.loc[rows["samples_per_s"].idxmax()]
        alt = (
            f"Samples a second by batch size; most, {words.number(best['samples_per_s'])}, at batch "
            f"{best['batch']} on {best['threads']} threads."
        )
        cards.chart(figures.sweep(rows, style.mode()), key="sweep_chart", alt=alt, table=rows)


def load(model: Model) -> None:
    """Requests at random times, at a mean rate: what a user waits, queueing included."""
    with st.form("load", border=False):
        left, middle, right = st.columns([2, 2, 1], vertical_alignment="bottom")
        rate = left.number_input("Requests a second", min_value=0.1, value=20.0, key="load-rate")
        seconds = middle.number_input("Seconds", min_value=1, max_value=120, value=10, key="load-seconds")
        sent = right.form_submit_button("Send", icon=":material/waves:", width="stretch", disabled=work.busy(LOAD))
    if sent:
        arguments = {"sha256": model.sha256, "rate_per_s": float(rate), "seconds": float(seconds)}
        state.submit(load_kept, arguments, title=f"Load on {model.name}", lane="device", slot=LOAD)
        st.rerun()
    work.take_result(LOAD)
    newest = state.ask("newest_load", model_sha256=model.sha256, limit=3)["id"]
    tests = [test for test_id in newest if (test := state.get(LoadTest, test_id)) is not None]
    if tests:
        _answered(tests)


def _answered(tests: list[LoadTest]) -> None:
    newest = tests[0]
    tail = model_frames.percentile_of(newest.samples_ms, 95.0)
    cards.metrics(
        "load",
        [
            cards.estimate("Answer, median", model_frames.percentile_of(newest.samples_ms, 50.0), words.LATENCY, 1e-3),
            cards.estimate("Answer, p95", tail, words.LATENCY, 1e-3),
            cards.Metric(
                label="Busy",
                value=words.percent(newest.utilisation_frac),
                basis="predicted",
                note=f"{words.number(newest.achieved_per_s)} answered a second",
            ),
        ],
        columns=3,
    )
    rows = model_frames.answers(tests)
    alt = "Share of requests answered within a time, queueing included, for the newest load tests."
    cards.chart(figures.latency_ecdf(rows, style.mode()), key="load_chart", alt=alt)
    for note in newest.notes:
        st.caption(cards.formats.name(note, 200))
