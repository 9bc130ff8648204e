"""A chart that was put into a report, drawn from what was kept of it."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from advisor.clippings import Chart, ChartPoints
from advisor.figures import trend_parts as parts
from advisor.figures.shares import shares
from advisor.figures.style import blank, colours, dash, label
from advisor.figures.trend_parts import Scale
from advisor.figures.trends import colour_of

HEIGHT_PX = 430
DOT_OPACITY = 0.7


def clipped(chart: Chart, mode: str) -> go.Figure:
    """The kept chart in the colours of "light" or "dark". Every text in it is shown as text."""
    if chart.bars:
        return shares(chart.bars, mode, chart.axis, chart.basis)
    scale = Scale(
        title=label(chart.axis, 80), log=chart.log, tick_format=chart.tick_format, prefix=label(chart.prefix, 4),
        suffix=label(chart.suffix, 12),
    )  # fmt: skip
    figure = blank(mode, height=HEIGHT_PX, legend=True)
    for position, curve in enumerate(chart.curves):
        if chart.points:
            parts.add_curve(figure, curve, position, mode)
        else:
            colour = colours(mode)["series"][position % len(colours(mode)["series"])]
            line = {"color": colour, "width": 2.2, "dash": dash(position)}
            figure.add_scatter(x=curve.dates, y=curve.mid, mode="lines", name=label(curve.name), line=line)
    if chart.ties:
        named = {"name": "name", "date": "date", "before": "then_flop", "after": "now_flop"}
        rows = pd.DataFrame([{column: getattr(tie, field) for field, column in named.items()} for tie in chart.ties])
        parts.add_ties(figure, rows, mode)
    for position, points in enumerate(chart.points):
        _dots(figure, points, *colour_of(points.group, position, mode))
    levels = [level for level in chart.levels if level.value > 0 or not chart.log]
    for level in levels:
        parts.add_level(figure, level, scale, mode)
    star = chart.star if chart.star is not None and (chart.star.value > 0 or not chart.log) else None
    if star is not None:
        parts.add_star(figure, star, scale, mode)
    known = [*(points.values for points in chart.points), [level.value for level in levels]]
    known += [] if chart.points else [curve.mid for curve in chart.curves]
    parts.set_axes(figure, scale, [*known, [star.value] if star else []])
    return figure


def _dots(figure: go.Figure, points: ChartPoints, colour: str, symbol: str) -> None:
    """Dots that a printed page keeps as shapes, unlike the faster ones of a live page."""
    opacities = points.opacities if len(points.opacities) == len(points.values) else DOT_OPACITY
    figure.add_scatter(
        x=points.dates, y=points.values, mode="markers", name=label(points.group),
        customdata=[[label(name, 80)] for name in points.names],
        marker={"size": 6.5, "color": colour, "symbol": symbol, "opacity": opacities},
        hovertemplate="<b>%{customdata[0]}</b><br>%{x|%b %Y}: %{y:.3g}<extra></extra>",
    )  # fmt: skip
