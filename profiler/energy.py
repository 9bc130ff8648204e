"""Joules per call: the best meters for a device, started and stopped around the child's windows; idle power."""

import time
from collections.abc import Mapping
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


class Wattmeter:
    """The meters of one measurement. `start` and `stop` are called around each of the child's windows, by label;
    a meter that only bills CPU seconds needs no window of its own and takes those of the timed loop."""

    def __init__(self, device: str, *, on: bool = True, known: Mapping[str, Meter] | None = None) -> None:
        self._device = device
        self._meters, self._reasons = meters_for(device, known) if on else ([], [])
        self.window_s = max((meter.WINDOW_S for meter in self._meters), default=0.0)
        self._running: dict[str, list[tuple[Meter, object]]] = {}
        self._readings: dict[str, list[Reading]] = {}
        self._idle = self._idle_w()

    def start(self, label: str) -> None:
        """Starts every counter for this window."""
        self._running[label] = [(meter, meter.start(self._device)) for meter in self._meters if meter.WINDOW_S]

    def stop(self, label: str, window: Window) -> None:
        """Stops them; what they read is kept under the label."""
        self._readings[label] = [meter.stop(started, window) for meter, started in self._running.pop(label)]

    def per_call(
        self, label: str, found: Mapping[str, Any]
    ) -> tuple[Estimate | None, Estimate | None, tuple[str, ...]]:
        """(joules per call, idle watts, notes) of the entry with this label, from what the child says it did."""
        readings = [(reading, found["window"]["calls"]) for reading in self._readings.get(label, [])]
        timed = found["timed"]
        for meter in self._meters:
            if not meter.WINDOW_S:
                window = Window(wall_s=timed["wall_s"], cpu_s=timed["cpu_s"])
                readings.append((meter.stop(meter.start(self._device), window), timed["calls"]))
        if not readings:
            return None, None, tuple(self._reasons)
        energy: Estimate | None = None
        for reading, calls in readings:
            share = reading.energy_j * (1.0 / calls)
            energy = share if energy is None else energy + share
        notes = [note for reading, _ in readings for note in reading.notes]
        if len(readings) > 1:
            notes += [f"{reading.scope}: {reading.energy_j.mid / calls:.3g} J per call." for reading, calls in readings]
        return energy, self._idle, (*notes, *self._reasons)

    def _idle_w(self) -> Estimate | None:
        """Watts with nothing running, by the counters alone; None where there is none or the window was too short."""
        counters = [meter for meter in self._meters if meter.WINDOW_S]
        if not counters:
            return None
        try:
            started = [(meter, meter.start(self._device)) for meter in counters]
            time.sleep(IDLE_S)
            idle = [meter.stop(start, Window(wall_s=IDLE_S, cpu_s=0.0)).power_w for meter, start in started]
        except RightsizeError as error:
            self._reasons.append(error.message)
            return None
        total = idle[0]
        for watts in idle[1:]:
            total = total + watts
        return total
