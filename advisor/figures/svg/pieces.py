"""Pieces of an SVG: text, lines, boxes, marks. Every text is escaped, every number is written by this file."""

import html
import math
import re
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

DASHES = {
    "solid": "", "dash": "7 5", "dot": "1.5 3.5", "dashdot": "7 4 1.5 4", "longdash": "12 6",
    "longdashdot": "12 5 2 5",
}  # fmt: skip
LINE_PX = 1.25  # of a line of text, in its size
_WIDE, _NARROW = set("MWmw@%—"), set("iljtfrI.,:;'|()[]! ")
_TAGS = re.compile(r"<(?!br\s*/?>)[^>]*>")
_BREAK = re.compile(r"<br\s*/?>")
_HEX, _RGBA = re.compile(r"#[0-9a-fA-F]{6}"), re.compile(r"rgba?\([\d\s.,]+\)")


class Unknown(Exception):
    """Something in a figure that is not drawn here: a browser must draw the whole figure."""


def number(value: float) -> str:
    """A coordinate, short."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if math.isfinite(value) else "0"


def colour(value: Any) -> str:
    """A colour as "rgb(r, g, b)", which the modes of a page are told by, or an rgba of plotly's. Raises Unknown."""
    text = str(value)
    if _HEX.fullmatch(text):
        return "rgb({}, {}, {})".format(*bytes.fromhex(text[1:]))
    if not _RGBA.fullmatch(text):
        raise Unknown(f"the colour {text[:20]}")
    return text


def lines_of(text: Any) -> list[str]:
    """The lines of a chart's text, without plotly's tags; what was escaped for plotly is itself again."""
    return [html.unescape(_TAGS.sub("", part)) for part in _BREAK.split(str(text))]


def width_px(text: Any, size: float) -> float:
    """How wide the widest line is, roughly."""
    return max(
        sum(0.86 if mark in _WIDE else 0.3 if mark in _NARROW else 0.55 for mark in line) for line in lines_of(text)
    ) * size  # fmt: skip


def text(
    words: Any, x: float, y: float, *, size: float, fill: str, anchor: str = "start", middle: float = 0.0,
    turned: bool = False,
) -> str:  # fmt: skip
    """Lines of text: `middle` says where y lies in its block, from 0 (top) to 1 (bottom)."""
    rows = lines_of(words)
    if rows == [""]:
        return ""
    first = y - middle * len(rows) * size * LINE_PX + size * 0.95
    spans = "".join(
        f'<tspan x="{number(x)}" y="{number(first + place * size * LINE_PX)}">{escape(row)}</tspan>'
        for place, row in enumerate(rows)
    )
    turn = f' transform="rotate(-90 {number(x)} {number(y)})"' if turned else ""
    style = f"font-size:{number(size)}px;fill:{colour(fill)};text-anchor:{anchor}"
    return f'<text style="{style}"{turn}>{spans}</text>'


def line(x0: float, y0: float, x1: float, y1: float, stroke: str, width: float = 1.0, dash: str = "solid") -> str:
    """A straight line."""
    ends = f'x1="{number(x0)}" y1="{number(y0)}" x2="{number(x1)}" y2="{number(y1)}"'
    return f'<line {ends} style="{stroked(stroke, width, dash)}"/>'


def path(points: Sequence[tuple[float, float]], style: str, closed: bool = False) -> str:
    """A line through points."""
    steps = " ".join(f"{'L' if place else 'M'}{number(x)},{number(y)}" for place, (x, y) in enumerate(points))
    return f'<path d="{steps}{"Z" if closed else ""}" style="{style}"/>'


def box(x0: float, y0: float, x1: float, y1: float, style: str) -> str:
    """A rectangle between two corners."""
    left, top = min(x0, x1), min(y0, y1)
    size = f'width="{number(abs(x1 - x0))}" height="{number(abs(y1 - y0))}"'
    return f'<rect x="{number(left)}" y="{number(top)}" {size} style="{style}"/>'


def bar(x0: float, y0: float, x1: float, y1: float, radius: float, style: str) -> str:
    """A horizontal bar from x0 to x1 whose far corners are round."""
    r = min(radius, abs(x1 - x0), abs(y1 - y0) / 2) * (1 if x1 >= x0 else -1)
    steps = (
        f"M{number(x0)},{number(y0)}H{number(x1 - r)}Q{number(x1)},{number(y0)} {number(x1)},{number(y0 + abs(r))}"
        f"V{number(y1 - abs(r))}Q{number(x1)},{number(y1)} {number(x1 - r)},{number(y1)}H{number(x0)}Z"
    )
    return f'<path d="{steps}" style="{style}"/>'


def stroked(stroke: str, width: float, dash: str = "solid") -> str:
    """The style of a line without a filling. Raises Unknown for a dash of another kind."""
    if dash not in DASHES:
        raise Unknown(f"the dash {dash}")
    gaps = f";stroke-dasharray:{DASHES[dash].replace(' ', ',')}" if DASHES[dash] else ""
    return f"fill:none;stroke:{colour(stroke)};stroke-width:{number(width)}{gaps}"


def filled(fill: str, opacity: float = 1.0) -> str:
    """The style of an area."""
    return f"fill:{colour(fill)}" + (f";fill-opacity:{number(opacity)}" if opacity < 1 else "")


def _corners(count: int, radii: Sequence[float]) -> tuple[tuple[float, float], ...]:
    """Corners around (0, 0) from the top, whose distances take turns."""
    turns = [k * math.tau / count for k in range(count)]
    return tuple(
        (math.sin(turn) * radii[k % len(radii)], -math.cos(turn) * radii[k % len(radii)])
        for k, turn in enumerate(turns)
    )


# Corners of a mark around (0, 0) for a radius of 1, y downwards.
CORNERS: dict[str, Sequence[tuple[float, float]]] = {
    "square": ((-0.886, -0.886), (0.886, -0.886), (0.886, 0.886), (-0.886, 0.886)),
    "diamond": ((0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)),
    "triangle-up": ((0, -1.2), (1.15, 0.75), (-1.15, 0.75)),
    "cross": (
        (-0.4, -1.1), (0.4, -1.1), (0.4, -0.4), (1.1, -0.4), (1.1, 0.4), (0.4, 0.4), (0.4, 1.1), (-0.4, 1.1),
        (-0.4, 0.4), (-1.1, 0.4), (-1.1, -0.4), (-0.4, -0.4),
    ),
    "pentagon": _corners(5, (1.0,)),
    "star": _corners(10, (1.3, 0.52)),
}  # fmt: skip


def mark(symbol: str, x: float, y: float, radius: float, style: str) -> str:
    """One mark. Raises Unknown for a symbol of another kind."""
    if symbol == "circle":
        return f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(radius)}" style="{style}"/>'
    if symbol not in CORNERS:
        raise Unknown(f"the symbol {symbol}")
    return path([(x + dx * radius, y + dy * radius) for dx, dy in CORNERS[symbol]], style, closed=True)
