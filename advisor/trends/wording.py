"""What the trends page says: the account of the rows, lines as sentences and tables, published figures, one system."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from advisor.trends import fits, regulation, standing
from advisor.trends.filters import Selection
from advisor.trends.fits import Fit
from advisor.trends.metrics import Metric
from advisor.trends.reference import ReferenceFit, reference_fit, reproduces
from advisor.trends.rows import rows
from advisor.trends.standing import MyModel
from advisor.trends.view import Era, View, months
from data import tables, words
from data.errors import InputError

# The published figure of the study of 2022 by the scale that is chosen.
STUDY_FITS = {
    "without low": "sevilla-no-low-2010-22",
    "regular": "sevilla-regular-2010-22",
    "large": "sevilla-large-2015-22",
}


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
    return f"{era.title}: {move}, {words.number(line.x_per_year)}× a year, {line.n:,} points{fitness(line)}"


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
    """The published figure for these rows, and whether the newest line reproduces it; None where there is none."""
    fit_id, last = _published_as(shown), shown.last
    if not fit_id or last is None or last.line is None:
        return None
    known = reference_fit(fit_id)
    if known.published is None:
        return None
    return known, reproduces(last.line, known.published.months, known.days_per_month)


def _published_as(shown: View) -> str:
    """The id of the shipped fit whose published figure is about these rows; empty where none is."""
    if shown.rows_name in ("notable", "hardware"):
        return shown.metric.fit_id
    if shown.rows_name == "frontier":
        return shown.metric.frontier_fit_id
    if shown.rows_name.startswith("sevilla") and shown.metric.key == "compute":
        return STUDY_FITS.get(shown.scale, "")
    return ""


def standing_of(mine: MyModel, metric: Metric, line: Fit | None) -> list[str]:
    """Where my model stands, in sentences; empty where it has no such value."""
    found = None if metric.sets == ("hardware",) else standing.standing(mine, metric.column, line)
    if found is None:
        return []
    value = (mine.value(metric.column) or 0.0) * metric.factor
    among = (f"{part.among.lower()} ({part.n}): {words.percent(part.frac)}" for part in found.percentiles)
    told = [f"{mine.name}: {metric.say(value)} ({mine.basis}); larger than, of notable models, {', '.join(among)}."]
    told += [standing.frontier_text(found), standing.behind_text(found)]
    if metric.key == "compute" and mine.training_flop is not None:
        told += [verdict.text for verdict in regulation.verdicts(mine.training_flop)]
    return told


def find(rows_name: str, name: str) -> dict[str, Any]:
    """Everything known of one system or device. Raises InputError where there is none."""
    frame = rows(rows_name)
    found = frame[frame["name"] == name]
    if found.empty:
        raise InputError("There is no such system in these rows.", hint="Choose one from the list.")
    row = found.iloc[0]
    return {str(key): value for key, value in row.items() if not pd.isna(value)}


def fitness(line: Fit) -> str:
    """ ", R² 0.65"; empty for a quantile line, which does not mean to pass through the middle of the points."""
    return "" if line.method == "quantile" else f", R² {line.r2:.2f}"


def method_title(line: Fit) -> str:
    """The name of the method of a line."""
    return fits.METHODS[line.method]


def growth_claims() -> list[dict[str, Any]]:
    """What is claimed about growth, each with the correction that belongs to it."""
    frame = tables.frame("claims", "claims")
    return [
        {str(key): cell for key, cell in row.items()} for row in frame[frame["kind"] == "growth"].to_dict("records")
    ]


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
