"""Straight lines through log10 values over time: three methods, doubling time with interval, prediction bands.

Least squares with a bootstrap over points (resampled with replacement, percentile interval); Theil-Sen, the median
of pairwise slopes, which a few odd points do not move (Sen 1968); and the line below which a share of the points
lies, a quantile regression (Koenker and Bassett 1978), for "the frontier" without naming its members.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data import units
from data.errors import InputError

Values = NDArray[np.float64]

METHODS = {"least squares": "Least squares", "theil-sen": "Theil-Sen", "quantile": "Frontier quantile (90 %)"}
QUANTILE = 0.9
DRAWS, CONFIDENCE = 4_000, 0.95
FEWEST_POINTS = 5
DAYS_PER_MONTH = units.DAYS_PER_GREGORIAN_YEAR / units.MONTHS_PER_YEAR
_CELLS = 100_000  # resampled points held at once: few enough to stay in the cache, three times as fast


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """log10(value) = intercept_oom + slope_oom_per_year x (year - mean_year), and how far to trust it.

    `slope_low` and `slope_high` are the 95 % interval of the slope; `sum_squares` is that of the years about their
    mean; `residuals` are the sorted distances of the points from the line, in orders of magnitude."""

    method: str
    n: int
    slope_oom_per_year: float
    slope_low: float
    slope_high: float
    intercept_oom: float
    mean_year: float
    sum_squares: float
    first_year: float
    last_year: float
    r2: float
    residual_sd_oom: float
    residuals: tuple[float, ...]

    @property
    def x_per_year(self) -> float:
        """The factor by which the value grows in a year."""
        return float(10**self.slope_oom_per_year)

    def at(self, year: float) -> float:
        """log10 of the value the line has in a decimal year."""
        return self.intercept_oom + self.slope_oom_per_year * (year - self.mean_year)

    def doubling(self, days_per_month: float = DAYS_PER_MONTH) -> tuple[float | None, float | None, float | None]:
        """Months to double: 95 % low, best, high; None where that slope does not rise."""
        slopes = (self.slope_high, self.slope_oom_per_year, self.slope_low)
        low, mid, high = (doubling_months(slope, days_per_month) for slope in slopes)
        return low, mid, high


def doubling_months(slope_oom_per_year: float, days_per_month: float = DAYS_PER_MONTH) -> float | None:
    """Months in which a value that rises by this slope doubles; None where it does not rise."""
    if slope_oom_per_year <= 0:
        return None
    return units.DAYS_PER_GREGORIAN_YEAR * math.log10(2.0) / slope_oom_per_year / days_per_month


def fit(years: Values, values: Values, method: str = "least squares", *, draws: int = DRAWS, seed: int = 1) -> Fit:
    """The line of `values` (n,) over decimal `years` (n,): positive numbers, fitted in log10.

    Raises InputError on fewer than FEWEST_POINTS points, on values that are not positive, on dates that are all the
    same and on a method that is not known."""
    if method not in METHODS:
        raise InputError(f"There is no way to fit called {method}.", hint=f"Choose one of {', '.join(METHODS)}.")
    if len(years) < FEWEST_POINTS:
        raise InputError(
            f"{len(years)} points are too few for a line.", hint=f"Widen the filters: a fit needs {FEWEST_POINTS}."
        )
    if not np.all(values > 0) or np.ptp(years) == 0:
        raise InputError("A trend needs positive values at more than one date.", hint="Widen the filters.")
    t, y = years - years.mean(), np.log10(values)
    line = {"least squares": _least_squares, "theil-sen": _theil_sen, "quantile": _quantile}[method]
    slope, offset, low, high = line(t, y, draws, seed)
    residuals = y - offset - slope * t
    return Fit(
        method=method,
        n=len(t),
        slope_oom_per_year=slope,
        slope_low=min(low, slope),
        slope_high=max(high, slope),
        intercept_oom=offset,
        mean_year=float(years.mean()),
        sum_squares=float(t @ t),
        first_year=float(years.min()),
        last_year=float(years.max()),
        r2=float(1.0 - residuals @ residuals / np.sum((y - y.mean()) ** 2)) if np.ptp(y) else 1.0,
        residual_sd_oom=float(np.sqrt(residuals @ residuals / (len(t) - 2))),
        residuals=tuple(float(residual) for residual in np.sort(residuals)),
    )


def band(line: Fit, years: Values, coverage_frac: float) -> tuple[Values, Values]:
    """Where a new point of each year (n,) falls with this probability, as log10: low and high, each (n,).

    A prediction band, not the interval of the slope. Least squares: Student's t with the residual spread; the other
    lines: the quantiles of their own residuals. Both widen away from the middle of the data."""
    from scipy import stats

    tails = (0.5 - coverage_frac / 2, 0.5 + coverage_frac / 2)
    if line.method == "least squares":
        low, high = stats.t.ppf(tails, line.n - 2) * line.residual_sd_oom
    else:
        low, high = np.quantile(line.residuals, tails)
    away = np.asarray(years) - line.mean_year
    widening = np.sqrt(1.0 + 1.0 / line.n + away**2 / line.sum_squares)
    middle = line.intercept_oom + line.slope_oom_per_year * away
    return middle + low * widening, middle + high * widening


def scatter_factor(line: Fit, coverage_frac: float) -> float:
    """The factor around the line, up or down, that holds this share of the points."""
    low, high = band(line, np.array([line.mean_year]), coverage_frac)
    return float(10 ** ((high[0] - low[0]) / 2))


def _least_squares(t: Values, y: Values, draws: int, seed: int) -> tuple[float, float, float, float]:
    slopes = bootstrap_slopes(t, y, draws, seed)
    low, high = np.quantile(slopes, _tails())
    return float(t @ y / (t @ t)), float(y.mean()), float(low), float(high)


def bootstrap_slopes(t: Values, y: Values, draws: int, seed: int) -> Values:
    """Least-squares slopes of `draws` resamples of the points (t, y), each (n,); all draws at once."""
    generator, n, found = np.random.default_rng(seed), len(t), []
    columns = np.column_stack([t, y, t * t, t * y])
    for start in range(0, draws, max(_CELLS // n, 1)):
        size = min(max(_CELLS // n, 1), draws - start)
        picks = generator.integers(0, n, (size, n), dtype=np.int32)
        picks += np.arange(size, dtype=np.int32)[:, None] * n
        counts = np.bincount(picks.ravel(), minlength=size * n).reshape(size, n)
        sum_t, sum_y, sum_tt, sum_ty = (counts.astype(np.float64) @ columns).T
        spread = n * sum_tt - sum_t**2
        found.append((n * sum_ty - sum_t * sum_y)[spread > 0] / spread[spread > 0])
    return np.concatenate(found)


def _theil_sen(t: Values, y: Values, draws: int, seed: int) -> tuple[float, float, float, float]:
    from scipy import stats

    slope, offset, low, high = stats.theilslopes(y, t, CONFIDENCE)
    return float(slope), float(offset), float(low), float(high)


def _quantile(t: Values, y: Values, draws: int, seed: int) -> tuple[float, float, float, float]:
    """The check loss is convex in the slope once the intercept is the quantile of what is left: a golden-section
    search finds its minimum, for the data and for all resamples side by side."""
    n = len(t)
    size = int(np.clip(300_000 // n, 100, min(draws, 1_000)))
    picks = np.random.default_rng(seed).integers(0, n, (size, n))
    slopes = _quantile_slopes(np.vstack([t, t[picks]]), np.vstack([y, y[picks]]))
    slope = float(slopes[0])
    low, high = np.quantile(slopes[1:], _tails())
    return slope, float(np.quantile(y - slope * t, QUANTILE)), float(low), float(high)


def _quantile_slopes(t: Values, y: Values) -> Values:
    """Slope of the quantile line of each row of points; t, y: (draws, n)."""
    centre = float(t[0] @ y[0] / (t[0] @ t[0]))
    width = 4.0 * float(np.std(y[0]) / np.std(t[0]))
    low, high = np.full(len(t), centre - width), np.full(len(t), centre + width)
    golden = (math.sqrt(5.0) - 1.0) / 2.0
    left, right = high - golden * (high - low), low + golden * (high - low)
    loss_left, loss_right = _check_loss(t, y, left), _check_loss(t, y, right)
    while float(np.max(high - low)) > 1e-5:
        keep_left = loss_left < loss_right
        low, high = np.where(keep_left, low, left), np.where(keep_left, right, high)
        moved = np.where(keep_left, high - golden * (high - low), low + golden * (high - low))
        loss_moved = _check_loss(t, y, moved)
        left, right = np.where(keep_left, moved, right), np.where(keep_left, left, moved)
        loss_left, loss_right = np.where(keep_left, loss_moved, loss_right), np.where(keep_left, loss_left, loss_moved)
    return np.asarray((low + high) / 2.0)


def _check_loss(t: Values, y: Values, slopes: Values) -> Values:
    left_over = y - slopes[:, None] * t
    rank = min(int(QUANTILE * left_over.shape[1]), left_over.shape[1] - 1)
    left_over -= np.partition(left_over, rank, axis=1)[:, rank : rank + 1]
    return np.asarray(np.sum(left_over * (QUANTILE - (left_over < 0)), axis=1))


def _tails() -> tuple[float, float]:
    return 0.5 - CONFIDENCE / 2, 0.5 + CONFIDENCE / 2
