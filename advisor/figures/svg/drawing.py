"""A plotly figure as SVG text, drawn here in milliseconds; None where it holds what only a browser draws."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from advisor.figures.svg import marks, pieces
from advisor.figures.svg.axes import Axis, axis
from advisor.figures.svg.frame import CLIP, Frame, frame, tick_size
from advisor.figures.svg.pieces import Unknown

LEGEND_PX, SAMPLE_PX, BETWEEN_PX = 22.0, 30.0, 16.0


def svg(figure: Mapping[str, Any], width_px: float) -> str | None:
    """The figure (`to_plotly_json` of one of `advisor.figures`) as SVG; None for what is not drawn here."""
    try:
        return _svg(_unpacked(figure["data"]), _unpacked(figure["layout"]), width_px)
    except Unknown:
        return None


def _unpacked(part: Any) -> Any:
    """The figure with the arrays that plotly packs into base64 as lists of numbers."""
    import numpy as np

    if isinstance(part, Mapping):
        if "bdata" not in part:
            return {name: _unpacked(value) for name, value in part.items()}
        if "shape" in part:
            raise Unknown("a matrix")
        return np.frombuffer(base64.b64decode(part["bdata"]), dtype=part["dtype"]).tolist()
    return [_unpacked(one) for one in part] if isinstance(part, list | tuple) else part


def _svg(traces: Sequence[Mapping[str, Any]], layout: Mapping[str, Any], width: float) -> str:
    usual = (layout.get("template") or {}).get("layout") or {}
    traces = [_coloured(trace, usual, place) for place, trace in enumerate(traces)]
    rows = any(trace.get("type") == "bar" for trace in traces)
    if rows and layout.get("barmode") == "stack":
        raise Unknown("stacked bars")
    x_axis, y_axis = (
        axis(layout.get(name) or {}, usual.get(name) or {}, _values(traces, name[0]), rows and name == "yaxis")
        for name in ("xaxis", "yaxis")
    )
    entries = _entries(traces, layout)
    legend = list(_legend(entries, usual, width))
    area = frame(layout, usual, (x_axis, y_axis), width, LEGEND_PX * _rows(entries, width) if entries else 0.0)
    height = float(layout.get("height") or 400)
    parts = [
        *_shapes(layout, area, below=True), *_axes(area, usual),
        *(part for trace in traces for part in marks.drawn(trace, area)),
        *_shapes(layout, area, below=False), *_notes(layout, usual, area), *legend,
    ]  # fmt: skip
    clip = pieces.box(area.left, area.top - 4, area.right, area.bottom + 4, "")
    size = f"{pieces.number(width)} {pieces.number(height)}"
    family = str((usual.get("font") or {}).get("family", "sans-serif")).replace('"', "'")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" style="font-family:{family}">'
        f'<clipPath id="{CLIP}">{clip}</clipPath>{"".join(parts)}</svg>'
    )


def _coloured(trace: Mapping[str, Any], usual: Mapping[str, Any], place: int) -> dict[str, Any]:
    """The trace with a colour of the template's where it names none."""
    ways = usual.get("colorway") or ("#444444",)
    tint = ways[place % len(ways)]
    line = {"color": tint, **(trace.get("line") or {})}
    marker = {"color": line["color"], **(trace.get("marker") or {})}
    return {**trace, "line": line, "marker": marker}


def _values(traces: Sequence[Mapping[str, Any]], name: str) -> Iterator[Any]:
    for trace in traces:
        yield from (value for value in marks.each(trace.get(name), 0) if value is not None)


def _axes(area: Frame, usual: Mapping[str, Any]) -> Iterator[str]:
    for name, one in (("x", area.x_axis), ("y", area.y_axis)):
        look = usual.get(f"{name}axis") or {}
        for own, text in one.ticks:
            yield from _tick(area, name, own, text, one, look, tick_size(usual))
        if one.title:
            yield _title(area, name, one.title, look, tick_size(usual))


def _tick(
    area: Frame, name: str, own: float, text: str, one: Axis, look: Mapping[str, Any], size: float
) -> Iterator[str]:
    fill, along = look["tickfont"]["color"], name == "x"
    at = area.x_own(own) if along else area.y_own(own)
    if one.grid:
        ends = (at, area.top, at, area.bottom) if along else (area.left, at, area.right, at)
        yield pieces.line(*ends, look["gridcolor"])
    if one.shown and along:
        yield pieces.text(text, at, area.bottom + 7, size=size, fill=fill, anchor="middle")
    elif one.shown:
        yield pieces.text(text, area.left - 8, at, size=size, fill=fill, anchor="end", middle=0.5)


