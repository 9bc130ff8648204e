"""The next years: a trend continued under a scenario, as a ribbon; when a threshold is reached; when hardware pays."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from advisor.trends.fits import CONFIDENCE, Fit
from advisor.trends.reference import reference_fit
from advisor.trends.rows import newest_year
from data import units
from data.errors import InputError

Values = NDArray[np.float64]

SCENARIOS = {
    "fit": "As fitted: the trend goes on",
    "power-limited": "Power-limited: no more power, only better hardware",
    "flat": "Flat: growth stops",
}
# What one watt yields more each year: (fit id, what it is). The last mixes number formats: a change that happens once.
EFFICIENCY = {
    "tensor": ("tensor-per-watt", "tensor FP16, all devices"),
    "records": ("tensor-per-watt-records", "tensor FP16, record setters"),
    "mixed": ("fp16-per-watt", "FP16 with the change to tensor units, which happens once"),
}
LONGEST_YEARS = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ribbon:
    """A class of systems in the coming years, as log10 values: the middle and the 50 % and 90 % bands, each (n,)."""

    scenario: str
    years: Values
    mid: Values
    low_50: Values
    high_50: Values
    low_90: Values
    high_90: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Years from now until something happens: earliest, most likely, latest; None for "not within 50 years"."""

    earliest_years: float | None
    years: float | None
    latest_years: float | None


def growth_oom(line: Fit, scenario: str) -> tuple[float, float, float]:
    """Slope (orders of magnitude a year) under a scenario: 95 % low, middle, high.

    Power-limited: of the growth only that share is left which better hardware gives without more power, the growth of
    FLOP per joule over that of frontier compute; between all tensor devices and the change of formats. Flat keeps the
    uncertainty of the slope around no growth."""
    low, mid, high = line.slope_low, line.slope_oom_per_year, line.slope_high
    if scenario == "fit":
        return low, mid, high
    if scenario == "flat":
        return low - mid, 0.0, high - mid
    if scenario != "power-limited":
        raise InputError(f"There is no scenario called {scenario}.", hint=f"Choose one of {', '.join(SCENARIOS)}.")
    compute = reference_fit("frontier-2018-26").line.slope_oom_per_year
    shares = [efficiency(name).slope_oom_per_year / compute for name in ("tensor", "records", "mixed")]
    ends = [share * slope for share in (shares[0], shares[2]) for slope in (low, high)]
    return min(*ends, shares[1] * mid), shares[1] * mid, max(*ends, shares[1] * mid)


def efficiency(name: str) -> Fit:
    """The trend of FLOP per joule by one of the readings in EFFICIENCY."""
    return reference_fit(EFFICIENCY[name][0]).line


def project(line: Fit, scenario: str = "fit", years_ahead: float = 5.0, steps: int = 21) -> Ribbon:
    """The class a line stands for, from today to `years_ahead`: a prediction band that also takes in how uncertain
    the growth is, so that it widens with the horizon."""
    today = newest_year()
    ahead = np.linspace(0.0, years_ahead, steps)
    mid = line.at(today) + growth_oom(line, scenario)[1] * ahead
    bands = {coverage: _spread(line, scenario, ahead, coverage) for coverage in (0.5, 0.9)}
    return Ribbon(
        scenario=scenario,
        years=today + ahead,
        mid=mid,
        low_50=mid - bands[0.5][0],
        high_50=mid + bands[0.5][1],
        low_90=mid - bands[0.9][0],
        high_90=mid + bands[0.9][1],
    )


def years_to(line: Fit, value: float, scenario: str = "fit") -> Arrival:
    """Years until a class reaches a value: its middle, and the ends of its 90 % band (0 where it is there already)."""
    if value <= 0:
        raise InputError("A threshold is a positive number.", hint="For example 1e25 FLOP.")
    ribbon = project(line, scenario, LONGEST_YEARS, 1001)
    rising = (_first(ribbon, edge, math.log10(value)) for edge in (ribbon.high_90, ribbon.mid, ribbon.low_90))
    earliest, mid, latest = rising
    return Arrival(earliest_years=earliest, years=mid, latest_years=latest)


def years_until_affordable(cost: float, budget: float, growth: tuple[float, float, float]) -> Arrival:
    """Years until the same work fits a budget: solves cost x (1/g)^t = budget.

    `growth` is the yearly factor in work per unit of cost: low, middle, high."""
    if cost <= 0 or budget <= 0:
        raise InputError("Cost and budget are positive amounts.", hint="Give both in the same unit.")
    gap = math.log(cost / budget)
    years = [0.0 if gap <= 0 else (gap / math.log(factor) if factor > 1 else None) for factor in growth]
    capped = [None if value is None or value > LONGEST_YEARS else value for value in years]
    return Arrival(earliest_years=capped[2], years=capped[1], latest_years=capped[0])


def _first(ribbon: Ribbon, edge: Values, level: float) -> float | None:
    reached = np.flatnonzero(edge >= level)
    if not len(reached):
        return None
    at = int(reached[0])
    if at == 0:
        return 0.0
    share = (level - edge[at - 1]) / (edge[at] - edge[at - 1])
    return float(ribbon.years[at - 1] + share * (ribbon.years[at] - ribbon.years[at - 1]) - ribbon.years[0])


def _spread(line: Fit, scenario: str, ahead: Values, coverage_frac: float) -> tuple[Values, Values]:
    """How far below and above its middle a ribbon reaches: the residuals and the growth, added in quadrature."""
    tails = (0.5 - coverage_frac / 2, 0.5 + coverage_frac / 2)
    if line.method == "least squares":
        below, above = stats.t.ppf(tails, line.n - 2) * line.residual_sd_oom
    else:
        below, above = np.quantile(line.residuals, tails)
    low, mid, high = growth_oom(line, scenario)
    sure = stats.norm.ppf(tails[1]) / stats.norm.ppf(0.5 + CONFIDENCE / 2)
    scatter = math.sqrt(1.0 + 1.0 / line.n)
    return (
        np.hypot(min(below, 0.0) * scatter, (mid - low) * sure * ahead),
        np.hypot(max(above, 0.0) * scatter, (high - mid) * sure * ahead),
    )


def months(arrival_years: float | None) -> float | None:
    """Years as months; None stays None."""
    return None if arrival_years is None else arrival_years * units.MONTHS_PER_YEAR
