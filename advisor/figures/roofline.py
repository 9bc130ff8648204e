"""The roofline: how fast each layer can run on this machine, by what it computes and what it moves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from advisor.figures.style import SYMBOLS, blank, colours, label, vertical
from data import words


def roofline(
    rows: pd.DataFrame, mode: str, *, peak_flop_per_s: float, peak_bytes_per_s: float,
    cache_bytes_per_s: float | None = None, height: int = 400,
) -> go.Figure:  # fmt: skip
    """Layers under the roof min(peak, intensity x bandwidth) (Williams, Waterman and Patterson, 2009).

    Rows: name, op, intensity_flop_per_byte, flop, flop_per_s (None: the layer was not timed and is drawn hollow, on
    the roof it could reach). Symbols tell the operator, areas the FLOP; both axes are logarithmic. The roof of the
    cache, where it is known, is dashed.
    """
    rows = rows[(rows["intensity_flop_per_byte"] > 0) & (rows["flop"] > 0)].reset_index(drop=True)
    figure = blank(mode, height=height, legend=True)
    tint = colours(mode)
    ridge = peak_flop_per_s / peak_bytes_per_s
    known = rows["intensity_flop_per_byte"]
    span = np.geomspace(min([ridge, *known]) / 3, max([ridge, *known]) * 3, 60)
    for name, slope, stroke in (("Roof, data from memory", peak_bytes_per_s, "solid"),
                                ("Roof, data in the cache", cache_bytes_per_s, "dash")):  # fmt: skip
        if slope is not None:
            figure.add_scatter(
                x=span, y=np.minimum(peak_flop_per_s, span * slope), mode="lines", name=name,
                line={"color": tint["greyline"], "width": 2, "dash": stroke},
                hovertemplate="%{y:.3s}FLOP/s at %{x:.3g} FLOP per byte<extra></extra>",
            )  # fmt: skip
    limit = (known * peak_bytes_per_s).clip(upper=peak_flop_per_s)
    rows = rows.assign(timed=rows["flop_per_s"].notna(), y=rows["flop_per_s"].fillna(limit), limit=limit)
    sizes = 8 + 18 * np.sqrt(rows["flop"] / rows["flop"].max()) if len(rows) else np.array([])
    rows = rows.assign(size_px=sizes)
    for position, (op, part) in enumerate(rows.groupby("op", sort=False)):
        figure.add_trace(_layers(part, str(op), SYMBOLS[position % len(SYMBOLS)], tint["series"][position % 7], ridge))
    figure.update_xaxes(type="log", title="FLOP per byte moved", dtick=1)
    figure.update_yaxes(type="log", title="FLOP/s", exponentformat="SI", dtick=1)
    vertical(figure, ridge, "memory-bound ◂ ▸ compute-bound", mode)
    figure.layout.annotations[-1].update(xanchor="center", xshift=0, y=0, yanchor="bottom")
    return figure


def _layers(part: pd.DataFrame, op: str, symbol: str, colour: str, ridge: float) -> go.Scatter:
    sides = ["memory-bound" if intensity < ridge else "compute-bound" for intensity in part["intensity_flop_per_byte"]]
    speeds = [
        f"{words.flop(row['flop_per_s'])}/s, {words.percent(row['y'] / row['limit'])} of the roof"
        if row["timed"]
        else "not timed"
        for row in part.to_dict("records")
    ]
    return go.Scatter(
        x=part["intensity_flop_per_byte"],
        y=part["y"],
        mode="markers",
        name=label(op),
        marker={
            "size": part["size_px"],
            "symbol": [symbol if timed else f"{symbol}-open" for timed in part["timed"]],
            "color": colour,
            "opacity": 0.85,
            "line": {"width": 1.5, "color": colour},
        },
        hovertext=[
            f"<b>{label(name, 60)}</b><br>{side}, {speed}"
            for name, side, speed in zip(part["name"], sides, speeds, strict=True)
        ],
        hovertemplate="%{hovertext}<br>%{x:.3g} FLOP per byte<extra></extra>",
    )
