"""The report as one HTML file that opens offline: no script where charts can be drawn here, no outside address ever."""

from advisor.types import Report


class Html:
    NAME = "html"
    MIME = "text/html"
    SUFFIX = ".html"

    def missing(self) -> str | None:
        """Always there: where no Chromium draws the charts, they come with plotly's script inside the file."""
        return None

    def render(self, report: Report) -> bytes:
        """The file, UTF-8."""
        from advisor.report import html as report_html

        return report_html.page(report).encode()


EXPORTER = Html()
