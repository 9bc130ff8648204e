"""What follows from a report's numbers: percentiles, a year in things people know, the years ahead, the rebound."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from advisor import equivalents, model_frames, rebound
from advisor.placement.types import YearAhead
from advisor.types import Budget, Equivalent, Footprint, Outlook, Plan, Rebound, RunSummary
from data import units
from data.estimate import Estimate, exact
from profiler import stats
from profiler.types import Measurement

YEARS_AHEAD = (0, 1, 2, 3, 5)
PERCENTILES = (50.0, 90.0, 95.0, 99.0)


def outlook(
    runs: Sequence[Measurement],
    names: Mapping[str, str],
    budget: Budget,
    before: Footprint,
    after: Footprint,
    plan: Plan | None,
) -> Outlook:
    """All of it. `names` tells variants by their id; without a plan nothing is saved."""
    planned = after if plan is not None else None
    ratio = plan.energy_ratio if plan is not None else None
    return Outlook(
        runs=tuple(summary(run, names.get(run.variant_id or "", "Original"), budget.percentile) for run in runs),
        equivalents=told(before, planned),
        years=years_ahead(before, planned),
        payback_days=payback_days(plan, budget),
        rebounds=rebounds(ratio) if ratio is not None else (),
        break_even_demand_frac=break_even(ratio) if ratio is not None and ratio.low > 0 and ratio.high < 1 else None,
    )


def summary(run: Measurement, name: str, percentile: float) -> RunSummary:
    """One run's calls and percentiles, each with its 95 % interval and None where the samples are too few for it."""
    wanted = sorted({*PERCENTILES, percentile})
    latency_ms = {f"p{percent:g}": _percentile(run, percent) for percent in wanted}
    return RunSummary(
        name=name, variant_id=run.variant_id, calls=len(run.samples_ms), warmup_calls=len(run.warmup_ms),
        latency_ms=latency_ms,
    )  # fmt: skip


def told(before: Footprint, after: Footprint | None) -> tuple[Equivalent, ...]:
    """A year's energy and carbon as kilometres, flights, charges and households; empty where neither is known."""
    today = equivalents.told(before.kwh_per_year, before.g_co2e_per_year)
    then = equivalents.told(after.kwh_per_year, after.g_co2e_per_year) if after is not None else ()
    amounts = {one.equivalent_id: one.amount for one in then}
    return tuple(
        Equivalent(label=one.label, before=one.amount, after=amounts.get(one.equivalent_id), source=one.source)
        for one in today
    )


def years_ahead(before: Footprint, after: Footprint | None) -> tuple[YearAhead, ...]:
    """The coming years: kWh = today's x demand^t, and on renewed hardware / efficiency^t; the grid stays as it is.

    Demand and efficiency are the published trends of `advisor.trends.growth` (factors a year)."""
    from advisor.trends import growth  # scipy, for those who make a report

    if before.kwh_per_year is None:
        return ()
    demand, efficiency = growth.demand_growth(), growth.efficiency_growth("records")
    kwh_after = after.kwh_per_year if after is not None else None
    carbon = (after or before).g_co2e_per_year
    found = []
    for years in YEARS_AHEAD:
        more, better = _power(demand, years), _power(efficiency, years)
        renewed = (kwh_after or before.kwh_per_year) * more / better
        found.append(
            YearAhead(
                years_ahead=years,
                demand_ratio=more,
                kwh_before=before.kwh_per_year * more,
                kwh_after=kwh_after * more if kwh_after is not None else None,
                kwh_renewed=renewed,
                turbine_years=units.turbine_years(renewed),
                g_co2e=carbon * more / better if carbon is not None else None,
            )
        )
    return tuple(found)


def rebounds(energy_ratio: Estimate) -> tuple[Rebound, ...]:
    """Energy after over before, were demand to answer the saving as in each published case that is causal.

    E1/E0 = eps^(s eta - 1) with eps = 1 / energy_ratio; the interval is that of the elasticity."""
    gain = 1.0 / energy_ratio.mid
    found = []
    for case in (preset for preset in rebound.presets() if preset.causal):
        ends = [
            rebound.energy_ratio(gain, elasticity, case.cost_share_frac)
            for elasticity in (case.elasticity_low, case.elasticity, case.elasticity_high)
        ]
        ratio = Estimate(low=min(ends), mid=ends[1], high=max(ends), basis="claimed", source=case.basis)
        found.append(Rebound(title=case.title, energy_ratio=ratio, caution=case.caution))
    return tuple(found)


def break_even(energy_ratio: Estimate) -> Estimate:
    """By which share demand may grow before the saving is used up: 1 / ratio - 1."""
    low, mid, high = (
        rebound.break_even_demand_frac(1.0 - ratio) for ratio in (energy_ratio.high, energy_ratio.mid, energy_ratio.low)
    )
    return Estimate(low=low, mid=mid, high=high, basis=energy_ratio.basis, source="1 / energy ratio - 1")


def payback_days(plan: Plan | None, budget: Budget) -> float | None:
    """Days at the given demand until compressing has paid for itself; None where it never does or is not known."""
    if plan is None or plan.payback_calls is None or budget.requests_per_day <= 0:
        return None
    return plan.payback_calls / budget.requests_per_day


def _percentile(run: Measurement, percent: float) -> Estimate | None:
    if percent == 50.0:
        return model_frames.median(run) if stats.percentile(run.samples_ms, percent) is not None else None
    return model_frames.tail(run, percent)


def _power(factor: Estimate, years: int) -> Estimate:
    if years == 0:
        return exact(1.0)
    return replace(factor, low=factor.low**years, mid=factor.mid**years, high=factor.high**years)
