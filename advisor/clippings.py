"""A chart that was put into a report, with what it says: as it was that day, so that newer tables do not change it.

Standard library only (and `data`): a report holds these, `advisor/clip.py` makes them, `advisor/figures` draws them.
"""

from dataclasses import dataclass

from data.estimate import Estimate

ROUNDING = 1e-9  # of a sum of shares
NOT_NAMED = "not named"  # the part of a whole that no source names: unknown, not 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartPoints:
    """The dots of one group: a name, a date (YYYY-MM-DD), a value and an opacity each."""

    group: str
    names: tuple[str, ...]
    dates: tuple[str, ...]
    values: tuple[float, ...]
    opacities: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartCurve:
    """A line over dates, and where it has them its 50 % and 90 % prediction bands (same length, or empty)."""

    name: str
    dates: tuple[str, ...]
    mid: tuple[float, ...]
    low_50: tuple[float, ...] = ()
    high_50: tuple[float, ...] = ()
    low_90: tuple[float, ...] = ()
    high_90: tuple[float, ...] = ()
    hover: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartLevel:
    """A horizontal line with its text; one that does not bind is drawn fainter."""

    value: float
    text: str
    binding: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartStar:
    """The user's own model: its name, the date it stands at, its value, and that in words."""

    name: str
    date: str
    value: float
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartTie:
    """One system whose value was revised: before and after."""

    name: str
    date: str
    before: float
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartPart:
    """One part of a bar: what it is, and its share of the whole (0..1)."""

    name: str
    value_frac: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartBar:
    """A bar that is a whole, with the parts a source names; `note` is a second line under its name."""

    name: str
    note: str
    parts: tuple[ChartPart, ...]

    @property
    def rest_frac(self) -> float:
        """What no part names; 0 where that is no more than rounding leaves."""
        rest = 1 - sum(part.value_frac for part in self.parts)
        return rest if rest > ROUNDING else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """All that is drawn: the value axis (`tick_format` as plotly names it), dots, lines, levels, star, ties; or bars
    alone, whose parts have this `basis`."""

    axis: str
    log: bool = True
    tick_format: str = "power"
    prefix: str = ""
    suffix: str = ""
    points: tuple[ChartPoints, ...] = ()
    curves: tuple[ChartCurve, ...] = ()
    levels: tuple[ChartLevel, ...] = ()
    star: ChartStar | None = None
    ties: tuple[ChartTie, ...] = ()
    bars: tuple[ChartBar, ...] = ()
    basis: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClippedLine:
    """One line in numbers. `doubling_months` is None where the line, or an end of its 95 % interval, does not rise."""

    title: str
    method: str
    n: int
    x_per_year: Estimate
    doubling_months: Estimate | None = None
    r2: float | None = None
    residual_sd_oom: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clipping:
    """What stands in the report: a title, what is drawn, what it says in sentences, the lines as numbers, the chart,
    whom the rows are from, and the address of the page that shows the same view."""

    id: str
    title: str
    about: str
    created_at: str
    source: str
    says: tuple[str, ...] = ()
    lines: tuple[ClippedLine, ...] = ()
    chart: Chart | None = None
    address: str = ""
