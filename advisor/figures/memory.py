"""Charts of memory: what it is made of, and where a model fits."""

from __future__ import annotations

import math

import pandas as pd
import plotly.graph_objects as go

from advisor.figures.style import blank, colours, fill, label, vertical
from data import words

ROW_PX, PART_ROW_PX, EDGE_PX = 46, 58, 78
FITS, MISSING = "circle", "x"


def memory_parts(rows: pd.DataFrame, mode: str) -> go.Figure:
    """Stacked bars of what memory is made of, one bar a row of `what`. Rows: what, part, memory_bytes, basis."""
    tint = colours(mode)
    bars = list(dict.fromkeys(rows["what"]))
    figure = blank(mode, height=EDGE_PX + PART_ROW_PX * max(len(bars), 1), legend=True)
    totals = rows.groupby("what", sort=False)["memory_bytes"].sum()
    per_unit, unit = words.rung(float(totals.max()) if len(totals) else 1.0, words.BYTES)
    for place, (part, some) in enumerate(rows.groupby("part", sort=False)):
        hover = [f"{label(what, 60)}: {label(part)} {words.size(size)}"
                 for what, size in zip(some["what"], some["memory_bytes"], strict=True)]  # fmt: skip
        figure.add_bar(
            x=some["memory_bytes"] / per_unit, y=some["what"], orientation="h", name=label(part),
            marker=fill(list(some["basis"]), [tint["series"][place % len(tint["series"])]] * len(some), mode),
            hovertext=hover, hovertemplate="%{hovertext}<extra></extra>",
        )  # fmt: skip
    for what, total in totals.items():
        figure.add_annotation(
            x=0, xref="paper", y=what, yshift=20, text=label(what, 60), showarrow=False, xanchor="left",
            font={"color": tint["ink"], "size": 12},
        )  # fmt: skip
        figure.add_annotation(
            x=total / per_unit, y=what, text=words.size(total), showarrow=False, xanchor="left", xshift=6,
            font={"color": tint["ink"]},
        )  # fmt: skip
    largest = float(totals.max()) / per_unit if len(totals) else 1.0
    figure.update_xaxes(title=f"Memory ({unit})", range=[0, largest * 1.25])
    figure.update_yaxes(
        visible=False, categoryorder="array", categoryarray=bars, range=[len(bars) - 0.5, -0.9]
    )  # fmt: skip
    figure.update_layout(barmode="stack", bargap=0.6, legend={"traceorder": "normal"})
    return figure


def ladder(rows: pd.DataFrame, mode: str) -> go.Figure:
    """What a model needs as a share of what each target has, on a logarithmic axis; what lies beyond the line does not
    fit. Rows: target, fits, verdict, needed_frac."""
    tint = colours(mode)
    figure = blank(mode, height=EDGE_PX + ROW_PX * max(len(rows), 1))
    names = [label(str(target).partition(" (")[0], 40) for target in rows["target"]]
    low = min([*rows["needed_frac"], 0.5]) / 2
    high = max([*rows["needed_frac"], 2.0]) * 2
    figure.update_xaxes(
        type="log", title="Needed share of its memory", range=[math.log10(low), math.log10(high)], showgrid=True,
        tickvals=(ticks := _tens(low, high)), ticktext=[words.percent(tick) for tick in ticks],
    )  # fmt: skip
    for place, row in enumerate(rows.to_dict("records")):
        figure.add_scatter(
            x=[low, row["needed_frac"]], y=[place, place], mode="lines", hoverinfo="skip",
            line={"color": tint["grey"], "width": 2},
        )  # fmt: skip
    figure.add_scatter(
        x=rows["needed_frac"], y=list(range(len(rows))), mode="markers",
        marker={
            "size": 13, "symbol": [FITS if fits else MISSING for fits in rows["fits"]],
            "color": [tint["accent"] if fits else tint["series"][1] for fits in rows["fits"]],
        },
        hovertext=[f"<b>{label(target, 60)}</b><br>{verdict}" for target, verdict in
                   zip(rows["target"], rows["verdict"], strict=True)],
        hovertemplate="%{hovertext}<extra></extra>",
    )  # fmt: skip
    vertical(figure, 1.0, "all of it", mode)
    figure.layout.annotations[-1].update(y=0, yanchor="bottom")
    for place, (name, verdict) in enumerate(zip(names, rows["verdict"], strict=True)):
        figure.add_annotation(
            x=0, xref="paper", y=place, yshift=15, text=f"<b>{name}</b> {label(verdict, 60)}", showarrow=False,
            xanchor="left", font={"color": tint["ink"], "size": 12}, bgcolor=tint["card"], borderpad=0,
        )  # fmt: skip
    figure.update_yaxes(visible=False, range=[len(rows) - 0.5, -0.8])
    return figure


def _tens(low: float, high: float) -> list[float]:
    """Powers of a hundred within the ends, and 1."""
    tens = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
    step = 2 if len(tens) > 5 else 1
    return [10.0**ten for ten in tens if ten % step == 0]
