"""What the trend does to advice: growth a year as Estimates, and the months until a budget breaks."""

import math
from dataclasses import dataclass

from advisor.trends.fits import Fit
from advisor.trends.projection import EFFICIENCY, SCENARIOS, efficiency, growth_oom
from advisor.trends.reference import reference_fit
from data import units
from data.errors import InputError
from data.estimate import Estimate, exact

# Growth of demand a year by what it is read from; the user's own figure is given() instead.
DATA_CENTRE_INSTANCES, DATA_CENTRE_YEARS = 6.5, 8.0  # +550 % from 2010 to 2018 (Masanet et al. 2020, as quoted)


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetBreak:
    """Months until what is needed outgrows what is allowed: earliest, most likely, latest; None where it never does.

    `text` says it in one sentence."""

    earliest_months: float | None
    months: float | None
    latest_months: float | None
    text: str


def model_compute_growth(of: str = "notable", scenario: str = "fit") -> Estimate:
    """By what factor the training compute of notable (or frontier) models grows in a year."""
    fit_id = {"notable": "notable-2010-26", "frontier": "frontier-2018-26"}.get(of)
    if fit_id is None:
        raise InputError(f"There is no growth of {of} models.", hint="Choose notable or frontier.")
    line = reference_fit(fit_id).line
    return _factor(growth_oom(line, scenario), f"trend of {line.n} {of} models to 2026 (Epoch AI), {scenario}")


def model_size_growth(scenario: str = "fit") -> Estimate:
    """By what factor the parameters of notable models grow in a year: what inference must carry."""
    line = reference_fit("parameters-2010-26").line
    return _factor(growth_oom(line, scenario), f"trend of {line.n} notable models to 2026 (Epoch AI), {scenario}")


def efficiency_growth(of: str = "records") -> Estimate:
    """By what factor work per joule grows in a year, by a reading of projection.EFFICIENCY."""
    if of not in EFFICIENCY:
        raise InputError(f"There is no efficiency trend called {of}.", hint=f"Choose one of {', '.join(EFFICIENCY)}.")
    return _line(efficiency(of), f"{EFFICIENCY[of][1]} (Epoch AI)")


def price_growth() -> Estimate:
    """By what factor FP32 FLOP/s per launch dollar grow in a year: one number format, nominal dollars."""
    return _line(reference_fit("fp32-per-usd").line, "FP32 FLOP/s per launch dollar (Epoch AI)")


def demand_growth() -> Estimate:
    """Growth of demand a year where the user gives none: compute instances of data centres 2010 to 2018, claimed.

    Its low end is no growth, its high end twice that growth: no series of requests is public."""
    mid = float(DATA_CENTRE_INSTANCES ** (1.0 / DATA_CENTRE_YEARS))
    source = "data-centre instances +550 % 2010-18 (Masanet et al. 2020, secondary); ends assumed"
    return Estimate(low=1.0, mid=mid, high=mid**2, basis="claimed", source=source)


def given(factor_per_year: float) -> Estimate:
    """The user's own growth a year: 1.5 is 50 % more. Raises InputError unless it is positive."""
    if factor_per_year <= 0:
        raise InputError("Growth a year is a positive factor.", hint="1.5 means 50 % more each year.")
    return exact(factor_per_year)


def months_until_break(headroom: float, *growing: Estimate, easing: Estimate | None = None) -> BudgetBreak:
    """Months until a budget breaks: `headroom` is budget over need today; need grows by the product of `growing`
    (factors a year), eased by `easing` (say efficiency). Raises InputError unless the headroom is positive."""
    if headroom <= 0:
        raise InputError("Headroom is the budget over what is needed: a positive number.")
    net = exact(1.0)
    for factor in growing:
        net = net * factor
    if easing is not None:
        net = net / easing
    if headroom <= 1:
        return BudgetBreak(earliest_months=0.0, months=0.0, latest_months=0.0, text="The budget is broken today.")
    found = [
        units.MONTHS_PER_YEAR * math.log(headroom) / math.log(factor) if factor > 1.0 + 1e-12 else None
        for factor in (net.high, net.mid, net.low)
    ]
    return BudgetBreak(earliest_months=found[0], months=found[1], latest_months=found[2], text=_sentence(*found))


def _sentence(earliest: float | None, mid: float | None, latest: float | None) -> str:
    if earliest is None:
        return "At this growth the budget never breaks."
    if mid is None:
        return f"The budget may break in {earliest:.0f} months or later, and on the middle path never does."
    if latest is not None and round(latest) == round(earliest):
        return f"The budget breaks in about {mid:.0f} months."
    ends = f"{earliest:.0f} at the earliest, " + ("or never" if latest is None else f"{latest:.0f} at the latest")
    return f"The budget breaks in about {mid:.0f} months ({ends})."


def _line(line: Fit, source: str) -> Estimate:
    return _factor((line.slope_low, line.slope_oom_per_year, line.slope_high), source)


def _factor(slopes: tuple[float, float, float], source: str) -> Estimate:
    low, mid, high = (float(10**slope) for slope in slopes)
    return Estimate(low=low, mid=mid, high=high, basis="modelled", source=source)


__all__ = [
    "SCENARIOS",
    "BudgetBreak",
    "demand_growth",
    "efficiency_growth",
    "given",
    "model_compute_growth",
    "model_size_growth",
    "months_until_break",
    "price_growth",
]
