"""Charts that were put into a report: each a section with what it says, its lines in numbers, and its source."""

from collections.abc import Iterator

from advisor.clippings import ClippedLine, Clipping
from advisor.report import document as doc
from advisor.report.document import Cell, Section
from advisor.types import Report
from data import words
from data.estimate import Estimate

PREFIX = "clipping-"
COLUMNS = ("Line", "Points", "Doubles every (months)", "A year", "R²", "Residual spread (OOM)", "Method")


def sections(report: Report) -> Iterator[Section]:
    """One section a chart, in the order they were put in."""
    named = {one.id: one for one in report.sources}
    for place, one in enumerate(report.clippings):
        source = named.get(one.source)
        credit = f"Source: {source.title}; {source.licence}; as of {source.as_of}." if source else ""
        rows = [_row(line, f"clippings.{place}.lines.{number}") for number, line in enumerate(one.lines)]
        table = (doc.table("The lines, with 95 % intervals", COLUMNS, rows),) if rows else ()
        yield Section(
            id=f"{PREFIX}{place}", title=one.title, paragraphs=tuple(filter(None, (one.about, credit))),
            points=one.says, tables=table, figures=(f"{PREFIX}{place}",) if one.chart else (),
        )  # fmt: skip


def of_figure(report: Report, name: str) -> Clipping | None:
    """The chart that the name of a figure ("clipping-0") means; None where it means another kind of figure."""
    return report.clippings[int(name.removeprefix(PREFIX))] if name.startswith(PREFIX) else None


def _row(line: ClippedLine, path: str) -> list[Cell]:
    return [
        doc.text(line.title),
        doc.value(line.n, lambda n: f"{n:,.0f}", f"{path}.n"),
        _interval(line.doubling_months, 1, f"{path}.doubling_months"),
        _interval(line.x_per_year, 2, f"{path}.x_per_year", "×"),
        doc.value(line.r2, lambda r2: words.number(r2, 2), f"{path}.r2"),
        doc.value(line.residual_sd_oom, lambda spread: words.number(spread, 2), f"{path}.residual_sd_oom"),
        doc.text(line.method),
    ]


def _interval(found: Estimate | None, places: int, path: str, unit: str = "") -> Cell:
    if found is None:
        return doc.text("does not surely rise")
    text = f"{found.mid:.{places}f}{unit} ({found.low:.{places}f}–{found.high:.{places}f})"
    return Cell(text, found.mid, f"{path}.mid", found.basis)