def _title(area: Frame, name: str, text: str, look: Mapping[str, Any], size: float) -> str:
    fill = look["title"]["font"]["color"]
    if name == "x":
        return pieces.text(
            text, (area.left + area.right) / 2, area.bottom + size * 1.3 + 12, size=size, fill=fill, anchor="middle"
        )
    return pieces.text(text, 6, (area.top + area.bottom) / 2, size=size, fill=fill, anchor="middle", turned=True)


def _entries(traces: Sequence[Mapping[str, Any]], layout: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if layout.get("showlegend") is False:
        return []
    named = [trace for trace in traces if trace.get("name") and trace.get("showlegend") is not False]
    return named if len(named) > 1 or layout.get("showlegend") else []


def _placed(entries: Sequence[Mapping[str, Any]], width: float) -> Iterator[tuple[Mapping[str, Any], float, int]]:
    x, row = 8.0, 0
    for entry in entries:
        needs = SAMPLE_PX + pieces.width_px(entry["name"], 12) + BETWEEN_PX
        if x > 8 and x + needs > width:
            x, row = 8.0, row + 1
        yield entry, x, row
        x += needs


def _rows(entries: Sequence[Mapping[str, Any]], width: float) -> int:
    return 1 + max((row for _, _, row in _placed(entries, width)), default=-1)


def _legend(entries: Sequence[Mapping[str, Any]], usual: Mapping[str, Any], width: float) -> Iterator[str]:
    fill = ((usual.get("legend") or {}).get("font") or {}).get("color", "#444444")
    for entry, x, row in _placed(entries, width):
        y = 12 + row * LEGEND_PX
        yield from marks.sample(entry, x, y)
        yield pieces.text(entry["name"], x + SAMPLE_PX, y, size=12, fill=fill, middle=0.5)


def _shapes(layout: Mapping[str, Any], area: Frame, *, below: bool) -> Iterator[str]:
    for shape in layout.get("shapes") or ():
        if (shape.get("layer") == "below") != below:
            continue
        x0, y0, x1, y1 = (_at(shape, name, shape[name], area) for name in ("x0", "y0", "x1", "y1"))
        stroke = shape.get("line") or {}
        width = float(stroke.get("width", 2))
        if shape["type"] == "line":
            yield area.clipped(pieces.line(x0, y0, x1, y1, stroke["color"], width, stroke.get("dash", "solid")))
        elif shape["type"] == "rect" and width == 0:
            style = pieces.filled(shape["fillcolor"], float(shape.get("opacity", 1)))
            yield area.clipped(pieces.box(x0, y0, x1, y1, style))
        else:
            raise Unknown(f"the shape {shape['type']}")


def _at(thing: Mapping[str, Any], name: str, value: Any, area: Frame, own: bool = False) -> float:
    """Where an end of a shape or a note lies in px. `own` is for notes, which count in the axis' own units."""
    along = name[0] == "x"
    if str(thing.get(f"{name[0]}ref", name[0])).endswith(("paper", "domain")):
        share = float(value)
        return area.left + share * (area.right - area.left) if along else area.bottom - share * (area.bottom - area.top)
    one = area.x_axis if along else area.y_axis
    found = float(value) if own and not one.dated else one.own(value)
    if found is None:
        raise Unknown("a shape outside its axis")
    return area.x_own(found) if along else area.y_own(found)


def _notes(layout: Mapping[str, Any], usual: Mapping[str, Any], area: Frame) -> Iterator[str]:
    font = (usual.get("annotationdefaults") or {}).get("font") or {"size": 12, "color": "#444444"}
    for note in layout.get("annotations") or ():
        if note.get("showarrow") is not False or note.get("textangle"):
            raise Unknown("a note with an arrow")
        look = {**font, **(note.get("font") or {})}
        size = float(look["size"])
        x = _at(note, "x", note["x"], area, own=True) + float(note.get("xshift") or 0)
        y = _at(note, "y", note["y"], area, own=True) - float(note.get("yshift") or 0)
        across = {"left": 0.0, "right": 1.0}.get(note.get("xanchor", ""), 0.5)
        down = {"top": 0.0, "bottom": 1.0}.get(note.get("yanchor", ""), 0.5)
        if note.get("bgcolor"):
            wide, high = pieces.width_px(note["text"], size), len(pieces.lines_of(note["text"])) * size * pieces.LINE_PX
            left, top = x - across * wide, y - down * high
            yield pieces.box(left - 1, top, left + wide + 1, top + high, pieces.filled(note["bgcolor"]))
        anchor = {0.0: "start", 1.0: "end"}.get(across, "middle")
        yield pieces.text(note["text"], x, y, size=size, fill=look["color"], anchor=anchor, middle=down)
