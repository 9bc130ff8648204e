"""Stand-ins that speak the real protocols: meters, NVML, powercap folders, a keeper of records."""

import time
from pathlib import Path

from data.estimate import Estimate
from profiler.meters import Reading


class FakeMeter:
    """A counter that runs at `watts`, by the window's own clock."""

    SCOPE, BASIS, RANK = "fake board", "measured", 1

    def __init__(self, watts, device="cpu", window_s=1.0, missing=None, name="fake"):
        self.NAME, self.DEVICE, self.WINDOW_S = name, device, window_s
        self._watts, self._missing, self.started = watts, missing, []

    def missing(self):
        return self._missing

    def start(self, device):
        self.started.append(device)
        return device

    def stop(self, started, window):
        joules = self._watts * window.wall_s
        energy = Estimate(low=joules, mid=joules, high=joules, basis="measured", source=self.NAME)
        return Reading(energy_j=energy, power_w=energy * (1 / window.wall_s), scope=self.SCOPE)


class FakeNvml:
    """pynvml with one board at a constant power. `counter` False is a card before Volta."""

    NVML_CLOCK_SM, NVML_TEMPERATURE_GPU, NVML_ERROR_NOT_FOUND = 1, 0, 6

    class NVMLError(Exception):
        pass

    def __init__(self, watts=200.0, *, boards=1, counter=True, counter_factor=1.0, mig=False, driver=True, busy=90):
        self.used_bytes, self.memory_reads, self._busy = 3 << 30, 0, busy
        self._watts, self._boards, self._counter, self._factor = watts, boards, counter, counter_factor
        self._mig, self._driver, self._born = mig, driver, time.perf_counter()

    def nvmlInit(self):
        if not self._driver:
            raise self.NVMLError("driver not loaded")

    def nvmlShutdown(self):
        pass

    def nvmlSystemGetDriverVersion(self):
        return "999.0"

    def nvmlDeviceGetCount(self):
        return self._boards

    def nvmlDeviceGetHandleByIndex(self, index):
        if index >= self._boards:
            raise self.NVMLError("no such board")
        return index

    def nvmlDeviceGetHandleByUUID(self, uuid):
        return f"board {uuid}"

    def nvmlDeviceIsMigDeviceHandle(self, handle):
        return int(str(handle).startswith("board MIG"))

    def nvmlDeviceGetName(self, handle):
        return "Fake GPU"

    def nvmlDeviceGetMemoryInfo(self, handle):
        used, self.memory_reads = self.used_bytes, self.memory_reads + 1
        return type("Memory", (), {"total": 80 << 30, "used": used})

    def nvmlDeviceGetUtilizationRates(self, handle):
        return type("Rates", (), {"gpu": self._busy, "memory": 5})

    def nvmlDeviceGetTemperature(self, handle, sensor):
        return 54

    def nvmlDeviceGetClockInfo(self, handle, clock):
        return 1_200

    def nvmlDeviceGetMaxClockInfo(self, handle, clock):
        raise self.NVMLError("not supported")

    def nvmlDeviceGetComputeRunningProcesses(self, handle):
        return [type("Process", (), {"pid": 4242, "usedGpuMemory": 2 << 30})]

    def nvmlDeviceGetEnforcedPowerLimit(self, handle):
        return 700_000

    def nvmlDeviceGetMigMode(self, handle):
        return (int(self._mig), int(self._mig))

    def nvmlDeviceGetTotalEnergyConsumption(self, handle):
        if not self._counter:
            raise self.NVMLError("not supported")
        return int(self._watts * self._factor * (time.perf_counter() - self._born) * 1_000)

    def nvmlDeviceGetPowerUsage(self, handle):
        return int(self._watts * 1_000)


def powercap(folder: Path, packages: int = 1, dram: bool = True, range_uj: int = 262_143_328_850) -> Path:
    """A powercap tree as Linux shows it, all counters at 0."""
    for package in range(packages):
        zones = [(f"intel-rapl:{package}", f"package-{package}"), (f"intel-rapl:{package}:0", "core")]
        zones += [(f"intel-rapl:{package}:1", "dram")] if dram else []
        for zone, name in zones:
            (folder / zone).mkdir(parents=True)
            (folder / zone / "name").write_text(name + "\n")
            (folder / zone / "energy_uj").write_text("0\n")
            (folder / zone / "max_energy_range_uj").write_text(f"{range_uj}\n")
    return folder


class Keeper:
    """What keeps records, in memory."""

    def __init__(self):
        self.kept = []

    def save(self, *records):
        self.kept += records

    def get(self, kind, key):
        found = [record for record in self.kept if isinstance(record, kind) and getattr(record, kind.KEY) == key]
        return found[-1] if found else None

    def all(self, kind, **equal):
        return [
            record for record in self.kept
            if isinstance(record, kind) and all(getattr(record, name) == value for name, value in equal.items())
        ]  # fmt: skip
