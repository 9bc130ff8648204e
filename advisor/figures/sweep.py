"""Charts of sweeps: how throughput grows with the batch, one line a number of threads."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from advisor.figures.style import SYMBOLS, blank, colours, dash


def sweep(rows: pd.DataFrame, mode: str, height: int = 330) -> go.Figure:
    """Samples a second by batch size. Rows: threads, batch, samples_per_s, samples_low_per_s, samples_high_per_s."""
    figure = blank(mode, height=height, legend=True)
    tint = colours(mode)
    for position, (threads, part) in enumerate(rows.groupby("threads", sort=True)):
        figure.add_scatter(
            x=part["batch"], y=part["samples_per_s"], mode="lines+markers",
            name=f"{threads} thread{'' if threads == 1 else 's'}", line={"width": 2.2, "dash": dash(position)},
            marker={"symbol": SYMBOLS[position % len(SYMBOLS)], "size": 9},
            error_y={
                "type": "data", "symmetric": False, "array": part["samples_high_per_s"] - part["samples_per_s"],
                "arrayminus": part["samples_per_s"] - part["samples_low_per_s"], "thickness": 1, "width": 3,
                "color": tint["mute"],
            },
            hovertemplate="batch %{x}: %{y:.4g} samples a second<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    ticks = sorted(set(rows["batch"]))
    figure.update_xaxes(type="log", title="Batch size", tickvals=ticks, ticktext=[str(tick) for tick in ticks])
    figure.update_yaxes(title="Samples a second", rangemode="tozero")
    return figure
