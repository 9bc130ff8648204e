"""Codebooks: every weight becomes the number of its nearest of 2^bits values, found by k-means; codes are packed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.units import BITS_PER_BYTE

if TYPE_CHECKING:
    from numpy import ndarray

FITTED_ON = 1 << 14  # values k-means sees of a larger tensor, spread evenly over the sorted ones
VALUE_BITS = 32


def fit(values: ndarray, bits: int, seed: int = 0) -> ndarray:
    """The sorted codebook of 2^bits float32 values (fewer where fewer differ), by scikit-learn's k-means."""
    import numpy as np
    from sklearn.cluster import KMeans

    ordered = np.sort(values.ravel())
    if ordered.size > FITTED_ON:
        ordered = ordered[np.linspace(0, ordered.size - 1, FITTED_ON).round().astype(int)]
    distinct = np.unique(ordered)
    size = 1 << bits
    if distinct.size <= size:
        return distinct.astype(np.float32)
    starts = np.quantile(distinct, (np.arange(size) + 0.5) / size).reshape(-1, 1)
    means = KMeans(size, init=starts, n_init=1, max_iter=100, random_state=seed).fit(ordered.reshape(-1, 1))
    return np.unique(means.cluster_centers_.ravel().astype(np.float32))


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
