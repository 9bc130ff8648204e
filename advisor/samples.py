"""Inputs to calibrate and compare on: the user's .npz cut into calls, or random ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import InputError
from profiler import inputs
from profiler.types import Model

if TYPE_CHECKING:
    from numpy import ndarray

MOST_PER_CALL = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Calls to make (arrays by input name), the label of each sample where given, and where they come from."""

    calls: tuple[Mapping[str, ndarray], ...]
    labels: ndarray | None
    is_random: bool
    source: str


def read(
    model: Model,
    data: Path | None,
    *,
    most: int,
    per_call: int = MOST_PER_CALL,
    shapes: Mapping[str, tuple[int, ...]] | None = None,
    seed: int = 0,
) -> Samples:
    """At most `most` samples: from `data` (an .npz of arrays named like the inputs, samples along axis 0, plus
    optional `labels`), `per_call` at once where the model's batch is free; else random ones of these `shapes` (the
    model's own where None). Raises InputError where they do not fit the model's inputs."""
    if data is not None:
        return _given(model, data, most, per_call)
    filled = dict(shapes or model.shapes)
    drawn = inputs.random_feeds(model, filled, seed=seed)
    count = max(1, most // length(drawn))
    calls = (drawn, *(inputs.random_feeds(model, filled, seed=seed * count + number) for number in range(1, count)))
    return Samples(calls=calls, labels=None, is_random=True, source="random")


def _given(model: Model, data: Path, most: int, per_call: int) -> Samples:
    """A model whose batch is fixed is given whole batches; others the rest of the samples too."""
    feeds, labels = inputs.load_npz(data, model)
    taken = {name: values[:most] for name, values in feeds.items()}
    fixed = _fixed_batch(model)
    calls = tuple(inputs.batches(taken, fixed or per_call, whole=fixed is not None))
    if not calls:
        raise InputError(f"The model takes {fixed} samples a call; the data has {length(feeds)}.")
    kept = None if labels is None else labels[: sum(length(call) for call in calls)]
    return Samples(calls=calls, labels=kept, is_random=False, source="given")


def _fixed_batch(model: Model) -> int | None:
    """Samples one call takes where the first axis of an input is fixed, else None."""
    first = [tensor.shape[0] for tensor in model.inputs if tensor.shape]
    return next((axis for axis in first if isinstance(axis, int) and axis > 0), None)


def length(call: Mapping[str, ndarray]) -> int:
    """Samples of one call: the first axis of its first input."""
    first = next(iter(call.values()))
    return len(first) if first.ndim else 1
