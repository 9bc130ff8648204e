"""Filters that combine, and an account of every row they left out and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from advisor.trends import rules
from advisor.trends.rows import rows
from data.errors import InputError

Flags = NDArray[np.bool_]

# field of Filter: (column, whether a cell holds several values separated by ;, what the row is then).
CHOICES = {
    "domains": ("domains", True, "another domain"),
    "organization_types": ("organization_types", True, "another kind of organisation"),
    "countries": ("countries", True, "another country"),
    "access": ("access", False, "other access to the weights"),
    "numerical_formats": ("numerical_format", False, "another numerical format"),
    "confidence": ("confidence", False, "another confidence in the estimate"),
    "hardware": ("hardware", True, "other hardware"),
    "manufacturers": ("manufacturer", False, "another manufacturer"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What to keep. An empty choice keeps everything; a row with no entry is left out by a choice that is made.

    `from_year` and `to_year` are decimal years, the end not included; `text` is sought in names, tasks and
    organisations; `scale` is a key of rules.SCALES."""

    domains: tuple[str, ...] = ()
    organization_types: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    access: tuple[str, ...] = ()
    numerical_formats: tuple[str, ...] = ()
    confidence: tuple[str, ...] = ()
    hardware: tuple[str, ...] = ()
    manufacturers: tuple[str, ...] = ()
    from_year: float = -np.inf
    to_year: float = np.inf
    text: str = ""
    scale: str = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """How many rows fell out for one reason. A row counts once, for the first reason that applies."""

    reason: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The rows that are left, how many there were, and what became of the others."""

    rows: pd.DataFrame
    total: int
    dropped: tuple[Dropped, ...]


def select(frame: pd.DataFrame, column: str, wanted: Filter, missing: str = "no value") -> Selection:
    """The rows with a positive value of `column`, a date, and everything `wanted` asks for.

    The z rule of `scale` looks at all rows with a value, whatever else is filtered. Raises InputError where the span of
    years is empty or the frame has no such column."""
    if column not in frame:
        raise InputError("These rows do not have this quantity.", hint="Choose another set of rows.")
    if wanted.from_year >= wanted.to_year:
        raise InputError("The first year must lie before the last.", hint="Move the ends of the span apart.")
    keep, dropped = np.ones(len(frame), dtype=bool), []
    for reason, fits in _conditions(frame, column, wanted, missing):
        lost = int(np.count_nonzero(keep & ~fits))
        if lost:
            dropped.append(Dropped(reason=reason, count=lost))
        keep &= fits
    return Selection(rows=frame[keep], total=len(frame), dropped=tuple(dropped))


@cache
def options_of(rows_name: str, field: str) -> tuple[str, ...]:
    """The values one may choose for a field of CHOICES in a set of rows, the most frequent first."""
    return tuple(options(rows(rows_name), field))


def options(frame: pd.DataFrame, field: str) -> list[str]:
    """The same for any frame."""
    column, several, _ = CHOICES[field]
    if column not in frame:
        return []
    cells = frame[column].dropna()
    found = cells.str.split(";").explode() if several else cells
    return [str(value) for value in found.value_counts().index]


def _conditions(frame: pd.DataFrame, column: str, wanted: Filter, missing: str) -> Iterator[tuple[str, Flags]]:
    has_value = frame[column].gt(0).to_numpy()
    yield missing, has_value
    has_date = frame["year"].notna().to_numpy()
    yield "no date", has_date
    if wanted.scale != "all":
        usable, of_scale = has_value & has_date, np.zeros(len(frame), dtype=bool)
        years, values = frame.loc[usable, "year"].to_numpy(), np.log10(frame.loc[usable, column].to_numpy(dtype=float))
        of_scale[usable] = rules.of_scale(years, values, wanted.scale)
        yield f"not {rules.SCALES[wanted.scale].lower()} by the z rule", of_scale
    years = frame["year"].to_numpy()
    if np.isfinite(wanted.from_year):
        yield f"before {wanted.from_year:.6g}", years >= wanted.from_year
    if np.isfinite(wanted.to_year):
        yield f"from {wanted.to_year:.6g} on", years < wanted.to_year
    for field, (source, several, reason) in CHOICES.items():
        chosen = getattr(wanted, field)
        if chosen:
            yield reason, _chosen(frame, source, several, chosen)
    if wanted.text.strip():
        yield f"without {wanted.text.strip()!r}", _mentions(frame, wanted.text.strip())


def _chosen(frame: pd.DataFrame, column: str, several: bool, chosen: tuple[str, ...]) -> Flags:
    if column not in frame:
        return np.ones(len(frame), dtype=bool)
    cells, wanted = frame[column], set(chosen)
    if not several:
        return cells.isin(wanted).to_numpy()
    # A cell repeats often: decide once for each distinct one.
    verdicts = {cell: bool(wanted & set(cell.split(";"))) for cell in cells.dropna().unique()}
    return cells.map(verdicts).fillna(False).to_numpy(dtype=bool)


def _mentions(frame: pd.DataFrame, text: str) -> Flags:
    found = np.zeros(len(frame), dtype=bool)
    for column in ("name", "task", "organization", "manufacturer"):
        if column in frame:
            found |= frame[column].str.contains(text, case=False, regex=False, na=False).to_numpy(dtype=bool)
    return found
