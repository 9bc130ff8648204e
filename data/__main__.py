"""`python -m data check` proves the shipped tables, `sources` credits them, `settings` shows what is set."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from data import settings, tables
from data.errors import DataError, RightsizeError
from data.home import home
from data.table_files import ROOT


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Runs one command; 0 where all is well, 5 where a table is broken."""
    parser = argparse.ArgumentParser(prog="python -m data", description="The shipped tables of facts.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check", help="read every table and check headers, keys, ranges, joins and sources")
    commands.add_parser("sources", help="who the tables are from, under which licence, as of when")
    setter = commands.add_parser(
        "settings",
        help="what is set, and where each value comes from",
        description="Settings come from settings.toml in RIGHTSIZE_HOME, over that from variables RIGHTSIZE_<NAME>, "
        "over that from the page (About, Settings), which --set and --unset stand in for.",
    )
    setter.add_argument("--set", metavar="NAME=VALUE", help="set a value as the page does")
    setter.add_argument("--unset", metavar="NAME", help="take it back")
    setter.add_argument("--json", action="store_true", help="one JSON object on stdout")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "settings":
            return _settings(chosen)
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


def _settings(chosen: argparse.Namespace) -> int:
    if chosen.set is not None:
        name, _, value = chosen.set.partition("=")
        settings.put(name, value)
    if chosen.unset is not None:
        settings.put(chosen.unset, None)
    found = settings.settings()
    plain = {name: {"value": getattr(found, name), "from": origin} for name, origin in found.origins.items()}
    if chosen.json:
        print(json.dumps(plain))
        return 0
    print(f"home: {home().root}")
    for name, one in plain.items():
        value = "not set" if one["value"] in (None, {}) else one["value"]
        print(f"{name}: {value} ({one['from']})  # {settings.KINDS[name].title}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
