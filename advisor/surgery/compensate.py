"""Pruning that looks at what flows in: Wanda's score, and SparseGPT's least-squares reconstruction. Pure on arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import ndarray

BLOCK = 128
DAMPING = 0.01  # of the mean diagonal, as in SparseGPT


def smallest_mask(scores: ndarray, share: float) -> ndarray:
    """A boolean mask of the `share` (0..1) smallest scores of each row; over all rows exactly round(share x count)."""
    import numpy as np

    rows, columns = scores.shape
    bounds = np.round(share * columns * np.arange(rows + 1)).astype(int)
    order = np.argsort(scores, axis=1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.broadcast_to(np.arange(columns), order.shape), axis=1)
    return np.asarray(ranks < (bounds[1:] - bounds[:-1])[:, None])


def two_of_four_mask(scores: ndarray) -> ndarray:
    """A boolean mask of the two smallest scores of every four neighbours along a row; a rest of a row is kept."""
    import numpy as np

    rows, columns = scores.shape
    whole = columns // 4 * 4
    groups = scores[:, :whole].reshape(rows, whole // 4, 4)
    order = np.argsort(groups, axis=2, kind="stable")
    mask = np.zeros_like(groups, dtype=bool)
    np.put_along_axis(mask, order[:, :, :2], True, axis=2)
    return np.concatenate([mask.reshape(rows, whole), np.zeros((rows, columns - whole), dtype=bool)], axis=1)


def wanda_scores(matrix: ndarray, squares: ndarray) -> ndarray:
    """|weight| x norm of its input over the calibration rows (Sun et al. 2023); matrix (outputs, inputs), squares
    the inputs' sums of squares."""
    import numpy as np

    return np.asarray(np.abs(matrix) * np.sqrt(squares))


def output_error(before: ndarray, after: ndarray, moment: ndarray) -> float:
    """||X (W - W')^T||^2 / ||X W^T||^2 from X^T X: the relative squared error of the layer's output."""
    change = (before - after).astype("float64")
    wanted = before.astype("float64")
    signal = float(((wanted @ moment) * wanted).sum())
    return float(((change @ moment) * change).sum()) / signal if signal > 0 else 0.0


def reconstruct(matrix: ndarray, moment: ndarray, share: float, two_of_four: bool = False) -> ndarray:
    """Prunes `share` of a matrix (outputs, inputs) and moves the error into the weights that stay, column by column
    (SparseGPT, Frantar and Alistarh 2023: optimal brain surgeon with X^T X as Hessian, blocks of 128 columns)."""
    import numpy as np

    weights = matrix.astype(np.float64)
    upper = _inverse_factor(weights, moment)
    columns = weights.shape[1]
    for start in range(0, columns, BLOCK):
        stop = min(start + BLOCK, columns)
        block, factor = weights[:, start:stop].copy(), upper[start:stop, start:stop]
        scores = (block / np.diagonal(factor)) ** 2
        gone = two_of_four_mask(scores) if two_of_four else _block_mask(scores, share, start, stop)
        errors = np.zeros_like(block)
        for column in range(stop - start):
            kept = np.where(gone[:, column], 0.0, block[:, column])
            errors[:, column] = (block[:, column] - kept) / factor[column, column]
            block[:, column:] -= np.outer(errors[:, column], factor[column, column:])
            block[:, column] = kept
        weights[:, start:stop] = block
        weights[:, stop:] -= errors @ upper[start:stop, stop:]
    return weights.astype(np.float32)


def _inverse_factor(weights: ndarray, moment: ndarray) -> ndarray:
    """The upper Cholesky factor of the damped moment's inverse; weights of inputs that are never on become 0."""
    import numpy as np
    from scipy.linalg import cholesky, lapack

    damped = moment.astype(np.float64)
    dead = np.diagonal(damped) == 0
    damped[dead, dead] = 1.0
    weights[:, dead] = 0.0
    damped[np.diag_indices_from(damped)] += DAMPING * float(np.diagonal(damped).mean())
    inverse, _ = lapack.dpotri(cholesky(damped))
    return np.asarray(cholesky(inverse))  # reads the upper half, which is all that dpotri fills


def _block_mask(scores: ndarray, share: float, start: int, stop: int) -> ndarray:
    """The smallest scores of a block of columns: so many that all blocks together give exactly the share."""
    import numpy as np

    rows = scores.shape[0]
    remove = round(share * rows * stop) - round(share * rows * start)
    mask = np.zeros(scores.size, dtype=bool)
    if remove:
        mask[np.argpartition(scores.ravel(), remove - 1)[:remove]] = True
    return mask.reshape(scores.shape)
