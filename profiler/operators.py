"""Where the time goes: the runtime's own profile, operator by operator, joined to the layers of the graph."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from data import words
from data.errors import InputError
from data.records import from_plain, to_plain
from data.units import BYTES_PER_GIB
from profiler import jobs, timing
from profiler.inputs import filled_shapes
from profiler.intake import at_shapes
from profiler.joining import Call, Node, middle, named, operator_times, owners_of, read_events
from profiler.kept import kept_model, runtime_for
from profiler.machine import machine, threads_of
from profiler.measure import Entry, Feed, feeds_of
from profiler.measure import load as load_session
from profiler.profile import Subject, Wish, device_lock
from profiler.run_types import OperatorProfile, OperatorTime
from profiler.sandbox import Limits
from profiler.tasks import ChildDesk, procedure, task
from profiler.torch_graph.timed import calls_of
from profiler.types import Layer, Model, Workload

SETTINGS = timing.Settings(budget_s=3.0, least_calls=40, least_s=1.0, most_calls=400)
DROPPED_CALLS = 3
DISTURBED_FRAC = 0.1  # by more than this a profile has slowed the call down
TELL_OPERATORS = ("onnxruntime", "openvino", "torch")
LARGEST_COPY_BYTES = 2 * BYTES_PER_GIB  # a graph is not written out with more weights than a protobuf file can hold


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
    """Runs the subject under its runtime's profile on the feed; `layers` are the graph's at those shapes.

    Raises InputError for a runtime that does not tell, and what loading and running raise. Does not save."""
    wish = wish or Wish()
    if subject.runtime not in TELL_OPERATORS:
        raise InputError(
            f"The runtime {subject.runtime} does not tell the time of each operator.",
            hint=f"Choose {' or '.join(TELL_OPERATORS)}.",
        )
    here = machine()
    threads = threads_of(wish.threads, here)
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
    told: Path = profiled.end_profiling()  # type: ignore[attr-defined]
    known = [from_plain(Layer, layer) for layer in layers]
    calls, owners, note = _joined(what.runtime, json.loads(told.read_text(encoding="utf-8")), written, known)
    calls = calls[min(DROPPED_CALLS, len(calls) // 2) :]
    rows = operator_times(calls, known, owners)
    sum_ms, run_ms = middle([sum(call.times.values()) for call in calls]), middle([call.run_ms for call in calls])
    latency_ms = middle(runs["plain"].samples_ms)
    notes = [agreement(sum_ms, run_ms, latency_ms), *([note] if note else [])]
    return {
        "operators": to_plain(rows), "sum_ms": sum_ms, "run_ms": run_ms, "latency_ms": latency_ms,
        "calls": len(calls), "notes": notes,
    }  # fmt: skip


def _profile_options(folder: Path, what: Entry, model: Model) -> tuple[dict[str, str], Path]:
    """The options that make the runtime write its profile, and its graph unless its weights are too many for that."""
    options, written = what.options | {"profile": str(folder / "profile")}, folder / "optimised.onnx"
    if what.runtime == "onnxruntime" and model.weight_bytes < LARGEST_COPY_BYTES:
        options["optimised"] = str(written)
    return options, written


def _joined(
    runtime: str, told: Sequence[Mapping[str, Any]], written: Path, layers: Sequence[Layer]
) -> tuple[list[Call], dict[str, str], str]:
    """The profiled calls, the operator of each layer that has one, and how they were joined where that is not sure."""
    if runtime == "torch":
        calls = calls_of(told, layers)
        timed = {name for call in calls for name in call.times}
        owners = {layer.name: layer.name for layer in layers if layer.name in timed}
        return calls, owners, f"{len(owners)} of {len(layers)} layers were found by their order and kind."
    calls, graph = read_events(told), _graph(written) if written.exists() else []
    timed = set(calls[0].times)
    owners = owners_of(layers, named(graph, calls[0].times), timed, into_maker=runtime == "openvino")
    return calls, owners, "" if graph else "The layers were joined by name alone."


def agreement(sum_ms: float, run_ms: float, latency_ms: float) -> str:
    """How far the operators' sum is from the latency measured without the profile, and whether the profile is why."""
    share = words.percent(sum_ms / latency_ms)
    said = f"The operators' times add up to {share} of the latency measured without the profile"
    slowed = abs(run_ms / latency_ms - 1.0) > DISTURBED_FRAC
    taken = words.percent(run_ms / latency_ms)
    return f"{said}; a call under the profile took {taken} of it." if slowed else f"{said}."


def _graph(path: Path) -> list[Node]:
    """The operators of the graph the runtime wrote out."""
    import onnx

    graph = onnx.load(str(path), load_external_data=False).graph
    return [Node(node.name, node.op_type, tuple(node.input), tuple(node.output)) for node in graph.node]
