"""Inputs to calibrate and compare on: the user's .npz cut into calls, or random ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.agreement import not_finite
from data.errors import InputError
from data.text import plain
from profiler import inputs
from profiler.types import Model

if TYPE_CHECKING:
    from numpy import ndarray

MOST_PER_CALL = 32
# Given samples are cut in two: some to calibrate on, the others to measure quality on. Fewer than this are not.
CUT_FROM = 32
CALIBRATION_SHARE, MOST_CALIBRATION = 0.25, 64
ALL, CALIBRATION, HELD_OUT = "all", "calibration", "held-out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Calls to make (arrays by input name), the label of each sample where given, and where they come from: "random",
    "given", or "held-out" from those that were given. `is_cut` says whether there were enough of them to cut."""

    calls: tuple[Mapping[str, ndarray], ...]
    labels: ndarray | None
    is_random: bool
    source: str
    is_cut: bool = False


def read(
    model: Model,
    data: Path | None,
    *,
    most: int,
    per_call: int = MOST_PER_CALL,
    shapes: Mapping[str, tuple[int, ...]] | None = None,
    seed: int = 0,
    part: str = ALL,
) -> Samples:
    """At most `most` samples: from `data` (an .npz of arrays named like the inputs, samples along axis 0, plus
    optional `labels`), `per_call` at once where the model's batch is free; else random ones of these `shapes` (the
    model's own where None). `part` CALIBRATION or HELD_OUT takes one of the two parts that no sample is in both of,
    where there are enough to cut. Raises InputError where they do not fit the model's inputs."""
    if data is not None:
        return _given(model, data, most, per_call, part)
    filled = dict(shapes or model.shapes)
    count = max(1, most // length(inputs.random_feeds(model, filled)))
    calls = tuple(inputs.random_feeds(model, filled, seed=seed * count + number) for number in range(count))
    return Samples(calls=calls, labels=None, is_random=True, source="random")


def _given(model: Model, data: Path, most: int, per_call: int, part: str) -> Samples:
    """A model whose batch is fixed is given whole batches; others the rest of the samples too."""
    import numpy as np

    feeds, labels = inputs.load_npz(data, model)
    if (broken := not_finite(feeds)) is not None:
        raise InputError(f'The given data hold NaN or infinity in "{plain(broken, 40)}".', hint="Leave such rows out.")
    fixed, count = _fixed_batch(model), length(feeds)
    parts = cut(count, fixed or 1)
    chosen = np.asarray((parts[part] if parts and part != ALL else range(count))[:most], dtype=np.int64)
    taken = {name: values[chosen] for name, values in feeds.items()}
    calls = tuple(inputs.batches(taken, fixed or per_call, whole=fixed is not None))
    if not calls:
        raise InputError(f"The model takes {fixed} samples a call; the data has {count}.")
    kept = None if labels is None else labels[chosen][: sum(length(call) for call in calls)]
    source = HELD_OUT if parts and part == HELD_OUT else "given"
    return Samples(calls=calls, labels=kept, is_random=False, source=source, is_cut=parts is not None)


def cut(count: int, per_call: int = 1) -> dict[str, list[int]] | None:
    """The places of the samples to calibrate on and of those held out, in order, both enough for a call; None where
    the samples are too few. Those to calibrate on lie evenly among all, so that sorted data leave no class out."""
    wanted = max(per_call, min(MOST_CALIBRATION, int(CALIBRATION_SHARE * count)))
    if count < max(CUT_FROM, 2 * per_call):
        return None
    chosen = {place * count // wanted for place in range(wanted)}
    return {CALIBRATION: sorted(chosen), HELD_OUT: [place for place in range(count) if place not in chosen]}


def _fixed_batch(model: Model) -> int | None:
    """Samples one call takes where the first axis of an input is fixed, else None."""
    first = [tensor.shape[0] for tensor in model.inputs if tensor.shape]
    return next((axis for axis in first if isinstance(axis, int) and axis > 0), None)


def length(call: Mapping[str, ndarray]) -> int:
    """Samples of one call: the first axis of its first input."""
    first = next(iter(call.values()))
    return len(first) if first.ndim else 1
