"""What the trends page shows, worked out before anything is drawn: points, eras with their lines, sentences, tables."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from urllib.parse import urlsplit

import numpy as np
import pandas as pd

from advisor.trends import fits
from advisor.trends.filters import Filter, Selection, select
from advisor.trends.fits import Fit
from advisor.trends.metrics import Metric
from advisor.trends.rows import date_of, rows
from data import words
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
DRAWN_POINTS = 2_000_000  # of the bootstraps of a view: more points, fewer draws, so that a control answers at once


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
    scale: str
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
        scale=wanted.scale,
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
    draws = int(np.clip(DRAWN_POINTS // len(years), 1_000, fits.DRAWS))
    edges = [float(years.min()), *inner, float(years.max())]
    found = []
    for first, last in pairwise(edges):
        inside = (years >= first) & ((years < last) | (last == edges[-1]))
        line, note = _line(years[inside], values[inside], method, draws)
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
            "source": chosen["url"].map(_host, na_action="ignore").fillna("not told"),
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


def months(value: float | None) -> str:
    """A doubling time: one decimal, as the papers print it; "∞" where an interval has no end."""
    if value is None:
        return "∞"
    return f"{value:.1f}" if value < 99.95 else words.number(value)


@cache
def safe(text: str) -> str:
    """A name from a table as chart text."""
    return html.escape(plain(text, 80), quote=False)


@cache
def _host(url: str) -> str:
    return safe(urlsplit(url).hostname or "").removeprefix("www.") or "not told"


def _moment(year: float, chosen: bool) -> str:
    """A chosen end as "Sep 2015", or the bare year at its turn; the end of the data as its year."""
    if not chosen or abs(year - round(year)) < 0.01:
        return f"{round(year) if chosen else date_of(year).year}"
    return f"{date_of(year):%b %Y}"


def _line(years: np.ndarray, values: np.ndarray, method: str, draws: int) -> tuple[Fit | None, str]:
    try:
        return fits.fit(years, values, method, draws=draws), ""
    except InputError as error:
        return None, error.message


def _groups(cells: pd.Series) -> pd.Series:
    """The first value of each cell (Multimodal before all), the most frequent GROUPS of them, the rest as Other."""
    first = {
        cell: "Multimodal" if "Multimodal" in cell.split(";") else cell.split(";")[0]
        for cell in cells.dropna().unique()
    }
    named = cells.map(first)
    common = named.value_counts().index[:GROUPS]
    return named.where(named.isin(common), "Other")
