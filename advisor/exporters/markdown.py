"""The report as Markdown, for a repository, a wiki or a ticket; its charts are told in words."""

from advisor.types import Report


class Markdown:
    NAME = "markdown"
    MIME = "text/markdown"
    SUFFIX = ".md"

    def missing(self) -> str | None:
        """Always there."""
        return None

    def render(self, report: Report) -> bytes:
        """The document, UTF-8; nothing that came with the model is a mark of Markdown or HTML in it."""
        from advisor.figures import report as figures_report
        from advisor.report import markdown as report_markdown
        from advisor.report.contents import document

        made = document(report)
        charts = {
            section.id: [text for name in section.figures if (text := figures_report.told(report, name)) is not None]
            for section in made.sections
        }
        return report_markdown.whole(made, charts).encode()


EXPORTER = Markdown()
