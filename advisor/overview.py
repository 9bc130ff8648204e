"""All models at a glance: what each takes, what its plan saves, what to do next, and the sums."""

import json
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

import pandas as pd

from advisor import turbine
from advisor.turbine import Turbine, footprint_by
from advisor.types import Footprint
from data import units, words
from data.estimate import Estimate, exact
from data.records import from_plain

NEXT = {
    "stored": "Weights only: see what fits",
    "measure": "Measure it",
    "plan": "Compress it",
    "compress": "Export the report",
    "keep the original": "Choose a place",
    "nothing meets the budget": "Relax the budget",
}


def glance(rows: pd.DataFrame) -> pd.DataFrame:
    """The question `overview` as a table: name, format, file_bytes, median_ms, energy_per_call_j, verdict, saved_frac
    (of the energy a year), next, sha256, and, today and planned, a year's kWh, g CO2e, US$ and seconds of a turbine."""
    table, by = [], turbine.chosen()
    for row in rows.to_dict("records"):
        before, after = footprint(row["footprint_before"], by), footprint(row["footprint_after"], by)
        table.append(
            {
                "name": row["name"],
                "format": row["format"],
                "file_bytes": row["file_bytes"],
                "median_ms": row["p50_ms"],
                "energy_per_call_j": row["energy_j"],
                "verdict": _text(row["verdict"]) or "not planned yet",
                "saved_frac": saved(before.kwh_per_year, after.kwh_per_year),
                "next": next_step(row),
                "sha256": row["sha256"],
                **_year("today", before),
                **_year("planned", after),
            }
        )
    return pd.DataFrame(table)


def _year(when: str, told: Footprint) -> dict[str, float | None]:
    parts = {
        f"energy_{when}_kwh_per_year": told.kwh_per_year, f"carbon_{when}_g_co2e_per_year": told.g_co2e_per_year,
        f"electricity_{when}_usd_per_year": told.usd_per_year, f"turbine_{when}_s": told.turbine_years,
    }  # fmt: skip
    found = {name: part.mid if part else None for name, part in parts.items()}
    turbine = found[f"turbine_{when}_s"]
    return {**found, f"turbine_{when}_s": None if turbine is None else turbine * units.S_PER_YEAR}


def next_step(row: Any) -> str:
    """What to do about this model now."""
    if _text(row["cannot_run"]):
        return NEXT["stored"]
    if pd.isna(row["p50_ms"]) and not _text(row["verdict"]):
        return NEXT["measure"]
    return NEXT.get(_text(row["verdict"]), NEXT["plan"])


def totals(rows: pd.DataFrame) -> tuple[Footprint, Footprint]:
    """The sums a year over all models with a report: today, and with their plans."""
    by = turbine.chosen()
    return (
        total(footprint(text, by) for text in rows["footprint_before"]),
        total(footprint(text, by) for text in rows["footprint_after"]),
    )


def total(footprints: Iterable[Footprint]) -> Footprint:
    """The sum, field by field, of what is known; the energy of one call is no sum and is left out."""
    known = list(footprints)
    sums: dict[str, Estimate | None] = {}
    for field in fields(Footprint):
        parts = [part for one in known if (part := getattr(one, field.name)) is not None]
        sums[field.name] = _sum(parts) if parts and field.name != "energy_j_per_call" else None
    return Footprint(**sums)


def saved(before: Estimate | None, after: Estimate | None) -> float | None:
    """The share of the energy that the plan saves, of the middles; None where either is not known."""
    return None if before is None or after is None or before.mid <= 0 else 1 - after.mid / before.mid


def against_target(
    before: Footprint, after: Footprint, target: float | None, field: str = "kwh_per_year"
) -> pd.DataFrame:
    """what, the field of a footprint, its ends and basis: today, with the plans, and the target where there is one."""
    parts = {"Today": getattr(before, field), "With the plans": getattr(after, field)}
    if target is not None:
        parts["Target"] = exact(target, source="typed by the user")
    low, high = ends_of(field)
    return pd.DataFrame(
        [
            {"what": what, field: part.mid, low: part.low, high: part.high, "basis": part.basis}
            for what, part in parts.items()
            if part is not None
        ]
    )


def ends_of(field: str) -> tuple[str, str]:
    """The columns of both ends of a field: kwh_low_per_year and kwh_high_per_year of kwh_per_year."""
    stem = field.removesuffix("_per_year")
    return f"{stem}_low_per_year", f"{stem}_high_per_year"


def on_target(after: Estimate, target: float) -> str:
    """Whether the plans keep to a target above 0, in one sentence; an interval that holds it says so."""
    if after.high <= target:
        return f"The plans keep to the target with {words.percent(1 - after.high / target)} to spare at least."
    if after.low > target:
        return f"The plans miss the target by {words.percent(after.low / target - 1)} at least."
    return "The target lies within the interval of the plans: it may be kept or missed."


def footprint(text: Any, by: Turbine) -> Footprint:
    """The footprint a report was stored with, told by this turbine; an empty one where there is none."""
    return footprint_by(from_plain(Footprint, json.loads(text)), by) if isinstance(text, str) else Footprint()


def _sum(parts: list[Estimate]) -> Estimate:
    first, *others = parts
    for other in others:
        first = first + other
    return first


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
