"""How far one model's outputs are from another's: pure formulas on arrays, gathered call by call."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from data.estimate import Estimate

if TYPE_CHECKING:
    from numpy import ndarray

Z_95 = 1.959963984540054
PERFECT_DB = 200.0  # an error of zero, told as a finite number
FEWEST_SAMPLES = 8  # fewer do not tell what an answer that is always the same would be worth


@dataclass(slots=True)
class Sums:
    """Running sums over all values of one output; classes lie on the last axis."""

    dot: float = 0.0
    reference_squares: float = 0.0
    variant_squares: float = 0.0
    error_squares: float = 0.0
    divergence: float = 0.0
    same_top: int = 0
    rows: int = 0
    floating: bool = True
    samples: int = 0  # along the first axis
    mean_sum: ndarray | None = None  # of the reference's samples, while all of them have one shape

    def add(self, reference: ndarray, variant: ndarray) -> None:
        """One call's output of the reference and of the variant, of equal shape."""
        import numpy as np

        self.floating = reference.dtype.kind == "f"
        if not self.floating:
            self.same_top += int((reference == variant).sum())
            self.rows += reference.size
            return
        first, second = reference.astype(np.float64), variant.astype(np.float64)
        self.dot += float((first * second).sum())
        self.reference_squares += float((first * first).sum())
        self.variant_squares += float((second * second).sum())
        self.error_squares += float(((first - second) ** 2).sum())
        self._watch(first)
        if first.ndim and first.shape[-1] > 1:
            rows, others = first.reshape(-1, first.shape[-1]), second.reshape(-1, first.shape[-1])
            self.same_top += int((rows.argmax(-1) == others.argmax(-1)).sum())
            self.divergence += float(kl_divergence(rows, others).sum())
            self.rows += len(rows)

    def _watch(self, reference: ndarray) -> None:
        each = reference if reference.ndim else reference.reshape(1)
        summed = each.sum(0)
        if not self.samples:
            self.mean_sum = summed
        elif self.mean_sum is not None:
            self.mean_sum = self.mean_sum + summed if self.mean_sum.shape == summed.shape else None
        self.samples += len(each)

    def result(self) -> dict[str, float | None]:
        """cosine and SNR (dB) over all values, the cosine that always the same answer would reach, mean KL divergence
        (nats) and share of equal top classes over rows."""
        if not self.floating:
            return {"top1_agreement": self.same_top / self.rows if self.rows else None}
        return {
            "cosine": cosine(self.dot, self.reference_squares, self.variant_squares),
            "snr_db": snr_db(self.reference_squares, self.error_squares),
            "constant_cosine": constant_cosine(self.mean_sum, self.samples, self.reference_squares),
            "kl_divergence": self.divergence / self.rows if self.rows else None,
            "top1_agreement": self.same_top / self.rows if self.rows else None,
        }


@dataclass(slots=True)
class Comparison:
    """All outputs of one variant against the reference's, gathered call by call."""

    outputs: dict[str, Sums] = field(default_factory=dict)

    def add(self, reference: Mapping[str, ndarray], variant: Mapping[str, ndarray]) -> None:
        """One call. Raises ValueError where an output is missing or has another shape."""
        for name, values in reference.items():
            other = variant.get(name)
            if other is None or other.shape != values.shape:
                raise ValueError(name)
            self.outputs.setdefault(name, Sums()).add(values, other)

    def result(self) -> dict[str, dict[str, float | None]]:
        return {name: sums.result() for name, sums in self.outputs.items()}


def loss(per_output: Mapping[str, Mapping[str, float | None]]) -> float:
    """1 - cosine of the worst floating output; of a model that answers in whole numbers alone (classes, say), the share
    of them that differ from the original's; 0 where it answers nothing that can be compared."""
    for name in ("cosine", "top1_agreement"):
        known = [value for told in per_output.values() if (value := told.get(name)) is not None]
        if known:
            return 1.0 - min(known)
    return 0.0


def not_finite(outputs: Mapping[str, ndarray]) -> str | None:
    """The first floating output that holds NaN or infinity."""
    import numpy as np

    return next(
        (name for name, values in outputs.items() if values.dtype.kind == "f" and not np.isfinite(values).all()), None
    )


