"""The queue: procedures run in threads of the app, one at a time per lane; progress, cancel, resume after restart.

A job is a row of the store: a refreshed browser finds it by its id, and one that a restart cut off is shown as
interrupted and can be repeated, since the row holds the procedure and its arguments.
"""

import dataclasses
import queue
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

from data.errors import Cancelled, MeasurementError, RightsizeError, unforeseen
from data.home import Home
from data.passing import clear, remove
from data.records import to_plain
from profiler import sandbox
from profiler.meters import Window
from profiler.tasks import name_of, resolve
from profiler.types import Job, Refusal

Record = TypeVar("Record")
SO_FAR = " | so far: "
LANES = ("quick", "device")
SAVE_EVERY_S = 0.5
KEPT_JOBS = 500  # finished ones; older ones are forgotten when the app starts
KEPT_REFUSALS = 1_000
UNFINISHED = ("queued", "running")


class Keeper(Protocol):
    """What keeps records: the store, or the inbox of a headless run."""

    def save(self, *records: Any) -> None: ...
    def get(self, kind: type[Record], key: str) -> Record | None: ...
    def all(self, kind: type[Record], **equal: Any) -> list[Record]: ...


class Store(Keeper, Protocol):
    """A keeper that can forget: the queue keeps its jobs there."""

    def delete(self, kind: type[Any], **equal: Any) -> int: ...


