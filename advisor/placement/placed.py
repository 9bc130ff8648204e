"""A placement as a report keeps it: what was asked, what decided, where the energy goes, and the years ahead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from advisor.footprint import embodied_g_co2e
from advisor.placement import through_time
from advisor.placement.choose import Answer, Traffic, place
from advisor.placement.filters import Filters
from advisor.placement.inputs import this_machine
from advisor.placement.options import Here, options
from advisor.placement.types import ORIGINAL, EnergyPart, Placed, Placement, YearAhead
from advisor.placement.variants import Choice, chosen, graphs, of_report
from advisor.report.credits import with_sources
from advisor.types import Budget, Graph, Report
from data import own, units
from data.energy import equivalents
from data.errors import Cancelled, InputError, RightsizeError
from data.estimate import Estimate
from data.own import Yours
from data.tables import device
from profiler.jobs import Desk
from profiler.tasks import procedure
from profiler.types import Model

KEPT = 20  # placements a report keeps
OBJECTIVE = {"energy": "energy", "latency": "latency", "cost": "cost", "size": "energy"}
LEAST_PERCENTILE = 50.0
# How a report's notes begin that tell what went wrong here.
NOTES = ("It was not placed", "The variants' graphs were not read")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question to the placement: traffic, filters, and what counts most."""

    traffic: Traffic
    objective: str = "energy"
    filters: Filters = field(default_factory=Filters)


def asked_of(budget: Budget) -> Asked:
    """What a report's budget asks of the placement."""
    return Asked(
        traffic=Traffic(
            requests_per_day=budget.requests_per_day, budget_ms=budget.latency_ms, users_at=budget.users_at,
            percentile=max(budget.percentile, LEAST_PERCENTILE),
        ),
        objective=OBJECTIVE[budget.objective], filters=Filters(regions=budget.allowed_regions),
    )  # fmt: skip


def answer(choice: Choice, asked: Asked, here: Here | None, found: pd.DataFrame | None = None, **more: Any) -> Answer:
    """Where to serve these candidates; `more` goes to `place`. Raises InputError as `place` does."""
    return place(
        choice.candidates, asked.traffic, objective=asked.objective, filters=asked.filters, here=here, found=found,
        **more,
    )  # fmt: skip


def told(
    best: Answer, choice: Choice, asked: Asked, here: Here | None, found: pd.DataFrame, *,
    demand: Estimate | None = None, efficiency: Estimate | None = None, years: int = through_time.LONGEST_YEARS,
) -> Placed:  # fmt: skip
    """What a report keeps of an answer beside its placements; growth is the published trend where none is given."""
    from advisor.trends import growth  # scipy, for those who look ahead

    demand = demand or growth.demand_growth()
    efficiency = efficiency or growth.efficiency_growth("records")
    first = best.placements[0] if best.placements else None
    original = None if first is None else _original(first, choice, asked, here, found)
    traffic = asked.traffic
    ahead: tuple[YearAhead, ...] = ()
    until: tuple[str, ...] = ()
    if first is not None:
        then = first if original is not None and first is not original else None
        ahead = through_time.service_years(original or first, then, demand, efficiency, years=years)
        until = through_time.until(first, demand, asked.filters.usd_per_year)
    return Placed(
        requests_per_day=traffic.requests_per_day, peak_factor=traffic.peak_factor, percentile=traffic.percentile,
        objective=asked.objective, headline=best.headline, considered_count=best.considered_count,
        feasible_count=best.feasible_count, budget_ms=traffic.budget_ms, users_at=traffic.users_at,
        binding_constraint=best.binding_constraint, runner_up_margin=best.runner_up_margin,
        would_change=best.would_change, titles=dict(choice.titles), not_placed=(*choice.not_placed, *best.left_out),
        here=best.here,
        original=original, parts=() if first is None else energy_parts(best.rows.iloc[0]), years=ahead, until=until,
    )  # fmt: skip


