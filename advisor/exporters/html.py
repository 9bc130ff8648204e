"""The report as one HTML file that opens offline: static charts, no outside address ever."""

from advisor.types import Report


class Html:
    NAME = "html"
    MIME = "text/html"
    SUFFIX = ".html"

    def missing(self) -> str | None:
        """Always there: a chart that only a browser draws brings plotly's script along where there is none."""
        return None

    def render(self, report: Report) -> bytes:
        """The file, UTF-8."""
        from advisor.report import html as report_html

        return report_html.page(report).encode()


EXPORTER = Html()
