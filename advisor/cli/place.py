"""`python -m advisor place FILE --requests-per-day N --latency-ms MS`: device, instance, region and how many."""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from advisor import turbine
from advisor.latency.operators import DTYPES
from advisor.placement.choose import OBJECTIVES, Answer, Traffic
from advisor.placement.filters import Filters
from advisor.placement.inputs import candidates, stored_as, this_machine
from advisor.placement.options import options
from advisor.placement.placed import KEPT, Asked, answer, told, with_placement
from advisor.placement.types import Placement
from advisor.placement.variants import Choice, chosen, graphs, of_report
from advisor.types import Report
from data import own
from data.console import shape
from data.errors import InputError
from data.records import to_plain
from profiler.headless import headless
from profiler.intake import look
from profiler.jobs import Desk
from profiler.machine import machine
from profiler.types import Model


def add(subparsers: Any) -> None:
    """The command and its options."""
    parser = subparsers.add_parser(
        "place",
        help="which device, how many and in which region, under a latency budget",
        description="Judges every instance, region, count and batch at once for the traffic given, keeps those that "
        "hold the budget at its percentile, and ranks them by what the objective costs a year.",
    )
    parser.add_argument("file", type=Path, help="the model file")
    parser.add_argument("--shape", action="append", default=[], metavar="NAME=1x3x224x224", help="an input's shape")
    parser.add_argument("--dtype", action="append", choices=DTYPES, default=[], help="what it computes in (as stored)")
    parser.add_argument("--requests-per-day", type=float, default=1_000_000, help="calls a day (1000000)")
    parser.add_argument("--peak-factor", type=float, default=3.0, help="peak over average (3)")
    parser.add_argument("--latency-ms", type=float, help="budget from the user's request to the answer")
    parser.add_argument("--percentile", type=float, default=95.0, help="where the budget holds (95)")
    parser.add_argument("--users-at", action="append", default=[], metavar="DE|aws/eu-central-1|52.5,13.4",
                        help="where the users are; the farthest counts")  # fmt: skip
    parser.add_argument("--objective", choices=OBJECTIVES, default="energy", help="what counts most (energy)")
    parser.add_argument("--provider", action="append", default=[], help="only these providers")
    parser.add_argument("--country", action="append", default=[], help="only these countries (DE)")
    parser.add_argument("--usd-per-year", type=float, help="at most this many dollars a year")
    parser.add_argument("--zone", help="this machine's grid zone (DE)")
    parser.add_argument("--unknown-too", action="store_true", help="also where an instance is not known to be offered")
    parser.add_argument("--surely", action="store_true", help="hold the budget with the high end of every prediction")
    parser.add_argument(
        "--report", action="store_true",
        help="place the variants of this file's newest report, and put the answer into it",
    )  # fmt: skip
    parser.add_argument("--limit", type=int, default=10, help="placements to print (10)")
    parser.add_argument("--json", action="store_true", help="the answer as JSON on stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Prints the answer. Raises InputError on a file without a graph and on limits that cannot be."""
    asked = Asked(
        traffic=Traffic(
            requests_per_day=args.requests_per_day, peak_factor=args.peak_factor, budget_ms=args.latency_ms,
            percentile=args.percentile, users_at=tuple(args.users_at), surely=args.surely,
        ),
        filters=Filters(
            providers=tuple(args.provider), countries=tuple(args.country), usd_per_year=args.usd_per_year,
            unknown_too=args.unknown_too,
        ),
        objective=args.objective,
    )  # fmt: skip
    with headless() as desk:
        model = look(desk, args.file, args.file.name, dict(shape(each) for each in args.shape))
        if args.report:
            found = _into_report(desk, model, asked, args.zone)
        else:
            here = this_machine(machine(), args.zone, yours=own.yours(desk))
            judged = candidates(model, args.dtype or [stored_as(model)])
            found = answer(Choice(candidates=judged, titles={}), asked, here, limit=max(args.limit, 1))
    found = replace(found, placements=found.placements[: max(args.limit, 1)])
    print(json.dumps(contract(found), indent=1) if args.json else words(found))


def _into_report(desk: Desk, model: Model, asked: Asked, zone: str | None) -> Answer:
    """Places the original and the variants of the model's newest report, and saves the report with the answer."""
    reports = desk.all(Report, model=model.sha256)
    if not reports:
        raise InputError("There is no report of this file.", hint="Make one first: python -m advisor plan FILE.")
    report = reports[-1]
    choice = of_report(report, graphs(desk, report.model, chosen(report)))
    here = this_machine(report.machine, zone or report.budget.zone, yours=own.yours(desk))
    found = options(choice.candidates, here)
    best = answer(choice, asked, here, found, limit=KEPT)
    desk.save(with_placement(report, best, told(best, choice, asked, here, found)))
    return best


def contract(found: Answer) -> dict[str, Any]:
    """The answer in the form other programs rely on."""
    return {
        "headline": found.headline, "binding_constraint": found.binding_constraint,
        "runner_up_margin": found.runner_up_margin, "would_change": list(found.would_change),
        "considered_count": found.considered_count, "feasible_count": found.feasible_count,
        "placements": [_told(one) for one in found.placements], "left_out": list(found.left_out),
    }  # fmt: skip


def _told(one: Placement) -> dict[str, Any]:
    told: dict[str, Any] = to_plain(one)
    return {**told, "turbine_years": to_plain(turbine.chosen().years(one.kwh_per_year))}


def words(found: Answer) -> str:
    """The answer in a few lines."""
    binds = f"What binds: {found.binding_constraint}." if found.binding_constraint else ""
    reasons = found.placements[0].reasons if found.placements else ()
    counts = f"{found.feasible_count:,} of {found.considered_count:,} combinations meet every limit."
    parts = [found.headline, *reasons, binds, found.runner_up_margin, *found.would_change, *found.left_out, counts]
    return "\n".join(part for part in parts if part)
