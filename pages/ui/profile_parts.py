"""What the profile page is made of: the facts of a file, a run in numbers, where the computation is."""

import streamlit as st

from advisor import model_frames, physics
from advisor.figures import named as figures
from data import words
from pages.ui import cards, formats, pickers, state, style, tables, work
from profiler.kept import read_at
from profiler.peaks import kept_peaks
from profiler.run_types import OperatorProfile
from profiler.types import Measurement, Model
from profiler.whole import profile_whole

SLOT, READ_SLOT = "measuring", "reading-at"
RUNS_SHOWN = 4


def setup(model: Model) -> None:
    """How the model is called, and the button that measures it."""
    arguments = {"sha256": model.sha256, **pickers.call(model, f"call-{formats.short(model.sha256)}")}
    if model.cannot_run:
        cards.warning("cannot-run", formats.name(model.cannot_run, 200))
    if _other_shapes(model, arguments["shapes"]):
        if st.button("Read at these shapes", icon=":material/refresh:", width="stretch", disabled=work.busy(READ_SLOT)):
            asked = {"sha256": model.sha256, "shapes": arguments["shapes"]}
            state.submit(read_at, asked, title=f"Reading {model.name}", lane="quick", slot=READ_SLOT)
            st.rerun()
    elif not model.cannot_run and st.button(
        "Measure",
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        disabled=work.busy(SLOT),
        help="Timed calls after a warm-up, a run that is weighed, each operator; once also the machine itself.",
    ):
        state.submit(profile_whole, arguments, title=f"Measuring {model.name}", lane="device", slot=SLOT)
        st.rerun()


def _other_shapes(model: Model, shapes: dict[str, list[int]]) -> bool:
    """Whether a TorchScript file was read at other shapes than those typed: its layers would not be theirs."""
    wanted = {name: tuple(shape) for name, shape in shapes.items()}
    return model.format == "torchscript" and bool(wanted) and wanted != dict(model.shapes)


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


def times(model: Model) -> OperatorProfile | None:
    """Where the time of a call goes, operator by operator; the profile it is from."""
    rows = state.ask("newest_profile", model_sha256=model.sha256)
    found = state.get(OperatorProfile, rows["id"].iloc[0]) if len(rows) else None
    if found is None:
        todo = "Measure again: ONNX Runtime tells their times."
        if model.format != "onnx":
            todo = "PyTorch does not tell them here: compress the model, and measure its ONNX export."
        cards.nothing_yet("times", "Operators were not timed", todo=todo)
        return None
    table = model_frames.operator_times(found)
    left, right = st.columns([1, 1], gap="medium")
    with left:
        figure = figures.where_the_time_goes(table, style.mode())
        cards.chart(figure, key="times_chart", alt="The operators that take most of the time of a call.")
    with right:
        tables.show(
            table,
            key="times",
            alt="Every operator with its time, computation and speed.",
            order=["name", "op", "time_frac", "time_ms", "flop_per_s", "layers_count"],
            more={"time_frac": tables.bar("Share of time")},
        )
    for note in found.notes:
        st.caption(formats.name(note, 200))
    return found


def roof(profile: OperatorProfile) -> None:
    """Each operator under the roof of this machine."""
    peaks = kept_peaks(state.app().store, profile.workload.threads)
    if peaks is None or peaks.fp32_flop_per_s is None or peaks.memory_bytes_per_s is None:
        cards.nothing_yet("roof", "Peaks of this machine are not known", todo="Measure again: they are taken once.")
        return
    table = model_frames.operator_times(profile)
    flop_per_s, bytes_per_s = peaks.fp32_flop_per_s, peaks.memory_bytes_per_s
    figure = figures.roofline(
        table, style.mode(), peak_flop_per_s=flop_per_s.mid, peak_bytes_per_s=bytes_per_s.mid
    )  # fmt: skip
    said = f"Peaks: {words.scaled(flop_per_s.mid, words.FLOP_PER_S)} and {words.size(bytes_per_s.mid)}/s"
    shown = table[["name", "op", "intensity_flop_per_byte", "flop_per_s", "flop"]]
    cards.chart(figure, key="roof_chart", alt=f"Operators under this machine's roof. {said}.", table=shown)
    st.caption(f"{said} {cards.basis('measured')}")


def layers(model: Model) -> None:
    """Layers by computation, or operators where the graph could not be followed."""
    table = model_frames.layers(model)
    if table.empty:
        tables.show(model_frames.operators(model), key="operators", alt="Operators of the graph and how many of each.")
        return
    tables.show(
        table,
        key="layers",
        alt="Every layer with its computation, weights, bytes moved and arithmetic intensity.",
        order=[column for column in table.columns if column != "basis"],
        more={"flop_frac": tables.bar("Share of FLOP")},
    )


def energy(model: Model) -> None:
    """Arithmetic and memory traffic of one call, for a chip of a given node and memory."""
    left, right = st.columns(2)
    node = left.segmented_control("Chip", (7, 45), default=7, required=True, format_func="{} nm".format, key="node")
    memory = right.selectbox("Memory", physics.MEMORIES, format_func=MEMORIES.get, key="memory")
    split = physics.of_model(model, node_nm=int(node or 7), memory=str(memory))
    rows = model_frames.energy_split(split)
    alt = "Modelled energy of one call by where it goes: multiplying, adding, on-chip memory, DRAM."
    cards.chart(figures.energy_split(rows, style.mode()), key="split_chart", alt=alt, table=rows)
    total = words.interval(split.total_j, words.JOULES)
    st.caption(
        f"{cards.basis('modelled')} {total} a call, of which DRAM takes {words.percent(split.dram_frac)}. "
        "Instructions and control are not in it."
    )


MEMORIES = {"dram_ddr": "DDR", "dram_hbm2": "HBM2", "dram_gddr6": "GDDR6"}
