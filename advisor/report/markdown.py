"""A report as Markdown that any reader of CommonMark with tables shows alike, for a repository, a ticket, a card."""

import re
from collections.abc import Iterator, Mapping, Sequence

from advisor.report.document import Cell, Document, Section, Table

_MARKS = re.compile(r"([$\\`*_\[\]|~])")
# What means something only where a line starts: headings, lists, quotes, rules; "1. " is a list, "1.5" is not.
_LEADS = re.compile(r"^([#>+=-])|^(\d+)([.)])(?=\s)")


def text(value: object) -> str:
    """Any text as one line in which nothing is a mark of Markdown, HTML, or a call to a person."""
    line = " ".join(str(value).split())
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("@", "&#64;")
    return _LEADS.sub(_escaped, _MARKS.sub(r"\\\1", line)).replace("CO2e", "CO₂e")


def _escaped(found: re.Match[str]) -> str:
    return f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}"


def whole(document: Document, charts: Mapping[str, Sequence[str]], level: int = 1) -> str:
    """The document; `charts` holds, by section, the texts that stand for its charts. `level` is the title's."""
    lines = [
        f"{'#' * level} {text(document.title)}", "", f"{document.created_at[:16].replace('T', ' ')} UTC", "",
        f"**{text(document.verdict)}: {text(document.answer)}**", "", *_highlights(document),
    ]  # fmt: skip
    for section in document.sections:
        lines += ["", *_section(section, charts.get(section.id, ()), level + 1)]
    return "\n".join(lines) + "\n"


def table(made: Table) -> Iterator[str]:
    """The lines of one table; a basis that a column shares is said in its head."""
    bases = [made.basis(place) for place in range(len(made.columns))]
    heads = [text(column) + (f" ({basis})" if basis else "") for column, basis in zip(made.columns, bases, strict=True)]
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in made.rows:
        yield f"| {' | '.join(cell(one, basis) for one, basis in zip(row, bases, strict=True))} |"


def cell(one: Cell, said_above: str = "") -> str:
    """A cell with its basis, unless the head of the column has said it."""
    return text(one.text) + (f" ({one.basis})" if one.basis and one.basis != said_above else "")


def _highlights(document: Document) -> Iterator[str]:
    if not document.highlights:
        return
    yield "| Number | Now | Interval | Change |"
    yield "|---|---|---|---|"
    for one in document.highlights:
        of = f" {text(one.of)}," if one.of else ""
        change = f"{text(one.change.text)}{of} from {text(one.before.text)}" if one.change and one.before else ""
        yield f"| {text(one.label)} | {cell(one.cell)} | {text(one.spread)} | {change} |"


def _section(section: Section, charts: Sequence[str], level: int) -> Iterator[str]:
    yield f"{'#' * level} {text(section.title)}"
    for paragraph in section.paragraphs:
        yield from ("", text(paragraph))
    if section.points:
        yield ""
        yield from (f"- {text(point)}" for point in section.points)
    if section.facts:
        yield from ("", "| What | Value |", "|---|---|")
        yield from (f"| {text(name)} | {cell(one)} |" for name, one in section.facts)
    for made in section.tables:
        yield from ("", f"**{text(made.title)}**", "", *table(made))
    for chart in charts:
        yield from ("", f"Chart: {text(chart)}")
