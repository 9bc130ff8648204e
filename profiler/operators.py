"""Where the time goes: ONNX Runtime's own profile, operator by operator, joined to the layers of the graph.

The runtime fuses, renames and reorders operators. A layer belongs to the operator of the runtime's graph that has its
name or makes its output; a layer that was fused away belongs to the operator its result flows into.
"""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from data import words
from data.errors import InputError, MeasurementError
from data.records import from_plain, to_plain
from data.units import BYTES_PER_GIB
from profiler import jobs, timing
from profiler.inputs import filled_shapes
from profiler.intake import at_shapes
from profiler.kept import kept_model, runtime_for
from profiler.machine import machine
from profiler.measure import Entry, Feed, feeds_of
from profiler.measure import load as load_session
from profiler.profile import Subject, Wish, device_lock
from profiler.run_types import OperatorProfile, OperatorTime
from profiler.sandbox import Limits
from profiler.tasks import ChildDesk, procedure, task
from profiler.types import Layer, Model, Workload

US_PER_MS = 1_000.0
SETTINGS = timing.Settings(budget_s=3.0, least_calls=40, least_s=1.0, most_calls=400)
DROPPED_CALLS = 3
TELL_OPERATORS = ("onnxruntime", "openvino")
LARGEST_COPY_BYTES = 2 * BYTES_PER_GIB  # a graph is not written out with more weights than a protobuf file can hold
BLOCKED = "_nchwc"  # what the runtime adds to the name of an operator in its blocked layout


@dataclass(frozen=True, slots=True)
class Node:
    """An operator of the runtime's graph."""

    name: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@procedure
