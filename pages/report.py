"""Report: what was measured, what it means, where every number comes from; to read here and to take away."""

from pages.ui import cards, pickers, report_parts, state

cards.page("Report", "The sizing report: what was measured, what it means, and where every number comes from.")
model = pickers.current()
report = state.report(model.sha256) if model else None
pickers.switch()
if report is None:
    to = "pages/compress.py" if model else "pages/overview.py"
    cards.nothing_yet(
        "report",
        "No report yet",
        todo="Compress a model first" if model else "Add a model first",
        to=to,
        icon=":material/description:",
    )
else:
    report_parts.answer(report)
    report_parts.highlights(report)
    with cards.card("export", "Take it away", "Every format holds the same numbers as this page."):
        report_parts.downloads(report)
    report_parts.sections(report)
with cards.card("import", "Bring one back", "A report exported as JSON, from here or another machine."):
    report_parts.take_back()
