"""Charts over time: points with their era lines and bands, my model, rules, vintages; ribbons of the coming years."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from advisor.figures.style import SYMBOLS, blank, colours, dash, label
from advisor.trends.fits import band
from advisor.trends.projection import SCENARIOS, Ribbon
from advisor.trends.rows import date_of
from advisor.trends.view import Era

LINE_STEPS = 24
STAR_SIZE = 19
SHORT = {"European Union (27)": "EU"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Star:
    """My model on a chart: its value and the decimal year it stands at."""

    name: str
    year: float
    value: float
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A horizontal line: a rule's threshold or a budget. One that does not bind is drawn fainter."""

    value: float
    text: str
    binding: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How an axis is drawn: its title, whether it is logarithmic, and plotly's format of its ticks."""

    title: str
    log: bool = True
    tick_format: str = "power"
    prefix: str = ""
    suffix: str = ""


def over_time(
    points: pd.DataFrame,
    mode: str,
    scale: Scale,
    *,
    eras: Sequence[Era] = (),
    star: Star | None = None,
    levels: Sequence[Level] = (),
    ties: pd.DataFrame | None = None,
    height: int = 470,
) -> go.Figure:
    """Systems or devices over time, a line with its 50 % and 90 % prediction bands for each era.

    Points: name, label, date, value, group, opacity, said, who,
    confidence, source; ties: date, then_flop, now_flop, moved."""
    figure = blank(mode, height=height, legend=True)
    tint = colours(mode)
    drawn = [era for era in eras if era.line is not None]
    for position, era in enumerate(drawn):
        _era_line(figure, era, position, era.short if len(drawn) > 1 else era.title, mode)
    if ties is not None:
        _tie_lines(figure, ties, mode)
    groups = [group for group in points["group"].value_counts().index if group != "Other"]
    for position, group in enumerate([*groups, "Other"]):
        part = points[points["group"] == group]
        if len(part):
            colour = tint["greyline"] if group == "Other" else tint["series"][position % len(tint["series"])]
            symbol = "circle" if group == "Other" else SYMBOLS[position % len(SYMBOLS)]
            figure.add_trace(_dots(part, group, colour, symbol))
    for level in levels:
        _level(figure, level, scale, mode)
    if star is not None:
        _star(figure, star, scale, mode)
    _axes(figure, scale)
    _value_range(figure, scale, [points["value"], [level.value for level in levels], [star.value] if star else []])
    return figure


def ribbons(
    ahead: Sequence[Ribbon], mode: str, scale: Scale, *, star: Star | None = None, levels: Sequence[Level] = (),
    height: int = 340,
) -> go.Figure:  # fmt: skip
    """The coming years: the first scenario with its 50 % and 90 % bands, the middle lines of the others beside it."""
    figure = blank(mode, height=height, legend=True)
    tint = colours(mode)
    for position, ribbon in enumerate(ahead):
        colour = tint["series"][position % len(tint["series"])]
        dates = _dates(ribbon.years)
        if position == 0:
            _area(figure, dates, ribbon.low_90, ribbon.high_90, _clear(colour, 0.10))
            _area(figure, dates, ribbon.low_50, ribbon.high_50, _clear(colour, 0.16))
        figure.add_scatter(
            x=dates, y=10**ribbon.mid, mode="lines", name=SCENARIOS[ribbon.scenario].split(":")[0],
            line={"color": colour, "width": 2.6 if position == 0 else 1.8, "dash": dash(position)},
            hovertemplate="%{x|%b %Y}: %{y:.2e}<extra>" + SCENARIOS[ribbon.scenario].split(":")[0] + "</extra>",
        )  # fmt: skip
    for level in levels:
        _level(figure, level, scale, mode, right=True)
    if star is not None:
        _star(figure, star, scale, mode)
    _axes(figure, scale)
    ends = [10**edge for ribbon in ahead for edge in (ribbon.low_90, ribbon.high_90)]
    _value_range(figure, scale, [*ends, [level.value for level in levels], [star.value] if star else []])
    return figure


def for_print(figure: go.Figure, title: str, notes: Sequence[str]) -> go.Figure:
    """The figure as it leaves the page: its title above; what the lines say, source and licence below."""
    figure.update_layout(
        title={"text": label(title, 90), "x": 0.01, "y": 0.98, "yanchor": "top"},
        margin={"t": 96, "b": 46 + 17 * len(notes)},
        height=(figure.layout.height or 420) + 120 + 17 * len(notes),
    )
    return figure.add_annotation(
        x=0, y=0, xref="paper", yref="paper", xanchor="left", yanchor="top", yshift=-34, showarrow=False,
        align="left", text="<br>".join(label(note, 170) for note in notes), font={"size": 11},
    )  # fmt: skip


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


def _dots(part: pd.DataFrame, group: str, colour: str, symbol: str) -> go.Scattergl:
    return go.Scattergl(
        x=part["date"],
        y=part["value"],
        mode="markers",
        name=label(group),
        customdata=part[["name", "label", "said", "who", "confidence", "source"]].to_numpy(),
        marker={"size": 7, "color": colour, "symbol": symbol, "opacity": part["opacity"].to_numpy()},
        hovertemplate="<b>%{customdata[1]}</b><br>%{customdata[2]} · %{x|%-d %b %Y}<br>%{customdata[3]}<br>"
        "Confidence: %{customdata[4]}<br>Source: %{customdata[5]} (click for the link)<extra>"
        + label(group)
        + "</extra>",
    )


