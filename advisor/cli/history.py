"""`python -m advisor history ...`: what is kept, two runs side by side, runs from elsewhere, and a check for builds."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd

from advisor import history, regression
from advisor.cli.plan import Told, shapes_of
from advisor.regression import Allowed, Asked, Check
from data import words
from data.errors import InputError
from data.home import home
from data.inbox import open_headless
from data.questions import ready
from data.records import to_plain
from data.store import Store
from profiler.asking import select
from profiler.intake import take_in
from profiler.jobs import Desk, Keeper
from profiler.types import Measurement

REGRESSED = 1
UNITS = {"ms": (words.LATENCY, 1e-3), "j": (words.JOULES, 1.0), "bytes": (words.BYTES, 1.0)}


def add(subparsers: Any) -> None:
    """The commands and their options."""
    parser = subparsers.add_parser(
        "history",
        help="list and compare what was measured; check a build's model against its history",
        description="Everything that was measured is kept in RIGHTSIZE_HOME. An app that runs holds it: use the "
        "History page then, or a RIGHTSIZE_HOME of your own.",
    )
    commands = parser.add_subparsers(dest="history", required=True, metavar="COMMAND")
    told = argparse.ArgumentParser(add_help=False)
    told.add_argument("--json", action="store_true", help="the answer as JSON on stdout")
    _listing(commands, told)
    _comparing(commands, told)
    _checking(commands, told)


def _listing(commands: Any, told: argparse.ArgumentParser) -> None:
    lister = commands.add_parser(
        "list", parents=[told], help="the newest runs, reports or checks",
        description="Newest first, with the ids that `compare` and `python -m advisor export` take.",
    )  # fmt: skip
    lister.add_argument(
        "--what", choices=("runs", "reports", "checks", "models"), default="runs", help="what to list (runs)"
    )
    lister.add_argument("--limit", type=int, default=20, help="so many (20)")
    lister.set_defaults(run=run_list)
    asker = commands.add_parser(
        "ask", parents=[told], help="one SELECT over the store",
        description="Runs one SELECT over every record, read-only. Ready questions: " + "; ".join(ready()),
    )  # fmt: skip
    asker.add_argument("select", metavar="SELECT", help="the statement, or the title of a ready question")
    asker.add_argument("--out", type=Path, help="rows.csv or rows.parquet")
    asker.set_defaults(run=run_ask)


def _comparing(commands: Any, told: argparse.ArgumentParser) -> None:
    comparer = commands.add_parser(
        "compare", parents=[told], help="two runs side by side",
        description="The second run against the first: each quantity with the change and its 95 % interval. A run is "
        "the id that `history list` shows, or the file that `python -m profiler measure FILE --json` printed.",
    )  # fmt: skip
    comparer.add_argument("first", metavar="FIRST")
    comparer.add_argument("second", metavar="SECOND")
    comparer.set_defaults(run=run_compare)
    bringer = commands.add_parser(
        "import", parents=[told], help="keep runs and reports made on another machine",
        description="Takes the output of `python -m profiler measure FILE --json`, or a report.json; each is checked "
        "and keeps the machine it was made on.",
    )  # fmt: skip
    bringer.add_argument("files", type=Path, nargs="+", metavar="FILE.json")
    bringer.set_defaults(run=run_import)


def _checking(commands: Any, told: argparse.ArgumentParser) -> None:
    checker = commands.add_parser(
        "check", parents=[told], help="fail a build whose model got larger, less right or slower",
        description="Keeps the model and holds it against the last one of its series that passed: file size, accuracy "
        "on --data with 'labels', and latency, both run now in turns in one process, so that the machine of the build "
        f"does not matter. Exits {REGRESSED} where it is worse than allowed, 0 where it passes or is the first.",
    )  # fmt: skip
    checker.add_argument("file", type=Path, metavar="MODEL")
    checker.add_argument("--name", help="the series (the file's name without its ending)")
    checker.add_argument("--data", type=Path, help="an .npz: arrays named like the inputs, and 'labels'")
    checker.add_argument("--shape", action="append", default=[], metavar="NAME=1x3x224x224", help="an input's shape")
    checker.add_argument("--batch", type=int, default=1, help="samples in one call (1)")
    checker.add_argument("--threads", type=int, help="threads of a call (the physical cores)")
    checker.add_argument("--seconds", type=float, default=20.0, help="what timing both may take (20)")
    limits = Allowed()
    checker.add_argument("--max-size-ratio", type=float, default=limits.size_ratio, help=f"({limits.size_ratio:g})")
    checker.add_argument(
        "--max-latency-ratio", type=float, default=limits.latency_ratio,
        help=f"the whole 95 %% interval must lie above it to fail ({limits.latency_ratio:g})",
    )  # fmt: skip
    checker.add_argument("--max-loss", type=float, default=limits.loss, help=f"drop in accuracy ({limits.loss:g})")
    checker.set_defaults(run=run_check)


def run_list(args: argparse.Namespace) -> None:
    """Prints the newest rows."""
    questions = {"runs": "runs", "reports": "all_reports", "checks": "checks", "models": "models"}
    store = Store(home().store)
    try:
        rows = store.ask(questions[args.what], **({} if args.what == "models" else {"limit": args.limit}))
    finally:
        store.close()
    _print(rows.head(args.limit), args.json)


def run_ask(args: argparse.Namespace) -> None:
    """Runs the SELECT and prints or writes its rows."""
    writers = {".csv": history.as_csv, ".parquet": history.as_parquet}
    if args.out is not None and args.out.suffix not in writers:
        raise InputError("Rows are written as .csv or .parquet.")
    store = Store(home().store)
    try:
        rows, cut = select(home(), store, ready().get(args.select, args.select))
    finally:
        store.close()
    if cut:
        print(f"Only the first {len(rows):,} rows were fetched.", file=sys.stderr)
    if args.out is not None:
        args.out.write_bytes(writers[args.out.suffix](rows))
    else:
        _print(rows, args.json)


def run_compare(args: argparse.Namespace) -> None:
    """Prints every quantity of both runs with the change."""
    both_files = all(Path(named).is_file() for named in (args.first, args.second))
    keeper = open_headless(home()) if both_files else Store(home().store)  # an inbox knows no earlier run
    try:
        first, second = _run(keeper, args.first), _run(keeper, args.second)
        files = history.file_bytes(keeper, first), history.file_bytes(keeper, second)
    finally:
        keeper.close()
    rows = history.compare(first, second, files)
    warnings = history.comparable(first, second)
    if args.json:
        plain = [{name: to_plain(value) for name, value in row.items()} for row in rows.to_dict("records")]
        print(json.dumps({"quantities": plain, "warnings": list(warnings)}))
        return
    for row in rows.to_dict("records"):
        ladder, factor = UNITS[row["unit"]]
        before, after = (words.scaled(row[place].mid * factor, ladder) for place in ("first", "second"))
        change = f"{words.change(row['ratio'])} ({words.change(row['ratio_low'])} to {words.change(row['ratio_high'])})"
        print(f"{row['quantity']:<18} {before:>10} -> {after:>10}  {change} {row['basis']}")
    for warning in warnings:
        print(warning, file=sys.stderr)


def run_import(args: argparse.Namespace) -> None:
    """Keeps each file's run or report."""
    keeper = open_headless(home())
    found = []
    try:
        for path in args.files:
            if not path.is_file():
                raise InputError(f"There is no file {path.name}.")
            found.append(history.bring(keeper, path.read_bytes()))
    finally:
        keeper.close()
    print(json.dumps({"kept": found}) if args.json else "\n".join(found))


