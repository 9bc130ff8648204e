"""One task in the child: it locks itself, imports what it is told to, and only then takes its order.

Two JSON lines on stdin: {"lock": rules, "imports": names}, then {"task", "arguments", "folder", "bounds"}. Lines to
the parent: {"locked": report}, {"progress", "text"}, {"ready": label}, {"done": label, "wall_s", "cpu_s"}, then one
of {"result"} or {"error", "hint", "details", "kind"}. The parent answers "ready" with a line "go" on stdin.
"""

import importlib
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from data.errors import DISK_FULL, DataError, InputError, MeasurementError, RightsizeError, Unavailable
from data.records import from_plain, to_plain
from profiler import lock
from profiler.tasks import resolve

# What torch, ONNX Runtime, OpenVINO and the C++ library say when an allocation is refused.
_NO_MEMORY = re.compile(
    r"bad_alloc|bad allocation|not enough memory|Failed to allocate|Cannot allocate memory|out of memory"
    r"|Unable to allocate|DefaultCPUAllocator|larger than .*memory|Integer overflow.*alloc",
    re.IGNORECASE,
)
NOT_PROCESSED = "The model could not be processed."
_NO_ROOM = re.compile(r"No space left on device|Disk quota exceeded|Errno 28\]", re.IGNORECASE)


class Desk:
    """The child's side of a job (see profiler.tasks.ChildDesk)."""

    def __init__(self, folder: Path, results: IO[str], answers: IO[str]) -> None:
        self.folder = folder
        self._results = results
        self._answers = answers

    def send(self, **line: Any) -> None:
        """One JSON line to the parent."""
        self._results.write(json.dumps(line, allow_nan=False) + "\n")
        self._results.flush()

    def progress(self, done_frac: float, text: str) -> None:
        self.send(progress=min(1.0, max(0.0, done_frac)), text=text)

    @contextmanager
    def metered(self, label: str) -> Iterator[None]:
        """The parent starts its meter before the body runs and stops it after."""
        self.send(ready=label)
        if self._answers.readline().strip() != "go":
            raise MeasurementError("The measurement was called off.")
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.send(done=label, wall_s=time.perf_counter() - wall, cpu_s=time.process_time() - cpu)


def work(order: dict[str, Any], desk: Desk) -> None:
    """Run the ordered task and send its result, or the one line that says why not."""
    try:
        function = resolve(order["task"], "task")
        desk.send(result=to_plain(function(desk, **order["arguments"])))
    except RightsizeError as error:
        desk.send(**error.as_dict())
    except Exception as error:
        desk.send(**in_one_line(error).as_dict())


def in_one_line(error: Exception) -> RightsizeError:
    """A library's own error: its text is a detail, never the message."""
    text = str(error)
    if isinstance(error, MemoryError) or _NO_MEMORY.search(text):
        return MeasurementError(
            "This needs more memory than a job may use.",
            hint="Try smaller inputs, or a machine with more memory.",
            details=text,
        )
    if _NO_ROOM.search(text):
        return DataError(DISK_FULL, hint="Free some space and run it again.", details=text)
    if isinstance(error, RecursionError):
        return InputError("The model is nested too deep to be read.", details=text)
    return InputError(NOT_PROCESSED, details=text)


def main() -> None:
    """Lock, import, work. Results go to the descriptor named in the environment, stdout to the log."""
    start = json.loads(sys.stdin.readline())
    with os.fdopen(int(os.environ["RIGHTSIZE_RESULTS"]), "w", encoding="utf-8") as results:
        desk = Desk(Path(start["lock"]["folder"]), results, sys.stdin)
        try:
            desk.send(locked=lock.close(from_plain(lock.Rules, start["lock"])))
        except OSError as error:
            reason = "The sandbox could not be closed on this machine, so nothing was run."
            desk.send(**Unavailable(reason, details=f"{error}").as_dict())
            return
        for name in start["imports"]:
            importlib.import_module(name)
        line = sys.stdin.readline()
        if line:
            order = json.loads(line)
            _settle(desk, order)
            work(order, desk)


def _settle(desk: Desk, order: dict[str, Any]) -> None:
    """Move into the order's folder and keep to its limits."""
    desk.folder = Path(order["folder"])
    os.environ["HOME"] = os.environ["TMPDIR"] = order["folder"]
    tempfile.tempdir = None
    if order["bounds"] is not None:
        lock.bound(from_plain(lock.Bounds, order["bounds"]))


if __name__ == "__main__":
    main()
