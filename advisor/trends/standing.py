"""Where my model stands: percentile among the others, until when it would have been frontier, how far behind it is."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from advisor.trends import rules
from advisor.trends.fits import Fit
from advisor.trends.rows import FRONTIER_SINCE, date_of, newest_year, rows
from data import units
from data.estimate import Estimate

SIZE_CLASS = 3.0  # "same size class": between a third and three times the parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class MyModel:
    """A model to set among the published ones; what is not known is None. `basis` is one of data.estimate.BASES."""

    name: str
    training_flop: float | None = None
    parameter_count: float | None = None
    training_sample_count: float | None = None
    training_usd: float | None = None
    training_w: float | None = None
    training_kwh: float | None = None
    domain: str | None = None
    year: float | None = None
    basis: str = "given"

    def value(self, column: str) -> float | None:
        """What it has in a column of the systems table; None where that is not known."""
        return getattr(self, column, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentile:
    """The share of `n` systems with a smaller value."""

    among: str
    frac: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """`frontier_until` is the last date at which it would have been among the ten largest (a decimal year; None where
    it never was since 2010), `at_frontier_now` whether it is today; `months_behind` the trend line, negative ahead of
    it, None where the line does not rise."""

    percentiles: tuple[Percentile, ...]
    frontier_until: float | None
    at_frontier_now: bool
    months_behind: Estimate | None


def standing(mine: MyModel, column: str, line: Fit | None, among: str = "notable") -> Standing | None:
    """Where `mine` stands in `column` among the rows of a set; None where its value is not known."""
    value = mine.value(column)
    if value is None or value <= 0:
        return None
    frame = rows(among)
    frame = frame[frame[column].gt(0)]
    until, now = frontier_until(value, column)
    return Standing(
        percentiles=tuple(_percentiles(mine, value, frame, column)),
        frontier_until=until,
        at_frontier_now=now,
        months_behind=None if line is None else months_behind(value, line),
    )


def frontier_until(value: float, column: str) -> tuple[float | None, bool]:
    """The decimal year in which ten notable models since 2010 first exceeded this value, and whether they never have.

    (None, False) where it was exceeded before there were ten; (newest date, True) where it still is frontier."""
    frame = rows("notable")
    frame = frame[frame[column].gt(0) & frame["year"].ge(FRONTIER_SINCE)]
    years, values = frame["year"].to_numpy(), np.log10(frame[column].to_numpy(dtype=float))
    bar = rules.frontier_bar(years, values)
    passed = np.flatnonzero(bar > np.log10(value))
    if not len(passed):
        return newest_year(), True
    known = np.flatnonzero(np.isfinite(bar))
    return (None, False) if passed[0] == known[0] else (float(years[passed[0]]), False)


def months_behind(value: float, line: Fit, year: float | None = None) -> Estimate | None:
    """Months the trend line needs from this value to where it stands today: log ratio over slope; None without rise."""
    gap = line.at(newest_year() if year is None else year) - float(np.log10(value))
    if line.slope_low <= 0:
        return None
    months = [
        units.MONTHS_PER_YEAR * gap / slope for slope in (line.slope_low, line.slope_oom_per_year, line.slope_high)
    ]
    return Estimate(
        low=min(months), mid=months[1], high=max(months), basis="modelled", source=f"trend of {line.n} systems, 95 %"
    )


def frontier_text(found: Standing) -> str:
    """Until when it would have been frontier."""
    if found.at_frontier_now:
        return "It would be among the ten largest today."
    if found.frontier_until is None:
        return "It would not have been among the ten largest at any time since 2010."
    return f"It would have been among the ten largest until {date_of(found.frontier_until):%B %Y}."


def behind_text(found: Standing) -> str:
    """How far behind the line it is."""
    behind = found.months_behind
    if behind is None:
        return "The line does not rise, so there is no time to be behind."
    side = "behind" if behind.mid >= 0 else "ahead of"
    ends = sorted((abs(behind.low), abs(behind.high)))
    return f"{abs(behind.mid):.0f} months ({ends[0]:.0f} to {ends[1]:.0f}) {side} where the line above stands today."


def _percentiles(mine: MyModel, value: float, frame: pd.DataFrame, column: str) -> list[Percentile]:
    groups = [
        ("All", frame),
        ("Last 12 months", frame[frame["year"] >= newest_year() - 1.0]),
    ]
    if mine.domain:
        same = frame["domains"].str.contains(mine.domain, regex=False, na=False)
        groups.append((mine.domain, frame[same]))
    if mine.parameter_count:
        ratio = frame["parameter_count"] / mine.parameter_count
        groups.append(("Its size class", frame[ratio.between(1 / SIZE_CLASS, SIZE_CLASS)]))
    return [
        Percentile(among=name, frac=float(np.mean(part[column] < value)), n=len(part))
        for name, part in groups
        if len(part)
    ]
