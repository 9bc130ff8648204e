"""Where the labels of a scatter go, so that none covers a point, another label or the edge."""

from __future__ import annotations

import math
from collections.abc import Sequence

CHAR_PX, LINE_PX, GAP_PX = 6.2, 15.0, 4.0
# The widths and heights of the drawing area that every label must fit at: a phone and half a desk.
AREAS = ((255.0, 250.0), (470.0, 290.0))
Box = tuple[float, float, float, float]
Point = tuple[float, float, float]


def place(points: Sequence[Point], labels: Sequence[str], lines: Sequence[float] = ()) -> list[str | None]:
    """The plotly textposition of each label, or None where there is no room for it.

    Points are (x, y, radius): x and y as shares 0..1 of the drawing area (y upwards), the radius in px; `lines` are
    the x of vertical lines, whose text stands beside their upper end. Earlier points choose first, greedily, among
    the eight positions around a point; a position must be free at every area in AREAS, and nearer to its own point
    than to any other. Crossing a line is the last resort.
    """
    discs = [[_disc(point, area) for point in points] for area in AREAS]
    texts = [[_line_text(x, area) for x in lines] for area in AREAS]
    strokes = [[_stroke(x, area) for x in lines] for area in AREAS]
    placed: list[list[Box]] = [[] for _ in AREAS]
    chosen: list[str | None] = []
    for index, text in enumerate(labels):
        blocked = [a + b + c for a, b, c in zip(discs, texts, placed, strict=True)]
        found = _first_free(points, index, text, [a + b for a, b in zip(blocked, strokes, strict=True)])
        found = found or _first_free(points, index, text, blocked)
        if found is not None:
            for boxes, area in zip(placed, AREAS, strict=True):
                boxes.append(_box(points[index], text, found, area))
        chosen.append(found)
    return chosen


# textposition: (share of the label's width to the left of its anchor, sign of the shift in x, sign in y).
SIDES = {
    "middle right": (0.0, 1, 0),
    "middle left": (1.0, -1, 0),
    "top center": (0.5, 0, 1),
    "bottom center": (0.5, 0, -1),
    "top right": (0.0, 1, 1),
    "bottom right": (0.0, 1, -1),
    "top left": (1.0, -1, 1),
    "bottom left": (1.0, -1, -1),
}


def _disc(point: Point, area: tuple[float, float]) -> Box:
    x, y, radius = point[0] * area[0], point[1] * area[1], point[2]
    return (x - radius, y - radius, x + radius, y + radius)


def _stroke(x: float, area: tuple[float, float]) -> Box:
    return (x * area[0] - 1, 0.0, x * area[0] + 1, area[1])


def _line_text(x: float, area: tuple[float, float]) -> Box:
    reach = 15 * CHAR_PX  # to either side: the text stands left of a line near the right edge
    return (x * area[0] - reach, area[1] - LINE_PX - GAP_PX, x * area[0] + reach, area[1])


def _box(point: Point, text: str, side: str, area: tuple[float, float]) -> Box:
    share, right, up = SIDES[side]
    width = CHAR_PX * len(text)
    reach = point[2] + GAP_PX
    x = point[0] * area[0] + right * reach - share * width
    y = point[1] * area[1] + up * (reach + LINE_PX / 2) - LINE_PX / 2
    return (x, y, x + width, y + LINE_PX)


def _first_free(points: Sequence[Point], index: int, text: str, blocked: list[list[Box]]) -> str | None:
    return next((side for side in SIDES if _free(points, index, text, side, blocked)), None)


def _free(points: Sequence[Point], index: int, text: str, side: str, blocked: list[list[Box]]) -> bool:
    for boxes, area in zip(blocked, AREAS, strict=True):
        mine = _box(points[index], text, side, area)
        if mine[0] < 0 or mine[2] > area[0] + 12 or mine[1] < 0 or mine[3] > area[1] + 12:
            return False
        if any(_overlap(mine, box) for box in boxes) or _nearest(points, mine, area) != index:
            return False
    return True


def _nearest(points: Sequence[Point], box: Box, area: tuple[float, float]) -> int:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return min(range(len(points)), key=lambda i: math.hypot(points[i][0] * area[0] - x, points[i][1] * area[1] - y))


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
