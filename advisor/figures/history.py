"""The chart of one file over time: the median of each run with its interval, apart by how it was run."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from advisor.figures.latency import axis_unit
from advisor.figures.style import SYMBOLS, blank, colours, dash, label

HEIGHT_PX = 300


def medians(rows: pd.DataFrame, mode: str) -> go.Figure:
    """Rows: when (ISO), machine, runtime, threads, median_ms, low_ms, high_ms; a line for each way it was run."""
    figure, tint = blank(mode, height=HEIGHT_PX, legend=True), colours(mode)
    scale, unit = axis_unit(float(rows["median_ms"].max()))
    for position, (way, part) in enumerate(rows.groupby(["machine", "runtime", "threads"], sort=False, dropna=False)):
        machine, runtime, threads = way
        colour = tint["series"][position % len(tint["series"])]
        figure.add_scatter(
            x=part["when"].str.slice(0, 19), y=part["median_ms"] * scale, mode="lines+markers",
            name=label(f"{machine}, {runtime}, {threads} thread{'s' if threads != 1 else ''}", 48),
            line={"color": colour, "width": 1.8, "dash": dash(position)},
            marker={"size": 8, "symbol": SYMBOLS[position % len(SYMBOLS)], "color": colour},
            error_y={
                "type": "data", "symmetric": False, "array": (part["high_ms"] - part["median_ms"]) * scale,
                "arrayminus": (part["median_ms"] - part["low_ms"]) * scale, "thickness": 1.2, "width": 3,
            },
            hovertemplate=f"%{{x|%d %b %Y %H:%M}}: %{{y:.3g}} {unit}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(type="date", title="When it was run (UTC)")
    return figure.update_yaxes(title=f"Latency, median ({unit})", rangemode="tozero")
