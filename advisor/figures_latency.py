"""Charts of latency: the share of calls below a time, and latency against loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from advisor.figures_labels import place
from advisor.figures_style import blank, colours, dash, label, vertical
from data import words

LINE_POINTS = 200
STANDINGS = ("original", "recommended", "meets the budget", "outside the budget")


def latency_ecdf(rows: pd.DataFrame, mode: str, budget_ms: float | None = None, height: int = 330) -> go.Figure:
    """Share of calls that took at most x ms, one line a variant, with the budget as a line.

    Rows: variant, latency_ms (one a sample). The axis ends at the largest 99th percentile and says how many calls
    lie beyond it; it is logarithmic where medians differ by more than a factor of ten.
    """
    groups = {
        str(name): np.sort(part.to_numpy(float)) for name, part in rows.groupby("variant", sort=False)["latency_ms"]
    }
    figure = blank(mode, height=height, legend=len(groups) > 1)
    medians = [float(np.median(samples)) for samples in groups.values()]
    spread = max(medians) / min(medians) > 10
    figure.update_xaxes(type="log" if spread else "linear", title="Latency (ms)", exponentformat="none")
    figure.update_yaxes(title="Share of calls", tickformat=".0%", range=[-0.02, 1.04], tickvals=[0, 0.25, 0.5, 0.75, 1])
    for position, (name, samples) in enumerate(groups.items()):
        share = np.linspace(0, 1, min(LINE_POINTS, len(samples)))
        figure.add_scatter(
            x=np.quantile(samples, share), y=share, mode="lines", name=label(name),
            line={"width": 2.2, "dash": dash(position)},
            hovertemplate="%{y:.0%} of calls took at most %{x:.3g} ms<extra>" + label(name) + "</extra>",
        )  # fmt: skip
    first = min(float(samples[0]) for samples in groups.values())
    last = max(float(np.quantile(samples, 0.99)) for samples in groups.values()) * 1.06
    if budget_ms is not None:
        last = max(last, budget_ms * 1.12)
        vertical(figure, budget_ms, f"Budget {budget_ms:g} ms", mode)
    low = first * 0.94 if budget_ms is None else min(first, budget_ms) * 0.94
    figure.update_xaxes(range=list(np.log10([low, last])) if spread else [low, last], dtick="D2" if spread else None)
    beyond = sum(int((samples > last).sum()) for samples in groups.values())
    if beyond:
        figure.add_annotation(
            x=1, y=0.02, xref="paper", yref="paper", xanchor="right", yanchor="bottom", showarrow=False,
            text=f"{beyond} slower call{'s' if beyond > 1 else ''} not shown",
        )  # fmt: skip
    return figure


def pareto(
    rows: pd.DataFrame,
    mode: str,
    budget_ms: float | None = None,
    max_loss_frac: float | None = None,
    loss_title: str = "Loss",
    height: int = 380,
) -> go.Figure:
    """Latency against loss, both better when smaller; the dot's area is the file's size, the shaded area meets the
    budget. Rows: plan, latency_ms, latency_low_ms, latency_high_ms, loss_frac, file_bytes, standing (one of
    STANDINGS). A plan whose loss is far outside is drawn at the upper edge as a triangle and says its loss.
    """
    rows = rows.dropna(subset=["latency_ms", "loss_frac"]).reset_index(drop=True)
    figure = blank(mode, height=height, legend=True)
    tint = colours(mode)
    top, bottom = _loss_range(rows["loss_frac"].to_numpy(float), max_loss_frac)
    right = max(rows["latency_ms"].max() * 1.12, (budget_ms or 0) * 1.12)
    if max_loss_frac is not None:
        figure.add_shape(
            type="rect", x0=0, x1=budget_ms or right, y0=bottom, y1=max_loss_frac, layer="below", line_width=0,
            fillcolor=tint["area"],
        )  # fmt: skip
    if budget_ms is not None:
        vertical(figure, budget_ms, f"Budget {budget_ms:g} ms", mode)
    rows = rows.assign(
        y=rows["loss_frac"].clip(upper=top * 0.97), off=rows["loss_frac"] > top * 0.97, radius=_radii(rows)
    )
    rows["text"] = [
        label(row["plan"], 26) + (f" ({words.percent(row['loss_frac'])})" if row["off"] else "")
        for row in _records(rows)
    ]
    rows["side"] = _sides(rows, right, top, bottom, budget_ms)
    for standing in STANDINGS:
        part = rows[rows["standing"] == standing]
        if not part.empty:
            figure.add_trace(_dots(part, standing, mode))
    figure.update_xaxes(title="Latency (ms)", range=[0, right])
    figure.update_yaxes(title=loss_title, tickformat=".2~%", range=[bottom, top])
    return figure


def _loss_range(losses: np.ndarray, max_loss_frac: float | None) -> tuple[float, float]:
    allowed = max_loss_frac or 0.0
    worst = float(max(losses.max(), allowed, 1e-6))
    top = worst * 1.18 if not allowed or worst <= 4 * allowed else 3 * allowed
    return top, min(float(losses.min()), 0.0) * 1.2 - 0.07 * top


def _radii(rows: pd.DataFrame) -> np.ndarray:
    """Dot radii in px: the area follows the file's size, between 5 and 15 px."""
    sizes = rows["file_bytes"].fillna(rows["file_bytes"].min()).to_numpy(float)
    radii: np.ndarray = np.clip(15 * np.sqrt(sizes / max(float(np.nanmax(sizes)), 1.0)), 5, 15)
    return radii


