"""The parent's side of the child: start it, feed it one task, hear its lines, stop it when it must stop."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from data.errors import Cancelled, MeasurementError, from_dict
from data.units import BYTES_PER_GIB
from profiler.meters import Window

PROJECT = Path(__file__).resolve().parent.parent
RESULT_LIMIT_BYTES = 64 << 20
POLL_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one child may take: wall seconds, resident bytes, bytes a file it writes may have."""

    seconds: float = 600.0
    memory_bytes: int | None = None
    file_bytes: int = 16 * BYTES_PER_GIB
    gpu: bool = False

    @property
    def memory(self) -> int:
        """The budget given, else half of the machine's memory, at most 8 GiB."""
        return self.memory_bytes or min(psutil.virtual_memory().total // 2, 8 * BYTES_PER_GIB)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """What the parent wants to hear and do while the child works."""

    progress: Callable[[float, str], None] = lambda done_frac, text: None
    cancelled: Callable[[], bool] = lambda: False
    meter_start: Callable[[str], None] = lambda label: None
    meter_stop: Callable[[str, Window], None] = lambda label, window: None


def run(
    task: str,
    arguments: Mapping[str, Any],
    *,
    folder: Path,
    readable: Sequence[Path] = (),
    limits: Limits | None = None,
    hooks: Hooks | None = None,
) -> Any:
    """Runs `task` ("room.module:function") in a child that may write only `folder` and read only `readable`.

    Returns the task's result as plain JSON values. Raises the task's own RightsizeError, MeasurementError when it
    exceeds a limit or dies, Cancelled when hooks.cancelled() says so.
    """
    child = _Child(task, arguments, folder, limits or Limits(), hooks or Hooks())
    try:
        return child.result()
    finally:
        child.kill()


class _Child:
    def __init__(
        self, task: str, arguments: Mapping[str, Any], folder: Path, limits: Limits, hooks: Hooks
    ) -> None:
        self._limits, self._hooks = limits, hooks
        reader, writer = os.pipe()
        environment = {
            "PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8", "HOME": str(folder), "TMPDIR": str(folder),
            "PYTHONPATH": str(PROJECT), "RIGHTSIZE_RESULTS": str(writer), "OMP_WAIT_POLICY": "PASSIVE",
        }  # fmt: skip
        self._process = subprocess.Popen(
            [sys.executable, "-m", "profiler.worker"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, pass_fds=(writer,), cwd=PROJECT, env=environment, start_new_session=True,
        )  # fmt: skip
        os.close(writer)
        self._results = reader
        self._say({"task": task, "arguments": dict(arguments), "folder": str(folder)})

    def _say(self, line: dict[str, Any] | str) -> None:
        assert self._process.stdin is not None
        text = line if isinstance(line, str) else json.dumps(line)
        self._process.stdin.write(text.encode() + b"\n")
        self._process.stdin.flush()

    def result(self) -> Any:
        deadline = time.monotonic() + self._limits.seconds
        pending, received = b"", 0
        while True:
            self._check(deadline)
            if not select.select([self._results], [], [], POLL_S)[0]:
                continue
            chunk = os.read(self._results, 1 << 16)
            if not chunk:
                raise self._death()
            received += len(chunk)
            if received > RESULT_LIMIT_BYTES:
                raise MeasurementError("The job answered with more text than a job may.")
            *lines, pending = (pending + chunk).split(b"\n")
            for line in lines:
                message = json.loads(line)
                if "result" in message:
                    return message["result"]
                self._hear(message)

    def _hear(self, message: dict[str, Any]) -> None:
        if "error" in message:
            raise from_dict(message)
        if "progress" in message:
            self._hooks.progress(message["progress"], message["text"])
        elif "ready" in message:
            self._hooks.meter_start(message["ready"])
            self._say("go")
        elif "done" in message:
            self._hooks.meter_stop(message["done"], Window(wall_s=message["wall_s"], cpu_s=message["cpu_s"]))

    def _check(self, deadline: float) -> None:
        if self._hooks.cancelled():
            raise Cancelled("Cancelled.")
        if time.monotonic() > deadline:
            raise MeasurementError(
                f"This took longer than its time limit of {self._limits.seconds:.0f} s and was stopped."
            )
        try:
            resident = psutil.Process(self._process.pid).memory_info().rss
        except psutil.Error:
            return
        if resident > self._limits.memory:
            gib = self._limits.memory / BYTES_PER_GIB
            raise MeasurementError(f"This needs more memory than the {gib:.1f} GiB a job may use.")

    def _death(self) -> MeasurementError:
        code = self._process.wait(timeout=5)
        name = signal.Signals(-code).name if code < 0 else f"code {code}"
        return MeasurementError("The model ended the process that ran it.", details=f"ended with {name}")

    def kill(self) -> None:
        """End the child and all it started; nothing is left behind."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._results)
        assert self._process.stdin is not None
        self._process.stdin.close()
