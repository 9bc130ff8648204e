"""Joules per call: the best meters for a device, started and stopped around the child's windows; idle power."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from data.errors import RightsizeError
from data.estimate import Estimate
from profiler.meters import Meter, Reading, Window, meters

IDLE_S = 2.0


def meters_for(device: str, known: Mapping[str, Meter] | None = None) -> tuple[list[Meter], list[str]]:
    """The meters to read for a run on `device`, best basis first: one of the GPU for a GPU run, and one of the CPU;
    and the sentences that say why better ones are missing."""
    chosen: list[Meter] = []
    reasons = []
    for kind in ("cuda", "cpu") if device.startswith("cuda") else ("cpu",):
        for meter in [meter for meter in (known or meters()).values() if kind == meter.DEVICE]:
            sentence = meter.missing()
            if sentence is None:
                chosen.append(meter)
                break
            reasons.append(sentence)
    return chosen, reasons


@dataclass(frozen=True, slots=True, kw_only=True)
class PerCall:
    """What one call took: joules, the mean watts while it ran over and over (joules = watts x seconds a call), the
    watts with nothing running, and notes. None where no meter could tell."""

    energy_j: Estimate | None = None
    power_w: Estimate | None = None
    idle_w: Estimate | None = None
    notes: tuple[str, ...] = ()


class Wattmeter:
    """The meters of one measurement. `start` and `stop` are called around each of the child's windows, by label;
    a meter that only bills CPU seconds needs no window of its own and takes those of the timed loop."""

    def __init__(self, device: str, *, on: bool = True, known: Mapping[str, Meter] | None = None) -> None:
        self._device = device
        self._meters, self._reasons = meters_for(device, known) if on else ([], [])
        self._running: dict[str, list[tuple[Meter, object]]] = {}
        self._readings: dict[str, list[tuple[Reading, bool]]] = {}
        self._idle = self._idle_w()
        self.window_s = max((meter.WINDOW_S for meter in self._meters), default=0.0)

    def start(self, label: str) -> None:
        """Starts every counter for this window."""
        self._running[label] = [(meter, meter.start(self._device)) for meter in self._meters if meter.WINDOW_S]

    def stop(self, label: str, window: Window) -> None:
        """Stops them; what they read is kept under the label. One that could not read costs the energy, not the run."""
        kept = self._readings[label] = []
        for meter, started in self._running.pop(label):
            try:
                kept.append((meter.stop(started, window), meter.DEVICE == "cuda"))
            except RightsizeError as error:
                self._reasons.append(error.message)

    def per_call(self, label: str, found: Mapping[str, Any]) -> PerCall:
        """The energy of the entry with this label, from what the child says it did. Of a GPU run that no counter of
        the GPU could follow nothing is told: the processor's share alone would pass for the whole."""
        readings = [(*kept, found["window"]) for kept in self._readings.get(label, [])]
        timed = found["timed"]
        for meter in self._meters:
            if not meter.WINDOW_S:
                window = Window(wall_s=timed["wall_s"], cpu_s=timed["cpu_s"])
                readings.append((meter.stop(meter.start(self._device), window), meter.DEVICE == "cuda", timed))
        if not readings or (self._device.startswith("cuda") and not any(board for _, board, _ in readings)):
            return PerCall(notes=tuple(dict.fromkeys(self._reasons)))
        energy = _sum([reading.energy_j * (1.0 / spent["calls"]) for reading, _, spent in readings])
        notes = [note for reading, _, _ in readings for note in reading.notes]
        if len(readings) > 1:
            notes += [f"{one.scope}: {one.energy_j.mid / spent['calls']:.3g} J per call." for one, _, spent in readings]
        return PerCall(
            energy_j=energy, power_w=_sum([reading.power_w for reading, _, _ in readings]), idle_w=self._idle,
            notes=tuple(dict.fromkeys((*notes, *self._reasons))),
        )  # fmt: skip

    def _idle_w(self) -> Estimate | None:
        """Watts with nothing running, by the counters alone; None where there is none. A counter that cannot be read
        (a GPU split into slices) is left out of the measurement, and says why."""
        idle = []
        for meter in [meter for meter in self._meters if meter.WINDOW_S]:
            try:
                started = meter.start(self._device)
            except RightsizeError as error:
                self._reasons.append(error.message)
                self._meters.remove(meter)
                continue
            idle.append((meter, started))
        if not idle:
            return None
        time.sleep(IDLE_S)
        try:
            return _sum([meter.stop(started, Window(wall_s=IDLE_S, cpu_s=0.0)).power_w for meter, started in idle])
        except RightsizeError as error:
            self._reasons.append(error.message)
            return None


def _sum(parts: Sequence[Estimate]) -> Estimate:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total