def _sides(rows: pd.DataFrame, right: float, top: float, bottom: float, budget_ms: float | None) -> list[str]:
    order = rows["standing"].map({name: rank for rank, name in enumerate(("recommended", "original", *STANDINGS[2:]))})
    ranked = rows.assign(rank=order).sort_values("rank", kind="stable")
    points = [
        (row["latency_ms"] / right, (row["y"] - bottom) / (top - bottom), row["radius"]) for row in _records(ranked)
    ]
    lines = [] if budget_ms is None else [budget_ms / right]
    chosen = dict(zip(ranked.index, place(points, list(ranked["text"]), lines), strict=True))
    return [chosen[index] or "" for index in rows.index]


def _dots(part: pd.DataFrame, standing: str, mode: str) -> go.Scatter:
    tint = colours(mode)
    colour = {"original": tint["ink"], "outside the budget": tint["grey"]}.get(standing, tint["accent"])
    inside = tint["card"] if standing == "meets the budget" else colour
    symbol = "square" if standing == "original" else "circle"
    points = _records(part)
    spread = {
        "type": "data", "symmetric": False, "color": tint["mute"], "thickness": 1, "width": 0,
        "array": part["latency_high_ms"] - part["latency_ms"],
        "arrayminus": part["latency_ms"] - part["latency_low_ms"],
    }  # fmt: skip
    return go.Scatter(
        x=part["latency_ms"],
        y=part["y"],
        error_x=spread,
        mode="markers+text",
        name=standing[0].upper() + standing[1:],
        text=[point["text"] if point["side"] else "" for point in points],
        textposition=[point["side"] or "middle right" for point in points],
        textfont={"size": 11.5, "color": tint["ink"] if standing == "recommended" else tint["mute"]},
        marker={
            "size": part["radius"] * 2,
            "symbol": ["triangle-up" if point["off"] else symbol for point in points],
            "color": inside,
            "opacity": 1,
            "line": {"width": 2, "color": tint["card"] if inside == colour else colour},
        },
        hovertext=[
            f"<b>{label(point['plan'], 60)}</b><br>{words.latency(point['latency_ms'])} · "
            f"loss {words.percent(point['loss_frac'])} · {words.size(point['file_bytes'])}"
            for point in points
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in rows.to_dict("records")]
