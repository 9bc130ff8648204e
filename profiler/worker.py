"""One task in the child: JSON task in on stdin, JSON lines out on the result pipe.

Lines to the parent: {"progress", "text"}, {"ready": label}, {"done": label, "wall_s", "cpu_s"}, then one of
{"result"} or {"error", "hint", "details", "kind"}. The parent answers "ready" with a line "go" on stdin.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from data.errors import InputError, MeasurementError, RightsizeError
from data.records import to_plain
from profiler.tasks import resolve


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
    except MemoryError:
        desk.send(**MeasurementError("This needs more memory than a job may use.").as_dict())
    except Exception as error:  # a library's own error: its text is a detail, never the message
        desk.send(**InputError("The model could not be processed.", details=f"{error}").as_dict())


def main() -> None:
    """Reads the order from stdin; results go to the descriptor named in the environment, stdout to the log."""
    order = json.loads(sys.stdin.readline())
    with os.fdopen(int(os.environ["RIGHTSIZE_RESULTS"]), "w", encoding="utf-8") as results:
        work(order, Desk(Path(order["folder"]), results, sys.stdin))


if __name__ == "__main__":
    main()
