"""The rows behind every trend: systems, the same systems as printed in 2022, and hardware, dated in decimal years."""

from functools import cache

import numpy as np
import pandas as pd

from advisor.trends.rules import at_frontier
from data import tables, units
from data.errors import InputError

FRONTIER_SINCE = 2010.0
SETS = {
    "notable": "Notable models",
    "frontier": "Frontier models",
    "large_scale": "Large scale",
    "all": "All models",
    "sevilla_2022": "Study of 2022",
    "sevilla_2026": "Study of 2022, values of 2026",
    "hardware": "Hardware",
}
ABOUT_SETS = {
    "notable": "Notable models: state of the art, highly cited, of historical or commercial weight",
    "frontier": "Notable models that were among the ten largest in training compute when they came out, since 2010",
    "large_scale": "Models trained with 1e23 FLOP and more",
    "all": "All models with an entry",
    "sevilla_2022": "The 123 systems of Sevilla et al. 2022, as published",
    "sevilla_2026": "The 123 systems of Sevilla et al. 2022, with the values of 2026",
    "hardware": "Machine-learning hardware",
}


def rows(name: str) -> pd.DataFrame:
    """The rows of one set (a key of SETS), oldest first, each with `name`, `year` and its values. Shared: copy before
    changing. Raises InputError on a set that is not known."""
    if name not in SETS:
        raise InputError(f"There is no set of rows called {name}.", hint=f"Choose one of {', '.join(SETS)}.")
    if name == "hardware":
        return _hardware()
    if name.startswith("sevilla"):
        return _sevilla(revised=name.endswith("2026"))
    systems = _systems()
    return systems if name == "all" else _part(name)


def decimal_year(dates: pd.Series) -> pd.Series:
    """Calendar dates as decimal years of 365.2425 days."""
    days = (pd.to_datetime(dates) - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1)
    return 1970.0 + days / units.DAYS_PER_GREGORIAN_YEAR


def date_of(year: float) -> pd.Timestamp:
    """The day of a decimal year."""
    return pd.Timestamp("1970-01-01") + pd.Timedelta(days=round((year - 1970.0) * units.DAYS_PER_GREGORIAN_YEAR))


@cache
def newest_year() -> float:
    """The date of the systems table: "now" on the trends page, so that a figure does not change overnight."""
    as_of = tables.headers("trends", "systems")[0].as_of
    return float(decimal_year(pd.Series([as_of])).iloc[0])


@cache
def _systems() -> pd.DataFrame:
    frame = tables.frame("trends", "systems").rename(columns={"system": "name", "published_date": "date"})
    frame["year"] = decimal_year(frame["date"])
    frame["training_kwh"] = frame["training_w"] * frame["training_h"] * units.kwh_from_j(units.S_PER_H)
    frame["training_turbine_years"] = units.turbine_years(1.0) * frame["training_kwh"]
    frame["flop_per_j"] = frame["training_flop"] / units.j_from_kwh(1.0) / frame["training_kwh"]
    frame["flop_per_usd"] = frame["training_flop"] / frame["training_usd"]
    frame["open_weights"] = frame["access"].str.startswith("Open weights")
    frame = frame.sort_values("date", kind="stable", ignore_index=True)
    pool = frame["notable"] & frame["training_flop"].gt(0) & frame["year"].ge(FRONTIER_SINCE)
    flags = np.zeros(len(frame), dtype=bool)
    flags[pool] = at_frontier(frame.loc[pool, "year"].to_numpy(), np.log10(frame.loc[pool, "training_flop"]).to_numpy())
    return frame.assign(frontier=flags)


@cache
def _part(column: str) -> pd.DataFrame:
    systems = _systems()
    return systems[systems[column]].reset_index(drop=True)


@cache
def _sevilla(*, revised: bool) -> pd.DataFrame:
    frame = tables.frame("trends", "sevilla_2022").rename(columns={"system": "name", "published_date": "date"})
    frame["year"] = decimal_year(frame["date"])
    today = _systems().set_index("name")["training_flop"]
    frame["training_flop_2022"] = frame["training_flop"]
    frame["training_flop_2026"] = frame["system_2026"].map(today)
    if revised:
        frame["training_flop"] = frame["training_flop_2026"].fillna(frame["training_flop_2022"])
    return frame.sort_values("date", kind="stable", ignore_index=True)


@cache
def _hardware() -> pd.DataFrame:
    frame = tables.frame("trends", "hardware").rename(columns={"device": "name", "released_date": "date"})
    frame["year"] = decimal_year(frame["date"])
    frame["best_fp16_flop_per_s"] = frame["tensor_fp16_flop_per_s"].fillna(frame["fp16_flop_per_s"])
    for speed in ("fp32_flop", "best_fp16_flop", "tensor_fp16_flop", "int8_op", "memory_bytes"):
        frame[f"{speed}_per_j"] = frame[f"{speed}_per_s"] / frame["rated_w"]
    for speed in ("fp32_flop", "best_fp16_flop"):
        frame[f"{speed}_per_s_per_usd"] = frame[f"{speed}_per_s"] / frame["release_usd"]
    return frame.sort_values("date", kind="stable", ignore_index=True)
