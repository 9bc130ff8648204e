"""All models at a glance: what each takes, what its plan saves, what to do next, and the sums."""

import json
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

import pandas as pd

from advisor.types import Footprint
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
    """The question `overview` as a table: name, format, file_bytes, median_ms, energy_per_call_j,
    energy_kwh_per_year, verdict, saved_frac (of the energy a year), next, sha256."""
    table = []
    for row in rows.to_dict("records"):
        before, after = footprint(row["footprint_before"]), footprint(row["footprint_after"])
        table.append(
            {
                "name": row["name"],
                "format": row["format"],
                "file_bytes": row["file_bytes"],
                "median_ms": row["p50_ms"],
                "energy_per_call_j": row["energy_j"],
                "verdict": _text(row["verdict"]) or "not planned yet",
                "energy_kwh_per_year": before.kwh_per_year.mid if before.kwh_per_year else None,
                "saved_frac": saved(before.kwh_per_year, after.kwh_per_year),
                "next": next_step(row),
                "sha256": row["sha256"],
            }
        )
    return pd.DataFrame(table)


def next_step(row: Any) -> str:
    """What to do about this model now."""
    if _text(row["cannot_run"]):
        return NEXT["stored"]
    if pd.isna(row["p50_ms"]) and not _text(row["verdict"]):
        return NEXT["measure"]
    return NEXT.get(_text(row["verdict"]), NEXT["plan"])


def totals(rows: pd.DataFrame) -> tuple[Footprint, Footprint]:
    """The sums a year over all models with a report: today, and with their plans."""
    return (
        total(footprint(text) for text in rows["footprint_before"]),
        total(footprint(text) for text in rows["footprint_after"]),
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


def against_target(before: Footprint, after: Footprint, target_kwh: float | None) -> pd.DataFrame:
    """what, kwh_per_year, its ends and basis: today, with the plans, and the target where there is one."""
    parts = {"Today": before.kwh_per_year, "With the plans": after.kwh_per_year}
    if target_kwh is not None:
        parts["Target"] = exact(target_kwh, source="typed by the user")
    return pd.DataFrame(
        [
            {
                "what": what,
                "kwh_per_year": part.mid,
                "kwh_low_per_year": part.low,
                "kwh_high_per_year": part.high,
                "basis": part.basis,
            }
            for what, part in parts.items()
            if part is not None
        ]
    )


def footprint(text: Any) -> Footprint:
    """The footprint a report was stored with; an empty one where there is none."""
    return from_plain(Footprint, json.loads(text)) if isinstance(text, str) else Footprint()


def _sum(parts: list[Estimate]) -> Estimate:
    first, *others = parts
    for other in others:
        first = first + other
    return first


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
