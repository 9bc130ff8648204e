"""How wide a prediction must be: from what chips that were left out of the fit showed, and whether it covers the next.

The logarithm of measured over predicted varies between chips and within one. A new chip brings both: its interval is
that of a one-way random-effects model, with Satterthwaite's degrees of freedom. Coverage is judged the same way round:
every chip by the interval the others give.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from advisor.latency.fit import Fold
from advisor.latency.operators import Numbers

NOMINAL = 0.90


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Rows of one kind that were predicted without their chip."""

    kind: str
    chip: Numbers
    log_ratio: Numbers


def left_out(folds: list[Fold], kind: str) -> LeftOut:
    """All rows of a kind from these folds."""
    rows = [(fold.chip, fold.kind == kind, fold) for fold in folds]
    ratios = [np.log(fold.measured_s[mask] / fold.predicted_s[mask]) for _, mask, fold in rows]
    chips = [np.full(int(mask.sum()), chip) for chip, mask, _ in rows]
    return LeftOut(kind=kind, chip=np.concatenate(chips), log_ratio=np.concatenate(ratios))


def interval(rows: LeftOut, without: str = "") -> tuple[float, float]:
    """Measured over predicted, low and high, that 90 of 100 rows of a chip not among these (nor `without`) lie in."""
    groups = [rows.log_ratio[rows.chip == chip] for chip in np.unique(rows.chip) if chip != without]
    means = np.array([group.mean() for group in groups])
    count, total = len(groups), sum(map(len, groups))
    between, within = float(means.var(ddof=1)), float(np.mean([group.var() for group in groups]))
    freedom = (between + within) ** 2 / (between**2 / (count - 1) + within**2 / max(total - count, 1))
    half = student.ppf((1 + NOMINAL) / 2, freedom) * np.sqrt(between * (1 + 1 / count) + within)
    return float(np.exp(means.mean() - half)), float(np.exp(means.mean() + half))


def covered(rows: LeftOut) -> tuple[int, int]:
    """How many rows lie in the interval that the other chips give, and how many there are."""
    inside = 0
    for chip in np.unique(rows.chip):
        low, high = interval(rows, without=chip)
        ratios = np.exp(rows.log_ratio[rows.chip == chip])
        inside += int(((ratios >= low) & (ratios <= high)).sum())
    return inside, len(rows.log_ratio)
