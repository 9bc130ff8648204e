"""The shipped fits: each recomputed from the tables and set beside what has been published ("reproduces" or not)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from advisor.trends import fits, rules
from advisor.trends.fits import DAYS_PER_MONTH, Fit
from advisor.trends.rows import decimal_year, rows
from data import tables
from data.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A doubling time somebody printed: months, their interval where they gave one, and who they are."""

    months: float
    low_months: float | None
    high_months: float | None
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceFit:
    """One row of the fit table: which points, the line through them, and the published figure beside it."""

    id: str
    series: str
    title: str
    column: str
    subset: str
    scale: str
    line: Fit
    days_per_month: float
    published: Published | None

    @property
    def reproduces(self) -> bool | None:
        """Whether the published doubling time lies in our 95 % interval; None where nothing was published."""
        return None if self.published is None else reproduces(self.line, self.published.months, self.days_per_month)


def reproduces(line: Fit, published_months: float, days_per_month: float = DAYS_PER_MONTH) -> bool:
    """Whether a published doubling time (months) lies in the 95 % interval of this line's."""
    low, _, high = line.doubling(days_per_month)
    return low is not None and low <= published_months <= (np.inf if high is None else high)


@cache
def reference_fits(draws: int = fits.DRAWS) -> tuple[ReferenceFit, ...]:
    """Every row of the shipped fit table, computed from the shipped rows once a process."""
    table = tables.frame("trends", "fits")
    return tuple(_computed(row, draws) for row in table.to_dict("records"))


@cache
def reference_fit(fit_id: str, draws: int = 1_000) -> ReferenceFit:
    """One row of the fit table by its id. Raises DataError where there is none."""
    table = tables.frame("trends", "fits").set_index("fit_id", drop=False)
    if fit_id not in table.index:
        raise DataError(f"There is no trend fit called {fit_id}.", hint="python -m data check lists the tables.")
    return _computed(table.loc[fit_id].to_dict(), draws)


def points(spec: Mapping[Any, Any]) -> pd.DataFrame:
    """The rows one line of the fit table is drawn through, oldest first."""
    frame, column = rows(str(spec["rows"])), str(spec["column"])
    frame = frame[frame[column].gt(0) & frame["year"].notna()]
    values = np.log10(frame[column].to_numpy(dtype=float))
    keep = rules.of_scale(frame["year"].to_numpy(), values, str(spec["scale"]))
    if spec["subset"] == "frontier":
        keep &= frame["frontier"].to_numpy()
    elif spec["subset"] == "records":
        keep &= rules.record_setters(values)
    for end, compare in (("from_date", frame["year"].ge), ("to_date", frame["year"].lt)):
        if pd.notna(spec[end]):
            keep &= compare(float(decimal_year(pd.Series([spec[end]])).iloc[0])).to_numpy()
    if pd.notna(spec["domain"]):
        for word in str(spec["domain"]).split(";"):
            has = frame["domains"].str.contains(word.removeprefix("-"), regex=False, na=False).to_numpy()
            keep &= ~has if word.startswith("-") else has
    if pd.notna(spec["without_systems"]):
        keep &= ~frame["name"].isin(str(spec["without_systems"]).split(";")).to_numpy()
    return frame[keep]


def _computed(spec: Mapping[Any, Any], draws: int) -> ReferenceFit:
    frame, months = points(spec), spec["published_months"]
    line = fits.fit(frame["year"].to_numpy(), frame[str(spec["column"])].to_numpy(dtype=float), draws=draws)
    published = None
    if pd.notna(months):
        published = Published(
            months=_number(months) or 0.0,
            low_months=_number(spec["published_low_months"]),
            high_months=_number(spec["published_high_months"]),
            by=str(spec["published_by"]),
        )
    return ReferenceFit(
        id=str(spec["fit_id"]),
        series=str(spec["series"]),
        title=str(spec["title"]),
        column=str(spec["column"]),
        subset=str(spec["subset"]),
        scale=str(spec["scale"]),
        line=line,
        days_per_month=_number(spec["month_days"]) or DAYS_PER_MONTH,
        published=published,
    )


def _number(cell: Any) -> float | None:
    return None if pd.isna(cell) else float(cell)
