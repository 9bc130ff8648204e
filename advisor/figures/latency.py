"""Charts of latency: the share of calls below a time, and latency against loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from advisor.figures.labels import place
from advisor.figures.style import blank, colours, dash, label, log_ticks, vertical
from data import units, words

LINE_POINTS = 200
FAR = 2.5  # a budget that many times beyond the slowest run would leave no room for the runs themselves
STANDINGS = ("original", "recommended", "meets the budget", "ruled out")
LAST_ON_TOP = ("ruled out", "meets the budget", "original", "recommended")


def latency_ecdf(rows: pd.DataFrame, mode: str, budget_ms: float | None = None, height: int = 380) -> go.Figure:
    """Share of calls that took at most x, one line a variant, with the budget as a line.

    Rows: variant, latency_ms (one a sample). The axis ends at the largest 99th percentile and says how many calls
    lie beyond it; it is logarithmic where medians differ by a factor of ten or a tail is eight times its median.
    """
    groups = {
        str(name): np.sort(part.to_numpy(float)) for name, part in rows.groupby("variant", sort=False)["latency_ms"]
    }
    figure = blank(mode, height=height, legend=len(groups) > 1)
    medians = [float(np.median(samples)) for samples in groups.values()]
    tails = [float(np.quantile(samples, 0.99)) for samples in groups.values()]
    wide = max(medians) > 10 * min(medians) or any(t > 8 * m for t, m in zip(tails, medians, strict=True))
    scale, unit = axis_unit(max(medians))
    figure.update_xaxes(type="log" if wide else "linear", title=f"Latency ({unit})")
    figure.update_yaxes(title="Share of calls", tickformat=".0%", range=[-0.02, 1.04], tickvals=[0, 0.25, 0.5, 0.75, 1])
    for position, (name, samples) in enumerate(groups.items()):
        share = np.linspace(0, 1, min(LINE_POINTS, len(samples)))
        figure.add_scatter(
            x=np.quantile(samples, share) * scale, y=share, mode="lines", name=label(name, 44),
            line={"width": 2.2, "dash": dash(position)},
            hovertemplate=f"%{{y:.0%}} of calls took at most %{{x:.3g}} {unit}<extra>{label(name)}</extra>",
        )  # fmt: skip
    first = min(float(samples[0]) for samples in groups.values()) * 0.94
    first, last = _with_budget(figure, (first, max(tails) * 1.06), budget_ms, scale, mode)
    if wide:
        log_ticks(figure, first * scale, last * scale)
    else:
        figure.update_xaxes(range=[first * scale, last * scale])
    _say_what_is_beyond(figure, sum(int((samples > last).sum()) for samples in groups.values()))
    return figure


def _with_budget(
    figure: go.Figure, ends_ms: tuple[float, float], budget_ms: float | None, scale: float, mode: str
) -> tuple[float, float]:
    """Draws the budget and widens the axis to hold it; one far beyond the axis is only named at its edge."""
    low, high = ends_ms
    if budget_ms is None:
        return ends_ms
    if budget_ms > FAR * high or budget_ms < low / FAR:
        beyond = budget_ms > high
        figure.add_annotation(
            x=1 if beyond else 0, y=0.55, xref="paper", yref="paper", xanchor="right" if beyond else "left",
            showarrow=False, text=f"Budget {budget_ms:g} ms ▸" if beyond else f"◂ Budget {budget_ms:g} ms",
        )  # fmt: skip
        return ends_ms
    low, high = min(low, budget_ms * 0.94), max(high, budget_ms * 1.12)
    late = budget_ms - low > 0.7 * (high - low)
    vertical(figure, budget_ms * scale, f"Budget {budget_ms:g} ms", mode, left=late)
    return low, high


def _say_what_is_beyond(figure: go.Figure, count: int) -> None:
    if count:
        figure.add_annotation(
            x=1, y=0.02, xref="paper", yref="paper", xanchor="right", yanchor="bottom", showarrow=False,
            text=f"{count:,} slower call{'s' if count > 1 else ''} not shown",
        )  # fmt: skip


def axis_unit(latency_ms: float) -> tuple[float, str]:
    """(units in a millisecond, its name) of the unit in which this latency reads best."""
    factor_s, unit = words.rung(latency_ms / units.MS_PER_S, words.LATENCY)
    return 1 / units.MS_PER_S / factor_s, unit


def pareto(
    rows: pd.DataFrame,
    mode: str,
    budget_ms: float | None = None,
    max_loss_frac: float | None = None,
    loss_title: str = "Loss",
    height: int = 380,
    latency_title: str = "Latency",
) -> go.Figure:
    """Latency against loss, both better when smaller; the dot's area is the file's size, the shaded area meets the
    budget. Rows: plan, latency_ms, latency_low_ms, latency_high_ms, loss_frac, file_bytes, standing (one of
    STANDINGS). A plan whose loss is far beyond is drawn at the upper edge as a triangle and says its loss.
    """
    rows = rows.dropna(subset=["latency_ms", "loss_frac"]).reset_index(drop=True)
    figure = blank(mode, height=height, legend=True)
    tint = colours(mode)
    top, bottom = _loss_range(rows["loss_frac"].to_numpy(float), max_loss_frac)
    scale, unit = axis_unit(float(rows["latency_ms"].max()))
    for column in ("latency_ms", "latency_low_ms", "latency_high_ms"):
        rows[column.removesuffix("_ms")] = rows[column] * scale
    right = _with_budget(figure, (0.0, float(rows["latency_ms"].max()) * 1.12), budget_ms, scale, mode)[1] * scale
    budget = None if budget_ms is None or budget_ms * scale > right else budget_ms * scale
    if max_loss_frac is not None:
        figure.add_shape(
            type="rect", x0=0, x1=budget or right, y0=bottom, y1=max_loss_frac, layer="below", line_width=0,
            fillcolor=tint["area"],
        )  # fmt: skip
    rows = rows.assign(
        y=rows["loss_frac"].clip(upper=top * 0.97), off=rows["loss_frac"] > top * 0.97, radius=_radii(rows)
    )
    rows["text"] = [_text(row) for row in _records(rows)]
    rows["side"] = _sides(rows, right, top, bottom, budget)
    for standing in LAST_ON_TOP:
        part = rows[rows["standing"] == standing]
        if not part.empty:
            figure.add_trace(_dots(part, standing, mode))
    figure.update_xaxes(title=f"{latency_title} ({unit})", range=[0, right])
    figure.update_yaxes(title=loss_title, tickformat=".2~%", range=[bottom, top])
    return figure


def _loss_range(losses: np.ndarray, max_loss_frac: float | None) -> tuple[float, float]:
    allowed = max_loss_frac or 0.0
    worst = float(max(losses.max(), allowed, 1e-6))
    top = worst * 1.18 if not allowed or worst <= 4 * allowed else 3 * allowed
    return top, min(float(losses.min()), 0.0) * 1.2 - 0.07 * top


def _radii(rows: pd.DataFrame) -> np.ndarray:
    """Dot radii in px: the area follows the file's size, between 4.5 and 12 px."""
    sizes = rows["file_bytes"].fillna(rows["file_bytes"].min()).to_numpy(float)
    radii: np.ndarray = np.clip(12 * np.sqrt(sizes / max(float(np.nanmax(sizes)), 1.0)), 4.5, 12)
    return radii


