"""Sparse forms of a matrix: bitmask, CSR and 2:4, their size in bits, and from which density on dense is smaller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import ndarray

    Arrays = Mapping[str, ndarray]

VALUE_BITS = 32
POINTER_BITS = 32
SHORT_INDEX, LONG_INDEX = 16, 32
FORMATS = ("bitmask", "csr", "2:4")


def index_bits(columns: int) -> int:
    """Bits of one CSR column index."""
    return SHORT_INDEX if columns <= 1 << SHORT_INDEX else LONG_INDEX


def bits(form: str, rows: int, columns: int, nonzero: int) -> int:
    """Bits of a float32 matrix in this form, its values included: the bitmask has a bit a place, CSR an index a value
    and a pointer a row (and one), 2:4 two values and two 2-bit places for every four."""
    if form == "bitmask":
        return rows * columns + VALUE_BITS * nonzero
    if form == "csr":
        return (VALUE_BITS + index_bits(columns)) * nonzero + POINTER_BITS * (rows + 1)
    if form == "2:4":
        return rows * columns // 4 * 2 * (VALUE_BITS + 2)
    return VALUE_BITS * rows * columns


def alpha_bits(form: str, rows: int, columns: int, nonzero: int) -> int:
    """What a form costs beyond the non-zero values themselves: "128 -> 64 + alpha bits"."""
    return bits(form, rows, columns, nonzero) - VALUE_BITS * nonzero


def break_even_density(form: str, rows: int, columns: int) -> float:
    """The share of non-zero values (0..1) above which dense is smaller. 2:4 is smaller at its own pattern, always."""
    places = rows * columns
    if form == "2:4":
        return 0.5
    fixed = bits(form, rows, columns, 0)
    each = bits(form, rows, columns, 1) - fixed
    return max(0.0, (VALUE_BITS * places - fixed) / (each * places))


def operations(matrix: ndarray, columns: int) -> tuple[int, int]:
    """(multiplications, additions) left in matrix x something with `columns` columns when zeros are skipped."""
    import numpy as np

    per_row = np.count_nonzero(matrix, axis=1)
    return int(per_row.sum()) * columns, int(np.maximum(per_row - 1, 0).sum()) * columns


def fits_two_of_four(matrix: ndarray) -> bool:
    """Whether no four neighbours along a row hold more than two non-zero values."""
    import numpy as np

    rows, columns = matrix.shape
    if columns % 4:
        return False
    return int(np.count_nonzero(matrix.reshape(rows, columns // 4, 4), axis=2).max(initial=0)) <= 2


def encode(form: str, matrix: ndarray) -> dict[str, ndarray]:
    """The arrays that hold this float32 matrix in this form."""
    import numpy as np

    if form == "bitmask":
        mask = matrix != 0
        return {"mask": np.packbits(mask.ravel()), "values": matrix[mask]}
    if form == "csr":
        rows, places = np.nonzero(matrix)
        kind = np.uint16 if index_bits(matrix.shape[1]) == SHORT_INDEX else np.uint32
        pointers = np.concatenate([[0], np.cumsum(np.count_nonzero(matrix, axis=1))]).astype(np.uint32)
        return {"indices": places.astype(kind), "pointers": pointers, "values": matrix[rows, places]}
    groups = matrix.reshape(-1, 4)
    first = np.argsort(groups == 0, axis=1, kind="stable")[:, :2]
    kept = np.sort(first, axis=1)
    codes = np.zeros((len(kept) + 1) // 2, dtype=np.uint8)
    packed = (kept[:, 0] | kept[:, 1] << 2).astype(np.uint8)
    codes[: len(packed[::2])] = packed[::2]
    codes[: len(packed[1::2])] |= packed[1::2] << 4
    return {"places": codes, "values": np.take_along_axis(groups, kept, axis=1).ravel()}


def decode(form: str, arrays: Arrays, rows: int, columns: int) -> ndarray:
    """The float32 matrix again, bit for bit."""
    import numpy as np

    matrix = np.zeros((rows, columns), dtype=np.float32)
    values = arrays["values"]
    if form == "bitmask":
        mask = np.unpackbits(arrays["mask"], count=rows * columns).astype(bool)
        matrix.ravel()[mask] = values
    elif form == "csr":
        pointers = arrays["pointers"].astype(np.int64)
        counts = pointers[1:] - pointers[:-1]
        matrix[np.repeat(np.arange(rows), counts), arrays["indices"].astype(np.int64)] = values
    else:
        codes, groups = arrays["places"], rows * columns // 4
        packed = np.stack([codes & 15, codes >> 4], axis=1).ravel()[:groups].astype(np.int64)
        kept = np.stack([packed & 3, packed >> 2], axis=1)
        np.put_along_axis(matrix.reshape(-1, 4), kept, values.reshape(-1, 2), axis=1)
    return matrix