def cosine(dot: float, first_squares: float, second_squares: float) -> float:
    """Cosine of the angle between two vectors, from their dot product and squared lengths; 0 where one of them is
    zero, 1 where both are."""
    if first_squares == 0.0 or second_squares == 0.0:
        return 1.0 if first_squares == second_squares else 0.0
    return max(-1.0, min(1.0, dot / math.sqrt(first_squares * second_squares)))


def constant_cosine(summed: ndarray | None, samples: int, squares: float) -> float | None:
    """The cosine that always answering the mean would reach on other samples of the same kind, from the sum over the
    samples and the sum of all squares; None where the samples are too few or their shapes differ.

    cos^2 = samples x |mean|^2 / squares, less what the mean owes to having been taken of these very samples."""
    if summed is None or samples < FEWEST_SAMPLES or squares == 0.0:
        return None
    explained = float((summed * summed).sum()) / samples
    spread = max(0.0, squares - explained) / (samples - 1)
    return math.sqrt(min(1.0, max(0.0, (explained - spread) / squares)))


def snr_db(signal_squares: float, error_squares: float) -> float | None:
    """Signal-to-noise ratio in dB: 10 log10 of the signal's energy over the error's; PERFECT_DB without error."""
    if error_squares == 0.0:
        return PERFECT_DB
    return 10 * math.log10(signal_squares / error_squares) if signal_squares > 0.0 else None


def kl_divergence(reference: ndarray, variant: ndarray) -> ndarray:
    """KL(reference || variant) of each row in nats; rows of scores go through softmax. Where the reference's are
    probabilities so are the variant's, even if rounding leaves their sum a little off 1: they are divided by it."""
    import numpy as np
    from scipy.special import log_softmax, xlogy

    probable = (reference >= 0).all() and np.allclose(reference.sum(-1), 1.0, atol=1e-3)

    def log_probabilities(rows: ndarray) -> ndarray:
        if probable:
            shares = np.maximum(rows, 1e-12)
            return np.asarray(np.log(shares / shares.sum(-1, keepdims=True)))
        return np.asarray(log_softmax(rows, axis=-1))

    first, second = log_probabilities(reference), log_probabilities(variant)
    shares = np.exp(first)
    return np.asarray(np.maximum((xlogy(shares, shares) - shares * second).sum(-1), 0.0))


def accuracy_drop(before: ndarray, after: ndarray) -> Estimate:
    """accuracy(before) - accuracy(after) on the same samples with its 95 % interval, from two boolean arrays
    "answered right"; positive is a loss.

    Newcombe's score interval for a paired difference (Statistics in Medicine 17, 1998, method 10), from Wilson's
    intervals of both accuracies and the correlation of the answers: it has a width also where no answer changed.
    """
    import numpy as np

    count = len(before)
    both, neither = int((before & after).sum()), int((~before & ~after).sum())
    lost, won = int((before & ~after).sum()), int((~before & after).sum())
    first, second = float(np.mean(before)), float(np.mean(after))
    one, two = wilson(both + lost, count), wilson(both + won, count)
    product = (both + lost) * (won + neither) * (both + won) * (lost + neither)
    correlation = (both * neither - lost * won) / math.sqrt(product) if product else 0.0
    down = _combined(first - one[0], two[1] - second, correlation)
    up = _combined(one[1] - first, second - two[0], correlation)
    drop = first - second
    return Estimate(low=drop - down, mid=drop, high=drop + up, basis="measured", source=f"{count} labelled samples")


def wilson(right: int, count: int) -> tuple[float, float]:
    """Wilson's 95 % score interval of a share (Journal of the American Statistical Association 22, 1927)."""
    share, squared = right / count, Z_95**2
    middle = share + squared / (2 * count)
    half = Z_95 * math.sqrt(share * (1 - share) / count + squared / (4 * count * count))
    return max(0.0, (middle - half) / (1 + squared / count)), min(1.0, (middle + half) / (1 + squared / count))


def _combined(first: float, second: float, correlation: float) -> float:
    return math.sqrt(max(0.0, first * first - 2 * correlation * first * second + second * second))
