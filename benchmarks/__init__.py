"""Side by side with peers and with the limit: always a ratio of two things measured in one run.

One file a suite, defining `SUITE`: a function that takes how thorough to be and yields Rows as it finds them.
`python -m benchmarks [NAME ...]` runs them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from data.registry import members


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One result. `value` is the figure, `limit` what it is held against in words; `passed` None where nothing is
    promised of it."""

    what: str
    value: str
    limit: str = ""
    passed: bool | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How thorough a run is: alternating pairs of each comparison, a factor on the time of each measurement, and the
    model shapes a suite is to keep to (all where none is named)."""

    pairs: int = 5
    time_factor: float = 1.0
    only: tuple[str, ...] = ()


Suite = Callable[[Effort], Iterator[Row]]


def suites() -> dict[str, Suite]:
    """Every suite by the name of its file."""
    return members(__name__, "SUITE")
