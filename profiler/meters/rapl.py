"""RAPL: the CPU package's own energy counters, through Linux's powercap. Read by the parent, never by the child."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from data.errors import MeasurementError, Unavailable
from data.estimate import Estimate
from profiler.meters import Reading, Window

FOLDER = Path("/sys/class/powercap")
J_PER_UJ = 1e-6
# The counters are written about every millisecond (Khan et al. 2018, RAPL in Action, section 4.2): each end of the
# window is uncertain by that long.
UPDATE_S = 0.001


@dataclass(frozen=True, slots=True)
class Started:
    """Microjoules of each counter, and when they were read."""

    counters_uj: Mapping[str, int]
    at_s: float


class Rapl:
    """CPU packages, and memory where the CPU counts it; all work on the machine is in it, not this process alone."""

    NAME = "rapl"
    SCOPE = "CPU package"
    BASIS = "measured"
    DEVICE = "cpu"
    WINDOW_S = 2.0
    RANK = 2

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder

    def missing(self) -> str | None:
        counters = self._counters()
        if not counters:
            return "This machine shows no energy counter of its CPU (RAPL); virtual machines usually do not."
        try:
            self._read(counters)
        except PermissionError:
            return "The CPU's energy counter (RAPL) may only be read by root here: grant read access to energy_uj."
        except OSError:
            return "The CPU's energy counter (RAPL) cannot be read here."
        return None

    def start(self, device: str) -> Started:
        if sentence := self.missing():
            raise Unavailable(sentence)
        return Started(self._read(self._counters()), time.perf_counter())

    def stop(self, started: object, window: Window) -> Reading:
        assert isinstance(started, Started)
        elapsed_s = time.perf_counter() - started.at_s
        counters = self._counters()
        now = self._read(counters)
        energy_j = {
            name: _since(started.counters_uj[name], now[name], self._range(counters[name])) * J_PER_UJ
            for name in started.counters_uj
        }
        total_j = sum(energy_j.values())
        if elapsed_s < 100 * UPDATE_S or not total_j:
            raise MeasurementError("The run was too short for the CPU's energy counter.", hint="Measure for longer.")
        unsure_frac = 2 * UPDATE_S / elapsed_s
        energy = Estimate(
            low=total_j * (1 - unsure_frac), mid=total_j, high=total_j * (1 + unsure_frac), basis="measured",
            source="RAPL counters of " + ", ".join(sorted(energy_j)),
        )  # fmt: skip
        return Reading(energy_j=energy, power_w=energy * (1 / elapsed_s), scope=self.SCOPE)

    def _counters(self) -> dict[str, Path]:
        """Name ("package-0", "package-0 dram") -> folder. Cores and graphics are inside their package, and left out."""
        found = {}
        for folder in sorted(self._folder.glob("intel-rapl:*")):
            name = _text(folder / "name")
            if name.startswith("package"):
                found[name] = folder
            elif name == "dram":
                parent = self._folder / folder.name.rpartition(":")[0]
                found[f"{_text(parent / 'name')} dram"] = folder
        return found

    def _read(self, counters: Mapping[str, Path]) -> dict[str, int]:
        return {name: int((folder / "energy_uj").read_text()) for name, folder in counters.items()}

    def _range(self, folder: Path) -> int:
        return int(_text(folder / "max_energy_range_uj") or 0)


def _since(before: int, after: int, wraps_at: int) -> int:
    """Microjoules from one reading to the next of a counter that starts again at 0."""
    return after - before if after >= before else after + wraps_at - before


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


METER = Rapl()
