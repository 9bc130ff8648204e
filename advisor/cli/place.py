"""`python -m advisor place FILE --requests-per-day N --latency-ms MS`: device, instance, region and how many."""

import argparse
import json
from pathlib import Path
from typing import Any

from advisor.latency.operators import DTYPES
from advisor.placement.choose import OBJECTIVES, Answer, Traffic, place
from advisor.placement.filters import Filters
from advisor.placement.inputs import candidates, stored_as
from advisor.types import Placement
from data import units
from data.console import Progress, shape
from data.home import home
from data.inbox import open_headless
from data.records import to_plain
from profiler.intake import look
from profiler.jobs import Desk


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
    parser.add_argument("--limit", type=int, default=10, help="placements to print (10)")
    parser.add_argument("--json", action="store_true", help="the answer as JSON on stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Prints the answer. Raises InputError on a file without a graph and on limits that cannot be."""
    keeper = open_headless(home())
    try:
        desk = Desk(home(), keeper, Progress())
        model = look(desk, args.file, args.file.name, dict(shape(each) for each in args.shape))
    finally:
        keeper.close()
    traffic = Traffic(
        requests_per_day=args.requests_per_day, peak_factor=args.peak_factor, budget_ms=args.latency_ms,
        percentile=args.percentile, users_at=tuple(args.users_at),
    )  # fmt: skip
    filters = Filters(
        providers=tuple(args.provider), countries=tuple(args.country), usd_per_year=args.usd_per_year
    )  # fmt: skip
    judged = candidates(model, args.dtype or [stored_as(model)])
    answer = place(judged, traffic, objective=args.objective, filters=filters, limit=max(args.limit, 1))
    print(json.dumps(contract(answer), indent=1) if args.json else words(answer))


def contract(found: Answer) -> dict[str, Any]:
    """The answer in the form other programs rely on."""
    return {
        "headline": found.headline, "binding_constraint": found.binding_constraint,
        "runner_up_margin": found.runner_up_margin, "would_change": list(found.would_change),
        "considered_count": found.considered_count, "feasible_count": found.feasible_count,
        "placements": [_told(one) for one in found.placements],
    }  # fmt: skip


def _told(one: Placement) -> dict[str, Any]:
    told: dict[str, Any] = to_plain(one)
    return {**told, "turbine_years": to_plain(units.turbine_years(one.kwh_per_year))}


def words(found: Answer) -> str:
    """The answer in a few lines."""
    binds = f"What binds: {found.binding_constraint}." if found.binding_constraint else ""
    reasons = found.placements[0].reasons if found.placements else ()
    counts = f"{found.feasible_count:,} of {found.considered_count:,} combinations meet every limit."
    parts = [found.headline, *reasons, binds, found.runner_up_margin, *found.would_change, counts]
    return "\n".join(part for part in parts if part)
