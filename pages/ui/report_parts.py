"""What the report page is made of: the document as sections, every format to download, and re-import."""

import pandas as pd
import streamlit as st

from advisor import clip, history
from advisor.exporters import exporters
from advisor.exporters.json import read
from advisor.figures import report as figures_report
from advisor.report.charts import PREFIX
from advisor.report.contents import document
from advisor.report.document import Cell, Highlight, Section, Table
from advisor.types import Report
from data.text import plain
from pages.ui import cards, formats, state, style, tables

NARROW, LARGEST_JSON_MB, FIRST_PX, FIRST_LETTERS = 3, 100, 240, 34
NAMES = {
    "html": ("HTML", ":material/web:", "One file that opens anywhere, offline."),
    "pdf": ("PDF", ":material/picture_as_pdf:", "To print and to file."),
    "json": ("JSON", ":material/data_object:", "Every number and every timed call, versioned; can be read back here."),
    "markdown": ("Markdown", ":material/notes:", "For a repository or a ticket."),
    "csv": ("CSV", ":material/table:", "The rows behind the charts."),
    "model_card": ("Model card", ":material/badge:", "Hugging Face model card with its emissions."),
    "parquet": ("Parquet", ":material/table_chart:", "The same rows with every timed call."),
    "script": ("Script", ":material/code:", "A few lines of Python that make the recommended file again."),
    "libraries": ("Libraries", ":material/terminal:", "The same with onnxruntime, OpenVINO or NNCF alone."),
    "codecarbon_csv": ("Emissions CSV", ":material/eco:", "In the shape CodeCarbon writes."),
}


def downloads(report: Report) -> None:
    """One button a format; one that cannot be made here says why."""
    with st.grid("auto", min_column_width=150, gap="small"):
        known = exporters()
        for name in [*(name for name in NAMES if name in known), *(name for name in known if name not in NAMES)]:
            exporter = known[name]
            title, icon, text = NAMES.get(name, (name.replace("_", " ").capitalize(), ":material/download:", ""))
            reason = exporter.missing()
            st.download_button(
                title,
                lambda chosen=exporter: chosen.render(report),
                file_name=f"rightsize-{file_stem(report)}{exporter.SUFFIX}",
                mime=exporter.MIME,
                icon=icon,
                key=f"export-{name}",
                disabled=reason is not None,
                help=reason or text,
                on_click="ignore",
                width="stretch",
            )


def answer(report: Report) -> None:
    """The answer first, and which report this is."""
    said = document(report)
    color = "orange" if said.warns else "green"
    answer = formats.name(said.answer, 240)
    with cards.hero("report", said.verdict, answer, icon=":material/description:", color=color):
        st.caption(
            f"{formats.name(report.model.name, 60)} · {formats.name(report.created_at[:16].replace('T', ' '))} UTC · "
            f"report {formats.name(report.id, 20)}"
        )


def highlights(report: Report) -> None:
    """The few numbers a reader takes along, as in the exported report."""
    cards.metrics("report", [_highlight(one) for one in document(report).highlights], columns=5)


def _highlight(one: Highlight) -> cards.Metric:
    changed = one.change is not None and one.before is not None
    return cards.Metric(
        label=_said(one.label), value=one.cell.text, basis=one.cell.basis or None, spread=one.spread,
        delta=one.change.text if one.change and changed else None,
        against=f"from {one.before.text}" if one.before and changed else "",
        note=f"change {one.of}" if one.of else "",
    )  # fmt: skip


def file_stem(report: Report) -> str:
    """The model's name as part of a file name."""
    return (
        "".join(mark if mark.isalnum() else "-" for mark in plain(report.model.name, 40)).strip("-").lower() or "model"
    )


def sections(report: Report) -> None:
    """The report as it will be exported: the same document, section by section."""
    for section in document(report).sections:
        with cards.card(f"section-{section.id}", formats.name(_said(section.title))):
            _section(report, section)
            if section.id.startswith(PREFIX):
                _take_out(report, section)


def _section(report: Report, section: Section) -> None:
    for text in section.paragraphs:
        st.markdown(formats.name(_said(text), 2000))
    if section.facts:
        cards.facts({label: _with_basis(cell) for label, cell in section.facts})
    if section.points:
        st.markdown("\n".join(f"- {formats.name(_said(point), 400)}" for point in section.points))
    for name in section.figures:
        drawn = figures_report.figure(report, name, style.mode())
        if drawn is not None:
            cards.chart(drawn[0], key=f"document_{name}", alt=drawn[1])
    for number, table in enumerate(section.tables):
        _table(table, f"{section.id}-{number}")


def _take_out(report: Report, section: Section) -> None:
    if st.button("Take out of the report", icon=":material/remove_circle:", key=f"take-{section.id}", type="tertiary"):
        place = int(section.id.removeprefix(PREFIX))
        state.app().store.save(clip.take_out(report, report.clippings[place].id))
        st.rerun()


def _table(table: Table, key: str) -> None:
    """A narrow table as text; a wide one as a grid that a phone and a keyboard can scroll."""
    texts = [{name: _said(cell.text) for name, cell in zip(table.columns, row, strict=True)} for row in table.rows]
    st.markdown(f"**{formats.name(_said(table.title))}**")
    if len(table.columns) > NARROW:
        first, *rest = table.columns
        long = max((len(row[first]) for row in texts), default=0) > FIRST_LETTERS
        wide = {first: FIRST_PX} if long else {}  # on a phone the numbers beside it are seen to be there
        named = {
            name: st.column_config.Column(_head(table, place), width=wide.get(name))
            for place, name in enumerate(table.columns)
        }
        order = [first, *sorted(rest, key=lambda name: name != "Verdict")]  # what decided stands beside what it is of
        tables.show(pd.DataFrame(texts), key=f"report-{key}", alt=table.title, more=named, order=order)
        return
    st.table(
        [{name: formats.name(text, 4000) for name, text in row.items()} for row in texts],
        border="horizontal",
        hide_index=True,
    )


def _head(table: Table, place: int) -> str:
    """A column's title with the basis that all its numbers share."""
    basis = table.basis(place)
    return _said(f"{table.columns[place]} ({basis})" if basis else table.columns[place])


def _with_basis(cell: Cell) -> str:
    return _said(f"{cell.text} ({cell.basis})" if cell.basis else cell.text)


def _said(text: str) -> str:
    return text.replace("CO2e", "CO₂e")


def take_back() -> None:
    """A report exported as JSON, here or elsewhere, comes back as the same page."""
    upload = st.file_uploader("Report (.json)", type=["json"], key="report-upload", max_upload_size=LARGEST_JSON_MB)
    if upload and st.session_state.get("report_taken") != upload.file_id:
        with cards.guard("report-upload"):
            found = read(upload.getvalue())
            history.take(state.app().store, found)
            st.session_state["report_taken"] = upload.file_id
            state.choose_report(found.id, found.model.sha256)
            st.rerun()
