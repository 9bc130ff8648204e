"""Ranked dots on a logarithmic axis: a value with its interval, and where there is one a second value joined to it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from advisor.figures.style import blank, colours, label

ROW_PX, EDGE_PX, LEGEND_PX, LABEL_PX = 26, 64, 44, 40


def log_dots(
    rows: pd.DataFrame,
    mode: str,
    *,
    say: Callable[[float], str],
    axis: str,
    title: str,
    other_title: str = "",
    name_limit: int = 34,
) -> go.Figure:
    """One row a line, from the top. Rows: name, value; optionally low and high (its interval), other (a hollow dot
    joined to it, whose value is told where it is the smaller), yours (drawn as a star in another colour)."""
    tint = colours(mode)
    height = EDGE_PX + ROW_PX * max(len(rows), 1) + (LEGEND_PX if other_title else 0)
    figure = blank(mode, height=height, legend=bool(other_title))
    rows = rows.reset_index(drop=True)
    if "low" in rows:
        _spans(figure, rows, "low", "high", tint["accent"], 5.0, 0.28)
    if "other" in rows:
        _spans(figure, rows, "other", "value", tint["greyline"], 1.3, 1.0)
        known = rows[rows["other"].notna()]
        figure.add_scatter(
            x=known["other"], y=known.index, mode="markers", name=other_title,
            marker={"size": 9, "color": tint["card"], "line": {"color": tint["accent"], "width": 2}},
            hovertext=_hover(known["name"], known["other"], say),
            hovertemplate=f"%{{hovertext}}<extra>{other_title}</extra>",
        )  # fmt: skip
    mine = rows["yours"].astype(bool) if "yours" in rows else pd.Series(False, index=rows.index)
    star = {"size": 18, "symbol": "star", "color": tint["series"][1]}
    for known, name, marker in (
        (rows[rows["value"].notna() & ~mine], title, {"size": 9, "color": tint["accent"]}),
        (rows[rows["value"].notna() & mine], "Yours", star),
    ):
        if len(known):
            figure.add_scatter(
                x=known["value"], y=known.index, mode="markers", name=name, marker=marker,
                hovertext=_hover(known["name"], known["value"], say), hovertemplate="%{hovertext}<extra></extra>",
            )  # fmt: skip
    _axes(figure, rows, mine, axis, name_limit, say, tint["ink"])
    return figure


def _axes(
    figure: go.Figure, rows: pd.DataFrame, mine: pd.Series, axis: str, name_limit: int, say: Callable[[float], str],
    ink: str,
) -> None:  # fmt: skip
    columns = [name for name in ("value", "low", "high", "other") if name in rows]
    known = np.log10(rows[columns].to_numpy(dtype=float)[rows[columns].gt(0).to_numpy()])
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    ends = rows[[name for name in ("value", "high", "other") if name in rows]].max(axis=1)
    texts = [(end, say(float(one)), 1) for one, end in zip(rows["value"].fillna(ends), ends, strict=True)]
    notes = list(enumerate(texts))
    if "other" in rows:
        below = rows[rows["other"] < rows["value"]]
        notes += [(int(str(at)), (other, say(float(other)), -1)) for at, other in below["other"].items()]
    for position, (at, text, side) in notes:
        figure.add_annotation(
            x=float(np.log10(at)), y=position, text=text, showarrow=False, xanchor="left" if side > 0 else "right",
            xshift=10 * side, font={"color": ink, "size": 12},
        )  # fmt: skip
    names = [f"<b>{label(name, name_limit)}</b>" if own else label(name, name_limit) for name, own in
             zip(rows["name"], mine, strict=True)]  # fmt: skip
    span = max(high - low, 1.0)
    figure.update_xaxes(
        type="log", range=[low - 0.08 * span, high + 0.3 * span], title=axis, exponentformat="power",
        dtick=1 if span < 4 else 2 if span < 10 else 4, showgrid=True, tickangle=0,
    )  # fmt: skip
    figure.update_layout(margin={"r": LABEL_PX})  # on a phone the longest label reaches beyond the axis
    figure.update_yaxes(autorange=False, range=[len(rows) - 0.4, -0.6], showgrid=False, ticktext=names,
                        tickvals=list(range(len(rows))))  # fmt: skip


def _hover(names: pd.Series, values: pd.Series, say: Callable[[float], str]) -> list[str]:
    return [f"{label(name, 60)}: {say(float(value))}" for name, value in zip(names, values, strict=True)]


def _spans(
    figure: go.Figure, rows: pd.DataFrame, low: str, high: str, colour: str, width: float, opacity: float
) -> None:
    known = rows[rows[low].notna() & rows[high].notna() & rows[low].ne(rows[high])]
    x = [cell for pair in zip(known[low], known[high], strict=True) for cell in (*pair, None)]
    y = [cell for position in known.index for cell in (position, position, None)]
    figure.add_scatter(
        x=x, y=y, mode="lines", line={"color": colour, "width": width}, opacity=opacity, hoverinfo="skip",
        showlegend=False,
    )  # fmt: skip
