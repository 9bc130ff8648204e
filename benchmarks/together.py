"""Two jobs started together on one device, as two threads of an app and as two processes, against each alone."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from statistics import median

from benchmarks import Effort, Row
from benchmarks.bench_tools import ROOT, desk, model, ratio
from benchmarks.timing import measure

ALLOWED = 0.05
NAME = "mobilenetv2"
OTHER = """
import json, sys
from pathlib import Path
from data.home import Home
from data.records import from_plain
from profiler import profile
from profiler.jobs import Desk
from profiler.measure import Feed
from profiler.profile import Subject, Wish
from profiler.timing import Settings
from profiler.types import Model
from tests.fakes import Keeper
asked = json.loads(sys.stdin.read())
desk = Desk(Home(Path(asked["home"])), Keeper(), lambda done_frac, text: None)
settings = Settings(budget_s=asked["seconds"], least_s=asked["seconds"], interval_frac=0.0)
subject = Subject(path=Path(asked["path"]), model_sha256=asked["model"]["sha256"])
wish = Wish(threads=1, memory=False, settings=settings)
run = profile.measure(desk, [subject], Feed(model=from_plain(Model, asked["model"])), wish)[0]
print(json.dumps({"wall": list(run.samples_ms), "cpu": list(run.cpu_samples_ms), "stable": run.stable}))
"""
Medians = tuple[float, float, bool]  # wall and CPU milliseconds of a call, and whether the run was quiet


def run(effort: Effort) -> Iterator[Row]:
    """Every row of this suite."""
    seconds = 4.0 * effort.time_factor
    for what, start in (("two threads", _in_threads), ("two processes", _in_processes)):
        alone: list[Medians] = []
        together: list[Medians] = []
        for _ in range(effort.pairs):
            alone.append(_here(seconds))
            together += start(seconds)
        yield _row(what, alone, together)


def _row(what: str, alone: list[Medians], together: list[Medians]) -> Row:
    """Each run together over the run alone of its round: by wall time where all were quiet, else by CPU time."""
    quiet = all(stable for _, _, stable in (*alone, *together))
    before = [one for one in alone for _ in range(2)]
    kinds = [ratio([one[place] for one in together], [one[place] for one in before]) for place in (0, 1)]
    judged, other = kinds if quiet else kinds[::-1]
    names = ("median", "CPU time (the machine was busy)") if quiet else ("CPU time (the machine was busy)", "median")
    return Row(
        what=f"{what}: {names[0]} together over alone", value=judged[1], limit=f"{ALLOWED:.0%}",
        passed=abs(judged[0] - 1) <= ALLOWED, note=f"{names[1]}: {other[1]}",
    )  # fmt: skip


def _here(seconds: float) -> Medians:
    found = measure(NAME, seconds)
    return median(found.samples_ms), median(found.cpu_samples_ms), found.stable


def _in_threads(seconds: float) -> list[Medians]:
    found: list[Medians] = []
    threads = [threading.Thread(target=lambda: found.append(_here(seconds))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def _in_processes(seconds: float) -> list[Medians]:
    from data.records import to_plain

    path, known = model(NAME)
    asked = json.dumps({"home": str(desk().home.root), "path": str(path), "model": to_plain(known), "seconds": seconds})
    command = [sys.executable, "-c", OTHER]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(2)
    ]
    for process in running:
        assert process.stdin is not None
        process.stdin.write(asked)
        process.stdin.close()
        process.stdin = None
    told = [json.loads(process.communicate(timeout=600)[0]) for process in running]
    return [(median(one["wall"]), median(one["cpu"]), one["stable"]) for one in told]


SUITE = run
