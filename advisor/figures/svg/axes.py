"""From data to pixels: an axis with its range and its ticks, as plotly's layout asks for them."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from advisor.figures.svg.pieces import Unknown

TICKS = 8
SI = ("", "k", "M", "G", "T", "P", "E", "Z", "Y")
SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_FORMAT = re.compile(r"(,?)(?:\.(\d+))?(~?)([%fgd]?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A range in its own units (the exponent of ten where `log`, days where `dated`), and ticks in the same."""

    log: bool
    dated: bool
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    title: str
    shown: bool
    grid: bool

    def own(self, value: Any) -> float | None:
        """A value of the data in the axis' own units; None where it has no place on it."""
        return _own(value, self.log, self.dated)

    def share(self, own: float) -> float:
        """Where it lies from the low end (0) to the high one (1)."""
        return (own - self.low) / (self.high - self.low) if self.high != self.low else 0.5


def axis(given: Mapping[str, Any], usual: Mapping[str, Any], values: Iterable[Any], rows: bool = False) -> Axis:
    """The axis of this layout over these values. `rows` are bars in a row each: half a bar is left at either end.

    Raises Unknown for a kind of axis that is not drawn here."""
    asked = {**usual, **given}
    kind = asked.get("type", "-")
    if kind not in ("-", "linear", "log", "date"):
        raise Unknown(f"an axis of type {kind}")
    log, dated = kind == "log", kind == "date"
    known = [own for value in values if (own := _own(value, log, dated)) is not None]
    low, high = _range(asked, known, rows, log, dated)
    title = (asked.get("title") or {}).get("text", "") if isinstance(asked.get("title"), Mapping) else ""
    shown = bool(asked.get("visible", True)) and bool(asked.get("showticklabels", True))
    ticks = _ticks(asked, min(low, high), max(low, high), log, dated) if asked.get("visible", True) else ()
    return Axis(
        log=log, dated=dated, low=low, high=high, ticks=tuple(ticks), title=str(title or ""), shown=shown,
        grid=bool(asked.get("showgrid", True)) and bool(asked.get("visible", True)),
    )  # fmt: skip


def _own(value: Any, log: bool, dated: bool) -> float | None:
    if value is None:
        return None
    if dated:
        try:
            return float(date.fromisoformat(str(value)[:10]).toordinal())
        except ValueError:  # a report from elsewhere may call anything a date
            return None
    number = float(value)
    if not math.isfinite(number) or (log and number <= 0):
        return None
    return math.log10(number) if log else number


def _range(asked: Mapping[str, Any], known: Sequence[float], rows: bool, log: bool, dated: bool) -> tuple[float, float]:
    backwards = asked.get("autorange") == "reversed"
    if asked.get("range") is not None:
        low, high = asked["range"]
        ends = (_own(low, False, dated), _own(high, False, dated))
        if ends[0] is None or ends[1] is None:
            raise Unknown("an open range")
        return ends[0], ends[1]
    if not known:
        return 0.0, 1.0
    low, high = min(known), max(known)
    room = 0.5 if rows else (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    low = 0.0 if asked.get("rangemode") == "tozero" and not log and low >= 0 else low - room
    return (high + room, low) if backwards else (low, high + room)


def _ticks(asked: Mapping[str, Any], low: float, high: float, log: bool, dated: bool) -> list[tuple[float, str]]:
    said = str if dated else _said(asked, log)
    if asked.get("tickvals") is not None:
        values = list(asked["tickvals"])
        texts = list(asked["ticktext"]) if asked.get("ticktext") is not None else [said(float(one)) for one in values]
        placed = [(_own(value, log, dated), str(text)) for value, text in zip(values, texts, strict=True)]
        found = [(own, text) for own, text in placed if own is not None]
    elif dated:
        found = _years(low, high)
    elif log:
        found = [(float(ten), said(10.0**ten)) for ten in _tens(low, high, asked.get("dtick"))]
    else:
        step = float(asked["dtick"]) if asked.get("dtick") else _step(high - low)
        first = math.ceil(low / step - 1e-9)
        found = [(place * step, said(place * step)) for place in range(first, math.floor(high / step + 1e-9) + 1)]
    room = (high - low) * 1e-6
    return [(own, text) for own, text in found if low - room <= own <= high + room]


def _step(span: float) -> float:
    """1, 2 or 5 times a power of ten, so that some six steps fit."""
    rough = max(span, 1e-300) / TICKS
    ten = 10.0 ** math.floor(math.log10(rough))
    return next(step * ten for step in (1, 2, 5, 10) if step * ten >= rough * 0.999)


def _tens(low: float, high: float, dtick: Any) -> range:
    asked = int(dtick) if isinstance(dtick, int | float) else 0
    step = max(asked, 1) if asked else max(1, math.ceil((high - low) / (TICKS + 2)))
    first = math.ceil(low - 1e-9)
    return range(first + (-first) % step, math.floor(high + 1e-9) + 1, step)


def _years(low: float, high: float) -> list[tuple[float, str]]:
    first, last = date.fromordinal(max(1, int(low))).year, date.fromordinal(int(high)).year
    step = next((step for step in (1, 2, 5, 10, 20, 50, 100) if (last - first) / step <= TICKS + 2), 200)
    years = range(first + (-first) % step, last + 1, step)
    return [(float(date(year, 1, 1).toordinal()), str(year)) for year in years]


def _said(asked: Mapping[str, Any], log: bool) -> Callable[[float], str]:
    """How a tick is worded: by its format, else short. Raises Unknown for a format of another kind."""
    wanted = str(asked.get("tickformat") or "")
    found = _FORMAT.fullmatch(wanted)
    if wanted and found is None:
        raise Unknown(f"the tick format {wanted}")
    before, after = (str(asked.get(name) or "") for name in ("tickprefix", "ticksuffix"))

    def say(value: float) -> str:
        if not wanted:
            return before + _short(value, log, asked.get("exponentformat") == "SI") + after
        assert found is not None
        comma, digits, trim, kind = found.groups()
        number = value * 100 if kind == "%" else value
        fixed = kind in ("%", "f", "d")
        text = f"{number:{comma}.{int(digits or 0)}f}" if fixed else f"{number:{comma}.{int(digits or 6)}g}"
        if trim and "." in text:
            text = text.rstrip("0").rstrip(".")
        return before + text.replace("-", "−") + ("%" if kind == "%" else "") + after

    return say


def _short(value: float, log: bool, si: bool = False) -> str:
    exponent = math.log10(abs(value)) if value else 0.0
    if si and 3 <= exponent < 27:
        thousands = int(exponent + 1e-9) // 3
        return f"{value / 10.0 ** (3 * thousands):.4g}{SI[thousands]}"
    if log and (exponent >= 5 or exponent <= -4) and abs(exponent - round(exponent)) < 1e-6:
        return "10" + str(round(exponent)).translate(SUPERSCRIPT)
    return f"{float(f'{value:.6g}'):,.10g}".replace("-", "−")
