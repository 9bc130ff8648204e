"""What stands in the drawing area: lines, areas, marks with their texts, bars, and how each looks in the legend."""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from advisor.figures.svg import pieces
from advisor.figures.svg.frame import Frame
from advisor.figures.svg.pieces import Unknown

TEXT_GAP_PX = 4.0
SCATTER = ("scatter", "scattergl")
MODES = {"lines", "markers", "text", "none"}
# pattern: what is drawn in a tile of 8 px over the bar's own colour.
TILES = {
    "/": "M-2,2L2,-2M0,8L8,0M6,10L10,6", "-": "M0,4H8", "x": "M0,8L8,0M0,0L8,8",
    ".": "M3,4A1,1 0 1 0 5,4A1,1 0 1 0 3,4",
}  # fmt: skip


def drawn(trace: Mapping[str, Any], frame: Frame) -> Iterator[str]:
    """The trace, back to front. Raises Unknown for what is not drawn here."""
    if trace.get("type", "scatter") in SCATTER:
        yield from _scatter(trace, frame)
    elif trace["type"] == "bar" and trace.get("orientation") == "h":
        yield from _bars(trace, frame)
    elif trace["type"] != "bar" or any(value is not None for value in each(trace.get("y"), 1)):
        raise Unknown(f"a trace of type {trace['type']}")


def sample(trace: Mapping[str, Any], x: float, y: float) -> Iterator[str]:
    """The trace in small at (x, y), 26 px wide, for the legend."""
    marker = trace.get("marker") or {}
    if trace.get("type", "scatter") not in SCATTER:
        yield from _bar(first(marker.get("color")), _pattern(marker, 0), (x + 4, y - 6, x + 20, y + 6), 2.0)
        return
    mode = str(trace.get("mode") or "lines")
    if "lines" in mode:
        stroke = trace.get("line") or {}
        yield pieces.line(x, y, x + 24, y, stroke["color"], float(stroke.get("width", 2)), stroke.get("dash", "solid"))
    if "markers" in mode:
        style = _marker_style(marker, 0)
        yield pieces.mark(str(first(marker.get("symbol")) or "circle"), x + 12, y, 5.0, style)


def each(values: Any, count: int) -> list[Any]:
    """A value for every point: as many as were given, or the one that holds for all."""
    if values is None or isinstance(values, str | int | float):
        return [values] * count
    return list(values)


def first(values: Any) -> Any:
    """The value of the first point."""
    return next(iter(each(values, 1)), None)


def _scatter(trace: Mapping[str, Any], frame: Frame) -> Iterator[str]:
    mode = set(str(trace.get("mode") or "lines").split("+"))
    if not mode <= MODES:
        raise Unknown(f"the mode {trace.get('mode')}")
    points = frame.points(trace)
    if trace.get("fill") == "toself":
        yield frame.clipped(pieces.path([one for one in points if one], _area(trace), closed=True))
    elif trace.get("fill") not in (None, "none"):
        raise Unknown(f"the filling {trace['fill']}")
    if "lines" in mode and float((trace.get("line") or {}).get("width", 2)) > 0:
        stroke = trace["line"]
        style = pieces.stroked(stroke["color"], float(stroke.get("width", 2)), stroke.get("dash", "solid"))
        yield frame.clipped("".join(pieces.path(part, f"{style};stroke-linejoin:round") for part in _parts(points)))
    yield from _error_bars(trace, frame)
    if "markers" in mode:
        yield from _markers(trace, points, frame)
    if "text" in mode:
        yield from _texts(trace, points)


def _area(trace: Mapping[str, Any]) -> str:
    return f"fill:{pieces.colour(trace['fillcolor'])};stroke:none"


def _parts(points: Sequence[tuple[float, float] | None]) -> Iterator[list[tuple[float, float]]]:
    """The runs of points between gaps."""
    part: list[tuple[float, float]] = []
    for point in [*points, None]:
        if point is not None:
            part.append(point)
        elif part:
            yield part
            part = []


def _markers(trace: Mapping[str, Any], points: Sequence[tuple[float, float] | None], frame: Frame) -> Iterator[str]:
    marker = trace.get("marker") or {}
    sizes, symbols = each(marker.get("size", 6), len(points)), each(marker.get("symbol") or "circle", len(points))
    for place, point in enumerate(points):
        if point is not None and frame.holds(*point):
            yield pieces.mark(str(symbols[place]), *point, float(sizes[place]) / 2, _marker_style(marker, place))


