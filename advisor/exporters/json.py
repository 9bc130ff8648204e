"""The report as JSON: every field of the record, versioned, and readable again by `read`."""

import json
from typing import Any

from advisor.types import Report
from data.errors import InputError
from data.records import from_plain, to_plain

SCHEMA = "rightsize-report"
READS_VERSIONS = (1,)


class Json:
    NAME = "json"
    MIME = "application/json"
    SUFFIX = ".json"

    def missing(self) -> str | None:
        """Always there."""
        return None

    def render(self, report: Report) -> bytes:
        """The report with its schema's name and version, UTF-8."""
        document = {"schema": SCHEMA, "version": report.version, "report": to_plain(report)}
        return json.dumps(document, ensure_ascii=False, allow_nan=False).encode()


def read(content: bytes) -> Report:
    """The report that `Json.render` wrote. Raises InputError on anything else."""
    try:
        document: Any = json.loads(content)
        if document["schema"] != SCHEMA:
            raise KeyError("schema")
        if document["version"] not in READS_VERSIONS:
            raise InputError(f"This report has version {document['version']}, which is not read here.")
        return from_plain(Report, document["report"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            "This is not a Rightsize report.", hint="Choose the .json that the report page exports.", details=str(error)
        ) from error


EXPORTER = Json()
