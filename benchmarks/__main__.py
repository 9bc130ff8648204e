"""`python -m benchmarks [NAME ...]`: runs the suites named (all of them by default) and prints their rows."""

import argparse
import json
import sys
import time
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from benchmarks import Effort, Row, suites
from profiler.machine import load, machine


def main() -> int:
    """1 where a promise was not kept, else 0."""
    known = suites()
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    parser.add_argument("--list", action="store_true", help="say what there is, and stop")
    parser.add_argument("--pairs", type=int, default=5, help="alternating pairs of each comparison")
    parser.add_argument("--time-factor", type=float, default=1.0, help="below 1 is quicker and less sure")
    parser.add_argument("--only", action="append", default=[], metavar="SHAPE", help="keep to this shape (repeatable)")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    asked = parser.parse_args()
    if strange := set(asked.names) - set(known):
        parser.error(f"no suite is called {', '.join(sorted(strange))}; there are {', '.join(known)}")
    if asked.list:
        for name in known:
            print(f"{name:16}{(import_module(f'benchmarks.{name}').__doc__ or '').splitlines()[0]}")
        return 0
    here, effort = machine(), Effort(
        pairs=asked.pairs, time_factor=asked.time_factor, only=tuple(asked.only)
    )  # fmt: skip
    print(f"{here.cpu}, {here.physical_cores} cores, {here.system}; CPU pressure now: {load().cpu_pressure_frac}")
    found: dict[str, list[Row]] = {}
    for name in asked.names or known:
        print(f"\n== {name}", flush=True)
        started, found[name] = time.perf_counter(), []
        for row in known[name](effort):
            found[name].append(row)
            print(line(row), flush=True)
        print(f"   {time.perf_counter() - started:.0f} s", flush=True)
    if asked.json:
        rows = {name: [asdict(row) for row in rows] for name, rows in found.items()}
        asked.json.write_text(json.dumps({"machine": asdict(here), "suites": rows}, indent=1))
    return int(any(row.passed is False for rows in found.values() for row in rows))


def line(row: Row) -> str:
    """One row as text: the mark, what was compared, the figure, the limit."""
    mark = {True: "ok  ", False: "FAIL", None: "    "}[row.passed]
    limit = f"  (limit {row.limit})" if row.limit else ""
    return f"{mark} {row.what:58} {row.value}{limit}" + (f"\n       {row.note}" if row.note else "")


if __name__ == "__main__":
    sys.exit(main())