def profile_kept(
    desk: jobs.Desk, *, sha256: str, shapes: Mapping[str, Sequence[int]] | None = None, batch_size: int = 1,
    threads: int | None = None, device: str = "cpu", runtime: str | None = None,
    options: Mapping[str, str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Where the time of a kept model goes; saved, {"profile": its id}. Raises InputError where the model is not kept
    or cannot run, and what `profile_operators` raises."""
    model, file = kept_model(desk, sha256)
    if model.cannot_run:
        raise InputError(model.cannot_run)
    filled = filled_shapes(model.inputs, dict(shapes or model.shapes), batch_size)
    model = at_shapes(desk, file, model, filled)
    subject = Subject(
        path=file, model_sha256=sha256, runtime=runtime or runtime_for(model.format), readable=(file.parent,),
        options=dict(options or {}),
    )  # fmt: skip
    feed = Feed(model=model, shapes=filled, batch_size=batch_size)
    found = profile_operators(desk, subject, feed, model.layers, Wish(device=device, threads=threads))
    desk.save(found)
    return {"profile": found.id, "sha256": sha256}


def profile_operators(
    desk: jobs.Desk, subject: Subject, feed: Feed, layers: Sequence[Layer], wish: Wish | None = None
) -> OperatorProfile:
    """Runs the subject under ONNX Runtime's profile on the feed; `layers` are the graph's at those shapes.

    Raises InputError for another runtime than ONNX Runtime, and what loading and running raise. Does not save."""
    wish = wish or Wish()
    if subject.runtime not in TELL_OPERATORS:
        raise InputError(
            f"The runtime {subject.runtime} does not tell the time of each operator.",
            hint=f"Choose {' or '.join(TELL_OPERATORS)}.",
        )
    here = machine()
    threads = wish.threads or here.physical_cores
    options = {"device": wish.device, "threads": str(threads), **subject.options}
    entry = Entry(label=subject.label, path=str(subject.path), runtime=subject.runtime, options=options)
    readable = [subject.path, *subject.readable, *([Path(feed.data)] if feed.data else [])]
    with device_lock(desk, wish.device):
        found = desk.task(
            time_operators, {"entry": to_plain(entry), "feed": to_plain(feed), "layers": to_plain(list(layers))},
            readable=readable, limits=Limits(memory_bytes=wish.memory_limit_bytes, gpu=wish.device != "cpu"),
        )  # fmt: skip
    rows = tuple(from_plain(OperatorTime, row) for row in found.pop("operators"))
    return OperatorProfile(
        id=uuid.uuid4().hex, created_at=jobs.now(), model_sha256=subject.model_sha256, variant_id=subject.variant_id,
        fingerprint=here.fingerprint, runtime=subject.runtime, options=options, operators=rows,
        workload=Workload(batch_size=feed.batch_size, threads=threads, shapes=dict(feed.shapes),
                          inputs="given" if feed.data else "random"),
        sum_ms=found["sum_ms"], run_ms=found["run_ms"], latency_ms=found["latency_ms"], calls=found["calls"],
        notes=tuple(found["notes"]),
    )  # fmt: skip


@task
def time_operators(
    desk: ChildDesk, *, entry: Mapping[str, Any], feed: Mapping[str, Any], layers: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """{"operators", "sum_ms", "run_ms", "latency_ms", "calls", "notes"}: the model runs in turns with and without the
    profile."""
    what, fed = from_plain(Entry, entry), from_plain(Feed, feed)
    feeds = feeds_of(fed)
    desk.progress(0.1, f"Loading {what.label} twice")
    options, written = _profile_options(desk.folder, what, fed.model)
    plain, profiled = load_session(what)[0], load_session(replace(what, options=options))[0]
    runs = timing.interleave(
        {"plain": plain.prepare(feeds), "profiled": profiled.prepare(feeds)}, SETTINGS,
        progress=lambda done_frac: desk.progress(0.1 + 0.8 * done_frac, "Measuring each operator"),
    )  # fmt: skip
    events: Path = profiled.end_profiling()  # type: ignore[attr-defined]
    calls = read_events(json.loads(events.read_text(encoding="utf-8")))
    calls = calls[min(DROPPED_CALLS, len(calls) // 2) :]
    graph = _graph(written) if written.exists() else []
    known = [from_plain(Layer, layer) for layer in layers]
    rows = operator_times(calls, graph, known, into_maker=what.runtime == "openvino")
    sum_ms, latency_ms = _middle([sum(call.times.values()) for call in calls]), _middle(runs["plain"].samples_ms)
    notes = [agreement(sum_ms, latency_ms), *([] if graph else ["The layers were joined by name alone."])]
    return {
        "operators": to_plain(rows), "sum_ms": sum_ms, "run_ms": _middle([call.run_ms for call in calls]),
        "latency_ms": latency_ms, "calls": len(calls), "notes": notes,
    }  # fmt: skip


def _profile_options(folder: Path, what: Entry, model: Model) -> tuple[dict[str, str], Path]:
    """The options that make the runtime write its profile, and its graph unless its weights are too many for that."""
    options, written = what.options | {"profile": str(folder / "profile")}, folder / "optimised.onnx"
    if what.runtime == "onnxruntime" and model.weight_bytes < LARGEST_COPY_BYTES:
        options["optimised"] = str(written)
    return options, written


@dataclass(frozen=True, slots=True)
class Call:
    """One profiled call: the time of each operator (by name), what kind each is, and the whole call's."""

    times: dict[str, float]
    kinds: dict[str, str]
    run_ms: float


def read_events(events: Iterable[Mapping[str, Any]]) -> list[Call]:
    """The profiled calls of a profile's events (microseconds there). An operator inside another's body (Loop, If,
    Scan) is part of the one around it and not counted again. Raises MeasurementError where no call is in it."""
    events = list(events)
    runs = sorted((e["ts"], e["dur"]) for e in events if e.get("cat") == "Session" and e["name"] == "model_run")
    nodes = sorted(
        ((e["ts"], -e["dur"], e) for e in events if e.get("cat") == "Node" and e["name"].endswith("_kernel_time")),
        key=lambda item: item[:2],
    )
    if not runs or not nodes:
        raise MeasurementError("The runtime's profile holds no call.")
    calls = [Call({}, {}, duration / US_PER_MS) for _, duration in runs]
    place, until = 0, -1
    for start, _, event in nodes:
        while place + 1 < len(runs) and start >= runs[place + 1][0]:
            place += 1
        if start < until:
            continue
        until = start + event["dur"]
        name = event["name"].removesuffix("_kernel_time")
        times = calls[place].times
        times[name] = times.get(name, 0.0) + event["dur"] / US_PER_MS
        calls[place].kinds[name] = event["args"].get("op_name", "")
    return calls


def operator_times(
    calls: Sequence[Call], graph: Sequence[Node], layers: Sequence[Layer], *, into_maker: bool = False
) -> list[OperatorTime]:
    """One row for each operator the runtime ran, in the order it ran them, with the layers it stands for."""
    names = list(calls[0].times)
    owners = owners_of(layers, named(graph, names), set(names), into_maker=into_maker)
    rows = []
    for name in names:
        times = sorted(call.times.get(name, 0.0) for call in calls)
        mine = [layer for layer in layers if owners.get(layer.name) == name]
        rows.append(
            OperatorTime(
                name=name, op=calls[0].kinds[name], ms=_middle(times), low_ms=times[len(times) // 4],
                high_ms=times[-1 - len(times) // 4], layers=tuple(layer.name for layer in mine),
                flop=sum(layer.flop for layer in mine), weight_bytes=sum(layer.weight_bytes for layer in mine),
                moved_bytes=_moved(mine),
            )
        )  # fmt: skip
    return rows


def owners_of(
    layers: Sequence[Layer], graph: Sequence[Node], timed: set[str], *, into_maker: bool = False
) -> dict[str, str]:
    """Layer name -> name of the timed operator it is part of; a layer that leads to none is left out. `into_maker`: the
    runtime fuses an activation or a sum into the operator that makes what it reads, not into the one that reads it."""
    maker = {output: node.name for node in graph if node.name in timed for output in node.outputs}
    # An operator in the blocked layout is called after the tensor it makes; what turns that back has its name, too.
    maker |= {name.removesuffix(BLOCKED): name for name in timed if name.endswith(BLOCKED)}
    consumers: dict[str, list[Layer]] = {}
    for layer in layers:
        for name in layer.inputs:
            consumers.setdefault(name, []).append(layer)
    owners = _made_by(layers, timed) if into_maker else {}
    for layer in reversed(layers):
        if layer.name in owners:
            continue
        known = [maker[output] for output in layer.outputs if output in maker]
        if layer.name in timed:
            known.insert(0, layer.name)
        after = [owners[c.name] for output in layer.outputs for c in consumers.get(output, []) if c.name in owners]
        if known or after:
            owners[layer.name] = (known or after)[0]
    return owners


def _made_by(layers: Sequence[Layer], timed: set[str]) -> dict[str, str]:
    """Layer name -> the timed operator of its name or of what it makes, else the last of those it reads from."""
    owners: dict[str, str] = {}
    maker: dict[str, str] = {}
    started: dict[str, int] = {}
    for place, layer in enumerate(layers):
        own = next((name for name in (layer.name, *layer.outputs) if name in timed), None)
        read = [maker[name] for name in layer.inputs if name in maker]
        if own is None and read:
            own = max(read, key=started.__getitem__)
        if own is not None:
            started.setdefault(own, place)
            owners[layer.name] = own
            maker |= dict.fromkeys(layer.outputs, own)
    return owners


def agreement(sum_ms: float, latency_ms: float) -> str:
    """One sentence: how far the operators' sum is from the latency measured without the profile."""
    share = words.percent(sum_ms / latency_ms)
    return f"The operators' times add up to {share} of the latency measured without the profile."


def _moved(layers: Sequence[Layer]) -> int:
    """Bytes the fused layers move as one: what passes between them stays inside."""
    inside = {output for layer in layers for output in layer.outputs} & {i for layer in layers for i in layer.inputs}
    total = 0
    for layer in layers:
        total += layer.weight_bytes
        total += 0 if layer.inputs and set(layer.inputs) & inside else layer.read_bytes
        total += 0 if layer.outputs and set(layer.outputs) <= inside else layer.written_bytes
    return total


def _graph(path: Path) -> list[Node]:
    """The operators of the graph the runtime wrote out."""
    import onnx

    graph = onnx.load(str(path), load_external_data=False).graph
    return [Node(node.name, node.op_type, tuple(node.input), tuple(node.output)) for node in graph.node]


def named(graph: Sequence[Node], timed: Iterable[str]) -> list[Node]:
    """The graph with names for operators that have none: the profile calls those Op_number, in the same order."""
    taken = {node.name for node in graph}
    free: dict[str, list[str]] = {}
    for name in timed:
        op, _, number = name.rpartition("_")
        if name not in taken and number.isdigit():
            free.setdefault(op, []).append(name)
    return [
        replace(node, name=free[node.op].pop(0)) if not node.name and free.get(node.op) else node for node in graph
    ]


def _middle(values: Sequence[float]) -> float:
    """The mean of the middle half: robust like a median, and finer than the profile's whole microseconds."""
    ordered = sorted(values)
    quarter = len(ordered) // 4
    half = ordered[quarter : len(ordered) - quarter]
    return sum(half) / len(half)
