"""The report's rows as Parquet, with every timed call beside them."""

import io

from advisor.types import Report


class Parquet:
    NAME = "parquet"
    MIME = "application/vnd.apache.parquet"
    SUFFIX = ".parquet"

    def missing(self) -> str | None:
        """Always there."""
        return None

    def render(self, report: Report) -> bytes:
        """The rows of `advisor.report.rows`, and `samples_ms`: a list of the calls that were timed."""
        import pandas as pd

        from advisor.report.rows import rows, samples

        taken = samples(report)
        found = rows(report)
        calls = [
            None if row.standing == "failed" else taken.get(row.variant_id if isinstance(row.variant_id, str) else None)
            for row in found.itertuples()
        ]
        found["samples_ms"] = pd.Series(calls, dtype=object)
        buffer = io.BytesIO()
        found.to_parquet(buffer, index=False)
        return buffer.getvalue()


EXPORTER = Parquet()
