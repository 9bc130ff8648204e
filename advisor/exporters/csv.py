"""The report's rows as CSV: one line a file that was made or measured, for a spreadsheet."""

from advisor.types import Report


class Csv:
    NAME = "csv"
    MIME = "text/csv"
    SUFFIX = ".csv"

    def missing(self) -> str | None:
        """Always there."""
        return None

    def render(self, report: Report) -> bytes:
        """The rows of `advisor.report.rows`, UTF-8; no cell of them is a formula to a spreadsheet."""
        from advisor.report.rows import rows
        from data.text import csv_cell

        text: str = rows(report).map(csv_cell).to_csv(index=False, lineterminator="\n")
        return text.encode()


EXPORTER = Csv()
