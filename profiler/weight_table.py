"""Files that hold weights but no architecture: what can be said of them, and what not."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from data import words
from profiler.dtypes import is_float
from profiler.files import bytes_on_disk, sha256_of
from profiler.types import Model, WeightTensor

NEEDS_ARCHITECTURE = "Latency needs the architecture: this file holds weights alone. Give the model as ONNX or .pt2."
CHUNK_BYTES = 8 << 20
# torch keeps these beside a BatchNorm's parameters; they are not trained.
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
NOT_WEIGHTS = ("int64", "int32", "bool", "uint64", "uint32", "string")
# The bits that must be unset for a number to be zero, by bytes an item: all but the sign.
MAGNITUDES = {"float16": ("<u2", 0x7FFF), "bfloat16": ("<u2", 0x7FFF), "float32": ("<u4", 0x7FFFFFFF)}


def is_parameter(name: str, dtype: str) -> bool:
    """Whether a stored tensor counts as parameters: not 32- and 64-bit integers, nor a batch norm's statistics."""
    return dtype not in NOT_WEIGHTS and name.rpartition(".")[2] not in STATISTICS


def of_weights(
    path: Path,
    format: str,
    tensors: Sequence[WeightTensor],
    *,
    producer: str = "",
    cannot_run: str = NEEDS_ARCHITECTURE,
    notes: Iterable[str] = (),
) -> Model:
    """The model record of a file of weights: parameters by type, its table of tensors, and why it cannot be run."""
    counts: dict[str, int] = {}
    zeros = known = 0.0
    for tensor in tensors:
        count = math.prod(tensor.shape)
        if is_parameter(tensor.name, tensor.dtype):
            counts[tensor.dtype] = counts.get(tensor.dtype, 0) + count
            if tensor.zero_frac is not None:
                zeros, known = zeros + tensor.zero_frac * count, known + count
    sparsity = (f"{words.percent(zeros / known)} of the weights are zero.",) if known else ()
    return Model(
        sha256=sha256_of(path),
        name=path.stem,
        format=format,
        file_bytes=bytes_on_disk(path),
        parameter_count=sum(counts.values()),
        parameters_by_dtype=dict(sorted(counts.items(), key=lambda item: -item[1])),
        weight_bytes=sum(tensor.stored_bytes for tensor in tensors),
        producer=producer,
        tensors=tuple(tensors),
        cannot_run=cannot_run,
        notes=(*sparsity, *notes),
    )


def zero_frac(path: Path, start: int, size_bytes: int, dtype: str) -> float | None:
    """Share of zeros (of either sign) in a tensor stored at `start`, read a piece at a time; None for types whose
    numbers are not one item each."""
    import numpy as np

    kind, mask = MAGNITUDES.get(dtype, ("", 0))
    if not kind:
        if dtype not in ("float64", "int8", "uint8"):
            return None
        kind = {"float64": "<f8", "int8": "i1", "uint8": "u1"}[dtype]
    if not size_bytes:
        return None
    zeros = items = 0
    with path.open("rb") as file:
        file.seek(start)
        while size_bytes:
            piece = np.frombuffer(file.read(min(CHUNK_BYTES, size_bytes)), kind)
            if not len(piece):
                return None
            zeros += len(piece) - int(np.count_nonzero(piece & mask if is_float(dtype) and mask else piece))
            items += len(piece)
            size_bytes -= piece.nbytes
    return zeros / items
