"""A chart of the trends page as a record that a report can hold, and that record put into a report or taken out."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd

from advisor.clippings import Chart, ChartCurve, ChartLevel, ChartPoints, ChartStar, ChartTie, ClippedLine, Clipping
from advisor.figures.trend_parts import Scale
from advisor.figures.trends import era_curves, groups_of
from advisor.report.credits import with_sources
from advisor.trends import wording, workloads
from advisor.trends.fits import Fit
from advisor.trends.rows import ABOUT_SETS, SETS
from advisor.trends.view import Era, View
from advisor.types import Report
from data.errors import InputError
from data.estimate import Estimate

DIGITS = 6  # a chart shows no more, and a report stays small
MOST = 12  # charts in one report


def chart_of(
    shown: View,
    scale: Scale,
    *,
    star: ChartStar | None = None,
    levels: Sequence[ChartLevel] = (),
    ties: pd.DataFrame | None = None,
) -> Chart:
    """What the view draws, as a record: every dot, line, band, level, the star, and values that were revised."""
    return Chart(
        axis=scale.title, log=scale.log, tick_format=scale.tick_format, prefix=scale.prefix, suffix=scale.suffix,
        points=tuple(_points(group, part) for group, part in groups_of(shown.points)),
        curves=tuple(_rounded(curve) for curve in era_curves(shown.eras)),
        levels=tuple(levels),
        star=star, ties=() if ties is None else _ties(ties),
    )  # fmt: skip


def of_view(shown: View, chart: Chart, standing: Sequence[str] = (), address: str = "") -> Clipping:
    """The view with its account of rows, its lines in numbers, and `standing`: sentences about the user's model."""
    source = f"trends/{table_of(shown.rows_name)}"
    says = (wording.accounts(shown.selection), *(f"{wording.sentence(era)}." for era in shown.eras), *standing)
    lines = tuple(_line(era, era.line, source) for era in shown.eras if era.line is not None)
    title = f"{shown.metric.title}: {SETS[shown.rows_name].lower()}"
    about = f"{ABOUT_SETS[shown.rows_name]}. {shown.metric.about[:1].upper()}{shown.metric.about[1:]}."
    return _clipping(title, about, source, says, lines, chart, address)


def of_zones(rows: pd.DataFrame, sentences: Sequence[str], axis: str, address: str = "") -> Clipping:
    """Grid carbon over the years. Rows: zone, year, g_per_kwh."""
    curves = [
        ChartCurve(
            name=str(zone), dates=tuple(f"{year}-07-01" for year in part["year"]),
            mid=_few(part["g_per_kwh"].to_numpy()),
        )
        for zone, part in rows.groupby("zone", sort=False)
    ]  # fmt: skip
    about = "Ember: life-cycle, production-based, annual average."
    chart = Chart(axis=axis, log=False, curves=tuple(curves))
    return _clipping("Carbon intensity of electricity", about, "grid/ember", tuple(sentences), (), chart, address)


def of_workloads(address: str = "") -> Clipping:
    """What a large operator's accelerators were used for, and what follows from it."""
    says = (*workloads.sentences(), *workloads.meaning())
    return _clipping(workloads.TITLE, workloads.ABOUT, workloads.SOURCE, says, (), workloads.chart(), address)


def put(report: Report, clipping: Clipping) -> Report:
    """The report with this chart, in place of the same one; its source joins those of the report.

    Raises InputError where the report holds as many as it may."""
    others = tuple(one for one in report.clippings if one.id != clipping.id)
    if len(others) >= MOST:
        raise InputError(f"A report holds at most {MOST} charts.", hint="Take one out first.")
    return with_sources(replace(report, clippings=(*others, clipping)))


def take_out(report: Report, clipping_id: str) -> Report:
    """The report without this chart. Raises InputError where it has none of this id."""
    left = tuple(one for one in report.clippings if one.id != clipping_id)
    if len(left) == len(report.clippings):
        raise InputError("The report holds no such chart.", hint="It lists the ones it has.")
    return with_sources(replace(report, clippings=left))


def table_of(rows_name: str) -> str:
    """The shipped table behind a set of rows."""
    if rows_name.startswith("sevilla"):
        return "sevilla_2022"
    return "hardware" if rows_name == "hardware" else "systems"


def _clipping(
    title: str, about: str, source: str, says: Sequence[str], lines: tuple[ClippedLine, ...], chart: Chart, address: str
) -> Clipping:
    name = hashlib.sha256("\n".join([title, about, *says, repr(chart.star), repr(chart.ties)]).encode()).hexdigest()
    return Clipping(
        id=f"chart-{name[:12]}", title=title, about=about, source=source, says=tuple(says), lines=lines, chart=chart,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"), address=address,
    )  # fmt: skip


def _line(era: Era, line: Fit, source: str) -> ClippedLine:
    low, mid, high = line.doubling()
    doubling = None
    if low is not None and mid is not None and high is not None:
        doubling = Estimate(low=low, mid=mid, high=high, basis="modelled", source=source)
    growth = [float(10**slope) for slope in (line.slope_low, line.slope_oom_per_year, line.slope_high)]
    return ClippedLine(
        title=era.title, method=wording.method_title(line), n=line.n, doubling_months=doubling,
        x_per_year=Estimate(low=growth[0], mid=growth[1], high=growth[2], basis="modelled", source=source),
        r2=None if line.method == "quantile" else line.r2, residual_sd_oom=line.residual_sd_oom,
    )  # fmt: skip


def _ties(ties: pd.DataFrame) -> tuple[ChartTie, ...]:
    moved = ties.loc[ties["moved"], ["name", "date", "then_flop", "now_flop"]]
    return tuple(
        ChartTie(name=str(name), date=str(date), before=float(before), after=float(after))
        for name, date, before, after in moved.itertuples(index=False, name=None)
    )


def _points(group: str, part: pd.DataFrame) -> ChartPoints:
    return ChartPoints(
        group=group, names=tuple(map(str, part["name"])), dates=tuple(map(str, part["date"])),
        values=_few(part["value"].to_numpy(dtype=float)), opacities=tuple(map(float, part["opacity"])),
    )  # fmt: skip


def _rounded(curve: ChartCurve) -> ChartCurve:
    return replace(
        curve, mid=_few(curve.mid), low_50=_few(curve.low_50), high_50=_few(curve.high_50), low_90=_few(curve.low_90),
        high_90=_few(curve.high_90),
    )  # fmt: skip


def _few(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(float(f"{value:.{DIGITS}g}") for value in values)