def now() -> str:
    """The time in UTC, ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Desk:
    """What a procedure works with: the home, the keeper of records, children to run tasks in, and a voice.

    `report` hears progress (0..1 and a text); `cancelled` is asked before and during every task.
    """

    def __init__(
        self,
        home: Home,
        keeper: Keeper,
        report: Callable[[float, str], None],
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self.home, self._keeper, self._report, self._cancelled = home, keeper, report, cancelled
        self._span = (0.0, 1.0)
        self.aside = ""  # the answer so far, told with whatever is done

    def progress(self, done_frac: float, text: str) -> None:
        """How far the work of the current span is (0..1), and what is done now. Raises Cancelled when it is."""
        if self._cancelled():
            raise Cancelled("Cancelled.")
        low, high = self._span
        told = f"{text}{SO_FAR}{self.aside}" if self.aside else text
        self._report(low + (high - low) * min(1.0, max(0.0, done_frac)), told)

    @contextmanager
    def span(self, low: float, high: float) -> Iterator[None]:
        """Inside, progress 0..1 means low..high of the outer span."""
        outer = self._span
        width = outer[1] - outer[0]
        self._span = (outer[0] + width * low, outer[0] + width * high)
        try:
            yield
        finally:
            self._span = outer

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """A job folder for a child to write, removed afterwards with all it holds."""
        path = Path(tempfile.mkdtemp(dir=self.home.jobs))
        try:
            yield path
        finally:
            remove(path)

    def task(
        self,
        function: Callable[..., Any],
        arguments: Mapping[str, Any],
        *,
        folder: Path | None = None,
        readable: Sequence[Path] = (),
        limits: sandbox.Limits | None = None,
        meter_start: Callable[[str], None] = lambda label: None,
        meter_stop: Callable[[str, Window], None] = lambda label, window: None,
    ) -> Any:
        """Runs a marked task in a locked child and returns its result as plain JSON values.

        Files it writes are in `folder` (a passing one where none is given). Raises as `sandbox.run` does.
        """
        if folder is None:
            with self.folder() as passing:
                return self.task(
                    function, arguments, folder=passing, readable=readable, limits=limits,
                    meter_start=meter_start, meter_stop=meter_stop,
                )  # fmt: skip
        hooks = sandbox.Hooks(
            progress=self.progress, cancelled=self._cancelled, meter_start=meter_start, meter_stop=meter_stop
        )
        return sandbox.run(
            name_of(function), to_plain(arguments), folder=folder, readable=readable, limits=limits, hooks=hooks
        )

    def save(self, *records: Any) -> None:
        """Keeps these records."""
        self._keeper.save(*records)

    def get(self, kind: type[Record], key: str) -> Record | None:
        """The kept record of this class and key, or None."""
        return self._keeper.get(kind, key)

    def all(self, kind: type[Record], **equal: Any) -> list[Record]:
        """Kept records of this class with these values."""
        return self._keeper.all(kind, **equal)


class Jobs:
    """The queue of one app. Made once; jobs of a lane run one after the other, lanes side by side."""

    def __init__(self, home: Home, keeper: Store) -> None:
        self._home, self._keeper = home, keeper
        self._jobs: dict[str, Job] = {}
        self._stops: dict[str, threading.Event] = {}
        self._lock = threading.Lock()
        self._queues: dict[str, queue.SimpleQueue[str]] = {lane: queue.SimpleQueue() for lane in LANES}
        self._started_s: dict[str, float] = {}
        self._tidy()
        for lane in LANES:
            threading.Thread(target=self._serve, args=(lane,), name=f"jobs-{lane}", daemon=True).start()
        self._ready_child()

    def submit(self, procedure: Callable[..., Any], arguments: Mapping[str, Any], *, title: str, lane: str) -> str:
        """Queues a marked procedure; the job's id. `lane` is "device" for whatever measures, else "quick"."""
        return self._queue(name_of(procedure), dict(arguments), title, lane)

    def repeat(self, job_id: str) -> str | None:
        """Queues the same work again as a new job; None where the job is not known."""
        job = self.get(job_id)
        return None if job is None else self._queue(job.procedure, job.arguments, job.title, job.lane)

    def get(self, job_id: str) -> Job | None:
        """The job as it stands now."""
        with self._lock:
            live = self._jobs.get(job_id)
        return live or self._keeper.get(Job, job_id)

    def ahead(self, job_id: str) -> int:
        """How many unfinished jobs of the same lane stand before this one."""
        with self._lock:
            live = [job for job in self._jobs.values() if job.state in UNFINISHED]
        place = next((number for number, job in enumerate(live) if job.id == job_id), 0)
        return sum(job.lane == live[place].lane for job in live[:place])

    def active(self) -> list[Job]:
        """Jobs that are queued or running, oldest first (by the order of asking, whatever the clock says)."""
        with self._lock:
            return [job for job in self._jobs.values() if job.state in UNFINISHED]

    def elapsed_s(self, job_id: str) -> float | None:
        """For how long the job has been running, by a clock that nobody sets; None where it is not."""
        with self._lock:
            started_s = self._started_s.get(job_id)
        return None if started_s is None else time.monotonic() - started_s

    def cancel(self, job_id: str) -> None:
        """Stops a queued or running job; its child is killed within a second."""
        with self._lock:
            stop = self._stops.get(job_id)
        if stop is not None:
            stop.set()

    def wait(self, job_id: str, timeout_s: float = 600.0) -> Job:
        """The finished job. Raises MeasurementError when it has not finished in time."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            job = self.get(job_id)
            if job is not None and job.finished_at is not None:
                return job
            time.sleep(0.05)
        raise MeasurementError(f"The job did not finish within {timeout_s:.0f} s.")

    def _queue(self, procedure: str, arguments: dict[str, Any], title: str, lane: str) -> str:
        resolve(procedure, "procedure")
        job = Job(
            id=uuid.uuid4().hex[:12], title=title, procedure=procedure, arguments=to_plain(arguments), lane=lane,
            state="queued", created_at=now(), text="Waiting",
        )  # fmt: skip
        with self._lock:
            self._jobs[job.id], self._stops[job.id] = job, threading.Event()
        self._keeper.save(job)
        self._queues[lane].put(job.id)
        return job.id

    def _tidy(self) -> None:
        """What an earlier app left: its unfinished jobs are interrupted, the oldest finished ones forgotten; folders of
        processes that are gone are removed, and uploads that no interrupted job is about."""
        jobs = self._keeper.all(Job)
        for job in jobs:
            if job.state in UNFINISHED:
                self._keeper.save(dataclasses.replace(job, state="interrupted", finished_at=now()))
        for job in jobs[:-KEPT_JOBS]:
            if job.state not in UNFINISHED:
                self._keeper.delete(Job, id=job.id)
        for refusal in self._keeper.all(Refusal)[:-KEPT_REFUSALS]:
            self._keeper.delete(Refusal, key=refusal.key)
        clear(self._home.all_jobs)
        wanted = [str(job.arguments.get("path", "")) for job in jobs if job.state in (*UNFINISHED, "interrupted")]
        for upload in self._home.uploads.iterdir():
            if not any(Path(path).is_relative_to(upload) for path in wanted):
                remove(upload)

    def _serve(self, lane: str) -> None:
        while True:
            job_id = self._queues[lane].get()
            try:
                self._work(job_id)
            except RightsizeError as error:  # the store could not take the job's end: the job says so while it lives
                self._change(job_id, state="failed", error=error.message, hint=error.hint, finished_at=now())
            self._ready_child()

    def _ready_child(self) -> None:
        """Has a child ready for the next file, unless something is being measured: its imports would be heard."""
        if not any(job.lane == "device" for job in self.active()):
            sandbox.prepare(self._home.jobs)

    def _work(self, job_id: str) -> None:
        stop = self._stops[job_id]
        if stop.is_set():
            self._end(job_id, state="cancelled", text="Cancelled")
            return
        with self._lock:
            self._started_s[job_id] = time.monotonic()
        job = self._change(job_id, state="running", started_at=now(), text="Starting")
        self._keeper.save(job)
        saved = time.monotonic()

        def report(done_frac: float, text: str) -> None:
            nonlocal saved
            changed = self._change(job_id, done_frac=done_frac, text=text)
            if time.monotonic() - saved > SAVE_EVERY_S:
                saved = time.monotonic()
                self._keeper.save(changed)

        desk = Desk(self._home, self._keeper, report, stop.is_set)
        try:
            result = resolve(job.procedure, "procedure")(desk, **job.arguments)
            self._end(job_id, state="done", result=to_plain(result), done_frac=1.0, text="Done")
        except Cancelled:
            self._end(job_id, state="cancelled", text="Cancelled")
        except RightsizeError as error:
            self._end(job_id, state="failed", error=error.message, hint=error.hint, details=error.details)
        except Exception as error:  # a defect of ours must end this job, not the queue
            failed = unforeseen(error)
            self._end(job_id, state="failed", error=failed.message, hint=failed.hint, details=failed.details)

    def _end(self, job_id: str, **changes: Any) -> None:
        with self._lock:
            ended = dataclasses.replace(self._jobs[job_id], finished_at=now(), **changes)
        self._keeper.save(ended)  # before anyone is told: what is shown as done is kept
        with self._lock:
            del self._stops[job_id], self._jobs[job_id]
            self._started_s.pop(job_id, None)

    def _change(self, job_id: str, **changes: Any) -> Job:
        with self._lock:
            job = dataclasses.replace(self._jobs[job_id], **changes)
            self._jobs[job_id] = job
        return job
