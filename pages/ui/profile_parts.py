"""What the profile page begins with: how the model is called, its run in numbers, and how that was measured."""

import streamlit as st

from advisor import memory_frames, model_frames
from advisor.figures import named as figures
from data import words
from pages.ui import cards, formats, gpu_parts, pickers, state, style, work
from profiler import stats
from profiler.kept import read_at
from profiler.types import Load, Measurement, Model
from profiler.ways import Way, ways
from profiler.whole import profile_whole

SLOT, READ_SLOT = "measuring", "reading-at"
RUNS_SHOWN = 4


def setup(model: Model) -> None:
    """How the model is called, and the button that measures it."""
    if model.cannot_run:
        cards.warning("cannot-run", formats.name(model.cannot_run, 200))
    if model.tensors:  # weights alone: there is no call
        return
    key = f"call-{formats.short(model.sha256)}"
    arguments = {"sha256": model.sha256, **pickers.call(model, key)}
    if _other_shapes(model, arguments["shapes"]):
        if st.button("Read at these shapes", icon=":material/refresh:", width="stretch", disabled=work.busy(READ_SLOT)):
            asked = {"sha256": model.sha256, "shapes": arguments["shapes"]}
            state.submit(read_at, asked, title=f"Reading {model.name}", lane="quick", slot=READ_SLOT)
            st.rerun()
        return
    if model.cannot_run:
        return
    arguments |= _way(model, key)
    if st.button(
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


def _way(model: Model, key: str) -> dict[str, object]:
    """The runtime, device and precision to measure with; what cannot be taken here is named with its reason."""
    known = ways(model.format)
    able = {way.key: way for way in known if way.missing is None}
    if not able:
        return {}
    titles = {name: way.title for name, way in able.items()}
    chosen = able[st.selectbox("Run with", list(able), format_func=titles.get, key=f"{key}-way", help=_absent(known))]
    if chosen.device != "cpu":
        gpu_parts.panel()
    return {"runtime": chosen.runtime, "device": chosen.device, "options": dict(chosen.options)}


def _absent(known: tuple[Way, ...]) -> str | None:
    reasons = [f"{way.title}: {way.missing}" for way in known if way.missing]
    return "Not here. " + " ".join(reasons) if reasons else None


def newest(model: Model) -> list[Measurement]:
    """The newest runs of the original, newest first."""
    rows = state.ask("original_runs", model_sha256=model.sha256, limit=RUNS_SHOWN)
    found = [state.get(Measurement, run_id) for run_id in rows["id"]]
    return [run for run in found if run is not None]


def numbers(model: Model, run: Measurement) -> None:
    """The row of metrics of one run, and what to know about it."""
    cards.metrics(
        "profile",
        [
            cards.estimate("Latency, median", model_frames.median(run), words.LATENCY, 1e-3),
            cards.estimate("Latency, p95", model_frames.tail(run), words.LATENCY, 1e-3),
            cards.estimate("Throughput", model_frames.throughput(run), words.PER_SECOND),
            _memory(model, run),
            cards.estimate("Energy per call", run.energy_j, words.JOULES),
        ],
        columns=5,
    )
    cards.onward(("pages/compress.py", "Next: make it smaller"))
    if not run.stable:
        cards.warning(
            "noisy", "This run was noisy: other work kept the processor busy. Measure again when it is quiet."
        )


def _memory(model: Model, run: Measurement) -> cards.Metric:
    text = "Resident memory beyond a process that only has the runtime loaded."
    if run.peak_bytes is None:
        return cards.Metric(label="Peak memory", value=words.NOT_KNOWN, help=text)
    note = memory_frames.beside(model, run)
    return cards.Metric(label="Peak memory", value=words.size(run.peak_bytes), basis="measured", note=note, help=text)


def latencies(runs: list[Measurement]) -> None:
    """The share of calls below a time, for the newest runs."""
    named = [(f"{run.created_at[11:19]} · {model_frames.call(run)}", run) for run in runs]
    first = model_frames.percentiles(runs[0])
    alt = "Share of calls that took at most a given time: " + ", ".join(
        f"{row['percentile']} {words.latency(row['latency_ms'])}" for row in first.to_dict("records")
    )
    figure = figures.latency_ecdf(model_frames.samples(named), style.mode(), height=430)
    cards.chart(figure, key="profile_ecdf", alt=alt, table=first)


def how(run: Measurement) -> None:
    """The circumstances of a run."""
    cpu_ms = stats.percentile(run.cpu_samples_ms, 50)
    cards.facts(
        {
            "When": model_frames.when(run),
            "Run by": f"{run.runtime}, {run.provider}",
            "Call": f"batch {run.workload.batch_size}, {run.workload.threads} threads, {run.workload.inputs} inputs",
            "Calls timed": f"{len(run.samples_ms):,} after {len(run.warmup_ms)} warm-up calls left out",
            "Loading": words.latency(run.load_ms),
            "Processor time": f"{words.latency(cpu_ms)} a call, all threads together",
            "Steady": "yes" if run.stable else "no",
            "Load before": busy(run.load_before),
            "Load during": busy(run.load_after),
            "Machine": f"{run.machine.cpu}, {run.machine.physical_cores} cores",
        },
    )
    for note in run.notes:
        st.caption(formats.name(note, 200))


def busy(load: Load) -> str:
    """A machine's load in words: "1.2 on average; some task waited 3 % of the time; others took 1 % of the cores"."""
    waited = f"some task waited {words.percent(load.cpu_pressure_frac)} of the time"
    known = [
        f"{words.number(load.load_1m, 2)} on average" if load.load_1m is not None else "",
        waited if load.cpu_pressure_frac is not None else "",
        f"others took {words.percent(load.others_frac)} of the cores" if load.others_frac is not None else "",
    ]
    return "; ".join(part for part in known if part) or words.NOT_KNOWN
