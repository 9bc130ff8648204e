"""Branches and loops of an ONNX graph: what is inside them, counted as often as it runs."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from data.text import plain
from profiler.liveness import Event
from profiler.onnx_graph import shapes as onnx_shapes
from profiler.onnx_graph import tools as onnx_tools
from profiler.onnx_graph.names import Graphs, Names
from profiler.onnx_graph.shapes import STANDARD, Scope
from profiler.types import Layer

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

CONTROL = ("If", "Loop", "Scan")
MOST_TURNS = 1 << 24  # a loop that claims more is not believed
Found = tuple[list[Layer], int]


def is_control(node: "NodeProto") -> bool:
    """Whether the node holds graphs that run inside it."""
    return node.op_type in CONTROL and node.domain in STANDARD


def control(
    walk: Graphs, node: "NodeProto", attributes: dict[str, Any], scope: Scope, names: Names, prefix: str, repeat: int
) -> tuple[list[Layer], Event]:
    """The layers inside a control node, and the event it is for the memory around it. Sets its outputs' types."""
    inside = f"{prefix}{node.name or node.output[0]}/"
    if node.op_type == "If":
        layers, peak = _if(walk, node, attributes, scope, names, inside, repeat)
    elif node.op_type == "Loop":
        layers, peak = _loop(walk, node, attributes["body"], scope, names, inside, repeat)
    else:
        layers, peak = _scan(walk, node, attributes, scope, names, inside, repeat)
    reads = tuple(dict.fromkeys(names.moved(name) for name in _read_by(node) if name not in names.stored))
    writes = tuple(name for name in node.output if name)
    return layers, Event(op=node.op_type, reads=reads, writes=writes, inside_bytes=peak)


def _if(
    walk: Graphs, node: "NodeProto", attributes: dict[str, Any], scope: Scope, names: Names, inside: str, repeat: int
) -> Found:
    """The branch that is taken where that is known, else the one with more arithmetic."""
    condition = scope.values.get(node.input[0])
    branches = ["then_branch", "else_branch"]
    if condition is not None:
        branches = branches[:1] if condition.any() else branches[1:]
    found = []
    for branch in branches:
        inner = scope.inner()
        onnx_shapes.enter(attributes[branch], inner, walk.lengths)
        layers, peak = walk.graph(attributes[branch], inner, names.inner(), inside, repeat)
        found.append((sum(layer.flop + layer.other_flop for layer in layers), branch, layers, peak, inner))
    _, branch, layers, peak, inner = max(found, key=lambda item: item[0])
    _hand_out(node.output, attributes[branch].output, inner, scope)
    if condition is None:
        name = branch.removesuffix("_branch")
        walk.notes[f"The If {_shown(inside)} counts as its larger branch ({name})."] = None
        layers = [replace(layer, notes=(*layer.notes, f"the larger branch ({name}) of an If")) for layer in layers]
    return layers, max(item[3] for item in found)


def _loop(
    walk: Graphs, node: "NodeProto", body: "GraphProto", scope: Scope, names: Names, inside: str, repeat: int
) -> Found:
    """The body, as often as it runs; once, with a note, where that depends on the data."""
    trips = scope.values.get(node.input[0]) if node.input and node.input[0] else None
    condition = scope.values.get(node.input[1]) if len(node.input) > 1 and node.input[1] else None
    fixed = trips is not None and (not node.input[1] or condition is not None)
    count = _believed(walk, int(trips.reshape(-1)[0]), inside) if fixed and trips is not None else 1
    inner = scope.inner()
    states = node.input[2:]
    _hand_in([value.name for value in body.input[2:]], states, scope, inner)
    layers, peak = _inside(walk, body, inner, names, inside, repeat, count, known=fixed)
    _hand_out(node.output[: len(states)], body.output[1:], inner, scope)
    _stack(node.output[len(states) :], body.output[1 + len(states) :], inner, scope, count)
    return layers, peak


def _scan(
    walk: Graphs, node: "NodeProto", attributes: dict[str, Any], scope: Scope, names: Names, inside: str, repeat: int
) -> Found:
    """The body, once for each slice of the scanned inputs."""
    body = attributes["body"]
    scanned = int(attributes["num_scan_inputs"])
    states, sequences = node.input[:-scanned], node.input[-scanned:]
    axes = attributes.get("scan_input_axes") or [0] * scanned
    inner = scope.inner()
    inputs = [value.name for value in body.input]
    _hand_in(inputs[: len(states)], states, scope, inner)
    count, known = 1, False
    for name, sequence, axis in zip(inputs[len(states) :], sequences, axes, strict=False):
        shape = scope.shape(sequence)
        if shape is not None:
            count, known = _believed(walk, shape[axis], inside), True
            slice_shape = tuple(length for place, length in enumerate(shape) if place != axis % len(shape))
            inner.set(name, scope.types[sequence].tensor_type.elem_type, slice_shape)
    layers, peak = _inside(walk, body, inner, names, inside, repeat, count, known=known)
    _hand_out(node.output[: len(states)], body.output, inner, scope)
    _stack(node.output[len(states) :], body.output[len(states) :], inner, scope, count)
    return layers, peak


def _inside(
    walk: Graphs, body: "GraphProto", inner: Scope, names: Names, inside: str, repeat: int, count: int, *, known: bool
) -> Found:
    onnx_shapes.enter(body, inner, walk.lengths)
    if not known:
        walk.notes[f"The loop {_shown(inside)} counts as one turn: how often it runs depends on the data."] = None
    return walk.graph(body, inner, names.inner(), inside, repeat * max(count, 1))


def _hand_in(inputs: Iterable[str], given: Iterable[str], scope: Scope, inner: Scope) -> None:
    for name, outer in zip(inputs, given, strict=False):
        if outer in scope.types:
            inner.types[name] = scope.types[outer]


def _hand_out(outputs: Iterable[str], made: Iterable[Any], inner: Scope, scope: Scope) -> None:
    for name, value in zip(outputs, made, strict=False):
        if name and value.name in inner.types:
            scope.types[name] = inner.types[value.name]


def _stack(outputs: Iterable[str], made: Iterable[Any], inner: Scope, scope: Scope, count: int) -> None:
    """Outputs collected over the turns: one more axis in front."""
    for name, value in zip(outputs, made, strict=False):
        shape = inner.shape(value.name)
        if name and shape is not None:
            scope.set(name, inner.types[value.name].tensor_type.elem_type, (count, *shape))


def _read_by(node: "NodeProto") -> list[str]:
    """Tensors of the outer graph that a control node reads, its inner graphs included."""
    names = [name for name in node.input if name]
    for attribute in node.attribute:
        if attribute.HasField("g"):
            for graph in onnx_tools.graphs(attribute.g):
                own = {value.name for value in graph.input} | {name for each in graph.node for name in each.output}
                names += [name for each in graph.node for name in each.input if name and name not in own]
    return names


def _believed(walk: Graphs, turns: int, inside: str) -> int:
    """How often a loop runs; once, with a note, where it claims more than is believed."""
    if turns <= MOST_TURNS:
        return max(turns, 0)
    walk.notes[f"The loop {_shown(inside)} claims {turns:,} turns; it counts as one."] = None
    return 1


def _shown(inside: str) -> str:
    return plain(inside.rstrip("/"), 60)
