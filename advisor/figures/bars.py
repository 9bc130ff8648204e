"""Bar charts: ranked bars, where time or energy goes, before and after, grid carbon."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from advisor.figures.style import PATTERNS, blank, colours, fill, label, vertical
from data import words

ROW_PX, EDGE_PX = 38, 46
SAID_PX, CHARACTER_PX = 14, 7.2  # room for a value in words beside its bar


def bars(
    rows: pd.DataFrame,
    mode: str,
    *,
    name: str,
    value: str,
    say: Callable[[float], str],
    highlight: object = None,
    muted: str | None = None,
    low: str | None = None,
    high: str | None = None,
    basis: str | None = None,
) -> go.Figure:
    """Ranked horizontal bars, each with its value in words; `highlight` names the one row in the accent colour; rows
    with a true `muted` column (a sum of others) are grey.

    `low` and `high` are columns with the ends of the interval; `basis` a column that sets the fill's pattern.
    """
    tint = colours(mode)
    rows = rows.dropna(subset=[value])
    grey = [highlight is not None and item != highlight for item in rows[name]]
    grey = [one is True for one in rows[muted]] if muted in rows else grey
    tints = [tint["grey"] if one else tint["accent"] for one in grey]
    bases = list(rows[basis]) if basis else ["measured"] * len(rows)
    ends = rows[high] if high else rows[value]
    figure = blank(mode, height=EDGE_PX + ROW_PX * max(len(rows), 1))
    figure.add_bar(
        x=rows[value], y=list(range(len(rows))), orientation="h", marker=fill(bases, tints, mode),
        hovertext=[f"{label(item, 60)}: {say(amount)}" for item, amount in zip(rows[name], rows[value], strict=True)],
        hovertemplate="%{hovertext}<extra></extra>",
    )  # fmt: skip
    if low and high:
        figure.data[0].error_x = _error(rows, value, low, high, tint["mute"])
    _say_values(figure, rows[value], ends, say, tint["ink"])
    longest = max((len(say(amount)) for amount in rows[value]), default=0)
    figure.update_layout(margin={"r": SAID_PX + round(CHARACTER_PX * longest)})  # px: a narrow page cuts no value
    figure.update_xaxes(visible=False, range=[0, max(float(ends.max()), 1e-300) * 1.01] if len(rows) else [0, 1])
    if basis and set(bases) != {"measured"}:
        basis_legend(figure, set(bases), mode)
    names = [label(item, 30) for item in rows[name]]
    figure.update_yaxes(autorange="reversed", showgrid=False, tickvals=list(range(len(rows))), ticktext=names)
    return figure


def _say_values(
    figure: go.Figure, amounts: pd.Series[float], ends: pd.Series[float], say: Callable[[float], str], colour: str
) -> None:
    """Each value in words, right of its bar and of what shows its interval."""
    placed = enumerate(zip(amounts, ends, strict=True))
    beside(figure, [(end, position, say(amount)) for position, (amount, end) in placed], colour)


def beside(figure: go.Figure, texts: Sequence[tuple[float, Any, str]], colour: str) -> None:
    """Texts right of their (x, y). All at once: plotly builds every earlier one anew for each that is added."""
    shared = {"showarrow": False, "xanchor": "left", "xshift": 6, "font": {"color": colour}}
    made = [{"x": x, "y": y, "text": text, **shared} for x, y, text in texts]
    figure.layout.annotations = [*figure.layout.annotations, *made]


def _error(rows: pd.DataFrame, value: str, low: str, high: str, colour: str) -> dict[str, Any]:
    above, below = rows[high] - rows[value], rows[value] - rows[low]
    return {
        "type": "data", "symmetric": False, "array": above, "arrayminus": below,
        "color": colour, "thickness": 1.3, "width": 4,
    }  # fmt: skip


def where_the_time_goes(rows: pd.DataFrame, mode: str, top: int = 8) -> go.Figure:
    """The operators that take most of a call. Rows: name, time_frac, basis; the rest is summed up in one bar."""
    folded = fold(rows, "time_frac", top)
    return bars(folded, mode, name="name", value="time_frac", say=words.percent, basis="basis", muted="others")


def where_the_computation_is(rows: pd.DataFrame, mode: str, top: int = 8) -> go.Figure:
    """The layers with most of the FLOP. Rows: name, flop_frac, basis."""
    return bars(fold(rows, "flop_frac", top), mode, name="name", value="flop_frac", say=words.percent, basis="basis")


def sensitive_layers(rows: pd.DataFrame, mode: str, top: int = 12) -> go.Figure:
    """The layers that lose most when quantized alone. Rows: layer, loss (1 - cosine of the worst output)."""
    return bars(rows.nlargest(top, "loss"), mode, name="layer", value="loss", say=lambda loss: f"{loss:.2g}")


def fold(rows: pd.DataFrame, value: str, top: int) -> pd.DataFrame:
    """The largest rows, and one row for the sum of all others."""
    ranked = rows[rows[value] > 0].sort_values(value, ascending=False, kind="stable")
    rest = ranked.iloc[top:]
    if len(rest) < 2:
        return ranked
    other = {"name": f"{len(rest)} others", value: rest[value].sum(), "basis": rest["basis"].iloc[0], "others": True}
    return pd.concat([ranked.head(top), pd.DataFrame([other])], ignore_index=True)


def energy_split(rows: pd.DataFrame, mode: str) -> go.Figure:
    """Where the energy of a call goes. Rows: part, energy_j, energy_low_j, energy_high_j, basis."""
    ends = {"low": "energy_low_j", "high": "energy_high_j"}
    return bars(rows, mode, name="part", value="energy_j", say=words.energy, basis="basis", **ends)


def grid_carbon(rows: pd.DataFrame, mode: str, chosen: object = None) -> go.Figure:
    """Carbon intensity of grid zones, lowest first. Rows: zone, intensity_g_per_kwh."""
    ranked = rows.sort_values("intensity_g_per_kwh", kind="stable")
    return bars(ranked, mode, name="zone", value="intensity_g_per_kwh", say=_grams, highlight=chosen)


def _grams(amount: float) -> str:
    return f"{amount:,.0f} g"


def before_after(rows: pd.DataFrame, mode: str) -> go.Figure:
    """What is left of each quantity after the plan, the original being 1. Rows: quantity, ratio, ratio_low,
    ratio_high, basis. A line marks the original; a bar beyond it got worse."""
    figure = bars(
        rows, mode, name="quantity", value="ratio", say=lambda ratio: words.change(ratio), low="ratio_low",
        high="ratio_high", basis="basis",
    )  # fmt: skip
    largest = max(1.0, float(rows["ratio_high"].max()))
    figure.update_xaxes(range=[0, largest * 1.22])
    vertical(figure, 1.0, "Original", mode)
    return figure


def basis_legend(figure: go.Figure, bases: set[str], mode: str) -> None:
    """Legend entries that say which fill means which basis."""
    for basis in PATTERNS:
        if basis in bases:
            figure.add_bar(
                x=[None], y=[None], name=basis, showlegend=True, marker=fill([basis], [colours(mode)["accent"]], mode)
            )
    figure.update_traces(showlegend=False, selector=0)
    figure.update_layout(showlegend=True, barmode="overlay", height=figure.layout.height + 24)
