"""The drawing area: how much room the axes' texts and the legend leave it, and where data lie in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from advisor.figures.svg import pieces
from advisor.figures.svg.axes import Axis

TICK_GAP_PX, TITLE_GAP_PX = 8.0, 8.0
CLIP = "area"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The area's edges in px, its axes, and the width of a bar."""

    left: float
    right: float
    top: float
    bottom: float
    x_axis: Axis
    y_axis: Axis
    bar_px: float

    def x(self, value: Any) -> float | None:
        """A value on the x axis in px."""
        own = self.x_axis.own(value)
        return None if own is None else self.x_own(own)

    def y(self, value: Any) -> float | None:
        """A value on the y axis in px."""
        own = self.y_axis.own(value)
        return None if own is None else self.y_own(own)

    def x_own(self, own: float) -> float:
        """The same from the axis' own units, which annotations use."""
        return self.left + self.x_axis.share(own) * (self.right - self.left)

    def y_own(self, own: float) -> float:
        """The same on the y axis, upwards."""
        return self.bottom - self.y_axis.share(own) * (self.bottom - self.top)

    def points(self, trace: Mapping[str, Any]) -> list[tuple[float, float] | None]:
        """The trace's points in px; None where one has no place."""
        found = []
        for x, y in zip(trace.get("x", ()), trace.get("y", ()), strict=False):
            across, up = self.x(x), self.y(y)
            found.append(None if across is None or up is None else (across, up))
        return found

    def holds(self, x: float, y: float) -> bool:
        """Whether a mark's middle lies in the area."""
        return self.left - 1 <= x <= self.right + 1 and self.top - 1 <= y <= self.bottom + 1

    def clipped(self, drawing: str) -> str:
        """The drawing, cut off at the area's edges."""
        return f'<g clip-path="url(#{CLIP})">{drawing}</g>' if drawing else ""


def frame(
    layout: Mapping[str, Any], usual: Mapping[str, Any], axes: tuple[Axis, Axis], width: float, legend_px: float
) -> Frame:
    """The area in a picture `width` px wide, after the room for ticks, titles and a legend above."""
    x_axis, y_axis = axes
    margin = {**usual.get("margin", {}), **layout.get("margin", {})}
    size = tick_size(usual)
    labels = [pieces.width_px(text, size) for _, text in y_axis.ticks] if y_axis.shown else []
    left = max(labels, default=0.0) + (TICK_GAP_PX if labels else 0) + (size + TITLE_GAP_PX * 2 if y_axis.title else 0)
    below = (size * 1.3 + TICK_GAP_PX if x_axis.shown and x_axis.ticks else 0) + (
        size + TITLE_GAP_PX * 1.5 if x_axis.title else 0
    )
    height = float(layout.get("height") or 400)
    top, bottom = float(margin.get("t", 16)) + legend_px, height - float(margin.get("b", 8)) - below
    rows = max(1, round(abs(y_axis.high - y_axis.low)))
    gap = float({**usual, **layout}.get("bargap", 0.35))
    return Frame(
        left=float(margin.get("l", 8)) + left, right=width - max(float(margin.get("r", 16)), 16.0), top=top,
        bottom=bottom, x_axis=x_axis, y_axis=y_axis, bar_px=(bottom - top) / rows * (1 - gap),
    )  # fmt: skip


def tick_size(usual: Mapping[str, Any]) -> float:
    """The size of an axis' texts, in px."""
    return float(usual.get("xaxis", {}).get("tickfont", {}).get("size", 12))
