"""A report as headings, facts and tables: what every readable format shows, and no format adds to.

Each cell carries the value it words and its path in the JSON report, so that what is read can be checked against it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from data import words
from data.estimate import Estimate


@dataclass(frozen=True, slots=True)
class Cell:
    """Words, and where they stand for a number: the number, its path in the JSON, its basis, and the ends it words."""

    text: str
    value: float | None = None
    path: str = ""
    basis: str = ""
    ends: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with a caption; the first column names the row."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def basis(self, column: int) -> str:
        """The basis that all numbers of a column share, which is then said once in its head; "" where they differ."""
        found = {row[column].basis for row in self.rows if row[column].basis}
        return found.pop() if len(found) == 1 and len(self.rows) > 1 else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One heading with what stands under it. `figures` are names `figures_report` knows."""

    id: str
    title: str
    paragraphs: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    facts: tuple[tuple[str, Cell], ...] = ()
    tables: tuple[Table, ...] = ()
    figures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Highlight:
    """One of the few numbers a reader takes along: what it is now (`cell`, its ends in `spread`), and where a plan
    changes it, by how much, of what where that is not the number itself, and from what."""

    label: str
    cell: Cell
    spread: str = ""
    change: Cell | None = None
    of: str = ""
    before: Cell | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The whole: a title, the answer in one line (`warns` where it is not what was asked for), its few numbers, and
    the sections in order."""

    title: str
    verdict: str
    answer: str
    created_at: str
    warns: bool
    highlights: tuple[Highlight, ...]
    sections: tuple[Section, ...]


def text(words_: object, path: str = "") -> Cell:
    """A cell without a number."""
    return Cell(str(words_), path=path)


def value(number: float | None, word: Callable[[float | None], str], path: str, basis: str = "") -> Cell:
    """A number in words; "not known" where it is None."""
    return Cell(word(number), number, path, basis if number is not None else "")


def estimate(number: Estimate | None, ladder: words.Ladder, path: str, factor: float = 1.0) -> Cell:
    """An estimate with its interval; the path is that of its middle."""
    if number is None:
        return Cell(words.NOT_KNOWN, path=path)
    return interval(words.interval(number, ladder, factor), number, path)


def interval(text_: str, number: Estimate, path: str) -> Cell:
    """An estimate in words of its own, which tell its ends; the path is that of its middle."""
    return Cell(text_, number.mid, f"{path}.mid", number.basis, (number.low, number.high))


def middle(number: Estimate | None, ladder: words.Ladder, path: str, factor: float = 1.0) -> Cell:
    """An estimate without its interval."""
    if number is None:
        return Cell(words.NOT_KNOWN, path=path)
    return Cell(words.scaled(number.mid * factor, ladder), number.mid, f"{path}.mid", number.basis)


def ratio(number: Estimate | None, path: str) -> Cell:
    """A ratio as a factor with its interval."""
    if number is None:
        return Cell(words.NOT_KNOWN, path=path)
    return interval(words.interval_of(number, words.times), number, path)


def changed(number: Estimate | None, path: str) -> Cell:
    """The same ratio as the change it means: "−63 %"."""
    if number is None:
        return Cell(words.NOT_KNOWN, path=path)
    return Cell(words.change(number.mid), number.mid, f"{path}.mid", number.basis)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Table:
    """A table of these rows."""
    return Table(title=title, columns=tuple(columns), rows=tuple(tuple(row) for row in rows))
