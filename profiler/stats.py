"""Statistics of raw samples: percentiles, the interval of a median, paired ratios. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from data.estimate import Estimate

BEYOND = 2
OUTSIDE = 0.025  # on either side of a 95 % interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a table shows of one run's samples (ms); a percentile with fewer than two samples beyond it is None."""

    samples_count: int
    mean_ms: float
    std_ms: float
    p50_ms: float | None
    p90_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    median_low_ms: float
    median_high_ms: float


def samples_needed(percent: float) -> int:
    """How many samples a percentile needs so that two lie beyond it: 4 for p50, 40 for p95, 200 for p99."""
    return math.ceil(round(BEYOND / (1.0 - percent / 100.0), 6))


def percentile(samples: Sequence[float] | np.ndarray, percent: float) -> float | None:
    """The percentile (linear interpolation), or None where fewer than two samples lie beyond it."""
    if len(samples) < samples_needed(percent):
        return None
    return float(np.percentile(samples, percent))


def median_interval(samples: Sequence[float]) -> tuple[float, float, float]:
    """(low, median, high): the 95 % interval of the median by order statistics, free of any distribution.

    The ends are the samples whose ranks the binomial(n, 1/2) leaves outside with 2.5 % each; below six samples no
    such ranks exist and the ends are the smallest and the largest. Raises ValueError on no samples.
    Source: David and Nagaraja, Order Statistics, section 7.1.
    """
    ordered = np.sort(np.asarray(samples, dtype=float))
    if not ordered.size:
        raise ValueError("no samples")
    rank = max(0, _ranks(ordered.size, 50.0)[0] - 1)
    return float(ordered[rank]), float(np.median(ordered)), float(ordered[-1 - rank])


def percentile_interval(samples: Sequence[float], percent: float) -> Estimate | None:
    """The percentile with its 95 % interval by order statistics; None where the samples are too few for either.

    The ends are samples x(l) <= x(u) with P(binomial(n, p) < l) <= 2.5 % and P(binomial(n, p) >= u) <= 2.5 %.
    Source: David and Nagaraja, Order Statistics, section 7.1.
    """
    ordered = np.sort(np.asarray(samples, dtype=float))
    middle = percentile(ordered, percent)
    if middle is None:
        return None
    count = ordered.size
    low, high = _ranks(count, percent)
    if low == 0 or high > count:
        return None
    ends = float(ordered[low - 1]), float(ordered[high - 1])
    source = f"{count} calls, order statistics"
    return Estimate(
        low=min(ends[0], middle), mid=middle, high=max(ends[1], middle), basis="measured", source=source
    )  # fmt: skip


@lru_cache(maxsize=256)
def _ranks(count: int, percent: float) -> tuple[int, int]:
    """The largest rank l with P(binomial(count, p) < l) <= 2.5 % and the smallest u with at least 97.5 %; from 0."""
    from scipy.special import bdtr

    below = np.concatenate([[0.0], bdtr(np.arange(count + 1.0), count, percent / 100.0)])  # P(binomial < rank)
    return int(np.flatnonzero(below <= OUTSIDE)[-1]), int(np.flatnonzero(below >= 1 - OUTSIDE)[0])


def round_medians(samples: Sequence[float], calls_per_round: int) -> list[float]:
    """The median of each round's samples: what one round says, robust to its first, colder calls."""
    rounds = len(samples) // calls_per_round
    shaped = np.asarray(samples[: rounds * calls_per_round], dtype=float).reshape(rounds, calls_per_round)
    return [float(value) for value in np.median(shaped, axis=1)]


def paired_ratio(
    variant: Sequence[float],
    original: Sequence[float],
    calls_per_round: int = 1,
    source: str = "paired rounds",
    rounds_per_load: Sequence[int] = (),
) -> Estimate:
    """Variant over original with its 95 % interval, "measured"; of one load the median of the rounds' ratios.

    Both ran in the same rounds, so what slowed a round slowed both. Rounds only one of them has are left out. Where
    `rounds_per_load` tells of two loads or more, see `over_loads`. Raises ValueError where no common round is left or
    an original took no time.
    """
    ours, theirs = round_medians(variant, calls_per_round), round_medians(original, calls_per_round)
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=False) if other > 0]
    if not ratios:
        raise ValueError("no common round")
    if len(rounds_per_load) > 1:
        return over_loads(_cut(ratios, rounds_per_load), source)
    low, mid, high = median_interval(ratios)
    return Estimate(low=low, mid=mid, high=high, basis="measured", source=source)


def over_loads(loads: Sequence[Sequence[float]], source: str = "paired rounds") -> Estimate:
    """The ratio over several loads of the same files: two loads differ by more than the calls within one.

    The middle is the geometric mean of the loads' median ratios, the interval Student's t over the logarithms of those
    medians, so that it holds the spread between loads, and at least the interval of the median of all rounds. Raises
    ValueError below two loads. Source: one mean a cluster, Snedecor and Cochran, Statistical Methods, section 4.
    """
    from scipy.special import stdtrit

    if len(loads) < 2:
        raise ValueError("the spread between loads needs two of them")
    logs = np.log([float(np.median(ratios)) for ratios in loads])
    mean = float(logs.mean())
    half = float(stdtrit(len(loads) - 1, 1 - OUTSIDE) * logs.std(ddof=1)) / math.sqrt(len(loads))
    low, _, high = median_interval([ratio for ratios in loads for ratio in ratios])
    mid = math.exp(mean)
    return Estimate(
        low=min(math.exp(mean - half), low, mid), mid=mid, high=max(math.exp(mean + half), high, mid),
        basis="measured", source=f"{source}, Student's t over {len(loads)} loads",
    )  # fmt: skip


def _cut(values: Sequence[float], counts: Sequence[int]) -> list[Sequence[float]]:
    """The values in successive parts of these lengths; parts that are left empty are not there."""
    ends = np.cumsum(counts)
    parts = [values[end - count : end] for end, count in zip(ends, counts, strict=True)]
    return [part for part in parts if len(part)]


def spread_frac(samples: Sequence[float]) -> float:
    """The middle half's width over the median (0 for one value): how far typical samples lie apart."""
    low, mid, high = np.percentile(samples, [25, 50, 75])
    return float((high - low) / mid) if mid else 0.0


def summary(samples_ms: Sequence[float]) -> Summary:
    """All that is shown of a run's samples. Raises ValueError on no samples."""
    low, _, high = median_interval(samples_ms)
    return Summary(
        samples_count=len(samples_ms),
        mean_ms=float(np.mean(samples_ms)),
        std_ms=float(np.std(samples_ms, ddof=1)) if len(samples_ms) > 1 else 0.0,
        p50_ms=percentile(samples_ms, 50),
        p90_ms=percentile(samples_ms, 90),
        p95_ms=percentile(samples_ms, 95),
        p99_ms=percentile(samples_ms, 99),
        median_low_ms=low,
        median_high_ms=high,
    )
