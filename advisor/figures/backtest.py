"""Charts of the latency model's backtest: predicted against measured, and the errors beside others'."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from advisor.figures.style import SYMBOLS, blank, colours, label
from data import words

MOST_DOTS = 1_200  # of each kind: thousands of products look the same


def predicted_measured(rows: pd.DataFrame, mode: str, titles: dict[str, str]) -> go.Figure:
    """Predicted over measured latency against the measured one, one colour and sign a kind; the line is equality and
    the dotted ones a factor of two. Rows: those of `advisor.latency.backtest.rows`."""
    tint, figure = colours(mode), blank(mode, height=440, legend=True)
    low, high = float(rows["measured_ms"].min()), float(rows["measured_ms"].max())
    for ratio, style in ((1.0, "solid"), (2.0, "dot"), (0.5, "dot")):
        figure.add_scatter(
            x=[low, high], y=[ratio, ratio], mode="lines", line={"color": tint["mute"], "width": 1, "dash": style},
            hoverinfo="skip", showlegend=False,
        )  # fmt: skip
    for place, (kind, part) in enumerate(rows.groupby("kind", sort=False)):
        shown = part.sample(MOST_DOTS, random_state=0) if len(part) > MOST_DOTS else part
        big = len(shown) < 200
        figure.add_scattergl(
            x=shown["measured_ms"], y=shown["predicted_ms"] / shown["measured_ms"], mode="markers",
            name=f"{titles.get(str(kind), str(kind))} ({len(part):,})",
            marker={
                "size": 8 if big else 4, "symbol": SYMBOLS[place % len(SYMBOLS)], "opacity": 0.95 if big else 0.35,
                "color": tint["series"][place % len(tint["series"])],
            },
            hovertext=[
                f"<b>{label(one['label'])}</b> {label(one['device_id'])}<br>measured "
                f"{words.latency(one['measured_ms'])}, predicted {words.latency(one['predicted_ms'])}"
                for one in shown.to_dict("records")
            ],
            hovertemplate="%{hovertext}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title="Measured (ms)", type="log", showgrid=True, tickformat="~g")
    figure.update_yaxes(title="Predicted over measured", type="log", tickvals=[0.25, 0.5, 1, 2, 4], range=[-0.75, 0.75])
    return figure


def errors(rows: pd.DataFrame, mode: str) -> go.Figure:
    """Mean absolute error by device, as bars side by side: ours without the device, others as they publish, and the
    plain roofline. Rows: device, who, error_frac."""
    tint, figure = colours(mode), blank(mode, height=360, legend=True)
    order = list(dict.fromkeys(rows["device"]))
    for place, (who, part) in enumerate(rows.groupby("who", sort=False)):
        values = part.set_index("device")["error_frac"].reindex(order)
        figure.add_bar(
            x=[label(name) for name in order], y=values, name=str(who),
            marker={
                "color": tint["accent"] if place == 0 else tint["series"][place % len(tint["series"])],
                "pattern": {"shape": "" if place == 0 else "-" if "published" in str(who) else ".", "solidity": 0.2},
                "cornerradius": 3,
            },
            text=["" if np.isnan(value) else words.percent(value) for value in values], textposition="outside",
            hovertemplate="%{x}: %{y:.1%}<extra>" + str(who) + "</extra>", cliponaxis=False,
        )  # fmt: skip
    figure.update_layout(barmode="group", bargap=0.25)
    figure.update_yaxes(title="Mean error", tickformat=".0%")
    return figure