def run_check(args: argparse.Namespace) -> int:
    """Checks the model; 1 where it is worse than allowed."""
    allowed = Allowed(size_ratio=args.max_size_ratio, latency_ratio=args.max_latency_ratio, loss=args.max_loss)
    asked = Asked(
        data=args.data.resolve() if args.data else None, shapes=shapes_of(args.shape), batch_size=args.batch,
        threads=args.threads, seconds=args.seconds,
    )  # fmt: skip
    store = Store(home().store)  # an inbox knows no history, and would let everything pass
    try:
        desk = Desk(home(), store, Told())
        with desk.span(0.0, 0.1):
            sha256 = take_in(desk, path=str(args.file), shapes=asked.shapes)["sha256"]
        with desk.span(0.1, 1.0):
            found = regression.check(desk, sha256, args.name or args.file.stem, allowed, asked)
    finally:
        store.close()
    print(json.dumps(to_plain(found)) if args.json else _told(found))
    return 0 if found.passed else REGRESSED


def _told(found: Check) -> str:
    lines = [f"{found.name}: {'passed' if found.passed else 'WORSE than the last one that passed'}"]
    if found.size_ratio is not None:
        lines.append(f"size     {words.change(found.size_ratio)} ({words.size(found.file_bytes)})")
    if found.latency_ratio is not None:
        lines.append(f"latency  {words.interval_of(found.latency_ratio, words.change)}")
    quality = found.quality
    if quality is not None and quality.kind == "accuracy":
        lines.append(f"accuracy {quality.accuracy_after:.4f} (was {quality.accuracy_before:.4f})")
    return "\n".join([*lines, *found.regressions, *found.notes])


def _run(keeper: Keeper, named: str) -> Measurement:
    path = Path(named)
    if path.is_file():
        return history.read_measurement(path.read_bytes())
    kept = keeper.get(Measurement, named)
    if kept is None:
        raise InputError("There is no such file, and no run of this id here.", hint="`history list` shows the ids.")
    return kept


def _print(rows: pd.DataFrame, as_json: bool) -> None:
    if as_json:
        print(rows.to_json(orient="records"))
    else:
        print(rows.to_string(index=False) if len(rows) else "Nothing yet.")
