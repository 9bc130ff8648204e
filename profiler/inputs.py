"""Inputs to run a model on: drawn at random within what the model allows, or the user's own arrays."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from data.errors import InputError
from data.text import plain
from data.units import BYTES_PER_GIB
from profiler.dtypes import bytes_of
from profiler.types import Axis, Model, Tensor

if TYPE_CHECKING:
    import numpy as np

    Arrays = dict[str, np.ndarray]

SEQUENCE_LENGTH = 128
LIMIT_BYTES = 4 * BYTES_PER_GIB
LABELS = "labels"
BATCH_NAMES = {"n", "b", "bs"}
SEQUENCE_NAMES = {"t", "s", "l"}
# Names that exporters make up for an axis that nobody named.
MADE_UP = re.compile(r"^(\?|[sdu]?\d+|dim_?\d+|unk_*\d+|.*dynamic_axes_\d+|.*_dim_\d+|)$", re.IGNORECASE)


def filled_shapes(
    inputs: Sequence[Tensor], shapes: Mapping[str, Sequence[int]], batch_size: int | None = None
) -> dict[str, tuple[int, ...]]:
    """Every input's shape in numbers: as given; else 1 (or `batch_size`) for a batch and 128 for a sequence.

    A dynamic axis has one length wherever its name occurs. A `batch_size` that is given wins over the batch in
    `shapes`. Raises InputError for an axis that is neither a batch nor a sequence and was not given, for a shape
    that does not fit the model, and for a batch above 1 where the model's is fixed.
    """
    for name in shapes:
        if name not in {tensor.name for tensor in inputs}:
            known = ", ".join(tensor.name for tensor in inputs)
            raise InputError(f'The model has no input "{plain(name, 40)}".', hint=f"Its inputs: {plain(known, 150)}")
    lengths = _given_lengths(inputs, shapes)
    _check_batch(inputs, batch_size)
    filled = {}
    for tensor in inputs:
        filled[tensor.name] = tuple(
            _length(tensor, place, shapes.get(tensor.name), lengths, batch_size) for place in range(len(tensor.shape))
        )
    return filled


def batch_of(inputs: Sequence[Tensor], filled: Mapping[str, Sequence[int]]) -> int:
    """How many samples one call of these shapes takes: the first open batch axis; 1 where no input has one."""
    for tensor in inputs:
        if tensor.shape and not isinstance(tensor.shape[0], int) and is_batch(tensor.shape[0], 0):
            return int(filled[tensor.name][0])
    return 1


def fixed_batch(inputs: Sequence[Tensor]) -> int | None:
    """The batch that a model without an open first axis was exported for; None where one may be chosen."""
    firsts = [axis for tensor in inputs for axis in tensor.shape[:1]]
    fixed = [axis for axis in firsts if isinstance(axis, int)]
    return fixed[0] if fixed and len(fixed) == len(firsts) else None


def random_feeds(
    model: Model, shapes: Mapping[str, Sequence[int]], batch_size: int | None = None, seed: int = 0
) -> "Arrays":
    """One array for each input: floats from the standard normal distribution, ids below the input's upper bound,
    masks of ones, bytes over their whole range, other integers 1. Raises InputError as `filled_shapes` does, and
    where the inputs would be too large or hold text."""
    import numpy as np

    filled = filled_shapes(model.inputs, shapes, batch_size)
    total = sum(bytes_of(tensor.dtype, math.prod(filled[tensor.name])) for tensor in model.inputs)
    if total > LIMIT_BYTES:
        raise InputError(
            f"The model's inputs would take {total / BYTES_PER_GIB:.1f} GiB.", hint="Give smaller shapes with --shape."
        )
    generator = np.random.default_rng(seed)
    return {tensor.name: _draw(tensor, filled[tensor.name], generator) for tensor in model.inputs}


def load_npz(path: Path, model: Model) -> "tuple[Arrays, np.ndarray | None]":
    """The user's arrays by input name (the first axis counts samples), and the array "labels" where there is one.

    Reads .npz, and .npy for a model with one input; never runs pickled code. Raises InputError where a name, shape,
    number type or id does not fit the model, and where more is declared than the file can hold.
    """
    arrays = _stored_arrays(path, model)
    labels = arrays.pop(LABELS, None) if LABELS not in {tensor.name for tensor in model.inputs} else None
    missing = [tensor.name for tensor in model.inputs if tensor.name not in arrays]
    if missing:
        found = ", ".join(arrays) or "none"
        raise InputError(
            f'The file has no array named "{plain(missing[0], 40)}", as the model\'s input is.',
            hint=f"Arrays found: {plain(found, 150)}",
        )
    feeds = {tensor.name: _fitted(tensor, arrays[tensor.name]) for tensor in model.inputs}
    counts = {len(array) for array in feeds.values()} | ({len(labels)} if labels is not None and labels.ndim else set())
    if len(counts) != 1:
        raise InputError("The arrays hold different numbers of samples.", hint="Their first axes must be equal.")
    if labels is not None and (labels.ndim != 1 or labels.dtype.kind not in "iu"):
        raise InputError("The labels must be one whole number for each sample.", hint="Save them as an int64 vector.")
    return feeds, labels


def batches(feeds: "Mapping[str, np.ndarray]", batch_size: int, *, whole: bool = False) -> "Iterator[Arrays]":
    """The samples in order, `batch_size` at a time; a shorter rest comes last unless `whole`."""
    count = len(next(iter(feeds.values())))
    for start in range(0, count, batch_size):
        if whole and start + batch_size > count:
            return
        yield {name: array[start : start + batch_size] for name, array in feeds.items()}


def is_batch(axis: Axis, place: int) -> bool:
    """Whether a dynamic axis is a batch: by its name, or as an unnamed first axis."""
    if isinstance(axis, int):
        return False
    name = (axis or "").lower()
    return "batch" in name or name in BATCH_NAMES or (place == 0 and bool(MADE_UP.match(name)))


def _is_sequence(axis: Axis, place: int, tensor: Tensor) -> bool:
    name = (axis if isinstance(axis, str) else "").lower()
    named = any(word in name for word in ("seq", "length", "token", "time", "step")) or name in SEQUENCE_NAMES
    return named or (bool(MADE_UP.match(name)) and place == 1 and tensor.dtype in ("int64", "int32", "bool"))


def _given_lengths(inputs: Sequence[Tensor], shapes: Mapping[str, Sequence[int]]) -> dict[str, int]:
    """Length of each named axis that the given shapes settle. Raises InputError where they do not fit."""
    lengths: dict[str, int] = {}
    for tensor in inputs:
        given = shapes.get(tensor.name)
        if given is None:
            continue
        fits = len(given) == len(tensor.shape) and all(
            length > 0 and (not isinstance(axis, int) or axis == length)
            for axis, length in zip(tensor.shape, given, strict=True)
        )
        if not fits:
            raise _misfit(tensor, given)
        for axis, length in zip(tensor.shape, given, strict=True):
            if isinstance(axis, str) and lengths.setdefault(axis, length) != length:
                raise InputError(f'The axis "{plain(axis, 40)}" was given two lengths, {lengths[axis]} and {length}.')
    return lengths


def _check_batch(inputs: Sequence[Tensor], batch_size: int | None) -> None:
    firsts = [tensor.shape[0] for tensor in inputs if tensor.shape]
    fixed = all(isinstance(axis, int) and axis != batch_size for axis in firsts)
    if batch_size is not None and batch_size > 1 and firsts and fixed:
        raise InputError(
            f"The model's batch is fixed at {firsts[0]}: it cannot run a batch of {batch_size}.",
            hint="Export it with a dynamic batch axis.",
        )


def _length(
    tensor: Tensor, place: int, given: Sequence[int] | None, lengths: Mapping[str, int], batch_size: int | None
) -> int:
    axis = tensor.shape[place]
    if isinstance(axis, int):
        return axis
    if batch_size is not None and is_batch(axis, place):
        return batch_size
    if given is not None:
        return given[place]
    parts = [part.strip() for part in axis.split("+")] if axis else [""]
    if len(parts) > 1:  # exporters write "past_sequence_length + sequence_length"
        return sum(
            int(part) if part.isdigit() else _one_length(tensor, part, place, lengths, batch_size) for part in parts
        )
    return _one_length(tensor, axis, place, lengths, batch_size)


def _one_length(
    tensor: Tensor, axis: str | None, place: int, lengths: Mapping[str, int], batch_size: int | None
) -> int:
    if axis in lengths and axis is not None:
        return lengths[axis]
    if is_batch(axis, place):
        return batch_size or 1
    if _is_sequence(axis, place, tensor):
        return SEQUENCE_LENGTH
    example = "x".join(str(a) if isinstance(a, int) else "?" for a in tensor.shape)
    raise InputError(
        f'The input "{plain(tensor.name, 40)}" has an axis of open length ("{plain(axis or "unnamed", 30)}").',
        hint=f"Give its shape: --shape {plain(tensor.name, 40)}={example}",
    )


def _draw(tensor: Tensor, shape: tuple[int, ...], generator: "np.random.Generator") -> "np.ndarray":
    import numpy as np

    dtype = _numpy_type(tensor)
    if "mask" in tensor.name.lower():
        return np.ones(shape, dtype)
    if tensor.dtype == "bool":
        return generator.integers(0, 2, shape).astype(dtype)
    if tensor.upper_bound is not None:
        return generator.integers(0, tensor.upper_bound, shape).astype(dtype)
    if tensor.dtype in ("uint8", "int8"):
        limits = np.iinfo(tensor.dtype)
        return generator.integers(limits.min, limits.max + 1, shape).astype(dtype)
    if dtype.kind in "iu":
        return np.ones(shape, dtype)
    return generator.standard_normal(shape, dtype=np.float32).astype(dtype)


def _numpy_type(tensor: Tensor) -> "np.dtype":
    import ml_dtypes
    import numpy as np

    if tensor.dtype == "bfloat16":
        bfloat16: np.dtype = np.dtype(ml_dtypes.bfloat16)
        return bfloat16
    try:
        found = np.dtype(tensor.dtype)
    except TypeError:
        found = np.dtype(object)
    if found.kind not in "fiub":
        raise InputError(
            f'The input "{plain(tensor.name, 40)}" takes {plain(tensor.dtype, 20)}, which cannot be drawn at random.',
            hint="Put the text processing outside the model.",
        )
    return found


def _fitted(tensor: Tensor, array: "np.ndarray") -> "np.ndarray":
    import numpy as np

    wanted = _numpy_type(tensor)
    if not np.can_cast(array.dtype, wanted, "same_kind"):
        raise InputError(f'The array "{plain(tensor.name, 40)}" holds {array.dtype}, the model wants {tensor.dtype}.')
    fixed = zip(tensor.shape[1:], array.shape[1:], strict=False)
    if array.ndim != len(tensor.shape) or any(isinstance(axis, int) and axis != have for axis, have in fixed):
        raise _misfit(tensor, array.shape)
    if tensor.upper_bound is not None and array.size and not 0 <= array.min() <= array.max() < tensor.upper_bound:
        raise InputError(
            f'The array "{plain(tensor.name, 40)}" holds ids from {array.min()} to {array.max()}; the model\'s table '
            f"has {tensor.upper_bound}.",
        )
    return array.astype(wanted, copy=False)


def _misfit(tensor: Tensor, have: Sequence[int]) -> InputError:
    wanted = "x".join("?" if not isinstance(axis, int) else str(axis) for axis in tensor.shape)
    given = "x".join(map(str, have))
    return InputError(f'The input "{plain(tensor.name, 40)}" has the shape {wanted}, not {given}.')


def _stored_arrays(path: Path, model: Model) -> "Arrays":
    """Arrays by name, none of them larger than the file really holds (npy: than its header declares)."""
    import zipfile

    import numpy as np

    hint = "Save them with numpy.savez(name=array, ...), one array for each input."
    try:
        if not zipfile.is_zipfile(path):
            with path.open("rb") as file:
                _check_declared(file, path.stat().st_size, path.name)
            if len(model.inputs) != 1:
                raise InputError("A single .npy array fits only a model with one input.", hint=hint)
            return {model.inputs[0].name: np.load(path, allow_pickle=False)}
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > LIMIT_BYTES:
                raise InputError(f"The arrays take more than {LIMIT_BYTES // BYTES_PER_GIB} GiB.")
            for entry in archive.infolist():
                with archive.open(entry) as member:
                    _check_declared(member, entry.file_size, entry.filename)
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (ValueError, OSError, EOFError, SyntaxError, TypeError, NotImplementedError, zipfile.BadZipFile) as error:
        raise InputError("The data file is no readable numpy array.", hint=hint, details=str(error)) from None


def _check_declared(file: "IO[bytes]", available_bytes: int, name: str) -> None:
    """Raises InputError where an array announces more bytes than there are, ValueError where it is no array."""
    import numpy as np

    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    version = np.lib.format.read_magic(file)
    if version not in read:
        raise ValueError("this version of the npy format is not read here")
    shape, _, dtype = read[version](file)
    if dtype.hasobject:
        raise InputError(
            f'The array "{plain(name, 40)}" holds Python objects, not numbers.', hint="Save it as a numeric array."
        )
    if math.prod(shape) * dtype.itemsize > available_bytes:
        raise InputError(f'The array "{plain(name, 40)}" announces a larger size than the file holds.')
