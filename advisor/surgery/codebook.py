"""Codebooks: every weight becomes the number of its nearest of 2^bits values, and these codes are packed bit by bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.units import BITS_PER_BYTE

if TYPE_CHECKING:
    from numpy import ndarray

VALUE_BITS = 32


def encode(values: ndarray, codebook: ndarray) -> ndarray:
    """The number of the nearest codebook value for each value, in order (uint8)."""
    import numpy as np

    between = (codebook[1:] + codebook[:-1]) / 2
    return np.searchsorted(between, values.ravel()).astype(np.uint8)


def pack(codes: ndarray, bits: int) -> ndarray:
    """Codes of `bits` bits each, one after the other without gaps, the last byte filled with zeros."""
    import numpy as np

    spread = np.unpackbits(codes.reshape(-1, 1), axis=1)[:, BITS_PER_BYTE - bits :]
    return np.packbits(spread.ravel())


def unpack(packed: ndarray, bits: int, count: int) -> ndarray:
    """The `count` codes that `pack` packed."""
    import numpy as np

    spread = np.unpackbits(packed, count=count * bits).reshape(count, bits)
    filled = np.concatenate([np.zeros((count, BITS_PER_BYTE - bits), np.uint8), spread], axis=1)
    return np.packbits(filled, axis=1).ravel()


def payload_bits(count: int, bits: int) -> int:
    """Bits of codes and codebook for `count` weights; the file's header comes on top."""
    return count * bits + (VALUE_BITS << bits)
