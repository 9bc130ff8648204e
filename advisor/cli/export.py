"""`python -m advisor export REPORT`: a finished report in any format, without measuring anything again."""

import argparse
from pathlib import Path
from typing import Any

from advisor import history, turbine
from advisor.exporters import exporters
from advisor.exporters.json import read
from advisor.report.exports import exporter_for
from advisor.retold import retold
from advisor.types import Report
from data.errors import InputError
from data.home import home
from data.inbox import open_headless


def add(subparsers: Any) -> None:
    """The command and its options."""
    parser = subparsers.add_parser(
        "export",
        help="write a finished report in any format",
        description="Writes a report as HTML, PDF, Markdown, CSV, Parquet, a model card, an emissions.csv or a script. "
        "REPORT is a report.json, or the id of a report kept here (`python -m advisor history list --reports`).",
    )
    parser.add_argument("report", metavar="REPORT", help="a report.json, or the id of a kept report")
    parser.add_argument("--out", type=Path, action="append", default=[], help="where to; the ending decides (repeat)")
    parser.add_argument("--format", choices=exporters(), help="the format, where the ending does not say it")
    parser.add_argument("--zone", help="tell it for this grid zone: nothing is measured again, only reckoned")
    parser.add_argument("--requests-per-day", type=float, help="tell it for this traffic, in the same way")
    parser.add_argument("--keep", action="store_true", help="keep a report.json from elsewhere in the store here")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Reads the report and writes what was asked for."""
    wanted = [(out, exporter_for(out, args.format)) for out in args.out]
    report = found(args.report, keep=args.keep)
    if args.zone is not None or args.requests_per_day is not None:
        report = _retold(report, args)
    report = turbine.told_by(report, turbine.chosen())
    for out, exporter in wanted:
        out.write_bytes(exporter.render(report))
        print(out)
    if not wanted and not args.keep:
        raise InputError("Nothing was asked for.", hint="Give --out report.html, or --keep.")


def _retold(report: Report, args: argparse.Namespace) -> Report:
    requests = report.budget.requests_per_day if args.requests_per_day is None else args.requests_per_day
    store = open_headless(home())
    try:
        told = retold(report, args.zone or report.budget.zone, requests, store)
        if args.keep:
            history.take(store, told)
    finally:
        store.close()
    return told


def found(named: str, *, keep: bool = False) -> Report:
    """The report in this file, or kept under this id. Raises InputError where there is none."""
    store = None
    try:
        if Path(named).is_file():
            report = read(Path(named).read_bytes())
            if keep:
                store = open_headless(home())
                history.take(store, report)
            return report
        store = open_headless(home())
        kept = store.get(Report, named)
    finally:
        if store is not None:
            store.close()
    if kept is None:
        raise InputError("There is no such file, and no report of this id here.", hint="Give a report.json.")
    return kept
