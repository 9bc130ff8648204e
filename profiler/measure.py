"""The timed and the weighed work, in the locked child: a group of models interleaved, and one model's memory peak."""

import os
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import InputError, Unavailable
from data.records import from_plain
from data.units import BYTES_PER_KIB, MS_PER_S, NS_PER_MS
from profiler import inputs, timing
from profiler.runtimes import Runtime, Session, runtimes
from profiler.tasks import ChildDesk, task
from profiler.types import Model

if TYPE_CHECKING:
    from numpy import ndarray

STATUS = Path("/proc/self/status")
CLEAR_PEAK = Path("/proc/self/clear_refs")
SAMPLE_S = 0.001
TIMED = "timed"  # the label under which the parent watches the interleaved loop


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One way to run one file. `label` is its name within the group, `title` what people call it."""

    label: str
    path: str
    runtime: str = "onnxruntime"
    options: dict[str, str] = field(default_factory=dict)
    title: str = ""

    @property
    def shown(self) -> str:
        """Its name where progress is told."""
        return self.title or self.label


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """What the models are fed: rows of an .npz (`data`), or random values that fit `model`'s inputs."""

    model: Model
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    batch_size: int = 1
    seed: int = 0
    data: str | None = None


@task
def time_group(
    desk: ChildDesk,
    *,
    entries: Sequence[Mapping[str, Any]],
    feed: Mapping[str, Any],
    settings: Mapping[str, Any] | None = None,
    window_s: float = 0.0,
) -> dict[str, dict[str, Any]]:
    """Loads every entry, times them interleaved, and then runs each alone in a metered window of `window_s` seconds.

    Returns per label: provider, settings, load_ms, warmup_ms, samples_ms, cpu_samples_ms, calls_per_round, notes,
    timed (wall_s, cpu_s, calls of the timed loop), window (the same of the metered window, or None).
    """
    group = [from_plain(Entry, entry) for entry in entries]
    feeds = feeds_of(from_plain(Feed, feed))
    calls, found = {}, {}
    for entry in group:
        desk.progress(0.0, f"Loading {entry.shown}")
        session, load_ms = load(entry)
        found[entry.label] = {
            "provider": session.provider, "settings": dict(session.settings), "load_ms": load_ms,
            "notes": [*odd_outputs(session, feeds), *event_notes(session, feeds)],
        }  # fmt: skip
        calls[entry.label] = session.prepare(feeds)
    with desk.metered(TIMED):
        timings = timing.interleave(
            calls,
            from_plain(timing.Settings, dict(settings or {})),
            progress=lambda done_frac: desk.progress(0.9 * done_frac, "Measuring"),
        )
    for label, run in timings.items():
        found[label] |= {
            "warmup_ms": run.warmup_ms,
            "samples_ms": run.samples_ms,
            "cpu_samples_ms": run.cpu_samples_ms,
            "calls_per_round": run.calls_per_round,
            "timed": {
                "wall_s": run.spent_ms / MS_PER_S, "cpu_s": run.cpu_ms / MS_PER_S, "calls": len(run.samples_ms),
            },
            "window": _window(desk, label, calls[label], window_s) if window_s else None,
        }  # fmt: skip
    return found


@task
def peak_memory(desk: ChildDesk, *, entry: Mapping[str, Any], feed: Mapping[str, Any]) -> dict[str, Any]:
    """The resident memory one model needs beyond a process that has its runtime imported and its inputs ready.

    Returns baseline_bytes, load_bytes (resident beyond it after loading), peak_bytes (the highest beyond it while
    loading and running), gpu_bytes (the highest of the GPU's allocator, None where it tells none) and notes.
    """
    what = from_plain(Entry, entry)
    feeds = feeds_of(from_plain(Feed, feed))
    runtime_called(what.runtime)
    with Peak() as peak:
        session, _ = load(what)
        load_bytes = resident_bytes() - peak.baseline_bytes
        desk.progress(0.5, f"Weighing {what.shown}")
        call = session.prepare(feeds)
        for _ in range(3):
            call()
        on_device = session.device_facts(feeds).get("peak_bytes")
    return {
        "gpu_bytes": None if on_device is None else round(on_device),
        "baseline_bytes": peak.baseline_bytes,
        "load_bytes": max(0, load_bytes),
        "peak_bytes": peak.peak_bytes,
        "notes": peak.notes,
    }


def load(entry: Entry) -> tuple[Session, float]:
    """The loaded session and how long loading took (ms). Raises what the runtime raises, and Unavailable."""
    runtime = runtime_called(entry.runtime)
    start = time.perf_counter()
    session = runtime.load(Path(entry.path), entry.options)
    return session, (time.perf_counter() - start) * MS_PER_S