def _sides(rows: pd.DataFrame, right: float, top: float, bottom: float, budget: float | None) -> list[str]:
    order = rows["standing"].map({name: rank for rank, name in enumerate(("recommended", "original", *STANDINGS[2:]))})
    ranked = rows.assign(rank=order).sort_values("rank", kind="stable")
    points = [(row["latency"] / right, (row["y"] - bottom) / (top - bottom), row["radius"]) for row in _records(ranked)]
    lines = [] if budget is None else [budget / right]
    chosen = dict(zip(ranked.index, place(points, list(ranked["text"]), lines), strict=True))
    return [chosen[index] or "" for index in rows.index]


def _dots(part: pd.DataFrame, standing: str, mode: str) -> go.Scatter:
    tint = colours(mode)
    colour = {"original": tint["ink"], "ruled out": tint["grey"]}.get(standing, tint["accent"])
    inside = tint["card"] if standing in ("meets the budget", "original") else colour
    symbol = "square" if standing == "original" else "circle"
    points = _records(part)
    spread = {
        "type": "data", "symmetric": False, "color": tint["mute"], "thickness": 1, "width": 0,
        "array": part["latency_high"] - part["latency"],
        "arrayminus": part["latency"] - part["latency_low"],
    }  # fmt: skip
    return go.Scatter(
        x=part["latency"],
        y=part["y"],
        error_x=None if standing == "ruled out" else spread,
        mode="markers+text",
        name=standing[0].upper() + standing[1:],
        text=[point["text"] if point["side"] else "" for point in points],
        textposition=[point["side"] or "middle right" for point in points],
        textfont={"size": 11.5, "color": tint["ink"] if standing == "recommended" else tint["mute"]},
        marker={
            "size": part["radius"] * 2,
            "symbol": ["triangle-up" if point["off"] else symbol for point in points],
            "color": inside,
            "opacity": 0.75 if standing == "ruled out" else 1,
            "line": {"width": 2, "color": tint["card"] if inside == colour else colour},
        },
        hovertext=[
            f"<b>{label(point['plan'], 60)}</b><br>{words.latency(point['latency_ms'])} · "
            f"loss {words.percent(point['loss_frac'])} · {words.size(point['file_bytes'])}"
            for point in points
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _text(row: dict[str, Any]) -> str:
    return label(row["plan"], 26) + (f" ({words.percent(row['loss_frac'])})" if row["off"] else "")


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in rows.to_dict("records")]
