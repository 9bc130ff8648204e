"""Which points count: the frontier at release, record setters, and the z rule that splits regular from large scale.

The z rule is that of Sevilla et al. 2022: a system's log10 compute against all systems within a year of it; below
-2 it is a low outlier, above 0.76 (from September 2015 on) it is large scale.
"""

import heapq

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]

SCALES = {
    "all": "Every point",
    "without low": "Without low outliers",
    "regular": "Regular scale",
    "large": "Large scale",
}
FRONTIER_SIZE = 10
LOW_Z, LARGE_Z = -2.0, 0.76
HALF_WINDOW_YEARS = 1.0
LOW_SINCE, LARGE_SINCE = 2010.0, 2015.6653  # 1 January 2010, 1 September 2015


def frontier_bar(years: Values, values: Values, size: int = FRONTIER_SIZE) -> Values:
    """The `size`-th largest value among all released up to and on each date; -inf until there are so many.

    years: (n,) in ascending order; values: (n,)."""
    bar = np.full(len(values), -np.inf)
    largest: list[float] = []
    start = 0
    while start < len(values):
        end = int(np.searchsorted(years, years[start], side="right"))
        for value in values[start:end]:
            if len(largest) < size:
                heapq.heappush(largest, float(value))
            else:
                heapq.heappushpop(largest, float(value))
        if len(largest) == size:
            bar[start:end] = largest[0]
        start = end
    return bar


def at_frontier(years: Values, values: Values, size: int = FRONTIER_SIZE) -> Flags:
    """Which of these were among the `size` largest when they came out. years: (n,) ascending; values: (n,)."""
    return np.asarray(values >= frontier_bar(years, values, size))


def record_setters(values: Values) -> Flags:
    """Which of these, in order of release, equal or beat everything before them. A tie within 1e-9 counts."""
    return np.asarray(values >= np.maximum.accumulate(values) - 1e-9)


def z_scores(years: Values, values: Values) -> Values:
    """How many standard deviations each value lies from the mean of all within a year of it (0 where it is alone)."""
    order = np.argsort(years, kind="stable")
    t, v = years[order], values[order]
    first = np.searchsorted(t, t - HALF_WINDOW_YEARS - 1e-9)
    last = np.searchsorted(t, t + HALF_WINDOW_YEARS + 1e-9, side="right")
    centred = v - v.mean()
    sums, squares = (np.concatenate([[0.0], np.cumsum(part)]) for part in (centred, centred**2))
    count = last - first
    mean = (sums[last] - sums[first]) / count
    spread = np.sqrt(np.maximum((squares[last] - squares[first]) / count - mean**2, 0.0))
    z = np.zeros(len(v))
    np.divide(centred - mean, spread, out=z, where=(count > 1) & (spread > 1e-12))
    found = np.empty_like(z)
    found[order] = z
    return found


def of_scale(years: Values, values: Values, scale: str) -> Flags:
    """Which points belong to a scale (a key of SCALES). The z-scores are taken over all points given."""
    if scale == "all":
        return np.ones(len(values), dtype=bool)
    z = z_scores(years, values)
    low = (years >= LOW_SINCE) & (z < LOW_Z)
    large = (years >= LARGE_SINCE) & (z > LARGE_Z)
    return {"without low": ~low, "regular": ~low & ~large, "large": large}[scale]
