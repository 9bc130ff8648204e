"""Pruning masks are exact, and reconstruction does what least squares must."""

import numpy as np
import pytest

from advisor.surgery import compensate


@pytest.fixture
def layer():
    """A matrix (24, 32) and correlated rows that flow into it, with the moment X^T X."""
    generator = np.random.default_rng(3)
    mixing = generator.standard_normal((32, 32)) * 0.4 + np.eye(32)
    rows = generator.standard_normal((400, 32)) @ mixing
    return generator.standard_normal((24, 32)).astype(np.float32), rows, rows.T @ rows


@pytest.mark.parametrize("share", [0.1, 0.5, 0.77])
def test_exactly_the_share_is_pruned(layer, share):
    matrix, _, moment = layer
    mask = compensate.smallest_mask(np.abs(matrix), share)
    assert mask.sum() == round(share * matrix.size)
    assert mask.sum(axis=1).max() - mask.sum(axis=1).min() <= 1
    assert np.abs(matrix[0][mask[0]]).max() <= np.abs(matrix[0][~mask[0]]).min()
    assert (compensate.reconstruct(matrix, moment, share) == 0).sum() == round(share * matrix.size)


def test_two_of_every_four():
    mask = compensate.two_of_four_mask(np.array([[4.0, 1.0, 3.0, 2.0, 1.0, 1.0, 9.0, 8.0, 5.0]]))
    assert mask.tolist() == [[False, True, False, True, True, True, False, False, False]]


def test_wanda_looks_at_what_flows_in():
    scores = compensate.wanda_scores(np.array([[1.0, -3.0]]), np.array([400.0, 4.0]))
    assert scores.tolist() == [[20.0, 6.0]]  # the larger weight matters less, because its input is small


def test_output_error_is_the_error_of_the_output(layer):
    matrix, rows, moment = layer
    other = matrix.copy()
    other[compensate.smallest_mask(np.abs(matrix), 0.5)] = 0
    wanted, got = rows @ matrix.T, rows @ other.T
    assert compensate.output_error(matrix, other, moment) == pytest.approx(
        float(((wanted - got) ** 2).sum() / (wanted**2).sum()), rel=1e-6
    )


def test_reconstruction_errs_less_than_magnitude_and_wanda(layer):
    matrix, _, moment = layer
    for share in (0.3, 0.5, 0.7):
        magnitude, wanda = matrix.copy(), matrix.copy()
        magnitude[compensate.smallest_mask(np.abs(matrix), share)] = 0
        wanda[compensate.smallest_mask(compensate.wanda_scores(matrix, moment.diagonal()), share)] = 0
        rebuilt = compensate.reconstruct(matrix, moment, share)
        errors = [compensate.output_error(matrix, each, moment) for each in (rebuilt, wanda, magnitude)]
        assert errors[0] < errors[1] and errors[0] < errors[2]


def test_reconstruction_of_one_column_is_exact():
    """Two equal inputs: what the removed weight did, the other one takes over whole."""
    rows = np.repeat(np.random.default_rng(0).standard_normal((50, 1)), 2, axis=1)
    matrix = np.array([[1.0, 2.0]], np.float32)
    rebuilt = compensate.reconstruct(matrix, rows.T @ rows, 0.5)
    assert sorted(np.abs(rebuilt).ravel())[0] == 0
    assert rebuilt.sum() == pytest.approx(3.0, rel=0.02)  # damping keeps it a little below


def test_inputs_that_are_never_on_lose_their_weights(layer):
    matrix, rows, _ = layer
    rows = rows.copy()
    rows[:, 5] = 0
    assert (compensate.reconstruct(matrix, rows.T @ rows, 0.5)[:, 5] == 0).all()
