"""What charts over time are made of: dots, lines with bands, levels, my model's star, revised values, the axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from advisor.clippings import ChartCurve, ChartLevel, ChartStar
from advisor.figures.style import colours, label
from advisor.trends.fits import band
from advisor.trends.rows import date_of
from advisor.trends.view import Era

LINE_STEPS = 24
STAR_SIZE = 19
ERA_DASHES = ("dash", "dot", "dashdot", "longdash")
TICK_FORMATS = ("power", "B", "SI")
DOTS = "dots"  # what the traces of systems are marked with
Numbers = Sequence[float] | np.ndarray | pd.Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How an axis is drawn: its title, whether it is logarithmic, and plotly's format of its ticks."""

    title: str
    log: bool = True
    tick_format: str = "power"
    prefix: str = ""
    suffix: str = ""


def add_dots(
    figure: go.Figure, part: pd.DataFrame, group: str, colour: str, symbol: str, *, by_card: bool = True
) -> None:
    """The dots of one group; a click tells its name, its hover who made it, how sure it is and where it stands. Many
    are drawn by the graphics card; for few, starting it takes longer than it saves."""
    draw = figure.add_scattergl if by_card else figure.add_scatter
    draw(
        meta=DOTS,
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


def era_curve(era: Era, name: str) -> ChartCurve:
    """An era's line, with the bands where a single new system falls (a quantile line has none)."""
    assert era.line is not None
    years = np.linspace(era.from_year, era.to_year, LINE_STEPS)
    bands: dict[str, tuple[float, ...]] = {}
    if era.line.method != "quantile":
        for coverage in (50, 90):
            low, high = band(era.line, years, coverage / 100)
            bands |= {f"low_{coverage}": _values(low), f"high_{coverage}": _values(high)}
    mid = tuple(10 ** era.line.at(year) for year in years)
    return replace(ChartCurve(name=name, dates=tuple(days(years)), mid=mid, hover=era.short), **bands)  # type: ignore[arg-type]


def add_curve(figure: go.Figure, curve: ChartCurve, position: int, mode: str) -> None:
    """A line of the era kind: the ink's colour over bands of the accent; lines are told apart by their dashes."""
    tint = colours(mode)
    for low, high, opacity in ((curve.low_90, curve.high_90, 0.07), (curve.low_50, curve.high_50, 0.09)):
        if low and high:
            add_area(figure, curve.dates, low, high, clear(tint["accent"], opacity))
    figure.add_scatter(
        x=curve.dates, y=curve.mid, mode="lines", name=label(curve.name, 60),
        line={"color": tint["ink"], "width": 2, "dash": ERA_DASHES[position % len(ERA_DASHES)]},
        hovertemplate=f"{label(curve.hover or curve.name, 80)}<br>%{{x|%b %Y}}: %{{y:.3g}}<extra></extra>",
    )  # fmt: skip


def add_note(figure: go.Figure, x: str | float, y: float, text: str, scale: Scale, mode: str, **place: object) -> None:
    """Text on the card's colour, so that nothing runs through it."""
    tint = colours(mode)
    figure.add_annotation(
        x=x, y=float(np.log10(y)) if scale.log else y, text=text, showarrow=False, bgcolor=tint["card"], borderpad=1,
        opacity=0.92, **{"font": {"size": 11.5, "color": tint["ink"]}, **place},
    )  # fmt: skip


def add_ties(figure: go.Figure, moved: pd.DataFrame, mode: str) -> None:
    """A stroke from the value of then to that of now, which is a hollow dot. Rows: name, date, then_flop, now_flop."""
    tint = colours(mode)
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


def add_level(figure: go.Figure, level: ChartLevel, scale: Scale, mode: str, right: bool = False) -> None:
    """A dotted line through the whole chart with its text above it."""
    tint = colours(mode)
    colour = tint["series"][1] if level.binding else tint["greyline"]
    line = {"color": colour, "width": 1.3, "dash": "dot"}
    figure.add_shape(type="line", xref="paper", x0=0, x1=1, y0=level.value, y1=level.value, line=line)
    side = {"xanchor": "right", "xshift": -4} if right else {"xanchor": "left", "xshift": 4}
    font = {"size": 11.5, "color": tint["ink"] if level.binding else tint["mute"]}
    text = label(level.text, 70)
    add_note(figure, int(right), level.value, text, scale, mode, xref="paper", yanchor="bottom", font=font, **side)


def add_star(figure: go.Figure, star: ChartStar, scale: Scale, mode: str) -> None:
    """My model: a star with its name on its left."""
    tint, name = colours(mode), label(star.name, 26)
    figure.add_scatter(
        x=[star.date], y=[star.value], mode="markers", name=name, showlegend=False, cliponaxis=False,
        marker={"symbol": "star", "size": STAR_SIZE, "color": tint["series"][1],
                "line": {"color": tint["card"], "width": 1.5}},
        hovertemplate=f"<b>{name}</b><br>{label(star.said)}<extra>Your model</extra>",
    )  # fmt: skip
    font = {"size": 13, "color": tint["ink"]}
    add_note(figure, star.date, star.value, f"<b>{name}</b>", scale, mode, xanchor="right", xshift=-12, font=font)


def set_axes(figure: go.Figure, scale: Scale, values: Sequence[Numbers]) -> None:
    """Dates below; on the left the scale, wide enough for all of `values`."""
    figure.update_xaxes(type="date", tickformat="%Y")
    figure.update_yaxes(
        title=scale.title,
        type="log" if scale.log else "linear",
        exponentformat=scale.tick_format if scale.tick_format in TICK_FORMATS else "power",
        tickprefix=scale.prefix,
        ticksuffix=scale.suffix,
    )
    known = np.concatenate([np.asarray(part, dtype=float) for part in values if len(part)] or [np.array([1.0, 10.0])])
    if not scale.log:
        figure.update_yaxes(range=[0, float(known.max()) * 1.06], dtick=None)
        return
    known = known[known > 0]
    low, high = (float(np.log10(known.min())), float(np.log10(known.max()))) if len(known) else (0.0, 1.0)
    margin = max(0.06 * (high - low), 0.3)
    decades = high - low + 2 * margin
    step = next((step for step in (1, 2, 3, 4, 5, 10, 20) if decades / step <= 9), 50)
    figure.update_yaxes(range=[low - margin, high + margin], dtick=step)


def add_area(figure: go.Figure, dates: Sequence[str], low: Numbers, high: Numbers, colour: str) -> None:
    """The area between two edges."""
    figure.add_scatter(
        x=[*dates, *reversed(dates)], y=[*high, *reversed(list(low))], fill="toself", fillcolor=colour,
        mode="lines", line={"width": 0}, hoverinfo="skip", showlegend=False,
    )  # fmt: skip


def days(years: np.ndarray) -> list[str]:
    """Decimal years as dates."""
    return [f"{date_of(float(year)):%Y-%m-%d}" for year in years]


def clear(colour: str, opacity: float) -> str:
    """The colour (#rrggbb) with this opacity."""
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def _values(oom: np.ndarray) -> tuple[float, ...]:
    return tuple(float(value) for value in 10**oom)
