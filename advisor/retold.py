"""A finished report told for another grid zone or traffic: nothing is measured again, only what depends on them is
reckoned again, its place too."""

import uuid
from dataclasses import replace
from typing import Any

from advisor import reported
from advisor.placement import placed
from advisor.site import site
from advisor.types import Graph, Report
from data import own
from data.errors import InputError
from profiler.jobs import Desk, Keeper, now
from profiler.tasks import procedure


def retold(report: Report, zone: str | None, requests_per_day: float, keeper: Keeper) -> Report:
    """A report of its own from the runs of this one, of another zone (None where none is chosen) and traffic; placed
    with the graphs and rows that `keeper` holds. Raises InputError where there is no such zone, or on a count below 0.
    """
    if requests_per_day < 0:
        raise InputError("Requests per day cannot be negative.")
    asked = replace(report.budget, zone=zone, requests_per_day=requests_per_day)
    known = {one.sha256: one for one in keeper.all(Graph, parent_sha256=report.model.sha256)}
    told = reported.told_at(_unplaced(report), asked, site(zone, keeper))
    return placed.place_report(told, known, zone, own.yours(keeper))


@procedure
def retell(desk: Desk, *, report: str, zone: str | None, requests_per_day: float) -> dict[str, Any]:
    """Tells a kept report for another zone and traffic and keeps that too; {"report": its id, "verdict"}."""
    found = desk.get(Report, report)
    if found is None:
        raise InputError("This report is not kept here any more.", hint="Compress the model again.")
    desk.progress(0.2, "Reckoning the year and placing it")
    told = retold(found, zone, requests_per_day, desk)
    desk.save(told)
    return {"report": told.id, "verdict": told.recommendation.verdict}


def _unplaced(report: Report) -> Report:
    """A new report of the same runs, without the place of the old one and the notes of its placing."""
    notes = tuple(one for one in report.notes if not one.startswith(placed.NOTES))
    return replace(report, id=uuid.uuid4().hex[:12], created_at=now(), placements=(), placed=None, notes=notes)
