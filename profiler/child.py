"""The parent's hold on one child: its pipes, its limits, its end. Nothing a child says is believed unread."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

import psutil

from data.errors import Cancelled, MeasurementError, RightsizeError, from_dict
from data.text import plain
from data.units import BYTES_PER_GIB, BYTES_PER_MIB
from profiler import machine
from profiler.files import space_taken
from profiler.meters import Window

PROJECT = Path(__file__).resolve().parent.parent
RESULT_LIMIT_BYTES = 64 * BYTES_PER_MIB
OUTPUT_LIMIT_BYTES = BYTES_PER_MIB
TAIL_BYTES = 2000
POLL_S = 0.02
FOLDER_POLL_S = 1.0
ENTRIES = 20_000  # files and folders a job may have written
RESULT_VALUES = 6_000_000  # what a line may hold, so that its answer cannot fill the parent's memory
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
COMMAND = (sys.executable, "-m", "profiler.worker")


@cache
def _machine_bytes() -> int:
    """The memory this process may use, read once: every look at a child asks for it."""
    return machine.memory_bytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one child may take: wall seconds, resident bytes, bytes a file it writes may have."""

    seconds: float = 600.0
    memory_bytes: int | None = None
    file_bytes: int = 16 * BYTES_PER_GIB
    gpu: bool = False

    @property
    def memory(self) -> int:
        """The budget given, else half of the memory this process may use, at most 8 GiB."""
        return self.memory_bytes or min(_machine_bytes() // 2, 8 * BYTES_PER_GIB)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """What the parent wants to hear and do while the child works."""

    progress: Callable[[float, str], None] = lambda done_frac, text: None
    cancelled: Callable[[], bool] = lambda: False
    meter_start: Callable[[str], None] = lambda label: None
    meter_stop: Callable[[str, Window], None] = lambda label, window: None


@dataclass(slots=True)
class _Lines:
    """Bytes from a pipe, cut into lines without copying a long one again for every piece of it."""

    pieces: list[bytes] = field(default_factory=list)

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        *ended, rest = chunk.split(b"\n")
        for line in ended:
            yield b"".join([*self.pieces, line])
            self.pieces.clear()
        if rest:
            self.pieces.append(rest)


class Child:
    """One process that locks itself (`profiler/worker.py`), takes one order, and is ended."""

    def __init__(self, rules: Mapping[str, Any], imports: Sequence[str] = ()) -> None:
        self.report: dict[str, str] = {}
        self._folder = Path(rules["folder"])
        self._lines, self._received = _Lines(), 0
        self._tail, self._printed = b"", 0
        self._results, writer = os.pipe()
        self._output, output = os.pipe()
        self._open = [self._results, self._output]
        try:
            self._process = subprocess.Popen(
                COMMAND, stdin=subprocess.PIPE, stdout=output, stderr=output, pass_fds=(writer,), cwd=PROJECT,
                env=_environment(self._folder, writer), start_new_session=True,
            )  # fmt: skip
        finally:
            os.close(writer)
            os.close(output)
        # Kept open: looking fifty times a second must not cost what is measured. None where there is no /proc.
        self._statm = os.open(f"/proc/{self._process.pid}/statm", os.O_RDONLY) if sys.platform == "linux" else None
        self._tell({"lock": dict(rules), "imports": list(imports)})

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def order(self, order: Mapping[str, Any], limits: Limits, hooks: Hooks) -> Any:
        """Hands over the order and waits for the result. Raises what the task raised, Cancelled, or MeasurementError
        where the child passes a limit, dies, or does not speak its language."""
        self._folder = Path(order["folder"])
        self._tell(order)
        deadline = time.monotonic() + limits.seconds
        look = 0.0
        while True:
            for message in self._messages(POLL_S):
                if "result" in message:
                    return message["result"]
                self._hear(message, hooks, limits)
            if hooks.cancelled():
                raise Cancelled("Cancelled.")
            now = time.monotonic()
            if now > deadline:
                raise _too_long(limits.seconds)
            if self._resident_bytes() > limits.memory:
                raise _too_much(limits.memory)
            if now > look:
                look = now + FOLDER_POLL_S
                size_bytes, entries = space_taken(self._folder, ENTRIES)
                if size_bytes > 2 * limits.file_bytes or entries >= ENTRIES:
                    raise MeasurementError("This writes more to disk than a job may: its size limit was reached.")

    def closed(self, seconds: float = 30.0) -> dict[str, str]:
        """Which layers closed, as the child reports it once it is locked."""
        deadline = time.monotonic() + seconds
        while not self.report and time.monotonic() < deadline:
            for message in self._messages(POLL_S):
                self._hear(message, Hooks(), Limits())
        return self.report

    def end(self) -> None:
        """Kills the child and whatever it started, and closes its pipes; nothing is left behind."""
        strays = []
        if self.report.get("seccomp") != "on":  # without it a child can start processes that leave its group
            with suppress(psutil.Error):
                strays = psutil.Process(self._process.pid).children(recursive=True)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        for stray in strays:
            with suppress(psutil.Error):
                stray.kill()
        self._process.kill()
        self._process.wait()
        for descriptor in (self._results, self._output, *([] if self._statm is None else [self._statm])):
            os.close(descriptor)
        with suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()

    def _tell(self, line: Mapping[str, Any] | str) -> None:
        text = line if isinstance(line, str) else json.dumps(line)
        with suppress(BrokenPipeError):  # it has died: reading says so, with the reason
            assert self._process.stdin is not None
            self._process.stdin.write(text.encode() + b"\n")
            self._process.stdin.flush()

    def _messages(self, wait_s: float) -> Iterator[dict[str, Any]]:
        ready, _, _ = select.select(self._open, [], [], wait_s)
        if self._output in ready:
            self._keep_output()
        if self._results not in ready:
            return
        chunk = os.read(self._results, 1 << 20)
        if not chunk:
            raise self._death()
        self._received += len(chunk)
        if self._received > RESULT_LIMIT_BYTES:
            raise MeasurementError("The job answered with more text than a job may.")
        for line in self._lines.feed(chunk):
            yield _message(line)

    def _keep_output(self) -> None:
        chunk = os.read(self._output, 1 << 16)
        if not chunk:
            self._open.remove(self._output)
        self._tail = (self._tail + chunk)[-TAIL_BYTES:]
        self._printed += len(chunk)
        if self._printed > OUTPUT_LIMIT_BYTES:
            raise MeasurementError("The job printed more text than a job may.")

    def _hear(self, message: dict[str, Any], hooks: Hooks, limits: Limits) -> None:
        try:
            act = self._meaning(message, hooks, limits)
        except (KeyError, TypeError, ValueError) as error:
            raise _garbled() from error
        act()

    def _meaning(self, message: dict[str, Any], hooks: Hooks, limits: Limits) -> Callable[[], None]:
        """What a line asks the parent to do; it is done once the whole line has been understood."""
        if "error" in message:
            raise _told(from_dict({key: str(value) for key, value in message.items()}), limits)
        if "progress" in message:
            done_frac = min(1.0, max(0.0, float(message["progress"])))
            return partial(hooks.progress, done_frac, plain(message["text"]))
        if "ready" in message:
            return partial(self._bracket, hooks, plain(message["ready"]))
        if "done" in message:
            window = Window(wall_s=float(message["wall_s"]), cpu_s=float(message["cpu_s"]))
            return partial(hooks.meter_stop, plain(message["done"]), window)
        if "locked" in message and not self.report:  # said once, before there is anything in it that could lie
            report = {plain(layer): plain(state) for layer, state in dict(message["locked"]).items()}
            return partial(self.report.update, report)
        raise KeyError("a line of no known kind")

    def _bracket(self, hooks: Hooks, label: str) -> None:
        hooks.meter_start(label)
        self._tell("go")

    def _resident_bytes(self) -> int:
        try:
            if self._statm is not None:
                return int(os.pread(self._statm, 256, 0).split()[1]) * PAGE_BYTES
            return int(psutil.Process(self._process.pid).memory_info().rss)
        except (OSError, IndexError, psutil.Error):  # it has just ended
            return 0

    def _death(self) -> RightsizeError:
        while self._output in self._open and select.select([self._output], [], [], 0)[0]:
            self._keep_output()
        try:
            code = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            return _garbled()
        text = self._tail.decode("utf-8", "replace")
        if code == -signal.SIGXCPU:
            return MeasurementError("This took more processor time than its limit and was stopped.")
        if code == -signal.SIGKILL or "bad_alloc" in text:
            return MeasurementError("This needs more memory than a job may use, and was stopped.", details=text)
        name = signal.Signals(-code).name if code < 0 else f"code {code}"
        return MeasurementError(
            f"The model crashed the process that ran it ({name}).",
            hint="Nothing else was harmed. Export the model again, or with another opset.",
            details=text,
        )


def _environment(folder: Path, writer: int) -> dict[str, str]:
    """All the child gets: nothing of the user's environment but where programs and CUDA libraries lie."""
    kept = ("PATH", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "SystemRoot")
    return {name: os.environ[name] for name in kept if name in os.environ} | {
        "LANG": "C.UTF-8", "HOME": str(folder), "TMPDIR": str(folder), "USER": "rightsize", "LOGNAME": "rightsize",
        "PYTHONPATH": str(PROJECT), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONNOUSERSITE": "1",
        "RIGHTSIZE_RESULTS": str(writer), "OMP_WAIT_POLICY": "PASSIVE",
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",  # else CUDA numbers boards by their speed, and NVML by their place
    }  # fmt: skip


def _message(line: bytes) -> dict[str, Any]:
    if line.count(b",") + line.count(b"[") + line.count(b"{") > RESULT_VALUES:
        raise MeasurementError("The job answered with more text than a job may.")
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _garbled() from error
    if not isinstance(message, dict):
        raise _garbled()
    return message


def _told(error: RightsizeError, limits: Limits) -> RightsizeError:
    """The child's error; where it ran out of memory, with the figure that only the parent knows."""
    if isinstance(error, MeasurementError) and "memory" in error.message.lower():
        return _too_much(limits.memory, error.hint, error.details)
    return error


def _too_long(seconds: float) -> MeasurementError:
    return MeasurementError(f"This took longer than its time limit of {seconds:.0f} s and was stopped.")


def _too_much(memory_bytes: int, hint: str = "", details: str = "") -> MeasurementError:
    return MeasurementError(
        f"This needs more memory than the {memory_bytes / BYTES_PER_GIB:.1f} GiB a job may use.",
        hint=hint or "Try smaller inputs or a smaller batch, or a machine with more memory.",
        details=details,
    )


def _garbled() -> MeasurementError:
    return MeasurementError("The job's answer could not be read, so it was stopped.")
