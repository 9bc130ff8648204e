"""`python -m advisor schema`: the JSON schema of a report file."""

import argparse
import json
from typing import Any

from advisor.report import schema as report_schema


def add(subparsers: Any) -> None:
    """The command; it has no options."""
    parser = subparsers.add_parser(
        "schema",
        help="the JSON schema of report.json",
        description="Prints the JSON schema (2020-12) that every exported report.json fits and that is checked when "
        "one is read back. Fields may be added within a version; none changes its meaning or goes.",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Prints it."""
    print(json.dumps(report_schema.schema(), indent=1))
