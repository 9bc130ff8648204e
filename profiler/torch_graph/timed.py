"""What torch's profiler hears of a call, as the operators of the call and as those of the graph.

Eager torch runs the graph's layers one after the other: the operators heard and the layers, in their order and by their
kind, are aligned like two texts. What only hands on memory, and what has no layer, stays a row of its own kind.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from data.errors import MeasurementError
from data.units import NS_PER_MS
from profiler.joining import US_PER_MS, Call
from profiler.types import Layer

NAMESPACE = "aten::"
MARK = "the call that is told"
BACKENDS = ("native_", "cudnn_", "mkldnn_", "miopen_", "thnn_")
# Kernels that stand for one another: which of them runs is chosen by the device and the sizes.
ALIKE = {"scaled_dot_product": "attention", "fused_sdp": "attention", "rnn": "recurrent", "lstm": "recurrent",
         "gru": "recurrent", "batch_norm": "batch_norm", "conv": "convolution"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Heard:
    """One operator with all it called: its time in milliseconds, of the device where the call ran on one."""

    name: str
    ms: float
    inside: "tuple[Heard, ...]" = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a call's time: an operator's, and whether it is a layer's own or one that no layer counts."""

    op: str
    ms: float
    is_layer: bool


def listened(call: Callable[[], object], *, on_gpu: bool) -> dict[str, Any]:
    """Runs `call` under torch's profiler: {"run_ms", "operators": [name, ms, [the same of what it called]]}.

    It runs twice, and the second is told: reading what was heard before has emptied the processor's caches."""
    from torch.profiler import ProfilerActivity, profile, record_function

    kinds = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]
    with profile(activities=kinds) as heard:
        call()
        with record_function(MARK):
            start = time.perf_counter_ns()
            call()
            run_ms = (time.perf_counter_ns() - start) / NS_PER_MS
    whole = next(event for event in heard.events() if event.name == MARK and _on_host(event))
    return {"run_ms": run_ms, "operators": [_written(each, on_gpu) for each in whole.cpu_children if _on_host(each)]}


def calls_of(told: Iterable[Mapping[str, Any]], layers: Sequence[Layer]) -> list[Call]:
    """The calls that `listened` wrote, with the time of each operator under the name of its layer, or of its kind.

    Raises MeasurementError where no call holds an operator."""
    kinds = {kind(layer.op) for layer in layers}
    owners: dict[tuple[str, ...], list[str | None]] = {}
    calls = []
    for one in told:
        heard = [_read(row) for row in one["operators"]]
        parts = [part for top in heard for part in parts_of(top, kinds)]
        ops = tuple(kind(part.op) for part in parts if part.is_layer)
        if ops not in owners:
            owners[ops] = aligned(ops, layers)
        calls.append(_call(parts, iter(owners[ops]), float(one["run_ms"]), {layer.name for layer in layers}))
    if not any(call.times for call in calls):
        raise MeasurementError("The runtime's profile holds no call.")
    return calls


def parts_of(heard: Heard, kinds: set[str]) -> list[Part]:
    """The time of an operator in pieces that add up to it: whole where it holds one layer's operator or none, else its
    own share and the pieces of what it called. What is no operator (a script's frame) is only looked into."""
    inside = [part for each in heard.inside for part in parts_of(each, kinds)]
    if not heard.name.startswith(NAMESPACE):
        return inside or ([] if heard.inside else [Part(heard.name, heard.ms, False)])
    op = heard.name.removeprefix(NAMESPACE)
    within = [part for part in inside if part.is_layer]
    alike = [part for part in within if kind(part.op) == kind(op)]
    if kind(op) in kinds and len(alike) <= 1:
        return [Part(op, heard.ms, True)]
    if len(within) == 1:
        return [Part(within[0].op, heard.ms, True)]
    own_ms = heard.ms - sum(part.ms for part in inside)
    return [Part(op, own_ms, False), *inside] if within else [Part(op, heard.ms, False)]


def aligned(ops: Sequence[str], layers: Sequence[Layer]) -> list[str | None]:
    """For each operator heard (by its kind, in order) the name of the layer it is; None where none fits."""
    found: list[str | None] = [None] * len(ops)
    wanted = [kind(layer.op) for layer in layers]
    for block in SequenceMatcher(None, ops, wanted, autojunk=False).get_matching_blocks():
        for step in range(block.size):
            found[block.a + step] = layers[block.b + step].name
    return found


def kind(op: str) -> str:
    """An operator's kind, the same for all kernels that compute it: "_softmax" is a softmax."""
    bare = op.strip("_")
    for backend in BACKENDS:
        bare = bare.removeprefix(backend)
    return next((name for part, name in ALIKE.items() if part in bare), bare)


def _call(parts: Sequence[Part], owners: Iterator[str | None], run_ms: float, layers: set[str]) -> Call:
    call = Call({}, {}, run_ms)
    for part in parts:
        owner = next(owners) if part.is_layer else None
        name = owner or (f"{part.op}, others" if part.op in layers else part.op)
        call.times[name] = call.times.get(name, 0.0) + part.ms
        call.kinds[name] = part.op
    return call


def _on_host(event: Any) -> bool:
    """Whether it is an operator: not a kernel on the device, nor a call of its driver."""
    return str(event.device_type).endswith("CPU") and not event.name.startswith(("cuda", "cu", "Activity Buffer"))


def _written(event: Any, on_gpu: bool) -> list[Any]:
    us = event.device_time_total if on_gpu else event.time_range.elapsed_us()
    return [event.name, us / US_PER_MS, [_written(each, on_gpu) for each in event.cpu_children if _on_host(each)]]


def _read(row: Sequence[Any]) -> Heard:
    name, ms, inside = row
    return Heard(name, ms, tuple(_read(each) for each in inside))
