"""NVML: an NVIDIA GPU's total-energy counter, beside its polled power. The whole board, whoever uses it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Any

from data.errors import MeasurementError, Unavailable
from data.estimate import Estimate
from profiler.gpus import handle_of
from profiler.meters import Reading, Window

W_PER_MW = 1e-3
J_PER_MJ = 1e-3
POLL_S = 0.02
# How often the board's sensor gives a new value: 20 to 100 ms (Yang et al. 2024, Part-time Power Measurements,
# table 1). Each end of a window is uncertain by the longer one.
UPDATE_S = 0.1
DISAGREE_FRAC = 0.15


@dataclass(slots=True)
class Started:
    """What was read at the start, and the poller that runs until `stop`."""

    handle: Any
    counter_mj: int | None
    at_s: float
    samples: list[tuple[float, float]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None


def _pynvml() -> Any:
    import pynvml

    return pynvml


class Nvml:
    """One GPU board. The counter where the card has one (Volta and later), else the integral of polled power; where
    both are there and differ by more than 15 %, the reading says so."""

    NAME = "nvml"
    SCOPE = "GPU board"
    BASIS = "measured"
    DEVICE = "cuda"
    WINDOW_S = 5.0
    RANK = 1

    def __init__(self, library: Callable[[], Any] = _pynvml) -> None:
        self._nvml = cache(library)

    def missing(self) -> str | None:
        nvml = self._nvml()
        try:
            nvml.nvmlInit()
        except nvml.NVMLError:
            return "This machine has no NVIDIA driver."
        return None if nvml.nvmlDeviceGetCount() else "The NVIDIA driver sees no GPU."

    def start(self, device: str) -> Started:
        if sentence := self.missing():
            raise Unavailable(sentence)
        nvml = self._nvml()
        try:
            handle = handle_of(nvml, device)
        except nvml.NVMLError as error:
            raise Unavailable(f"NVML finds no GPU for the device '{device}'.", details=str(error)) from error
        if self._split(handle):
            raise Unavailable(
                "This GPU is split into slices (MIG): its energy counter is that of the whole board.",
                hint="Switch MIG off to measure energy.",
            )
        started = Started(handle, self._counter(handle), time.perf_counter())
        started.thread = threading.Thread(target=self._poll, args=(started,), daemon=True)
        started.thread.start()
        return started

    def stop(self, started: object, window: Window) -> Reading:
        assert isinstance(started, Started)
        counter = self._counter(started.handle)
        elapsed_s = time.perf_counter() - started.at_s
        started.ended.set()
        if started.thread:
            started.thread.join()
        polled_j = integral_j(started.samples, started.at_s, started.at_s + elapsed_s)
        counted_j = None
        if counter is not None and started.counter_mj is not None:
            counted_j = (counter - started.counter_mj) * J_PER_MJ
        energy_j = polled_j if counted_j is None else counted_j
        if not energy_j or elapsed_s < 5 * UPDATE_S:
            raise MeasurementError("The run was too short for the GPU's energy counter.", hint="Measure for longer.")
        unsure_frac = min(1.0, 2 * UPDATE_S / elapsed_s)
        source = f"NVML power, polled every {POLL_S} s" if counted_j is None else "NVML total-energy counter"
        energy = Estimate(
            low=energy_j * (1 - unsure_frac), mid=energy_j, high=energy_j * (1 + unsure_frac), basis="measured",
            source=source,
        )  # fmt: skip
        notes = disagreement(counted_j, polled_j)
        return Reading(energy_j=energy, power_w=energy * (1 / elapsed_s), scope=self.SCOPE, notes=notes)

    def _split(self, handle: Any) -> bool:
        nvml = self._nvml()
        try:
            return bool(nvml.nvmlDeviceIsMigDeviceHandle(handle)) or bool(nvml.nvmlDeviceGetMigMode(handle)[0])
        except nvml.NVMLError:  # a card that knows no MIG
            return False

    def _counter(self, handle: Any) -> int | None:
        nvml = self._nvml()
        try:
            return int(nvml.nvmlDeviceGetTotalEnergyConsumption(handle))
        except nvml.NVMLError:  # before Volta
            return None

    def _poll(self, started: Started) -> None:
        nvml = self._nvml()
        while not started.ended.is_set():
            try:
                power_w = nvml.nvmlDeviceGetPowerUsage(started.handle) * W_PER_MW
            except nvml.NVMLError:  # a card without a power sensor
                return
            started.samples.append((time.perf_counter(), power_w))
            started.ended.wait(POLL_S)


def integral_j(samples: list[tuple[float, float]], start_s: float, end_s: float) -> float | None:
    """Joules under (second, watt) samples from start to end: trapezoids, the ends held level; None without samples."""
    if not samples:
        return None
    points = [(start_s, samples[0][1]), *samples, (end_s, samples[-1][1])]
    return sum((after - before) * (low + high) / 2 for (before, low), (after, high) in pairwise(points))


def disagreement(counted_j: float | None, polled_j: float | None) -> tuple[str, ...]:
    """One sentence where counter and polled power differ by more than 15 % of the counter."""
    if not counted_j or not polled_j or abs(polled_j / counted_j - 1) <= DISAGREE_FRAC:
        return ()
    return (f"The GPU's energy counter says {counted_j:.1f} J, its polled power {polled_j:.1f} J: treat with care.",)


METER = Nvml()
