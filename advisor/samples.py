"""Inputs to calibrate and compare on: the user's .npz cut into calls, or random ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import InputError
from profiler.types import Model, Tensor

if TYPE_CHECKING:
    from numpy import ndarray

MOST_PER_CALL = 32
LABELS = "labels"
INTEGERS_BELOW = 2  # ids without a known table: 0 and 1 are in every vocabulary and every mask


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Calls to make (arrays by input name), the label of each sample where given, and where they come from."""

    calls: tuple[Mapping[str, ndarray], ...]
    labels: ndarray | None
    is_random: bool
    source: str

    @property
    def count(self) -> int:
        """Samples in all calls: the length of the first axis of the first input, summed."""
        return sum(length(call) for call in self.calls)


def read(model: Model, data: Path | None, *, most: int, seed: int = 0) -> Samples:
    """At most `most` samples: from `data` (an .npz of arrays named like the inputs, samples along axis 0, plus
    optional `labels`), else random. Raises InputError where the arrays do not fit the model's inputs."""
    return _random(model, most, seed) if data is None else _given(model, data, most)


def _given(model: Model, data: Path, most: int) -> Samples:
    import numpy as np

    try:
        with np.load(data, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except Exception as error:
        raise InputError("The data is not an .npz of plain arrays.", details=f"{error}") from error
    labels = arrays.pop(LABELS, None)
    inputs = {tensor.name: _fitted(tensor, arrays) for tensor in model.inputs}
    lengths = {len(values) for values in inputs.values()}
    if len(lengths) != 1 or lengths == {0}:
        raise InputError("The arrays of the data do not all have the same number of samples along their first axis.")
    (length,) = lengths
    if labels is not None and len(labels) != length:
        raise InputError(f"There are {len(labels)} labels for {length} samples.")
    most, fixed = min(most, length), _fixed_batch(model)
    step = fixed or min(MOST_PER_CALL, most)
    starts = range(0, most - step + 1 if fixed else most, step)
    calls = tuple(
        {name: values[start : min(start + step, most)] for name, values in inputs.items()} for start in starts
    )
    if not calls:
        raise InputError(f"The model takes {step} samples a call; the data has {length}.")
    kept = None if labels is None else labels[: min(most, len(calls) * step)]
    return Samples(calls=calls, labels=kept, is_random=False, source="given")


def _fitted(tensor: Tensor, arrays: Mapping[str, ndarray]) -> ndarray:
    if tensor.name not in arrays:
        raise InputError(
            f"The data has no array named '{tensor.name}'.",
            hint="Name the arrays of the .npz like the model's inputs, and the labels 'labels'.",
        )
    values = arrays[tensor.name]
    fits = values.ndim == len(tensor.shape) and all(
        not isinstance(wanted, int) or wanted == got
        for wanted, got in zip(tensor.shape[1:], values.shape[1:], strict=False)
    )
    if not fits:
        wanted = "x".join("?" if axis is None else str(axis) for axis in tensor.shape)
        got = "x".join(str(length) for length in values.shape)
        raise InputError(f"Input '{tensor.name}' takes {wanted}; the data's array is {got}.")
    if values.dtype.kind not in "fiub":
        raise InputError(f"The data's array '{tensor.name}' holds no numbers.")
    return values.astype(tensor.dtype, copy=False)


def _random(model: Model, most: int, seed: int) -> Samples:
    import numpy as np

    generator = np.random.default_rng(seed)
    step = _fixed_batch(model) or 1
    calls = tuple(
        {tensor.name: _drawn(tensor, _shape(model, tensor, step), generator) for tensor in model.inputs}
        for _ in range(max(1, most // step))
    )
    return Samples(calls=calls, labels=None, is_random=True, source="random")


def _drawn(tensor: Tensor, shape: tuple[int, ...], generator: object) -> ndarray:
    import numpy as np

    assert isinstance(generator, np.random.Generator)
    if tensor.dtype.startswith(("float", "bfloat")):
        return generator.standard_normal(shape, dtype=np.float32).astype(tensor.dtype)
    if tensor.dtype == "bool":
        return np.ones(shape, dtype=bool)
    high = tensor.upper_bound or INTEGERS_BELOW
    return generator.integers(0 if tensor.upper_bound else 1, high, shape).astype(tensor.dtype)


def _shape(model: Model, tensor: Tensor, step: int) -> tuple[int, ...]:
    known = model.shapes.get(tensor.name, ())
    filled = []
    for index, axis in enumerate(tensor.shape):
        if isinstance(axis, int):
            filled.append(axis)
        elif index < len(known):
            filled.append(known[index])
        else:
            filled.append(step if index == 0 else 128)
    return tuple(filled)


def _fixed_batch(model: Model) -> int | None:
    """Samples one call takes where the first axis of an input is fixed, else None."""
    first = [tensor.shape[0] for tensor in model.inputs if tensor.shape]
    return next((axis for axis in first if isinstance(axis, int) and axis > 0), None)


def length(call: Mapping[str, ndarray]) -> int:
    """Samples of one call: the first axis of its first input."""
    first = next(iter(call.values()))
    return len(first) if first.ndim else 1
