"""The report as PDF: the very HTML, printed by WeasyPrint with the same charts."""

from advisor.types import Report
from data.errors import Unavailable

PANGO = "PDF needs Pango: install the packages 'libpango-1.0-0' and 'libpangoft2-1.0-0'. HTML needs none of it."


class Pdf:
    NAME = "pdf"
    MIME = "application/pdf"
    SUFFIX = ".pdf"

    def missing(self) -> str | None:
        """A sentence where Pango is not on this machine."""
        from ctypes.util import find_library

        return PANGO if find_library("pango-1.0") is None or find_library("pangoft2-1.0") is None else None

    def render(self, report: Report) -> bytes:
        """The file, A4. Nothing is fetched while it is made. Raises Unavailable where something it needs is missing."""
        if (sentence := self.missing()) is not None:
            raise Unavailable(sentence)
        from advisor.report import html as report_html

        try:
            from weasyprint import HTML
        except OSError as error:
            raise Unavailable(PANGO, details=str(error)) from error
        made = HTML(string=report_html.page(report, printed=True), url_fetcher=_refuse).write_pdf()
        return bytes(made)


def _refuse(url: str, *_: object, **__: object) -> dict[str, object]:
    """Nothing outside the page may be opened, neither an address nor a file."""
    raise ValueError(f"a report names no address, but here is {url[:40]}")


EXPORTER = Pdf()