def _era_line(figure: go.Figure, era: Era, position: int, name: str, mode: str) -> None:
    line, tint = era.line, colours(mode)
    assert line is not None
    years = np.linspace(era.from_year, era.to_year, LINE_STEPS)
    dates = _dates(years)
    if line.method != "quantile":
        for coverage, opacity in ((0.9, 0.07), (0.5, 0.09)):
            _area(figure, dates, *band(line, years, coverage), _clear(tint["accent"], opacity))
    figure.add_scatter(
        x=dates, y=[10 ** line.at(year) for year in years], mode="lines", name=name,
        line={"color": tint["ink"], "width": 2, "dash": ("dash", "dot", "dashdot", "longdash")[position % 4]},
        hovertemplate=f"{era.short}<br>%{{x|%b %Y}}: %{{y:.3g}}<extra></extra>",
    )  # fmt: skip


def _note(figure: go.Figure, x: str | float, y: float, text: str, scale: Scale, mode: str, **place: object) -> None:
    """Text on the card's colour, so that nothing runs through it."""
    tint = colours(mode)
    figure.add_annotation(
        x=x, y=float(np.log10(y)) if scale.log else y, text=text, showarrow=False, bgcolor=tint["card"], borderpad=1,
        opacity=0.92, **{"font": {"size": 11.5, "color": tint["ink"]}, **place},
    )  # fmt: skip


def _tie_lines(figure: go.Figure, ties: pd.DataFrame, mode: str) -> None:
    tint = colours(mode)
    moved = ties[ties["moved"]]
    x = [cell for date in moved["date"] for cell in (date, date, None)]
    y = [cell for pair in zip(moved["then_flop"], moved["now_flop"], strict=True) for cell in (*pair, None)]
    figure.add_scatter(
        x=x, y=y, mode="lines", name="Value of 2022 to value of 2026", hoverinfo="skip",
        line={"color": tint["greyline"], "width": 1},
    )  # fmt: skip
    figure.add_scattergl(
        x=moved["date"], y=moved["now_flop"], mode="markers", name="Value of 2026",
        customdata=moved[["name"]].map(label).to_numpy(),
        marker={"size": 7, "color": tint["card"], "line": {"color": tint["greyline"], "width": 1.5}},
        hovertemplate="<b>%{customdata[0]}</b><br>2026: %{y:.2e} FLOP<extra></extra>",
    )  # fmt: skip


def _level(figure: go.Figure, level: Level, scale: Scale, mode: str, right: bool = False) -> None:
    tint = colours(mode)
    colour = tint["series"][1] if level.binding else tint["greyline"]
    line = {"color": colour, "width": 1.3, "dash": "dot"}
    figure.add_shape(type="line", xref="paper", x0=0, x1=1, y0=level.value, y1=level.value, line=line)
    side = {"xanchor": "right", "xshift": -4} if right else {"xanchor": "left", "xshift": 4}
    font = {"size": 11.5, "color": tint["ink"] if level.binding else tint["mute"]}
    text = label(level.text, 70)
    _note(figure, int(right), level.value, text, scale, mode, xref="paper", yanchor="bottom", font=font, **side)


def _star(figure: go.Figure, star: Star, scale: Scale, mode: str) -> None:
    tint = colours(mode)
    name = label(star.name, 26)
    figure.add_scatter(
        x=_dates(np.array([star.year])), y=[star.value], mode="markers", name=name, showlegend=False, cliponaxis=False,
        marker={"symbol": "star", "size": STAR_SIZE, "color": tint["series"][1],
                "line": {"color": tint["card"], "width": 1.5}},
        hovertemplate=f"<b>{name}</b><br>{label(star.said)}<extra>Your model</extra>",
    )  # fmt: skip
    date, font = _dates(np.array([star.year]))[0], {"size": 13, "color": tint["ink"]}
    _note(figure, date, star.value, f"<b>{name}</b>", scale, mode, xanchor="right", xshift=-12, font=font)


def _axes(figure: go.Figure, scale: Scale) -> None:
    figure.update_xaxes(type="date", tickformat="%Y")
    figure.update_yaxes(
        title=scale.title,
        type="log" if scale.log else "linear",
        exponentformat=scale.tick_format,
        tickprefix=scale.prefix,
        ticksuffix=scale.suffix,
    )


def _value_range(figure: go.Figure, scale: Scale, values: Sequence[Sequence[float] | np.ndarray | pd.Series]) -> None:
    known = np.concatenate([np.asarray(part, dtype=float) for part in values if len(part)] or [np.array([1.0, 10.0])])
    if scale.log:
        low, high = float(np.log10(known.min())), float(np.log10(known.max()))
        margin = max(0.06 * (high - low), 0.3)
        decades = high - low + 2 * margin
        step = next(step for step in (1, 2, 3, 4, 5, 10, 20) if decades / step <= 9)
        figure.update_yaxes(range=[low - margin, high + margin], dtick=step)
    else:
        figure.update_yaxes(range=[0, float(known.max()) * 1.06], dtick=None)


def _area(figure: go.Figure, dates: list[str], low: np.ndarray, high: np.ndarray, colour: str) -> None:
    figure.add_scatter(
        x=[*dates, *reversed(dates)], y=np.concatenate([10**high, 10 ** low[::-1]]), fill="toself", fillcolor=colour,
        mode="lines", line={"width": 0}, hoverinfo="skip", showlegend=False,
    )  # fmt: skip


def _dates(years: np.ndarray) -> list[str]:
    return [f"{date_of(float(year)):%Y-%m-%d}" for year in years]


def _clear(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def _apart(values: list[float], gap: float) -> list[float]:
    """The same heights moved apart so that neighbours are at least `gap` away, in the same order."""
    order = sorted(range(len(values)), key=lambda index: values[index])
    placed = list(values)
    for below, above in pairwise(order):
        placed[above] = max(placed[above], placed[below] + gap)
    return placed
