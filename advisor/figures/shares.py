"""Wholes and their parts: a bar a row, each part with its share (in percent, as its axis says) where there is room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from advisor.clippings import NOT_NAMED, ChartBar, ChartPart
from advisor.figures.style import blank, colours, fill, label
from data import words

ROW_PX, EDGE_PX = 52, 92
QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)
SAID_FROM_FRAC = 0.1  # a narrower part has no room for its share: its hover and the table tell it


def shares(bars: Sequence[ChartBar], mode: str, axis: str, basis: str) -> go.Figure:
    """One bar a whole, from the top; parts keep their colour from bar to bar, and what no source names is grey."""
    tint = colours(mode)
    figure = blank(mode, height=EDGE_PX + ROW_PX * max(len(bars), 1), legend=True)
    names = list(dict.fromkeys(part.name for bar in bars for part in bar.parts))
    placed = [(place, part.name, base, part.value_frac) for place, bar in enumerate(bars) for part, base in _based(bar)]
    rest = [(place, NOT_NAMED, 1 - left, left) for place, bar in enumerate(bars) if (left := bar.rest_frac)]
    for position, name in enumerate(names):
        colour, own = tint["series"][position % len(tint["series"])], [one for one in placed if one[1] == name]
        _add(figure, own, bars, label(name), fill([basis] * len(own), [colour] * len(own), mode))
    if rest:
        _add(figure, rest, bars, NOT_NAMED, {"color": [tint["grey"]] * len(rest)})
    look = {"showarrow": False, "bgcolor": tint["card"], "borderpad": 1, "font": {"color": tint["ink"], "size": 12}}
    figure.layout.annotations = [
        {"x": base + share / 2, "y": place, "text": f"{round(share * 100)}", "xanchor": "center", **look}
        for place, _, base, share in placed
        if share >= SAID_FROM_FRAC
    ]
    figure.update_xaxes(
        title=f"{label(axis, 80)} (%)",
        range=[0, 1],
        tickvals=QUARTERS,
        ticktext=[f"{round(at * 100)}" for at in QUARTERS],
    )
    ticks = [f"{label(bar.name, 26)}<br>{label(bar.note, 26)}" for bar in bars]
    figure.update_yaxes(range=[len(bars) - 0.5, -0.5], showgrid=False, tickvals=list(range(len(bars))), ticktext=ticks)
    return figure.update_layout(barmode="overlay", bargap=0.3, legend={"traceorder": "normal"})


def _based(bar: ChartBar) -> list[tuple[ChartPart, float]]:
    found: list[tuple[ChartPart, float]] = []
    base = 0.0
    for part in bar.parts:
        found.append((part, base))
        base += part.value_frac
    return found


def _add(
    figure: go.Figure,
    parts: Sequence[tuple[int, str, float, float]],
    bars: Sequence[ChartBar],
    name: str,
    marker: dict[str, Any],
) -> None:
    said = [f"{label(bars[place].name, 60)}: {name} {words.whole_percent(share)}" for place, _, _, share in parts]
    figure.add_bar(
        x=[share for *_, share in parts], y=[place for place, *_ in parts], base=[base for _, _, base, _ in parts],
        orientation="h", name=name, marker={**marker, "cornerradius": 0}, hovertext=said,
        hovertemplate="%{hovertext}<extra></extra>",
    )  # fmt: skip
