"""Sparse forms by hand: bits, alpha, break-even, operations; every form comes back bit for bit."""

import numpy as np
import pytest

from advisor.surgery import sparse

DIAGONAL = np.array([[3.0, 0.0], [0.0, 5.0]], np.float32)


def test_the_2x2_example():
    """128 bits become 64 + alpha; 8 multiplications and 4 additions become 4 and 0."""
    assert sparse.bits("dense", 2, 2, 2) == 128
    assert sparse.bits("bitmask", 2, 2, 2) == 64 + 4 and sparse.alpha_bits("bitmask", 2, 2, 2) == 4
    assert sparse.alpha_bits("csr", 2, 2, 2) == 2 * 16 + 3 * 32  # two indices, three row pointers
    assert sparse.alpha_bits("2:4", 1, 4, 2) == 4  # two places of two bits
    assert sparse.operations(np.ones((2, 2)), 2) == (8, 4)
    assert sparse.operations(DIAGONAL, 2) == (4, 0)


def test_break_even_density():
    assert sparse.break_even_density("bitmask", 100, 100) == 31 / 32
    # 32 n = 48 d n + 32 (rows + 1), n = 10,000, rows = 100
    assert sparse.break_even_density("csr", 100, 100) == pytest.approx((320_000 - 32 * 101) / 480_000)
    for form in ("bitmask", "csr"):
        limit = sparse.break_even_density(form, 64, 64)
        below, above = int(limit * 4096) - 1, int(limit * 4096) + 2
        dense = sparse.bits("dense", 64, 64, 0)
        assert sparse.bits(form, 64, 64, below) < dense < sparse.bits(form, 64, 64, above)


@pytest.mark.parametrize("form", sparse.FORMATS)
def test_it_comes_back(form):
    generator = np.random.default_rng(1)
    matrix = generator.standard_normal((6, 20)).astype(np.float32)
    groups = matrix.reshape(-1, 4)
    order = np.argsort(generator.random(groups.shape), axis=1)
    np.put_along_axis(groups, order[:, :2], 0.0, axis=1)
    matrix[2] = 0
    arrays = sparse.encode(form, matrix)
    assert (sparse.decode(form, arrays, 6, 20) == matrix).all()
    stored = 8 * sum(values.nbytes for values in arrays.values())
    wanted = sparse.bits(form, 6, 20, int(np.count_nonzero(matrix)))
    assert wanted <= stored < wanted + 8 * len(arrays)  # each array is filled up to a byte


def test_what_fits_two_of_four():
    assert sparse.fits_two_of_four(np.array([[1, 0, 0, 2, 0, 0, 3, 4]]))
    assert not sparse.fits_two_of_four(np.array([[1, 1, 1, 0]]))
    assert not sparse.fits_two_of_four(np.array([[1, 0, 0]]))
