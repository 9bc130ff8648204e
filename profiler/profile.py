"""Measure a group of files here: lock the device, watch the machine, time them in one child, weigh each in its own.

The parent's half: the child (`profiler.measure`) loads and runs, this reads the counters and makes the records. It
does not save them.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from data.estimate import Estimate
from data.records import to_plain
from data.units import BYTES_PER_MIB, MS_PER_S
from profiler import jobs, timing
from profiler import measure as child
from profiler.device_lock import held
from profiler.energy import Wattmeter
from profiler.gpus import MemoryWatch
from profiler.inputs import filled_shapes
from profiler.machine import Watch, machine, threads_of
from profiler.measure import Entry, Feed
from profiler.memory import check_fits
from profiler.meters import Window
from profiler.sandbox import Limits, memory_bytes
from profiler.types import Load, Machine, Measurement, Workload

START_S = 120.0
GPU_WARMUP_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A file to measure: the original (`variant_id` None) or one of its variants. `readable` names further files and
    folders its child may read (external data), `title` is what people call it."""

    path: Path
    model_sha256: str
    variant_id: str | None = None
    runtime: str = "onnxruntime"
    options: dict[str, str] = field(default_factory=dict)
    readable: tuple[Path, ...] = ()
    title: str = ""

    @property
    def label(self) -> str:
        """Its name within the group."""
        return self.variant_id or "original"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be measured, and for how long. `threads` None means the physical cores."""

    device: str = "cpu"
    threads: int | None = None
    settings: timing.Settings = field(default_factory=timing.Settings)
    energy: bool = True
    memory: bool = True
    memory_limit_bytes: int | None = None


def measure(desk: jobs.Desk, subjects: Sequence[Subject], feed: Feed, wish: Wish | None = None) -> list[Measurement]:
    """One Measurement per subject, in their order, all of one group: interleaved in one child on the same inputs.

    The first subject's runtime decides nothing for the others: each names its own. Raises what loading and running
    raise, Unavailable where the device or a runtime is missing, MeasurementError over time or memory, Cancelled.
    """
    wish = wish or Wish()
    here = machine()
    threads = threads_of(wish.threads, here)
    entries = {subject.label: _entry(subject, wish.device, threads) for subject in subjects}
    group = _Group(desk, wish, feed, subjects)
    if wish.device == "cpu":
        called = filled_shapes(feed.model.inputs, feed.shapes, feed.batch_size)
        check_fits(feed.model, called, memory_bytes(group.limits(1)))
    with device_lock(desk, wish.device):
        wattmeter, watch = Wattmeter(wish.device, on=wish.energy), Watch()
        with desk.span(0.0, 0.8 if wish.memory else 1.0):
            found = group.timed(entries, wattmeter, watch)
        peaks = group.weighed(entries) if wish.memory else {}
    workload = Workload(
        batch_size=feed.batch_size, threads=threads, shapes=dict(feed.shapes),
        inputs="given" if feed.data else "random",
    )  # fmt: skip
    records = _Records(uuid.uuid4().hex, here, workload, watch, wattmeter, wish)
    return [
        records.make(subject, entries[subject.label], found[subject.label], peaks.get(subject.label))
        for subject in subjects
    ]


@dataclass(frozen=True, slots=True)
class _Group:
    desk: jobs.Desk
    wish: Wish
    feed: Feed
    subjects: Sequence[Subject]

    def timed(self, entries: Mapping[str, Entry], wattmeter: Wattmeter, watch: Watch) -> dict[str, dict[str, Any]]:
        """The child's answer by label, with the meters and the machine's load read around what it times."""

        def start(label: str) -> None:
            watch.start(label)
            if label != child.TIMED:
                wattmeter.start(label)

        def stop(label: str, window: Window) -> None:
            if label != child.TIMED:
                wattmeter.stop(label, window)
            watch.stop(label)

        arguments = {
            "entries": list(entries.values()), "feed": self.feed, "settings": self._settings(),
            "window_s": wattmeter.window_s,
        }  # fmt: skip
        found: dict[str, dict[str, Any]] = self.desk.task(
            child.time_group, to_plain(arguments), readable=self._readable(self.subjects),
            limits=self.limits(len(entries)), meter_start=start, meter_stop=stop,
        )  # fmt: skip
        return found

    def weighed(self, entries: Mapping[str, Entry]) -> dict[str, dict[str, Any]]:
        """Peak memory by label, each in a child of its own."""
        found = {}
        for number, subject in enumerate(self.subjects):
            low, share = 0.8 + 0.2 * number / len(self.subjects), 0.2 / len(self.subjects)
            with self.desk.span(low, low + share), self._gpu_watch() as board:
                found[subject.label] = self.desk.task(
                    child.peak_memory, to_plain({"entry": entries[subject.label], "feed": self.feed}),
                    readable=self._readable([subject]), limits=self.limits(1),
                )  # fmt: skip
            found[subject.label]["board_bytes"] = board.peak_bytes if board else None
        return found

    def _settings(self) -> timing.Settings:
        """On a GPU the warm-up lasts until its clocks have risen."""
        settings = self.wish.settings
        on_gpu = self.wish.device.startswith("cuda")
        return replace(settings, warmup_s=max(settings.warmup_s, GPU_WARMUP_S)) if on_gpu else settings

    def _readable(self, subjects: Sequence[Subject]) -> list[Path]:
        files = [path for subject in subjects for path in (subject.path, *subject.readable)]
        return [*files, *([Path(self.feed.data)] if self.feed.data else [])]

    def _gpu_watch(self) -> AbstractContextManager[MemoryWatch | None]:
        return MemoryWatch(self.wish.device) if self.wish.device.startswith("cuda") else nullcontext()

    def limits(self, count: int) -> Limits:
        """What a child with so many models may take."""
        return Limits(
            seconds=START_S * count + 4 * self.wish.settings.budget_s * count,
            memory_bytes=self.wish.memory_limit_bytes,
            gpu=self.wish.device.startswith("cuda"),
        )


@dataclass(frozen=True, slots=True)
class _Records:
    group_id: str
    here: Machine
    workload: Workload
    watch: Watch
    wattmeter: Wattmeter
    wish: Wish

    def make(
        self, subject: Subject, entry: Entry, found: Mapping[str, Any], peak: Mapping[str, Any] | None
    ) -> Measurement:
        run = timing.Timing(
            calls_per_round=found["calls_per_round"], warmup_ms=found["warmup_ms"], samples_ms=found["samples_ms"],
            cpu_samples_ms=found["cpu_samples_ms"],
        )  # fmt: skip
        during = self.watch.during(child.TIMED)
        stable, reasons = timing.verdict(
            run, threads=self.workload.threads if self.wish.device == "cpu" else 0,
            pressure_frac=waited_frac(self.watch.before, during), others_frac=during.others_frac,
        )  # fmt: skip
        energy = self.wattmeter.per_call(subject.label, found)
        return Measurement(
            id=uuid.uuid4().hex, group_id=self.group_id, created_at=jobs.now(), model_sha256=subject.model_sha256,
            variant_id=subject.variant_id, machine=self.here, runtime=subject.runtime, provider=found["provider"],
            options=entry.options | found["settings"], workload=self.workload, samples_ms=tuple(run.samples_ms),
            cpu_samples_ms=tuple(run.cpu_samples_ms), warmup_ms=tuple(run.warmup_ms), load_ms=found["load_ms"],
            stable=stable, calls_per_round=run.calls_per_round, energy_j=energy.energy_j, power_w=energy.power_w,
            idle_w=energy.idle_w,
            peak_bytes=peak["peak_bytes"] if peak else None, baseline_bytes=peak["baseline_bytes"] if peak else None,
            gpu_peak_bytes=(peak["gpu_bytes"] or peak["board_bytes"]) if peak else None,
            load_before=self.watch.before, load_after=during,
            notes=(*reasons, *found["notes"], *energy.notes, *(peak["notes"] if peak else ()), *gpu_notes(peak)),
        )  # fmt: skip


@contextmanager
def device_lock(desk: jobs.Desk, device: str) -> Iterator[None]:
    """Holds the device for one measurement, across processes; tells the place in the queue, hears a cancel."""

    def waiting(place: int) -> None:
        ahead = "another measurement" if place == 1 else f"{place} other measurements"
        desk.progress(0.0, f"Waiting for {ahead} on this device")

    with held(desk.home.locks, device, waiting=waiting):
        yield


def energy_above_idle(measurement: Measurement) -> Estimate | None:
    """Joules a call beyond what the device draws idle: its energy less idle power x the median call; None where
    either is not known. Never below 0."""
    if measurement.energy_j is None or measurement.idle_w is None:
        return None
    call_s = sorted(measurement.samples_ms)[len(measurement.samples_ms) // 2] / MS_PER_S
    energy, idle = measurement.energy_j, measurement.idle_w
    low, mid, high = (
        max(0.0, joules - watts * call_s)
        for joules, watts in ((energy.low, idle.high), (energy.mid, idle.mid), (energy.high, idle.low))
    )
    return Estimate(low=low, mid=mid, high=high, basis=energy.basis, source=f"{energy.source}, less idle power")


def gpu_notes(peak: Mapping[str, Any] | None) -> tuple[str, ...]:
    """One note with both views of the GPU's memory, where there are both."""
    if not peak or peak["gpu_bytes"] is None or peak["board_bytes"] is None:
        return ()
    allocator, board = (peak[name] / BYTES_PER_MIB for name in ("gpu_bytes", "board_bytes"))
    return (f"GPU memory: {allocator:.0f} MiB by the allocator, {board:.0f} MiB more in use on the board.",)


def waited_frac(before: Load, during: Load) -> float | None:
    """The CPU pressure a verdict rests on: that of the timed loop; that before it where the loop's is not known. What
    ran before may well have been our own work."""
    return before.cpu_pressure_frac if during.cpu_pressure_frac is None else during.cpu_pressure_frac


def _entry(subject: Subject, device: str, threads: int) -> Entry:
    options = {"device": device, "threads": str(threads), **subject.options}
    return Entry(
        label=subject.label, path=str(subject.path), runtime=subject.runtime, options=options, title=subject.title
    )
