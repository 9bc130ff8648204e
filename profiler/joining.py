"""A runtime's own profile as calls, and its operators joined to the layers of the graph. Pure.

The runtime fuses, renames and reorders operators. A layer belongs to the operator of the runtime's graph that has its
name or makes its output; a layer that was fused away belongs to the operator its result flows into.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from data.errors import MeasurementError
from profiler.run_types import OperatorTime
from profiler.types import Layer

US_PER_MS = 1_000.0
BLOCKED = "_nchwc"  # what the runtime adds to the name of an operator in its blocked layout


@dataclass(frozen=True, slots=True)
class Node:
    """An operator of the runtime's graph."""

    name: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


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


def operator_times(calls: Sequence[Call], layers: Sequence[Layer], owners: Mapping[str, str]) -> list[OperatorTime]:
    """One row for each operator the runtime ran, in the order it ran them, with the layers it stands for (`owners`:
    layer name -> operator name)."""
    names = list(dict.fromkeys(name for call in calls for name in call.times))
    kinds = {name: kind for call in calls for name, kind in call.kinds.items()}
    rows = []
    for name in names:
        times = sorted(call.times.get(name, 0.0) for call in calls)
        mine = [layer for layer in layers if owners.get(layer.name) == name]
        rows.append(
            OperatorTime(
                name=name, op=kinds[name], ms=middle(times), low_ms=times[len(times) // 4],
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


def _moved(layers: Sequence[Layer]) -> int:
    """Bytes the fused layers move as one: what passes between them stays inside."""
    inside = {output for layer in layers for output in layer.outputs} & {i for layer in layers for i in layer.inputs}
    total = 0
    for layer in layers:
        total += layer.weight_bytes
        total += 0 if layer.inputs and set(layer.inputs) & inside else layer.read_bytes
        total += 0 if layer.outputs and set(layer.outputs) <= inside else layer.written_bytes
    return total


def named(graph: Sequence[Node], timed: Iterable[str]) -> list[Node]:
    """The graph with names for operators that have none: the profile calls those Op_number, in the same order."""
    taken = {node.name for node in graph}
    free: dict[str, list[str]] = {}
    for name in timed:
        op, _, number = name.rpartition("_")
        if name not in taken and number.isdigit():
            free.setdefault(op, []).append(name)
    return [replace(node, name=free[node.op].pop(0)) if not node.name and free.get(node.op) else node for node in graph]


def middle(values: Sequence[float]) -> float:
    """The mean of the middle half: robust like a median, and finer than the profile's whole microseconds."""
    ordered = sorted(values)
    quarter = len(ordered) // 4
    half = ordered[quarter : len(ordered) - quarter]
    return sum(half) / len(half)
