"""Charts over time: points with their era lines and bands, my model, rules, vintages; ribbons of the coming years."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import pandas as pd
import plotly.graph_objects as go

from advisor.clippings import ChartCurve, ChartLevel, ChartStar
from advisor.figures import trend_parts as parts
from advisor.figures.style import SYMBOLS, blank, colours, dash, label
from advisor.figures.trend_parts import Scale
from advisor.trends.projection import SCENARIOS, Ribbon
from advisor.trends.view import Era

__all__ = [
    "Scale", "colour_of", "era_curves", "for_print", "groups_of", "over_time", "ribbons",
    "zones_over_time",
]  # fmt: skip

SHORT = {"European Union (27)": "EU"}
MOST_SHAPES = 800  # dots that a browser draws as shapes sooner than it starts its graphics card


def over_time(
    points: pd.DataFrame,
    mode: str,
    scale: Scale,
    *,
    eras: Sequence[Era] = (),
    star: ChartStar | None = None,
    levels: Sequence[ChartLevel] = (),
    ties: pd.DataFrame | None = None,
    height: int = 470,
) -> go.Figure:
    """Systems or devices over time, a line with its 50 % and 90 % prediction bands for each era.

    Points: name, label, date, value, group, opacity, said, who,
    confidence, source; ties: date, then_flop, now_flop, moved."""
    figure = blank(mode, height=height, legend=True)
    for position, curve in enumerate(era_curves(eras)):
        parts.add_curve(figure, curve, position, mode)
    if ties is not None:
        parts.add_ties(figure, ties[ties["moved"]], mode)
    by_card = len(points) > MOST_SHAPES
    for position, (group, part) in enumerate(groups_of(points)):
        parts.add_dots(figure, part, group, *colour_of(group, position, mode), by_card=by_card)
    for level in levels:
        parts.add_level(figure, level, scale, mode)
    if star is not None:
        parts.add_star(figure, star, scale, mode)
    known: list[parts.Numbers] = [points["value"], [level.value for level in levels], [star.value] if star else []]
    parts.set_axes(figure, scale, known)
    return figure


def era_curves(eras: Sequence[Era]) -> list[ChartCurve]:
    """The line of every era that has one, named by its span, and by its doubling time where there are several."""
    drawn = [era for era in eras if era.line is not None]
    return [parts.era_curve(era, era.short if len(drawn) > 1 else era.title) for era in drawn]


def groups_of(points: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """(group, its rows), the most frequent first and "Other" last."""
    groups = [str(group) for group in points["group"].value_counts().index if group != "Other"]
    for group in [*groups, "Other"]:
        part = points[points["group"] == group]
        if len(part):
            yield group, part


def colour_of(group: str, position: int, mode: str) -> tuple[str, str]:
    """Colour and symbol of the n-th group."""
    tint = colours(mode)
    if group == "Other":
        return tint["greyline"], "circle"
    return tint["series"][position % len(tint["series"])], SYMBOLS[position % len(SYMBOLS)]


def ribbons(
    ahead: Sequence[Ribbon], mode: str, scale: Scale, *, star: ChartStar | None = None,
    levels: Sequence[ChartLevel] = (), height: int = 340,
) -> go.Figure:  # fmt: skip
    """The coming years: the first scenario with its 50 % and 90 % bands, the middle lines of the others beside it."""
    figure = blank(mode, height=height, legend=True)
    tint = colours(mode)
    for position, ribbon in enumerate(ahead):
        colour = tint["series"][position % len(tint["series"])]
        dates = parts.days(ribbon.years)
        if position == 0:
            for low, high, opacity in ((ribbon.low_90, ribbon.high_90, 0.10), (ribbon.low_50, ribbon.high_50, 0.16)):
                parts.add_area(figure, dates, 10**low, 10**high, parts.clear(colour, opacity))
        figure.add_scatter(
            x=dates, y=10**ribbon.mid, mode="lines", name=SCENARIOS[ribbon.scenario].split(":")[0],
            line={"color": colour, "width": 2.6 if position == 0 else 1.8, "dash": dash(position)},
            hovertemplate="%{x|%b %Y}: %{y:.2e}<extra>" + SCENARIOS[ribbon.scenario].split(":")[0] + "</extra>",
        )  # fmt: skip
    for level in levels:
        parts.add_level(figure, level, scale, mode, right=True)
    if star is not None:
        parts.add_star(figure, star, scale, mode)
    ends = [10**edge for ribbon in ahead for edge in (ribbon.low_90, ribbon.high_90)]
    parts.set_axes(figure, scale, [*ends, [level.value for level in levels], [star.value] if star else []])
    figure.update_xaxes(dtick="M12", tick0="2000-01-01")  # a short span would name a year twice
    return figure


def for_print(figure: go.Figure, title: str, notes: Sequence[str]) -> go.Figure:
    """The figure as it leaves the page: its title above; what the lines say, source and licence below; dots as shapes,
    where a live page has the faster ones that a picture would hold as pixels."""
    figure = go.Figure(data=[_as_shapes(trace) for trace in figure.data], layout=figure.layout)
    figure.update_layout(
        title={"text": label(title, 90), "x": 0.01, "y": 0.98, "yanchor": "top"},
        margin={"t": 96, "b": 46 + 17 * len(notes)},
        height=(figure.layout.height or 420) + 120 + 17 * len(notes),
    )
    return figure.add_annotation(
        x=0, y=0, xref="paper", yref="paper", xanchor="left", yanchor="top", yshift=-34, showarrow=False,
        align="left", text="<br>".join(label(note, 170) for note in notes), font={"size": 11},
    )  # fmt: skip


def _as_shapes(trace: go.Scatter | go.Scattergl) -> go.Scatter:
    return go.Scatter({**trace.to_plotly_json(), "type": "scatter"})


def zones_over_time(rows: pd.DataFrame, mode: str, axis: str, height: int = 430) -> go.Figure:
    """One line a zone, its name at its end. Rows: zone, year, g_per_kwh."""
    figure = blank(mode, height=height, legend=False)
    tint = colours(mode)
    ends = []
    for position, (zone, part) in enumerate(rows.groupby("zone", sort=False)):
        colour = tint["series"][position % len(tint["series"])]
        figure.add_scatter(
            x=part["year"], y=part["g_per_kwh"], mode="lines", name=label(zone),
            line={"color": colour, "width": 2.4, "dash": dash(position)},
            hovertemplate="%{x}: %{y:.0f} g/kWh<extra>" + label(zone) + "</extra>",
        )  # fmt: skip
        value, year = part[["g_per_kwh", "year"]].iloc[-1]
        ends.append((float(value), float(year), label(SHORT.get(str(zone), zone), 14)))
    top = float(rows["g_per_kwh"].max()) * 1.05
    for y, (value, year, name) in zip(_apart([end[0] for end in ends], top * 0.055), ends, strict=True):
        figure.add_annotation(
            x=year,
            y=y,
            text=f"{name} {value:.0f}",
            showarrow=False,
            xanchor="left",
            xshift=8,
            font={"color": tint["ink"]},
        )
    figure.update_layout(margin={"r": 112})
    span = [rows["year"].min() - 0.3, rows["year"].max() + 0.3]
    figure.update_xaxes(nticks=6, tickformat="d", tickangle=0, range=span)
    figure.update_yaxes(title=axis, range=[0, top], rangemode="tozero")
    return figure


def _apart(values: list[float], gap: float) -> list[float]:
    """The same heights moved apart so that neighbours are at least `gap` away, in the same order."""
    order = sorted(range(len(values)), key=lambda index: values[index])
    placed = list(values)
    for below, above in pairwise(order):
        placed[above] = max(placed[above], placed[below] + gap)
    return placed
