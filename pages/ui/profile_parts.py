"""What the profile page is made of: the facts of a file, a run in numbers, where the computation is."""

import streamlit as st

from advisor import figures, model_frames, physics
from data import words
from pages.ui import cards, formats, pickers, state, style, tables, work
from profiler.kept import measure_kept
from profiler.types import Measurement, Model

SLOT = "measuring"
RUNS_SHOWN = 4


def setup(model: Model) -> None:
    """How the model is called, and the button that measures it."""
    arguments = {"sha256": model.sha256, **pickers.call(model, f"call-{formats.short(model.sha256)}")}
    if model.cannot_run:
        cards.warning("cannot-run", formats.name(model.cannot_run, 200))
        return
    if st.button(
        "Measure",
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        disabled=work.busy(SLOT),
        help="About 15 seconds: warm-up, timed calls, a metered window, and a run that is weighed.",
    ):
        state.submit(measure_kept, arguments, title=f"Measuring {model.name}", lane="device", slot=SLOT)
        st.rerun()


def newest(model: Model) -> list[Measurement]:
    """The newest runs of the original, newest first."""
    rows = state.ask("original_runs", model_sha256=model.sha256, limit=RUNS_SHOWN)
    found = [state.get(Measurement, run_id) for run_id in rows["id"]]
    return [run for run in found if run is not None]


def numbers(run: Measurement) -> None:
    """The row of metrics of one run, and what to know about it."""
    cards.metrics(
        "profile",
        [
            cards.estimate("Latency, median", model_frames.median(run), words.LATENCY, 1e-3),
            cards.estimate("Latency, p95", model_frames.tail(run), words.LATENCY, 1e-3),
            cards.estimate("Throughput", model_frames.throughput(run), words.PER_SECOND),
            _memory(run),
            cards.estimate("Energy per call", run.energy_j, words.JOULES),
        ],
        columns=5,
    )
    if not run.stable:
        cards.warning(
            "noisy", "This run was noisy: other work kept the processor busy. Measure again when it is quiet."
        )


def _memory(run: Measurement) -> cards.Metric:
    text = "Resident memory beyond a process that only has the runtime loaded."
    if run.peak_bytes is None:
        return cards.Metric(label="Peak memory", value=words.NOT_KNOWN, help=text)
    return cards.Metric(label="Peak memory", value=words.size(run.peak_bytes), basis="measured", help=text)


def latencies(runs: list[Measurement]) -> None:
    """The share of calls below a time, for the newest runs."""
    named = [(f"{run.created_at[11:19]} · {model_frames.call(run)}", run) for run in runs]
    first = model_frames.percentiles(runs[0])
    alt = "Share of calls that took at most a given time: " + ", ".join(
        f"{row['percentile']} {words.latency(row['latency_ms'])}" for row in first.to_dict("records")
    )
    figure = figures.latency_ecdf(model_frames.samples(named), style.mode())
    cards.chart(figure, key="profile_ecdf", alt=alt, table=first)


def how(run: Measurement) -> None:
    """The circumstances of a run."""
    cards.facts(
        {
            "When": model_frames.when(run),
            "Run by": f"{run.runtime}, {run.provider}",
            "Call": f"batch {run.workload.batch_size}, {run.workload.threads} threads, {run.workload.inputs} inputs",
            "Calls timed": f"{len(run.samples_ms):,} after {len(run.warmup_ms)} warm-up calls left out",
            "Loading": words.latency(run.load_ms),
            "Steady": "yes" if run.stable else "no",
            "Machine": f"{run.machine.cpu}, {run.machine.physical_cores} cores",
        },
    )
    for note in run.notes:
        st.caption(formats.name(note, 200))


def computation(model: Model) -> None:
    """Layers by computation, or operators where the graph could not be followed."""
    layers = model_frames.layers(model)
    if layers.empty:
        tables.show(model_frames.operators(model), key="operators", alt="Operators of the graph and how many of each.")
        return
    left, right = st.columns([1, 1], gap="medium")
    with left:
        figure = figures.where_the_computation_is(layers, style.mode())
        cards.chart(figure, key="layers_chart", alt="Layers with the largest share of the computation.")
    with right:
        tables.show(
            layers,
            key="layers",
            alt="Every layer with its computation, weights, bytes moved and arithmetic intensity.",
            order=["name", "op", "flop_frac", "flop", "weight_bytes", "moved_bytes", "intensity_flop_per_byte"],
            more={"flop_frac": tables.bar("Share of FLOP"), "intensity_flop_per_byte": "FLOP per byte"},
            height=380,
        )


def energy(model: Model) -> None:
    """Arithmetic and memory traffic of one call, for a chip of a given node and memory."""
    left, right = st.columns([1, 2], gap="medium")
    with left:
        node = st.segmented_control("Chip", (7, 45), default=7, required=True, format_func="{} nm".format, key="node")
        memory = st.selectbox("Memory", physics.MEMORIES, format_func=MEMORIES.get, key="memory")
        split = physics.of_model(model, node_nm=int(node or 7), memory=str(memory))
        cards.metric("split-total", cards.estimate("Energy per call", split.total_j, words.JOULES))
        st.caption(f"DRAM takes {words.percent(split.dram_frac)}. Instructions and control are not in it.")
    with right:
        rows = model_frames.energy_split(split)
        cards.chart(
            figures.energy_split(rows, style.mode()),
            key="split_chart",
            alt="Modelled energy of one call by where it goes: multiplying, adding, on-chip memory, DRAM.",
            table=rows,
        )


MEMORIES = {"dram_ddr": "DDR", "dram_hbm2": "HBM2", "dram_gddr6": "GDDR6"}
