"""Charts of a language model: what fills the memory of a device, and what more requests at once do."""

import pandas as pd
import plotly.graph_objects as go

from advisor.figures.style import blank, colours, vertical
from data import units, words


def memory_bar(rows: pd.DataFrame, mode: str, device_bytes: float | None) -> go.Figure:
    """The parts of the memory of one device, end to end, against what it has. Rows: part, size_bytes."""
    tint = colours(mode)
    figure = blank(mode, height=150, legend=True)
    total = 0.0
    for position, (part, size) in enumerate(zip(rows["part"], rows["size_bytes"], strict=True)):
        gib = float(size) / units.BYTES_PER_GIB
        figure.add_bar(
            x=[gib], y=[""], orientation="h", name=str(part),
            marker={"color": tint["series"][position], "pattern": {"shape": ["", "/", ".", "x"][position % 4]}},
            hovertemplate=f"{part}: {words.size(float(size))}<extra></extra>",
        )  # fmt: skip
        total += gib
    figure.update_layout(barmode="stack", bargap=0.3)
    has = device_bytes / units.BYTES_PER_GIB if device_bytes else None
    if has is not None:
        vertical(figure, has, "Device", mode, left=has > total * 0.7)
    figure.update_xaxes(title="GiB a device", range=[0, max(total, has or 0.0) * 1.08], showgrid=True)
    figure.update_yaxes(visible=False)
    return figure


def load_curve(rows: pd.DataFrame, mode: str) -> go.Figure:
    """Tokens a second over time per token, one dot a batch; hollow where it does not fit. Rows: batch, tokens_per_s,
    time_per_token_ms, fits."""
    tint = colours(mode)
    figure = blank(mode, height=330)
    figure.add_scatter(
        x=rows["time_per_token_ms"], y=rows["tokens_per_s"], mode="lines+markers+text",
        text=[f"{batch}" for batch in rows["batch"]], textposition="top left",
        line={"color": tint["accent"], "width": 2},
        marker={
            "size": 9, "color": [tint["accent"] if fits else tint["card"] for fits in rows["fits"]],
            "line": {"color": tint["accent"], "width": 2},
        },
        hovertemplate="%{text} at once: %{y:,.0f} tokens/s, %{x:.3g} ms a token<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title="Time per token (ms)", rangemode="tozero")
    figure.update_yaxes(title="Tokens a second", rangemode="tozero")
    return figure
