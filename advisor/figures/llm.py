"""Charts of a language model: what fills the memory of a device, and what more requests at once do."""

import pandas as pd
import plotly.graph_objects as go

from advisor.figures.bars import beside
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


def load_curve(rows: pd.DataFrame, mode: str, budget_ms: float | None = None) -> go.Figure:
    """Tokens a second over time per token, one dot a batch; hollow where it does not fit. Rows: batch, tokens_per_s,
    time_per_token_ms, fits; a line marks the budget of the time per token."""
    tint = colours(mode)
    figure = blank(mode, height=330)
    figure.add_scatter(
        x=rows["time_per_token_ms"], y=rows["tokens_per_s"], mode="lines+markers+text",
        text=[f"{batch}" if batch == 1 or batch >= 8 else "" for batch in rows["batch"]], textposition="top left",
        line={"color": tint["accent"], "width": 2},
        marker={
            "size": 9, "color": [tint["accent"] if fits else tint["card"] for fits in rows["fits"]],
            "line": {"color": tint["accent"], "width": 2},
        },
        customdata=rows["batch"],
        hovertemplate="%{customdata} at once: %{y:,.0f} tokens/s, %{x:.3g} ms a token<extra></extra>",
    )  # fmt: skip
    if budget_ms:
        vertical(figure, budget_ms, "Budget", mode)
    figure.update_xaxes(title="Time per token (ms)", rangemode="tozero")
    figure.update_yaxes(title="Tokens a second", rangemode="tozero")
    return figure


TRAINED = {"weights_bytes": "Weights", "gradients_bytes": "Gradients", "optimizer_bytes": "Optimizer",
           "activation_bytes": "Activations"}  # fmt: skip


def training(rows: pd.DataFrame, mode: str, device_bytes: float | None) -> go.Figure:
    """Memory of one training step by way, its parts end to end, against one device. Rows: way and TRAINED's columns."""
    tint = colours(mode)
    figure = blank(mode, height=250, legend=True)
    for position, (column, title) in enumerate(TRAINED.items()):
        gib = rows[column] / units.BYTES_PER_GIB
        figure.add_bar(
            x=gib, y=rows["way"], orientation="h", name=title,
            marker={"color": tint["series"][position], "pattern": {"shape": ["", "/", ".", "x"][position]}},
            hovertext=[f"{title}: {words.size(float(size))}" for size in rows[column]],
            hovertemplate="%{y}, %{hovertext}<extra></extra>",
        )  # fmt: skip
    totals = rows[list(TRAINED)].sum(axis=1) / units.BYTES_PER_GIB
    said = [
        (total, way, words.size(total * units.BYTES_PER_GIB)) for way, total in zip(rows["way"], totals, strict=True)
    ]
    beside(figure, said, tint["ink"])
    most = float(totals.max())
    figure.update_layout(barmode="stack", bargap=0.35)
    has = device_bytes / units.BYTES_PER_GIB if device_bytes else None
    if has is not None and has < most * 1.5:
        vertical(figure, has, "Device", mode)
    figure.update_xaxes(title="GiB", range=[0, max(most * 1.25, (has or 0.0) if has and has < most * 1.5 else 0.0)])
    above = 1.1 if has is not None and has < most * 1.5 else 0.5  # room for the line's name over the bars
    figure.update_yaxes(range=[len(rows) - 0.5, -above], showgrid=False)
    return figure
