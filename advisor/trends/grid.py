"""Carbon intensity of countries over the years (Ember): life-cycle, production-based, annual average."""

from functools import cache

import pandas as pd

from data import tables
from data.errors import InputError

FIRST_CHOICE = ("World", "European Union (27)", "Germany", "France", "Poland", "United States", "China")


@cache
def history() -> pd.DataFrame:
    """Rows zone_id, zone, year, g_per_kwh, oldest first. Shared: copy before changing."""
    names = tables.frame("grid", "zones").set_index("zone_id")["name"]
    frame = tables.frame("grid", "ember").rename(columns={"production_lifecycle_g_per_kwh": "g_per_kwh"})
    frame["zone"] = frame["zone_id"].map(names)
    frame = frame.dropna(subset=["g_per_kwh", "zone"]).sort_values(["zone", "year"], ignore_index=True)
    return frame[["zone_id", "zone", "year", "g_per_kwh"]]


def zones() -> list[str]:
    """Every zone with a history, by name."""
    return sorted(history()["zone"].unique())


def of_zones(names: tuple[str, ...], first_year: int, last_year: int) -> pd.DataFrame:
    """The rows of these zones in these years (both included), in the order of `names`."""
    if first_year > last_year:
        raise InputError("The first year must not lie after the last.", hint="Move the ends of the span apart.")
    frame = history()
    found = [frame[frame["zone"].eq(name) & frame["year"].between(first_year, last_year)] for name in names]
    return pd.concat(found, ignore_index=True) if found else frame.iloc[:0]


def latest_g_per_kwh(zone: str) -> tuple[float, int]:
    """The newest intensity of a zone (g/kWh) and its year. Raises InputError where it has none."""
    frame = history()
    frame = frame[frame["zone"] == zone]
    if frame.empty:
        raise InputError("This zone has no carbon intensity.", hint="Choose a country from the list.")
    newest = frame.iloc[-1]
    return float(newest["g_per_kwh"]), int(newest["year"])


def change_a_year(rows: pd.DataFrame) -> pd.DataFrame:
    """Per zone: first and last year and value, the change in all, and the mean change a year (a fraction, compound)."""
    found = []
    for zone, part in rows.groupby("zone", sort=False):
        first, last = part.iloc[0], part.iloc[-1]
        span = int(last["year"]) - int(first["year"])
        ratio = float(last["g_per_kwh"]) / float(first["g_per_kwh"]) if first["g_per_kwh"] else None
        found.append(
            {
                "zone": zone,
                "first_year": int(first["year"]),
                "first_g_per_kwh": float(first["g_per_kwh"]),
                "last_year": int(last["year"]),
                "last_g_per_kwh": float(last["g_per_kwh"]),
                "change_frac": None if ratio is None else ratio - 1.0,
                "change_a_year_frac": None if ratio is None or not span or not ratio else ratio ** (1 / span) - 1.0,
            }
        )
    return pd.DataFrame(found)
