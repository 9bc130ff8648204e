"""The report as JSON: every field of the record, versioned, and readable again by `read`."""

import json
from datetime import datetime
from typing import Any

from advisor.report import foreign
from advisor.report import schema as report_schema
from advisor.types import VERDICTS, Report
from data.errors import InputError
from data.records import from_plain, to_plain

NOT_OURS = "Choose the .json that the report page exports."


class Json:
    NAME = "json"
    MIME = "application/json"
    SUFFIX = ".json"

    def missing(self) -> str | None:
        """Always there."""
        return None

    def render(self, report: Report) -> bytes:
        """The report with its schema's name and version, UTF-8. What stands in it twice is referred to by its key."""
        plain = to_plain(report)
        for run in plain["measurements"]:
            if run["machine"] == plain["machine"]:
                run["machine"] = report.machine.fingerprint
        if report.baseline in report.measurements:
            plain["baseline"] = report.baseline.id
        document = {"schema": report_schema.NAME, "version": report.version, "report": plain}
        return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def read(content: bytes) -> Report:
    """The report that `Json.render` wrote. Raises InputError on anything else."""
    document = foreign.parsed(content, "a Rightsize report", NOT_OURS)
    if not isinstance(document, dict) or document.get("schema") != report_schema.NAME:
        raise InputError("This is not a Rightsize report.", hint=NOT_OURS)
    if document.get("version") != report_schema.VERSION:
        raise InputError("This report was written by another version of Rightsize, and is not read here.")
    report_schema.check_report(document)
    try:
        return _sound(from_plain(Report, _whole(document["report"])))
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise InputError("This report contradicts itself.", hint=NOT_OURS, details=str(error)) from error


def _sound(report: Report) -> Report:
    """The report, where what no schema says holds too. Raises ValueError where it does not."""
    for run in (report.baseline, *report.measurements):
        foreign.check_run(run)
    datetime.fromisoformat(report.created_at)
    if report.recommendation.verdict not in VERDICTS or report.version != report_schema.VERSION:
        raise ValueError("its verdict or its version is none that is known")
    return report


def _whole(plain: dict[str, Any]) -> dict[str, Any]:
    """The plain report with what is referred to by key put in its place. Raises KeyError where it is not there."""
    machines = {plain["machine"]["fingerprint"]: plain["machine"]}
    runs = [
        run | {"machine": machines[run["machine"]] if isinstance(run["machine"], str) else run["machine"]}
        for run in plain["measurements"]
    ]
    by_id = {run["id"]: run for run in runs}
    baseline = plain["baseline"]
    return plain | {"measurements": runs, "baseline": by_id[baseline] if isinstance(baseline, str) else baseline}


EXPORTER = Json()
