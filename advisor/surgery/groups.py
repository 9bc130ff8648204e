"""Groupwise codes: every group of neighbouring weights shares one scale, and each weight is a signed number of few
bits. Symmetric, so that zero stays zero."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from advisor.surgery import codebook

if TYPE_CHECKING:
    from numpy import ndarray


def encode(values: ndarray, bits: int, group: int) -> dict[str, ndarray]:
    """{"codes" (bit-packed), "scales" (float16, one a group)} of the values in order; the last group may be short."""
    import numpy as np

    flat = values.astype(np.float32).ravel()
    padded = np.zeros(-(-flat.size // group) * group, np.float32)
    padded[: flat.size] = flat
    rows = padded.reshape(-1, group)
    most = (1 << (bits - 1)) - 1
    with np.errstate(over="ignore"):
        scales = (np.abs(rows).max(axis=1) / most).astype(np.float16)
    wide = scales.astype(np.float32)[:, None]
    signed = np.where(wide > 0, np.round(rows / np.where(wide > 0, wide, 1)), 0).clip(-most, most)
    codes = (signed.ravel()[: flat.size] + most).astype(np.uint8)
    return {"codes": codebook.pack(codes, bits), "scales": scales}


def decode(arrays: Mapping[str, ndarray], bits: int, group: int, shape: tuple[int, ...]) -> ndarray:
    """The float32 values that `encode` made codes of, in their shape."""
    import numpy as np

    count, most = math.prod(shape), (1 << (bits - 1)) - 1
    codes = codebook.unpack(arrays["codes"], bits, count).astype(np.float32) - most
    scales = np.repeat(arrays["scales"].astype(np.float32), group)[:count]
    found: ndarray = (codes * scales).reshape(shape)
    return found