def _marker_style(marker: Mapping[str, Any], place: int) -> str:
    edge = marker.get("line") or {}
    width, opacity = float(first(edge.get("width")) or 0), each(marker.get("opacity", 1), place + 1)[place]
    style = pieces.filled(each(marker.get("color"), place + 1)[place])
    if width:
        stroke = pieces.colour(each(edge.get("color"), place + 1)[place])
        style += f";stroke:{stroke};stroke-width:{pieces.number(width)}"
    return style + (f";opacity:{pieces.number(float(opacity))}" if float(opacity) < 1 else "")


def _texts(trace: Mapping[str, Any], points: Sequence[tuple[float, float] | None]) -> Iterator[str]:
    font = trace.get("textfont") or {}
    sizes = each((trace.get("marker") or {}).get("size", 6), len(points))
    sides = each(trace.get("textposition") or "middle center", len(points))
    for point, words, side, size in zip(points, each(trace.get("text"), len(points)), sides, sizes, strict=True):
        if point is None or not words:
            continue
        up, along = side.split()
        reach = float(size) / 2 + TEXT_GAP_PX
        x = point[0] + {"left": -reach, "right": reach}.get(along, 0.0)
        y = point[1] + {"top": -reach, "bottom": reach}.get(up, 0.0)
        yield pieces.text(
            words, x, y, size=float(font.get("size", 12)), fill=font["color"],
            anchor={"left": "end", "right": "start"}.get(along, "middle"),
            middle={"top": 1.0, "bottom": 0.0}.get(up, 0.5),
        )  # fmt: skip


def _bars(trace: Mapping[str, Any], frame: Frame) -> Iterator[str]:
    marker, values = trace.get("marker") or {}, list(trace["x"])
    tints, thick = each(marker.get("color"), len(values)), frame.bar_px
    bases, foot = trace.get("base"), 0.0 if not frame.x_axis.log else 10**frame.x_axis.low
    starts = [foot] * len(values) if bases is None else each(bases, len(values))
    for place, (value, row, base) in enumerate(zip(values, trace["y"], starts, strict=True)):
        start, end, middle = frame.x(base), frame.x(value if bases is None else base + value), frame.y(row)
        if start is None or end is None or middle is None:
            continue
        corners = (start, middle - thick / 2, end, middle + thick / 2)
        yield from _bar(tints[place], _pattern(marker, place), corners, float(marker.get("cornerradius", 0)))
    yield from _error_bars(trace, frame)


def _pattern(marker: Mapping[str, Any], place: int) -> tuple[str, str, float]:
    """(shape, colour over the bar's own, its opacity); no shape where the bar is plain."""
    found = marker.get("pattern") or {}
    shape = each(found.get("shape", ""), place + 1)[place] or ""
    if shape and shape not in TILES:
        raise Unknown(f"the pattern {shape}")
    return shape, (each(found.get("fgcolor"), place + 1)[place] or ""), float(found.get("fgopacity", 1))


def _bar(tint: str, pattern: tuple[str, str, float], corners: tuple[float, ...], radius: float) -> Iterator[str]:
    x0, y0, x1, y1 = corners
    yield pieces.bar(x0, y0, x1, y1, radius, pieces.filled(tint))
    shape, over, opacity = pattern
    if shape:
        name = f"p{zlib.crc32(f'{shape}{over}'.encode()):x}"
        style = f"fill:none;stroke:{pieces.colour(over)};stroke-width:1.4;stroke-opacity:{pieces.number(opacity)}"
        yield (
            f'<pattern id="{name}" width="8" height="8" patternUnits="userSpaceOnUse">'
            f'<path d="{TILES[shape]}" style="{style}"/></pattern>'
        )
        yield pieces.bar(x0, y0, x1, y1, radius, f"fill:url(#{name})")


def _error_bars(trace: Mapping[str, Any], frame: Frame) -> Iterator[str]:
    error = trace.get("error_x")
    if error is None or error.get("visible") is False:
        return
    if error.get("type") != "data" or error.get("symmetric") is not False:
        raise Unknown("error bars of another kind")
    reach = float(error.get("width", 4))
    for x, y, above, below in zip(trace["x"], trace["y"], error["array"], error["arrayminus"], strict=True):
        left, right, middle = frame.x(float(x) - float(below)), frame.x(float(x) + float(above)), frame.y(y)
        if left is None or right is None or middle is None or right - left < 0.5:
            continue
        strokes = [(left, middle, right, middle)]
        strokes += [(end, middle - reach, end, middle + reach) for end in (left, right)] if reach else []
        yield frame.clipped(
            "".join(pieces.line(*ends, error["color"], float(error.get("thickness", 1))) for ends in strokes)
        )
