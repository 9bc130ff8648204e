"""What the trends page shows, worked out before anything is drawn: points, eras with their lines, sentences, tables."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from advisor.trends import fits
from advisor.trends.filters import Filter, Selection, select
from advisor.trends.fits import Fit
from advisor.trends.metrics import Metric
from advisor.trends.reference import ReferenceFit, reference_fit, reproduces
from advisor.trends.rows import date_of, rows
from data import tables, words
from data.errors import InputError
from data.text import plain

COLOUR_BY = {
    "Domain": "domains",
    "Organisation": "organization_types",
    "Weights": "access",
    "Country": "countries",
    "Manufacturer": "manufacturer",
}
GROUPS = 6
# A guess is drawn fainter than a figure the authors gave.
OPACITY = {"Confident": 0.85, "Likely": 0.6, "Speculative": 0.38}
NOT_TOLD_OPACITY = 0.5
DRAWN_POINTS = 1_000_000  # of a bootstrap: more points, fewer draws, so that a control answers at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Era:
    """One stretch of time with its line; None where the points do not make one (`note` says why). `began` and `ended`
    tell an end that was chosen from one where the points end."""

    from_year: float
    to_year: float
    n: int
    line: Fit | None
    note: str = ""
    began: bool = False
    ended: bool = False

    @property
    def title(self) -> str:
        """ "2010 to 2018", with the month where an era begins within a year."""
        return f"{_moment(self.from_year, self.began)} to {_moment(self.to_year, self.ended)}"

    @property
    def short(self) -> str:
        """ "2010 to 2018: doubles every 5.7 months"."""
        doubling = None if self.line is None else self.line.doubling()[1]
        return f"{self.title}: " + ("does not rise" if doubling is None else f"doubles every {months(doubling)} months")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Everything one chart shows: the rows that are left, the lines through them, and the points to draw."""

    metric: Metric
    rows_name: str
    selection: Selection
    eras: tuple[Era, ...]
    points: pd.DataFrame

    @property
    def last(self) -> Era | None:
        """The newest era that has a line."""
        return next((era for era in reversed(self.eras) if era.line is not None), None)


@lru_cache(maxsize=256)
def view(
    metric: Metric,
    rows_name: str,
    wanted: Filter,
    breaks: tuple[float, ...] = (),
    method: str = "least squares",
    colour_by: str = "Domain",
) -> View:
    """The rows of a set that pass the filter, and a line for each era between the breaks (decimal years). The last 256
    are remembered."""
    selection = select(rows(rows_name), metric.column, wanted, metric.missing or "no value")
    return View(
        metric=metric,
        rows_name=rows_name,
        selection=selection,
        eras=tuple(eras(selection.rows, metric, breaks, method)),
        points=points(selection.rows, metric, colour_by),
    )


def eras(chosen: pd.DataFrame, metric: Metric, breaks: Sequence[float], method: str) -> list[Era]:
    """One era between each pair of neighbouring breaks, the ends of the rows included."""
    if chosen.empty:
        return []
    years = chosen["year"].to_numpy(dtype=float)
    values = chosen[metric.column].to_numpy(dtype=float) * metric.factor
    inner = sorted({year for year in breaks if years.min() < year <= years.max()})
    edges = [float(years.min()), *inner, float(years.max())]
    found = []
    for first, last in pairwise(edges):
        inside = (years >= first) & ((years < last) | (last == edges[-1]))
        line, note = _line(years[inside], values[inside], method)
        found.append(
            Era(
                from_year=first,
                to_year=last,
                n=int(inside.sum()),
                line=line,
                note=note,
                began=first != edges[0],
                ended=last != edges[-1],
            )
        )
    return found


def points(chosen: pd.DataFrame, metric: Metric, colour_by: str) -> pd.DataFrame:
    """The rows to draw: name, its label as chart text, date, value, group (sets the colour), opacity, hover texts."""
    values = chosen[metric.column] * metric.factor
    who = chosen["organization"] if "organization" in chosen else chosen["manufacturer"]
    column = COLOUR_BY[colour_by]
    confidence = chosen["confidence"] if "confidence" in chosen else pd.Series("Confident", index=chosen.index)
    return pd.DataFrame(
        {
            "name": chosen["name"],
            "label": chosen["name"].map(safe),
            "date": chosen["date"],
            "year": chosen["year"],
            "value": values,
            "group": _groups(chosen[column]) if column in chosen else "Systems",
            "opacity": confidence.map(OPACITY).fillna(NOT_TOLD_OPACITY),
            "said": [metric.say(float(value)) for value in values],
            "who": who.map(safe, na_action="ignore").fillna(""),
            "confidence": confidence.fillna("not told"),
        }
    )


def ties() -> pd.DataFrame:
    """The systems of 2022, then and now: name, date, then_flop, now_flop, moved (by more than a factor of two)."""
    frame = rows("sevilla_2022").dropna(subset=["training_flop_2022", "training_flop_2026"])
    then, now = frame["training_flop_2022"], frame["training_flop_2026"]
    moved = (now / then).gt(2.0) | (now / then).lt(0.5)
    return pd.DataFrame(
        {"name": frame["name"], "date": frame["date"], "then_flop": then, "now_flop": now, "moved": moved}
    )


