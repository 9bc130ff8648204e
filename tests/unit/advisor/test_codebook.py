"""Codebooks by hand: 3.2x on a 4x4 tensor at 2 bits, and codes that come back bit for bit."""

import numpy as np
import pytest

from advisor.surgery import codebook
from advisor.techniques.kmeans import fit


def test_a_4x4_tensor_at_2_bits_is_3_2_times_smaller():
    values = np.array([[-1, -0.9, 0.1, 0], [2, 2.1, -1.1, 0.05], [0.9, 1, 1.1, 2.05], [0, 1, 2, -1]], np.float32)
    book = fit(values, 2)
    packed = codebook.pack(codebook.encode(values, book), 2)
    assert (packed.nbytes, book.nbytes) == (4, 16)
    assert values.nbytes / (packed.nbytes + book.nbytes) == 3.2
    assert 16 * 32 / codebook.payload_bits(16, 2) == 3.2
    decoded = book[codebook.unpack(packed, 2, 16)].reshape(4, 4)
    assert set(decoded.ravel()) == set(book)
    assert np.abs(decoded - values).max() < 0.12  # the four clusters lie around -1, 0, 1 and 2


@pytest.mark.parametrize("bits", range(2, 9))
def test_codes_come_back(bits):
    codes = np.random.default_rng(bits).integers(0, 1 << bits, 1001).astype(np.uint8)
    packed = codebook.pack(codes, bits)
    assert packed.nbytes == -(-1001 * bits // 8)
    assert (codebook.unpack(packed, bits, 1001) == codes).all()


def test_every_value_takes_its_nearest():
    book = np.array([-1.0, 0.0, 4.0], np.float32)
    assert list(codebook.encode(np.array([-3, -0.6, -0.4, 1.9, 2.1], np.float32), book)) == [0, 0, 1, 1, 2]


def test_more_bits_err_less():
    values = np.random.default_rng(0).standard_normal(4000).astype(np.float32)
    errors = []
    for bits in (2, 4, 6, 8):
        book = fit(values, bits)
        errors.append(float(((book[codebook.encode(values, book)] - values) ** 2).mean()))
    assert errors == sorted(errors, reverse=True)
    assert errors[0] < 0.13  # the best 4 values for a standard normal leave 0.1175 (Max 1960)
    assert errors[1] < 0.011  # the best 16 leave 0.0095


def test_fewer_different_values_than_the_book_has():
    values = np.array([0.0, 1.0, 1.0, 0.0], np.float32)
    book = fit(values, 4)
    assert list(book) == [0.0, 1.0]
