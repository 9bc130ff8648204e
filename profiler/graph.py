"""The layers of an ONNX model: FLOP, bytes moved, weights, dims, and the peak of live activations."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from data.errors import InputError
from profiler.inputs import filled_shapes
from profiler.onnx_graph import shapes as onnx_shapes
from profiler.onnx_graph import tools as onnx_tools
from profiler.onnx_graph.layers import NOT_COUNTED, Walk
from profiler.onnx_graph.names import Names
from profiler.onnx_graph.weights import Weight
from profiler.types import Layer, Tensor

if TYPE_CHECKING:
    from onnx import ModelProto


LARGEST = 1 << 60  # what is kept must fit 64 bits, totals included
MOST_NOTES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a graph is at given shapes; the totals are None where it could not be worked out (notes say why)."""

    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    layers: tuple[Layer, ...] = ()
    flop: int | None = None
    other_flop: int | None = None
    peak_activation_bytes: int | None = None
    notes: tuple[str, ...] = ()


def summary(
    model: "ModelProto",
    weights: Mapping[str, Weight],
    inputs: tuple[Tensor, ...],
    shapes: Mapping[str, tuple[int, ...]],
) -> Summary:
    """The layers of an ONNX model whose dynamic axes are filled by `shapes` (or by default: batch 1, sequence 128).

    The model is changed in place: its inputs get these shapes.
    """
    try:
        filled = filled_shapes(inputs, shapes)
    except InputError as error:
        return Summary(notes=(f"{error.message} {error.hint}",))
    lengths = {
        axis: length
        for tensor in inputs
        for axis, length in zip(tensor.shape, filled[tensor.name], strict=True)
        if isinstance(axis, str)
    }
    onnx_tools.set_shapes(model, filled)
    scope = onnx_shapes.opened(model, lengths)
    walk = Walk(weights, lengths)
    layers, peak = walk.graph(model.graph, scope, Names())
    uncounted = sum(1 for layer in layers if NOT_COUNTED in layer.notes)
    notes = [*walk.notes, *scope.problems][:MOST_NOTES]
    if max([peak, *(_largest(layer) for layer in layers)]) >= LARGEST:
        return Summary(shapes=filled, notes=("At these shapes the graph's numbers are too large to be true.", *notes))
    if uncounted:
        notes.append(f"{uncounted} operators are not counted: their shapes depend on the data or are not known.")
    return Summary(
        shapes=filled,
        layers=tuple(layers),
        flop=sum(layer.flop for layer in layers),
        other_flop=sum(layer.other_flop for layer in layers),
        peak_activation_bytes=peak,
        notes=tuple(notes),
    )


def _largest(layer: Layer) -> int:
    return max(layer.flop, layer.other_flop, layer.weight_bytes, layer.read_bytes, layer.written_bytes)