def accounts(selection: Selection) -> str:
    """How many rows are shown and why the others are not, in one line."""
    shown = f"{len(selection.rows):,} of {selection.total:,} rows shown"
    if not selection.dropped:
        return shown + "."
    return f"{shown}. Left out: " + ", ".join(f"{part.count:,} {part.reason}" for part in selection.dropped) + "."


def sentence(era: Era) -> str:
    """The line of an era for people and screen readers: "2010 to 2018: doubles every 5.4 months (4.9 to 5.9) ..."."""
    if era.line is None:
        return f"{era.title}: {era.note}"
    line = era.line
    low, mid, high = line.doubling()
    if mid is None:
        falling = fits.doubling_months(-line.slope_oom_per_year)
        move = f"halves every {months(falling)} months" if falling else "does not move"
    else:
        move = f"doubles every {months(mid)} months ({months(low)} to {months(high)})"
    return f"{era.title}: {move}, {words.number(line.x_per_year)}× a year, {line.n} points, R² {line.r2:.2f}"


def fit_table(shown: View) -> pd.DataFrame:
    """One row an era: n, slope, doubling time with its interval, growth, R², residual spread."""
    return pd.DataFrame([_fit_row(era) for era in shown.eras if era.line is not None])


def reference_table(computed: Sequence[ReferenceFit]) -> pd.DataFrame:
    """The shipped fits beside what has been published, with the badge: reproduces, differs, or nothing published."""
    found = []
    for fit in computed:
        low, mid, high = fit.line.doubling(fit.days_per_month)
        badge = {True: "reproduces", False: "differs", None: ""}[fit.reproduces]
        found.append(
            {
                "series": fit.series,
                "trend": fit.title,
                "n": fit.line.n,
                "doubling_months": mid,
                "low_months": low,
                "high_months": high,
                "x_per_year": fit.line.x_per_year,
                "r2": fit.line.r2,
                "published_months": None if fit.published is None else fit.published.months,
                "badge": badge,
                "published_by": "" if fit.published is None else fit.published.by,
            }
        )
    return pd.DataFrame(found)


def beside(shown: View) -> tuple[ReferenceFit, bool] | None:
    """The published figure for this metric, and whether the newest line reproduces it; None where there is none."""
    metric, last = shown.metric, shown.last
    fit_id = metric.frontier_fit_id if shown.rows_name == "frontier" else metric.fit_id
    if not fit_id or last is None or last.line is None:
        return None
    known = reference_fit(fit_id)
    if known.published is None:
        return None
    return known, reproduces(last.line, known.published.months, known.days_per_month)


def find(rows_name: str, name: str) -> dict[str, Any]:
    """Everything known of one system or device. Raises InputError where there is none."""
    frame = rows(rows_name)
    found = frame[frame["name"] == name]
    if found.empty:
        raise InputError("There is no such system in these rows.", hint="Choose one from the list.")
    row = found.iloc[0]
    return {str(key): value for key, value in row.items() if not pd.isna(value)}


def method_title(line: Fit) -> str:
    """The name of the method of a line."""
    return fits.METHODS[line.method]


def growth_claims() -> list[dict[str, Any]]:
    """What is claimed about growth, each with the correction that belongs to it."""
    frame = tables.frame("claims", "claims")
    return [
        {str(key): cell for key, cell in row.items()} for row in frame[frame["kind"] == "growth"].to_dict("records")
    ]


def months(value: float | None) -> str:
    """A doubling time: one decimal, as the papers print it; "∞" where an interval has no end."""
    if value is None:
        return "∞"
    return f"{value:.1f}" if value < 99.95 else words.number(value)


@cache
def safe(text: str) -> str:
    """A name from a table as chart text."""
    return html.escape(plain(text, 80), quote=False)


def _moment(year: float, chosen: bool) -> str:
    """A chosen end as "Sep 2015", or the bare year at its turn; the end of the data as its year."""
    if not chosen or abs(year - round(year)) < 0.01:
        return f"{round(year) if chosen else date_of(year).year}"
    return f"{date_of(year):%b %Y}"


def _line(years: np.ndarray, values: np.ndarray, method: str) -> tuple[Fit | None, str]:
    try:
        return fits.fit(years, values, method, draws=int(np.clip(DRAWN_POINTS // max(len(years), 1), 1_000, 4_000))), ""
    except InputError as error:
        return None, error.message


def _fit_row(era: Era) -> dict[str, object]:
    assert era.line is not None
    line = era.line
    low, mid, high = line.doubling()
    return {
        "era": era.title,
        "n": line.n,
        "x_per_year": line.x_per_year,
        "doubling_months": mid,
        "low_months": low,
        "high_months": high,
        "slope_oom_per_year": line.slope_oom_per_year,
        "r2": line.r2,
        "residual_sd_oom": line.residual_sd_oom,
        "method": fits.METHODS[line.method],
    }


def _groups(cells: pd.Series) -> pd.Series:
    """The first value of each cell (Multimodal before all), the most frequent GROUPS of them, the rest as Other."""
    first = {
        cell: "Multimodal" if "Multimodal" in cell.split(";") else cell.split(";")[0]
        for cell in cells.dropna().unique()
    }
    named = cells.map(first)
    common = named.value_counts().index[:GROUPS]
    return named.where(named.isin(common), "Other")
