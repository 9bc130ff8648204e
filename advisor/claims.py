"""What has been claimed, each with the correction that belongs to it: none can be had without it."""

from dataclasses import dataclass
from functools import cache

import pandas as pd

from data import tables, units


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One published figure. `corrected` is what its correction makes of it; `status` is claimed, corrected,
    contradicted or hypothesis, and all but the first say why in `correction`."""

    kind: str
    claim: str
    value: float
    unit: str
    status: str
    source: str
    high_value: float | None = None
    correction: str = ""
    corrected: float | None = None
    corrected_by: str = ""


@cache
def claims() -> tuple[Claim, ...]:
    """Every claim of the shipped table with its correction."""
    rows = tables.frame("claims", "claims")
    plain = rows.astype(object).where(rows.notna(), None)
    return tuple(
        Claim(
            kind=row["kind"], claim=row["claim"], value=float(row["value"]), unit=row["unit"], status=row["status"],
            source=tables.source(f"claims/{row['source_id']}").title, high_value=row["high_value"],
            correction=row["correction"] or "",
            corrected=float(row["value"]) / row["overstated_ratio"] if row["overstated_ratio"] else None,
            corrected_by=_title(row["correction_source_id"]),
        )
        for row in plain.to_dict("records")
    )  # fmt: skip


def training_carbon() -> pd.DataFrame:
    """Claims of training carbon in grams: name, value, other (what the correction leaves)."""
    found = sorted((one for one in claims() if one.unit == "lb CO2e"), key=lambda one: one.value)
    rows = [
        {
            "name": one.claim,
            "value": units.g_from_lb(one.value),
            "other": None if one.corrected is None else units.g_from_lb(one.corrected),
        }
        for one in found
    ]
    return pd.DataFrame(rows).astype({"other": float})


def _title(source_id: object) -> str:
    return tables.source(f"claims/{source_id}").title if source_id else ""
