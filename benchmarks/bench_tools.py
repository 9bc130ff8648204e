"""What several suites need: a home of their own, the model shapes as files, pairs in turns, ratios with spread."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from statistics import median

from data.home import Home
from data.records import from_plain
from profiler.inspect import inspect
from profiler.jobs import Desk
from profiler.types import Model
from tests import make_models
from tests.fakes import Keeper

ROOT = Path(__file__).resolve().parent.parent


@cache
def folder() -> Path:
    """A folder that lasts as long as this run."""
    made = tempfile.TemporaryDirectory(prefix="rightsize-bench-")
    _kept.append(made)
    return Path(made.name)


_kept: list[tempfile.TemporaryDirectory] = []


@cache
def desk() -> Desk:
    """A desk that keeps its records in memory and says nothing."""
    return Desk(Home(folder() / "home"), Keeper(), lambda done_frac, text: None)


@cache
def model(name: str) -> tuple[Path, Model]:
    """One of the nine shapes: its ONNX file and what it is."""
    path = make_models.onnx_file(name, folder())
    found = desk().task(inspect, {"path": str(path), "name": path.name, "shapes": {}}, readable=[path.parent])
    return path, from_plain(Model, found)


def alternate(pairs: int, *works: Callable[[], float]) -> list[list[float]]:
    """Results of each work, run in turns, the order turned round every other time."""
    found: list[list[float]] = [[] for _ in works]
    for number in range(pairs):
        places = range(len(works)) if number % 2 == 0 else reversed(range(len(works)))
        for place in places:
            found[place].append(works[place]())
    return found


def ratio(ours: list[float], theirs: list[float]) -> tuple[float, str]:
    """The median of the pairs' ratios, and the figure with its spread in words."""
    each = sorted(mine / other for mine, other in zip(ours, theirs, strict=True))
    return median(each), f"x{median(each):.3f} (pairs {each[0]:.3f} to {each[-1]:.3f})"


def plain(path: Path, feeds: Path, threads: int, seconds: float) -> dict[str, list[float]]:
    """What the plain loop measures."""
    order = {"path": str(path), "feeds": str(feeds), "threads": threads, "seconds": seconds, "warmup_s": 0.3}
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks/plain_loop.py"), json.dumps(order)],
        check=True, capture_output=True, timeout=600,
    )  # fmt: skip
    return json.loads(done.stdout)


@contextmanager
def beside(code: str) -> Iterator[None]:
    """Another process runs this Python while the body does; none of our own children, whose work is not others'."""
    shell = ["sh", "-c", '"$0" -c "$1" >/dev/null 2>&1 & echo $!', sys.executable, code]
    other = int(subprocess.run(shell, check=True, capture_output=True, text=True).stdout)
    try:
        yield
    finally:
        os.kill(other, signal.SIGKILL)
