"""Plan and placement decided together: which variant, on which instance, how many, in which region, at which batch.

One DuckDB query (data/sql/placement.sql) judges every combination. Queueing is M/G/c: the chance of waiting after
Sakasegawa (1977), an exponential tail, scaled by (1 + cv2) / 2 for the spread of the service. The way to the users is
the great circle times a stated factor, at the speed of light in glass.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from advisor.placement import words as placement_words
from advisor.placement.filters import Filters
from advisor.placement.offers import fingerprint, offers, places
from advisor.placement.options import HERE_ID, WATTS, Candidate, Here, options
from advisor.placement.types import UTILISATION_LIMIT, Placement
from data import units
from data.energy import equivalents
from data.errors import InputError
from data.estimate import Estimate
from data.own import SOURCE
from data.query import ask_frames

OBJECTIVES = ("energy", "carbon", "cost", "latency")
EARTH_RADIUS_KM = 6_371.0
FIBRE_KM_PER_MS = 200.0  # light in glass: two thirds of 300
# Cables are longer than great circles and routers take their time: measured round trips are 1.5 to 2.1 times the
# fibre's over the great circle (general knowledge, not re-read); the middle counts.
ROUTE_FACTOR = 1.8
SERVICE_CV2 = 0.25
SAME_FRAC = 0.01  # a placement that takes no more than this more is as good, and the quicker one is chosen
CPU_PREFERENCE = 0.1
# Servers above the fewest that carry the load, and shares of them: more servers wait less.
EXTRAS = ((0, 0.0), (1, 0.0), (2, 0.0), (4, 0.0), (0, 0.25), (0, 1.0))
OVERHEAD_RANGE = 0.15
NO_LIMIT = 1e300
# What the query judges by: the rest of an option and of an offer is joined to the rows that are left.
JUDGED_OPTION = (
    "option_id", "variant_id", "target_id", "kind", "batch", "service_ms", "servers_per_instance", "most_servers",
    "fits", *WATTS,
)  # fmt: skip
JUDGED_OFFER = (
    "offer_id", "target_id", "latitude", "longitude", "usd_per_h", "pue_low", "pue", "pue_high", "g_per_kwh", "allowed",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What is asked of the service. `users_at` are zones ("DE"), regions ("aws/eu-central-1") or "latitude,longitude";
    the farthest counts. `surely` holds the budget with the high end of every predicted latency."""

    requests_per_day: float
    peak_factor: float = 3.0
    budget_ms: float | None = None
    percentile: float = 95.0
    users_at: tuple[str, ...] = ()
    surely: bool = False
    service_cv2: float = SERVICE_CV2


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The ranked placements, best first, how many were judged, and in words what decided and what would change it.

    `here` is this machine whatever the limits say, with what it breaks among its reasons; None where nothing ran.
    `left_out` says of each of the user's own devices that could not be judged why."""

    placements: tuple[Placement, ...]
    here: Placement | None
    considered_count: int
    feasible_count: int
    headline: str
    binding_constraint: str
    runner_up_margin: str
    would_change: tuple[str, ...]
    rows: pd.DataFrame
    left_out: tuple[str, ...] = ()


def place(
    candidates: Sequence[Candidate],
    traffic: Traffic,
    *,
    objective: str = "energy",
    filters: Filters | None = None,
    here: Here | None = None,
    found: pd.DataFrame | None = None,
    limit: int = 50,
    rows: int | None = None,
) -> Answer:
    """Where to serve one of these variants so that the budget holds, ranked by what the objective costs a year.

    `found` are the options of these candidates (`placement_options.options`) where they were worked out before.
    The answer has `limit` placements, and `rows` ranked rows (as many where it is None).
    Raises InputError on no traffic, on an unknown objective, and on a place, provider or country that is not known."""
    filters = filters or Filters()
    _check(traffic, objective)
    choices = options(candidates, here) if found is None else found
    offer = offers(filters, here)
    values = _values(traffic, objective, filters, max(limit, rows or 0))
    counts, ranked = _asked(choices, offer, traffic, values)
    told = placement_words.told(ranked, counts, objective, traffic.budget_ms, candidates, offer, here)
    return Answer(
        placements=tuple(_placement(row) for row in ranked.head(limit).to_dict("records")),
        here=_here(choices, offer, traffic, values, here),
        considered_count=_count(counts["considered"]), feasible_count=_count(counts["feasible"]),
        headline=told.headline, binding_constraint=told.binding, runner_up_margin=told.margin,
        would_change=told.would_change, rows=ranked, left_out=placement_words.left_out(choices, offer, objective, here),
    )  # fmt: skip


def version(traffic: Traffic, objective: str, filters: Filters, here: Here | None) -> str:
    """What an answer depends on beside its options: the question and every offer, those of the user's own among them.
    Raises InputError as `place` does."""
    _check(traffic, objective)
    return repr((traffic, objective, filters, here, fingerprint(offers(filters, here))))


