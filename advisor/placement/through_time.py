"""The years ahead of a service: its footprint, where it is placed, until when budgets hold, when compressing has paid.

Need grows by a factor a year (advisor.trends.growth, or the user's own), work per joule by another where hardware is
renewed. Ends of the factors stay ends: the band widens as their powers do.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from advisor.placement.choose import Answer, Traffic, place
from advisor.placement.options import Candidate, options
from advisor.placement.types import UTILISATION_LIMIT, Placement, YearAhead
from advisor.rebound import break_even_demand_frac
from advisor.trends.growth import BudgetBreak, months_until_break
from advisor.types import Footprint
from data import units, words
from data.errors import InputError
from data.estimate import Estimate, exact

LONGEST_YEARS = 5
NEVER = "never"
MOST_MONTHS = 36.0  # beyond, people count years


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """A year of a service: demand over today's, and what it takes; None where today's figure is not known."""

    years_ahead: int
    demand_ratio: Estimate
    kwh: Estimate | None
    g_co2e: Estimate | None
    turbine_years: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedYear:
    """Where a service stands best in a year: the answer, and whether it differs from the year before."""

    years_ahead: int
    demand_ratio: float
    answer: Answer
    moved: bool


def grown(factor: Estimate, years: float) -> Estimate:
    """A factor a year over so many years; its ends stay ends. Raises InputError unless it is positive."""
    if factor.low <= 0 or years < 0:
        raise InputError("Growth a year is a positive factor, over 0 years or more.", hint="1.5 means 50 % more.")
    return replace(factor, low=factor.low**years, mid=factor.mid**years, high=factor.high**years)


def years_of(
    today: Footprint,
    demand: Estimate,
    efficiency: Estimate | None = None,
    *,
    renewed_every_years: int = 1,
    years: int = LONGEST_YEARS,
) -> tuple[Year, ...]:
    """Today and each of the coming 1 to 5 years: energy x demand^t, over efficiency^(years since then renewed).

    Idle energy grows with the demand too: more of it needs more devices. Without `efficiency` the hardware stays.
    Raises InputError on years outside 1 to 5 or a renewal below 1."""
    if not 1 <= years <= LONGEST_YEARS or renewed_every_years < 1:
        raise InputError("Between 1 and 5 years can be looked ahead; hardware is renewed after 1 year or more.")
    found = []
    for ahead in range(years + 1):
        more = grown(demand, ahead)
        renewed = ahead // renewed_every_years * renewed_every_years
        ratio = more if efficiency is None else more / grown(efficiency, renewed)
        kwh = None if today.kwh_per_year is None else today.kwh_per_year * ratio
        found.append(
            Year(
                years_ahead=ahead,
                demand_ratio=more,
                kwh=kwh,
                g_co2e=None if today.g_co2e_per_year is None else today.g_co2e_per_year * ratio,
                turbine_years=None if kwh is None else units.turbine_years(kwh),
            )
        )
    return tuple(found)


def service_years(
    before: Placement,
    after: Placement | None,
    demand: Estimate,
    efficiency: Estimate,
    *,
    renewed_every_years: int = 1,
    years: int = LONGEST_YEARS,
) -> tuple[YearAhead, ...]:
    """This and each of the coming years of a service placed like `before`, and like `after` with the plan (None where
    nothing is compressed): kWh x demand^t, and on renewed hardware over efficiency^t. The grid stays as it is.

    Servers follow the demand, so what waits grows with it too. Raises InputError as `years_of` does."""
    own = _footprint(before)
    then = own if after is None else _footprint(after)
    stays, planned = years_of(own, demand, years=years), years_of(then, demand, years=years)
    renewed = years_of(then, demand, efficiency, renewed_every_years=renewed_every_years, years=years)
    found = []
    for one, plan, new in zip(stays, planned, renewed, strict=True):
        assert one.kwh is not None and new.kwh is not None and new.turbine_years is not None
        found.append(
            YearAhead(
                years_ahead=one.years_ahead, demand_ratio=one.demand_ratio, kwh_before=one.kwh,
                kwh_after=None if after is None else plan.kwh, kwh_renewed=new.kwh, turbine_years=new.turbine_years,
                g_co2e=new.g_co2e,
            )
        )  # fmt: skip
    return tuple(found)


def _footprint(one: Placement) -> Footprint:
    return Footprint(kwh_per_year=one.kwh_per_year, g_co2e_per_year=one.g_co2e_per_year)


def until(one: Placement, demand: Estimate, usd_limit: float | None = None) -> tuple[str, ...]:
    """Until when these servers carry the growth at their peak, and a price limit holds, one sentence each."""
    servers = f"{one.replicas:,} server{'s' if one.replicas > 1 else ''}"
    full = f"busy up to {words.percent(UTILISATION_LIMIT)} at the peak"
    carries = budget_holds(UTILISATION_LIMIT, max(one.utilisation_frac, 1e-9), demand)
    said = [f"{servers}, {full}, {'carries' if one.replicas == 1 else 'carry'} the growth {_for(carries)}."]
    if usd_limit is not None and one.usd_per_year is not None:
        said.append(f"The price limit holds {_for(budget_holds(usd_limit, one.usd_per_year, demand))}.")
    return tuple(said)


def _for(found: BudgetBreak) -> str:
    """For how long, in words: the middle, and the ends in brackets."""
    if found.earliest_months is None:
        return "for good"
    if found.months is None:
        return f"for {_span(found.earliest_months)} at least, and on the middle path for good"
    last = "for good at the latest" if found.latest_months is None else f"{_span(found.latest_months)} at the latest"
    return f"for about {_span(found.months)} ({_span(found.earliest_months)} at the earliest, {last})"


def _span(months: float) -> str:
    """Months, and years where nobody counts months any more."""
    return (
        f"{months:.0f} months" if months < MOST_MONTHS else f"{words.number(months / units.MONTHS_PER_YEAR, 2)} years"
    )


def placed_years(
    candidates: Sequence[Candidate], traffic: Traffic, demand: Estimate, *, years: int = LONGEST_YEARS, **asked: Any
) -> tuple[PlacedYear, ...]:
    """The best placement today and in each coming year on the middle path of demand; `asked` goes to `place`."""
    if not 1 <= years <= LONGEST_YEARS:
        raise InputError("Between 1 and 5 years can be looked ahead.")
    asked["found"] = asked.get("found") if asked.get("found") is not None else options(candidates, asked.get("here"))
    told: list[PlacedYear] = []
    for ahead in range(years + 1):
        ratio = grown(demand, ahead).mid
        answer = place(candidates, replace(traffic, requests_per_day=traffic.requests_per_day * ratio), **asked)
        moved = bool(told) and _seat(answer) != _seat(told[-1].answer)
        told.append(PlacedYear(years_ahead=ahead, demand_ratio=ratio, answer=answer, moved=moved))
    return tuple(told)


def first_move(years: Sequence[PlacedYear]) -> int | None:
    """The first year in which another device, instance or region serves best, or none does; None where none moves."""
    return next((one.years_ahead for one in years if one.moved), None)


def budget_holds(limit: float, need: Estimate | float, demand: Estimate, easing: Estimate | None = None) -> BudgetBreak:
    """Until when a budget (USD, W, kWh, calls a second: one unit for both) holds what is needed today as it grows."""
    today = need.mid if isinstance(need, Estimate) else need
    if limit <= 0 or today <= 0:
        raise InputError("A budget and what is needed of it are positive amounts.", hint="Give both in the same unit.")
    return months_until_break(limit / today, demand, easing=easing)


def years_until_eaten(energy_ratio: float, demand: Estimate) -> tuple[float | None, float | None, float | None]:
    """Years until growth has used up what compressing saves (energy after over before): earliest, middle, latest.

    None is never; 0 where nothing is saved."""
    if energy_ratio <= 0:
        raise InputError("Energy after over before is a positive ratio.")
    if energy_ratio >= 1:
        return 0.0, 0.0, 0.0
    gap = -math.log(energy_ratio)
    earliest, middle, latest = (
        gap / math.log(factor) if factor > 1 else None for factor in (demand.high, demand.mid, demand.low)
    )
    return earliest, middle, latest


def eaten(energy_ratio: float, demand: Estimate) -> str:
    """In one sentence: how much more demand, and how many years of this growth, use up what compressing saves."""
    if energy_ratio >= 1.0:
        return "The plan saves no energy where it is placed, so there is nothing for demand to use up."
    more = words.percent(break_even_demand_frac(1.0 - energy_ratio))
    _, middle, _ = years_until_eaten(energy_ratio, demand)
    after = "which this growth never brings" if middle is None else f"which this growth brings in {middle:.1f} years"
    return f"What compressing saves is used up when demand grows by {more}, {after}."


def payback_days(making_j: Estimate, before: Footprint, after: Footprint) -> Estimate | None:
    """Days until the joules that making a variant took are saved; None where nothing is saved or not all is known."""
    if before.kwh_per_year is None or after.kwh_per_year is None:
        return None
    low, mid, high = (
        getattr(before.kwh_per_year, end) - getattr(after.kwh_per_year, end) for end in ("low", "mid", "high")
    )
    ends = sorted((low, mid, high))
    if ends[0] <= 0:
        return None
    saved = Estimate(low=ends[0], mid=mid, high=ends[2], basis=after.kwh_per_year.basis, source="before less after")
    return units.kwh_from_j(making_j) / saved * exact(units.DAYS_PER_YEAR)


def _seat(answer: Answer) -> tuple[str, ...]:
    best = answer.placements[0] if answer.placements else None
    return (best.variant_id, best.device_id, best.instance, best.provider, best.region) if best else (NEVER,)
