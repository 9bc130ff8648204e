"""The model record of a torch module, whatever file it came from."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import InputError
from data.text import plain
from profiler.dtypes import bytes_of
from profiler.files import bytes_on_disk, sha256_of
from profiler.graph import Summary
from profiler.inputs import filled_shapes
from profiler.torch_graph.layers import Traced, trace
from profiler.types import Axis, Model, Tensor

if TYPE_CHECKING:
    import torch
    from torch import nn


def model_of(
    path: Path,
    format: str,
    module: "nn.Module",
    inputs: Sequence[Tensor],
    shapes: Mapping[str, tuple[int, ...]],
    *,
    positional: bool = True,
    cannot_run: str | None = None,
    notes: Sequence[str] = (),
) -> Model:
    """What the module is, and its layers at `shapes` (or by default: batch 1, sequence 128), run on fake tensors.

    Where its shapes are not known, or it cannot be followed, there are no layers, and a note says why.
    """
    counts = _by_dtype(module)
    stored = [*module.parameters(), *module.buffers()]
    traced, why = _traced(module, inputs, shapes, positional)
    summary = traced.summary if traced else Summary()
    bounds = traced.upper_bounds if traced else {}
    return Model(
        sha256=sha256_of(path),
        name=path.stem,
        format=format,
        file_bytes=bytes_on_disk(path),
        parameter_count=sum(counts.values()),
        parameters_by_dtype=counts,
        weight_bytes=sum(bytes_of(dtype_of(tensor), tensor.numel()) for tensor in stored),
        producer="torch",
        operators=dict(Counter(layer.op for layer in summary.layers).most_common()),
        inputs=tuple(_bounded(tensor, bounds) for tensor in inputs),
        outputs=_outputs(traced, inputs),
        shapes=summary.shapes,
        layers=summary.layers,
        flop=summary.flop if traced else None,
        other_flop=summary.other_flop if traced else None,
        peak_activation_bytes=summary.peak_activation_bytes if traced else None,
        cannot_run=cannot_run,
        notes=(*notes, *why, *summary.notes),
    )


def _by_dtype(module: "nn.Module") -> dict[str, int]:
    """Parameters by number type, most first; one that is used in two places counts once."""
    counts = Counter[str]()
    for parameter in module.parameters():
        counts[dtype_of(parameter)] += parameter.numel()
    return dict(counts.most_common())


def dtype_of(tensor: "torch.Tensor") -> str:
    """The number type's name as this product has it."""
    return str(tensor.dtype).removeprefix("torch.").replace("float8_e4m3fn", "float8_e4m3")


def _traced(
    module: "nn.Module", inputs: Sequence[Tensor], shapes: Mapping[str, tuple[int, ...]], positional: bool
) -> tuple[Traced | None, tuple[str, ...]]:
    import torch

    if not all(tensor.shape for tensor in inputs):
        return None, ()
    try:
        filled = filled_shapes(inputs, shapes)
    except InputError as error:
        return None, (f"{error.message} {error.hint}",)

    def make() -> "dict[str, torch.Tensor]":
        kinds = {tensor.name: getattr(torch, tensor.dtype, torch.float32) for tensor in inputs}
        return {name: torch.zeros(shape, dtype=kinds[name]) for name, shape in filled.items()}

    try:
        return trace(module, make, positional=positional), ()
    except Exception as error:  # whatever the model's own code raises
        line = plain(f"{error}".strip().partition("\n")[0], 100)
        return None, (f"Its layers could not be followed at these shapes ({line}).",)


def _bounded(tensor: Tensor, bounds: Mapping[str, int]) -> Tensor:
    return Tensor(
        name=tensor.name, dtype=tensor.dtype, shape=tensor.shape,
        upper_bound=bounds.get(tensor.name, tensor.upper_bound),
    )  # fmt: skip


def _outputs(traced: Traced | None, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    if traced is None:
        return ()
    dynamic = any(tensor.shape and not isinstance(tensor.shape[0], int) for tensor in inputs)
    found = []
    for name, value in named_outputs(traced.outputs):
        axes: list[Axis] = [int(length) for length in value.shape]
        if dynamic and axes:
            axes[0] = "batch"
        found.append(Tensor(name=name, dtype=dtype_of(value), shape=tuple(axes)))
    return tuple(found)


def named_outputs(outputs: Any) -> "list[tuple[str, torch.Tensor]]":
    """Every tensor of a module's answer with its name: a mapping's keys, else output_0, output_1, ..."""
    import torch

    if isinstance(outputs, Mapping):
        return [(str(name), value) for name, value in outputs.items() if isinstance(value, torch.Tensor)]
    from profiler.torch_graph.layers import tensors_in

    return [(f"output_{place}", value) for place, value in enumerate(tensors_in(outputs))]
