"""`python -m data check` proves the shipped tables; `python -m data sources` credits them."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from data import tables
from data.errors import DataError, RightsizeError
from data.table_files import ROOT


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Runs one command; 0 where all is well, 5 where a table is broken."""
    parser = argparse.ArgumentParser(prog="python -m data", description="The shipped tables of facts.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check", help="read every table and check headers, keys, ranges, joins and sources")
    commands.add_parser("sources", help="who the tables are from, under which licence, as of when")
    chosen = parser.parse_args(arguments)
    try:
        return _check(root) if chosen.command == "check" else _sources(root)
    except RightsizeError as error:
        print(f"{error.message} {error.hint}", file=sys.stderr)
        return error.exit_code


def _check(root: Path) -> int:
    found = tables.examine(root=root)
    width = max((len(name) for name, *_ in found), default=5)
    print(f"{'table':<{width}}  {'rows':>7}  {'checks':>6}")
    for name, rows, checks, faults in found:
        print(f"{name:<{width}}  {rows:>7,}  {checks:>6}  {'ok' if not faults else f'{len(faults)} wrong'}")
    faults = [fault for *_, faults in found for fault in faults]
    total_rows, total_checks = sum(rows for _, rows, _, _ in found), sum(checks for _, _, checks, _ in found)
    print(f"\n{len(found)} files, {total_rows:,} rows, {total_checks:,} checks, {len(faults)} wrong")
    for fault in faults:
        print(fault, file=sys.stderr)
    return DataError.exit_code if faults else 0


def _sources(root: Path) -> int:
    for source in tables.sources(root=root):
        age = ", more than two years old" if source.is_stale() else ""
        print(f"{source.id}: {source.title}\n    {source.licence}; as of {source.as_of}{age}")
        for line in (source.url, source.notice):
            if line:
                print(f"    {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
