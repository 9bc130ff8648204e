"""The layers of a model: FLOP, bytes moved, weights, dims, and the peak of live activations."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from data.errors import InputError
from profiler.inputs import filled_shapes
from profiler.onnx_weights import Weight
from profiler.types import Layer, Tensor

if TYPE_CHECKING:
    from onnx import ModelProto


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
    """The layers of an ONNX model whose dynamic axes are filled by `shapes` (or by default: batch 1, sequence 128)."""
    try:
        filled = filled_shapes(inputs, shapes)
    except InputError as error:
        return Summary(notes=(f"{error.message} {error.hint}",))
    return Summary(shapes=filled)