def runtime_called(name: str) -> Runtime:
    """The runtime of this name, imported and started. Raises Unavailable where it is not known or not installed."""
    runtime = runtimes().get(name)
    if runtime is None:
        raise Unavailable(f"There is no runtime called '{name}'.", hint=f"Choose one of {', '.join(runtimes())}.")
    if sentence := runtime.missing():
        raise Unavailable(sentence)
    runtime.warm()
    return runtime


def feeds_of(feed: Feed) -> "dict[str, ndarray]":
    """The arrays that are fed, by input name. Raises InputError where the data does not fit the model."""
    if not feed.data:
        return inputs.random_feeds(feed.model, feed.shapes, feed.batch_size, feed.seed)
    rows, _ = inputs.load_npz(Path(feed.data), feed.model)
    count = len(next(iter(rows.values())))
    if count < feed.batch_size:
        raise InputError(f"The data has {count} rows, fewer than the batch of {feed.batch_size}.")
    return {name: array[: feed.batch_size] for name, array in rows.items()}


def odd_outputs(session: Session, feeds: "dict[str, ndarray]") -> list[str]:
    """One note where the outputs on these inputs hold NaN or infinity."""
    import numpy as np

    odd = [
        name
        for name, value in session.run(feeds).items()
        if isinstance(value, np.ndarray) and value.dtype.kind == "f" and not np.isfinite(value).all()
    ]
    return [f"Output '{odd[0]}' holds values that are not finite on these inputs."] if odd else []


def event_notes(session: Session, feeds: "dict[str, ndarray]") -> list[str]:
    """Notes on what a GPU tells of itself: the time between its own events, and operators that stayed on the CPU."""
    told, notes = session.device_facts(feeds), []
    if (call_ms := told.get("call_ms")) is not None:
        notes.append(f"By the GPU's own events a call takes {call_ms:.3g} ms.")
    if on_cpu := told.get("cpu_operators"):
        notes.append(f"{on_cpu:.0f} of {told['operators']:.0f} operators ran on the CPU, the others on the GPU.")
    return notes


def resident_bytes() -> int:
    """This process's resident memory now."""
    return _status_bytes("VmRSS")


def mark_error_bytes() -> int:
    """How far the kernel's mark may be off: each CPU keeps a batch of pages to itself in each of three counters.

    Source: Linux, lib/percpu_counter.c (batch = max(32, 2 x CPUs)) and include/linux/mm.h (get_mm_rss).
    """
    cpus = os.cpu_count() or 1
    return 3 * cpus * max(32, 2 * cpus) * os.sysconf("SC_PAGE_SIZE")


class Peak:
    """The highest resident memory while the body runs, beyond what was resident at its start.

    The kernel's high-water mark is reset where that is allowed; elsewhere a thread samples every millisecond and the
    mark counts as soon as it rises above where it stood.
    """

    def __enter__(self) -> "Peak":
        self.notes: list[str] = []
        self.peak_bytes = 0
        with suppress(OSError):
            CLEAR_PEAK.write_text("5")
        self.baseline_bytes, self._mark = resident_bytes(), _status_bytes("VmHWM")
        self._sampled, self._stop = 0, threading.Event()
        self._thread: threading.Thread | None = None
        if self._mark > self.baseline_bytes + mark_error_bytes():
            self.notes.append("The peak was sampled every millisecond; the kernel's own mark could not be reset.")
            self._thread = threading.Thread(target=self._sample, daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join()
        mark = _status_bytes("VmHWM")
        lifted = mark > self._mark + mark_error_bytes()
        peak = mark if lifted or not self._thread else self._sampled
        self.peak_bytes = max(0, peak - self.baseline_bytes)

    def _sample(self) -> None:
        while not self._stop.wait(SAMPLE_S):
            self._sampled = max(self._sampled, resident_bytes())


def _status_bytes(key: str) -> int:
    for line in STATUS.read_text(encoding="utf-8").splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) * BYTES_PER_KIB
    raise Unavailable("This system does not tell a process its memory.")


def _window(desk: ChildDesk, label: str, call: timing.Call, seconds: float) -> dict[str, float]:
    """Runs the call over and over for so many seconds, with the parent's meter on; wall_s, cpu_s and calls."""
    count = 0
    with desk.metered(label):
        wall, cpu_ns = time.perf_counter(), timing.process_cpu_ns()
        while time.perf_counter() - wall < seconds:
            call()
            count += 1
        cpu_ns = timing.process_cpu_ns() - cpu_ns
        spent = {"wall_s": time.perf_counter() - wall, "cpu_s": cpu_ns / NS_PER_MS / MS_PER_S}
    return spent | {"calls": count}
