"""How charts look: colours of both modes, the template, and how each basis is drawn."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import plotly.io as pio

from data.text import plain

MODES = ("light", "dark")
FONT = "'Source Sans', 'Source Sans 3', 'Segoe UI', Arial, sans-serif"
COLOURS: dict[str, dict[str, Any]] = {
    "light": {
        "card": "#FFFFFF", "line": "#DDE5E3", "ink": "#12211F", "mute": "#5B6B68", "grid": "#E7EDEB",
        "accent": "#0B7A6B", "grey": "#B9C5C3", "greyline": "#6F807C", "area": "rgba(11,122,107,.09)",
        "series": ["#0B7A6B", "#D9722B", "#3566C8", "#4A2060", "#9D8BC1", "#6B1420", "#5C6B73"],
    },
    "dark": {
        "card": "#121D1B", "line": "#22322E", "ink": "#E4EDEB", "mute": "#9DB0AC", "grid": "#22322E",
        "accent": "#35C2AD", "grey": "#4A5C58", "greyline": "#8FA39E", "area": "rgba(53,194,173,.10)",
        "series": ["#35C2AD", "#F0985A", "#7FA6F5", "#8B55F6", "#D6DD55", "#C4526A", "#9FB0B8"],
    },
}  # fmt: skip
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "pentagon", "star")
# A basis is told by the fill, not by the colour alone: solid, slanted, dotted, ruled, crossed.
PATTERNS = {"measured": "", "given": "x", "predicted": "/", "modelled": ".", "claimed": "-"}


def colours(mode: str) -> dict[str, Any]:
    """The colours of "light" or "dark"."""
    return COLOURS[mode]


def template(mode: str) -> go.layout.Template:
    """The plotly template of this mode, with a transparent paper."""
    tint = COLOURS[mode]
    axis = {
        "gridcolor": tint["grid"], "linecolor": tint["line"], "zeroline": False, "ticks": "", "ticklabelstandoff": 6,
        "tickfont": {"color": tint["mute"], "size": 12}, "automargin": True,
        "title": {"font": {"color": tint["mute"], "size": 12}, "standoff": 8},
    }  # fmt: skip
    return go.layout.Template(
        layout={
            "colorway": tint["series"],
            "font": {"family": FONT, "color": tint["ink"], "size": 13},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "xaxis": {**axis, "showgrid": False},
            "yaxis": axis,
            "margin": {"l": 8, "r": 16, "t": 16, "b": 8},
            "bargap": 0.35,
            "legend": {
                "orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "xanchor": "left", "title": {"text": ""},
                "font": {"color": tint["mute"], "size": 12}, "bgcolor": "rgba(0,0,0,0)", "itemsizing": "constant",
            },
            "hoverlabel": {
                "bgcolor": tint["card"], "bordercolor": tint["line"], "font": {"color": tint["ink"], "family": FONT},
            },
            "annotationdefaults": {"font": {"color": tint["mute"], "size": 12}},
            "shapedefaults": {"line": {"color": tint["mute"]}},
        }
    )  # fmt: skip


for _mode in MODES:
    pio.templates[f"rightsize_{_mode}"] = template(_mode)


def blank(mode: str, *, height: int, legend: bool = False) -> go.Figure:
    """An empty figure of this mode; `height` in px."""
    return go.Figure(layout={"template": f"rightsize_{mode}", "height": height, "showlegend": legend})


def label(text: object, limit: int = 34) -> str:
    """A name from outside as chart text: plotly reads HTML, so its marks are escaped."""
    return html.escape(plain(text, limit), quote=False)


def dash(position: int) -> str:
    """The dash of the n-th line: lines are told apart without colour too."""
    return DASHES[position % len(DASHES)]


def vertical(figure: go.Figure, x: float, text: str, mode: str, *, left: bool = False) -> None:
    """A dotted vertical line with its text at the top, beside the line (on its left where asked)."""
    tint = COLOURS[mode]
    figure.add_vline(x=x, line={"color": tint["mute"], "width": 1.5, "dash": "dot"})
    figure.add_annotation(
        x=math.log10(x) if figure.layout.xaxis.type == "log" else x, y=1, yref="paper", text=text, showarrow=False,
        xanchor="right" if left else "left", yanchor="top", xshift=-5 if left else 5, bgcolor=tint["card"], borderpad=1,
    )  # fmt: skip


def log_ticks(figure: go.Figure, low: float, high: float) -> None:
    """The x axis in logarithms from low to high, with ticks at 1, 2 and 5 (at the tens alone on a long axis)."""
    tens = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if high / low < 300 else (1,)
    ticks = [step * 10.0**ten for ten in tens for step in steps if low <= step * 10.0**ten <= high]
    said = [f"{tick:,.0f}" if tick >= 1 else f"{tick:g}" for tick in ticks]
    figure.update_xaxes(type="log", range=[math.log10(low), math.log10(high)], tickvals=ticks, ticktext=said)


def fill(bases: Sequence[str | None], tints: Sequence[str], mode: str) -> dict[str, Any]:
    """Bar markers: the colour, and the pattern that tells the basis."""
    return {
        "color": list(tints),
        "cornerradius": 4,
        "pattern": {
            "shape": [PATTERNS.get(basis or "measured", "") for basis in bases],
            "fillmode": "overlay",
            "fgcolor": [COLOURS[mode]["card"]] * len(tints),
            "fgopacity": 0.85,
            "size": 8,
            "solidity": 0.16,
        },
    }