def _asked(
    choices: pd.DataFrame, offer: pd.DataFrame, traffic: Traffic, values: Mapping[str, Any]
) -> tuple[Any, pd.DataFrame]:
    """The counts of everything judged, and the ranked rows with what is known of their offer and option."""
    timed = choices.assign(service_ms=choices["high_ms" if traffic.surely else "mid_ms"])
    frames = {
        "option": timed[list(JUDGED_OPTION)],
        "offer": offer[list(JUDGED_OFFER)],
        "place": places(traffic.users_at),
        "extra": pd.DataFrame(EXTRAS, columns=["more", "share"]).assign(extra_id=range(len(EXTRAS))),
    }
    rows = ask_frames("placement", frames, **values)
    ranked = rows.dropna(subset=["offer_id"]).merge(offer, on=["offer_id", "target_id"], suffixes=("", "_offer"))
    ranked = ranked.merge(choices, on=["variant_id", "target_id", "batch"], suffixes=("", "_option"))
    return rows.iloc[0], ranked.sort_values(["ranked_by", "offer_id", "variant_id"], ignore_index=True)


def _here(
    choices: pd.DataFrame, offer: pd.DataFrame, traffic: Traffic, values: Mapping[str, Any], here: Here | None
) -> Placement | None:
    """This machine, judged without limits; what it breaks is among its reasons."""
    mine = choices[choices["target_id"] == HERE_ID]
    if here is None or mine.empty:
        return None
    free = {**values, "budget_ms": NO_LIMIT, "usd_limit": NO_LIMIT}
    many = mine.assign(fits=True, most_servers=NO_LIMIT)
    _, ranked = _asked(many, offer[offer["target_id"] == HERE_ID], traffic, free)
    if ranked.empty:
        return None
    found = _placement(ranked.to_dict("records")[0])
    broken = placement_words.broken_here(found, traffic.budget_ms, here)
    return replace(found, reasons=(*broken, *found.reasons))


def _count(value: Any) -> int:
    return int(value) if pd.notna(value) else 0


def _check(traffic: Traffic, objective: str) -> None:
    if objective not in OBJECTIVES:
        raise InputError(f"'{objective}' is no objective.", hint=f"Objectives: {', '.join(OBJECTIVES)}.")
    if not traffic.requests_per_day > 0:
        raise InputError("Without requests there is nothing to place.", hint="Give more than 0 requests a day.")
    if traffic.peak_factor < 1:
        raise InputError("The peak cannot be below the average.", hint="Give a peak factor of 1 or more.")
    if not 50 <= traffic.percentile < 100:
        raise InputError("The percentile lies between 50 and 100.", hint="95 is usual.")
    if traffic.budget_ms is not None and not traffic.budget_ms > 0:
        raise InputError("A latency budget is more than 0 ms.")


def _values(traffic: Traffic, objective: str, filters: Filters, limit: int) -> Mapping[str, Any]:
    mean_per_s = traffic.requests_per_day / (units.H_PER_DAY * units.S_PER_H)
    overhead = equivalents()["server_overhead_s0"].value
    return {
        "mean_per_s": mean_per_s, "peak_per_s": mean_per_s * traffic.peak_factor, "percentile": traffic.percentile,
        "budget_ms": traffic.budget_ms or NO_LIMIT, "usd_limit": filters.usd_per_year or NO_LIMIT,
        "service_cv2": traffic.service_cv2, "objective": objective, "rows": limit, "extras": len(EXTRAS),
        "utilisation_limit": UTILISATION_LIMIT, "cpu_preference": CPU_PREFERENCE, "same": SAME_FRAC,
        "earth_radius_km": EARTH_RADIUS_KM,
        "route_factor": ROUTE_FACTOR, "fibre_km_per_ms": FIBRE_KM_PER_MS, "ms_per_s": units.MS_PER_S,
        "h_per_year": units.H_PER_YEAR, "w_per_kw": units.W_PER_KW, "overhead_mid": overhead,
        "overhead_low": overhead - OVERHEAD_RANGE, "overhead_high": overhead + OVERHEAD_RANGE,
    }  # fmt: skip


def _placement(row: Mapping[Any, Any]) -> Placement:
    known: dict[str, Any] = {name: None if pd.isna(value) else value for name, value in row.items()}
    kwh = Estimate(
        low=known["kwh_low"], mid=known["kwh_mid"], high=known["kwh_high"], basis="modelled",
        source="latency/power; devices/devices; energy/server_overhead_s0",
    )  # fmt: skip
    grid = known["g_per_kwh"] and Estimate(
        low=known["g_low_per_kwh"], mid=known["g_per_kwh"], high=known["g_high_per_kwh"],
        basis="given" if known.get("grid_source") == SOURCE else "modelled",
        source=known.get("grid_source") or "grid/electricity_maps",
    )  # fmt: skip
    usd, by = known["usd_per_year"], known["price_source"]
    basis = "given" if by in (SOURCE, "given") else "claimed"
    cost = None if usd is None else Estimate(low=usd, mid=usd, high=usd, basis=basis, source=by)
    return Placement(
        variant_id=known["variant_id"], device_id=known["device_id"], instance=known["instance_type"],
        provider=known["provider"], region=known["region_id"] or "", zone=known["zone_id"],
        replicas=int(known["servers"]), utilisation_frac=known["utilisation_frac"],
        latency_ms=Estimate(
            low=known["low_ms"], mid=known["mid_ms"], high=known["high_ms"], basis=known["basis"],
            source="latency model" if known["basis"] == "predicted" else "measured here",
        ),
        network_ms=known["network_ms"], kwh_per_year=kwh, g_co2e_per_year=kwh * grid if grid else None,
        usd_per_year=cost,
        available=known["available"], batch=int(known["batch"]), answer_ms=known["answer_ms"],
        reasons=placement_words.reasons(known),
    )  # fmt: skip