def energy_parts(row: Mapping[str, Any] | pd.Series) -> tuple[EnergyPart, ...]:
    """Where the energy of a ranked row goes (kWh a year, middle): working, waiting, the host, the server, the building.

    Each overhead is what it adds; the parts sum to the whole."""
    servers, to_kwh = float(row["servers"]), units.H_PER_YEAR / units.W_PER_KW
    overhead, pue = equivalents()["server_overhead_s0"].value, float(row["pue"])
    works = servers * (row["busy_w"] - row["idle_w"]) * row["busy_frac"] * to_kwh
    host = servers * row["host_w"] * to_kwh
    waits = servers * (row["idle_w"] - row["host_w"]) * to_kwh
    device = works + waits + host
    parts = (
        ("Working", works), ("Device switched on", waits), ("Host switched on", host),
        ("Memory, fans and the rest of the server", device * (overhead - 1.0)),
        ("Building (PUE)", device * overhead * (pue - 1.0)),
    )  # fmt: skip
    return tuple(EnergyPart(label=label, kwh_per_year=float(kwh)) for label, kwh in parts if kwh > 0.0)


def making_g_co2e(one: Placement, part: float, life_years: float) -> Estimate | None:
    """Grams of CO2e a year of making the devices of a placement (a `part` of each), spread evenly over their life; None
    where the table does not know what making one took. Raises InputError where the life is not longer than 0."""
    embodied = device(one.device_id).estimate("embodied_kg_co2e") if one.region else None
    return None if embodied is None else embodied_g_co2e(embodied, life_years, one.replicas * part)


def with_placement(report: Report, best: Answer, said: Placed, keep: int = KEPT) -> Report:
    """The report with these placements in it, and the sources of what it holds now."""
    return with_sources(replace(report, placements=best.placements[:keep], placed=said))


def place_report(
    report: Report, known: Mapping[str, Graph], zone: str | None, yours: Yours | None = None
) -> Report:  # fmt: skip
    """The report with its original, plan and runner-up placed as its budget asks; why not among its notes where it
    cannot be said."""
    try:
        choice, asked = of_report(report, known), asked_of(report.budget)
        here = this_machine(report.machine, zone, yours=yours)
        found = options(choice.candidates, here)
        best = answer(choice, asked, here, found, limit=KEPT)
    except InputError as error:
        return replace(report, notes=(*report.notes, f"{NOTES[0]}: {error.message}"))
    return with_placement(report, best, told(best, choice, asked, here, found))


def place_found(desk: Desk, report: Report, zone: str | None) -> Report:
    """`place_report` with the graphs of its variants read first; a report is worth more than its placement, so what
    goes wrong there becomes a note. Raises Cancelled."""
    try:
        known = graphs(desk, report.model, chosen(report))
    except Cancelled:
        raise
    except RightsizeError as error:
        report = replace(report, notes=(*report.notes, f"{NOTES[1]}: {error.message}"))
        known = {}
    return place_report(report, known, zone, own.yours(desk))


@procedure
def read_variants(desk: Desk, *, sha256: str, report: str) -> dict[str, Any]:
    """Reads and keeps the graphs of a report's variants, from which they are placed; {"sha256", "graphs"}."""
    found, model = desk.get(Report, report), desk.get(Model, sha256)
    if found is None or model is None:
        raise InputError("This report is not kept here any more.", hint="Compress the model again.")
    known = graphs(desk, model, chosen(found, [one.id for one in found.variants]))
    return {"sha256": sha256, "graphs": len(known)}


def _original(
    first: Placement, choice: Choice, asked: Asked, here: Here | None, found: pd.DataFrame
) -> Placement | None:
    """The best placement of the uncompressed model; `first` itself where it is that."""
    if first.variant_id == ORIGINAL:
        return first
    alone: Sequence[Any] = [one for one in choice.candidates if one.variant_id == ORIGINAL]
    rows = found[found["variant_id"] == ORIGINAL]
    if not alone or rows.empty:
        return None
    own = answer(Choice(candidates=tuple(alone), titles={}), asked, here, rows, limit=1)
    return own.placements[0] if own.placements else None
