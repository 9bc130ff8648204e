"""What this machine is, and how busy it is now. Reads the system only; loads no model library."""

import hashlib
import importlib.metadata
import json
import os
import platform
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

from data import words
from data.errors import InputError
from profiler.gpus import gpus
from profiler.types import Load, Machine

CPU_INFO = Path("/proc/cpuinfo")
PRESSURE = Path("/proc/pressure/cpu")
STAT = Path("/proc/stat")
SHORTEST_S = 0.5  # the kernel counts work in ticks of 10 ms
CPU_FOLDER = Path("/sys/devices/system/cpu/cpu0")
CGROUP = Path("/sys/fs/cgroup")
VERSIONS_OF = ("numpy", "onnx", "onnxruntime", "onnxruntime-gpu", "openvino", "torch")
THREADS_PER_CORE = 16  # beyond it a runtime only starts threads
# What decides the speed of a model on a CPU, in Linux's names (x86, then Arm).
ISA = (
    "sse4_2", "avx", "avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512bw", "avx512vl", "avx512_vnni",
    "avx512_bf16", "avx512_fp16", "amx_tile", "amx_int8", "amx_bf16", "asimd", "asimddp", "i8mm", "bf16", "sve", "sve2",
)  # fmt: skip


@cache
def machine() -> Machine:
    """This machine. Cores and memory are those this process may use (affinity and control group)."""
    info = _cpu_info()
    flags = set((info.get("flags") or info.get("Features") or "").split())
    cpu = info.get("model name") or platform.processor() or platform.machine()
    isa = tuple(name for name in ISA if name in flags)
    logical = usable_cores()
    facts = {
        "cpu": cpu,
        "isa": isa,
        "physical_cores": min(logical, psutil.cpu_count(logical=False) or logical),
        "logical_cores": logical,
        "memory_bytes": memory_bytes(),
        "gpus": gpus(),
        "versions": versions(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }
    return Machine(
        fingerprint=_fingerprint(facts),
        caches_bytes=_caches(),
        virtual="hypervisor" in flags if flags else None,
        governor=_text(CPU_FOLDER / "cpufreq/scaling_governor"),
        **facts,  # type: ignore[arg-type]
    )


def load() -> Load:
    """How busy the machine is now."""
    try:
        average: float | None = os.getloadavg()[0]
    except OSError:
        average = None
    return Load(load_1m=average, cpu_pressure_frac=_pressure_frac(_text(PRESSURE)))


@dataclass(frozen=True, slots=True)
class _Moment:
    """What the kernel's counters say at one moment (seconds): waiting tasks; all our cores busy, and for how many cores
    that is; this process and its children at work."""

    at_s: float
    waited_s: float | None
    busy_s: float | None
    cores: int
    own_s: float


def _moment() -> _Moment:
    ours = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else ()  # not Linux
    busy_s, cores = busy_cores_s(_text(STAT), ours)
    return _Moment(time.monotonic(), _waited_s(_text(PRESSURE)), busy_s, cores, _own_s())


def others_frac(began: _Moment, now: _Moment) -> float | None:
    """The share of our cores' time that processes other than ours took between two moments; None where the window is
    too short for the kernel's ticks, or the system does not tell."""
    elapsed_s = now.at_s - began.at_s
    if began.busy_s is None or now.busy_s is None or not now.cores or elapsed_s < SHORTEST_S:
        return None
    others_s = now.busy_s - began.busy_s - (now.own_s - began.own_s)
    return min(1.0, max(0.0, others_s / (elapsed_s * now.cores)))


def busy_cores_s(stat: str | None, cores: Collection[int]) -> tuple[float | None, int]:
    """Seconds since boot in which these cores were not idle (a hypervisor's other guests included), from /proc/stat,
    and how many of them it lists."""
    found = []
    for line in (stat or "").splitlines():
        name, *ticks = line.split()
        if name.startswith("cpu") and name[3:].isdigit() and int(name[3:]) in cores and len(ticks) >= 8:
            user, nice, system, _, _, irq, softirq, steal = map(int, ticks[:8])
            found.append(user + nice + system + irq + softirq + steal)
    return (sum(found) / os.sysconf("SC_CLK_TCK"), len(found)) if found else (None, 0)


def _own_s() -> float:
    """CPU seconds of this process and of its children that live."""
    own = psutil.Process()
    total = 0.0
    for process in (own, *own.children(recursive=True)):
        with suppress(psutil.Error):
            spent = process.cpu_times()
            total += spent.user + spent.system
    return total


class Watch:
    """How busy the machine was before, and during each window between `start` and `stop`: there the pressure is that
    of the window itself, from the kernel's running total of waiting time."""

    def __init__(self) -> None:
        self.before = load()
        self._started: dict[str, _Moment] = {}
        self._during: dict[str, Load] = {}

    def start(self, label: str) -> None:
        self._started[label] = _moment()

    def stop(self, label: str) -> None:
        began, now = self._started.pop(label), _moment()
        elapsed_s = now.at_s - began.at_s
        known = began.waited_s is not None and now.waited_s is not None and elapsed_s > 0
        pressure = (now.waited_s - began.waited_s) / elapsed_s if known else None  # type: ignore[operator]
        self._during[label] = Load(
            load_1m=load().load_1m, cpu_pressure_frac=pressure, others_frac=others_frac(began, now)
        )

    def during(self, label: str) -> Load:
        """The load in that window; unknown where there was none."""
        return self._during.get(label, Load())


def usable_cores() -> int:
    """Logical cores this process may use: its affinity, and its control group's share rounded up."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        cores = psutil.cpu_count() or 1
    quota = (_cgroup("cpu.max") or "").split()
    if len(quota) == 2 and quota[0].isdigit():
        cores = min(cores, max(1, -(-int(quota[0]) // int(quota[1]))))
    return cores


def threads_of(asked: int | None, here: Machine) -> int:
    """Threads of a call: those asked for, else the physical cores. Raises InputError for more than make sense here."""
    threads, most = asked or here.physical_cores, THREADS_PER_CORE * here.logical_cores
    if not 1 <= threads <= most:
        cores = words.many(here.logical_cores, "core")
        raise InputError(f"{threads} threads cannot be used: this machine has {cores}.", hint=f"Choose 1 to {most}.")
    return threads


def memory_bytes() -> int:
    """Memory this process may use: the machine's, or its control group's limit where that is less."""
    limit = _cgroup("memory.max") or _cgroup("memory.limit_in_bytes") or ""
    total = int(psutil.virtual_memory().total)
    return min(total, int(limit)) if limit.isdigit() else total


def versions() -> dict[str, str]:
    """Versions of what decides a measurement; absent packages are left out."""
    found = {"python": platform.python_version()}
    for package in VERSIONS_OF:
        with suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found


def _cpu_info() -> dict[str, str]:
    """Key -> value of the first processor in /proc/cpuinfo; empty where there is none."""
    lines = (_text(CPU_INFO) or "").split("\n\n")[0].splitlines()
    pairs = (line.partition(":") for line in lines)
    return {key.strip(): value.strip() for key, _, value in pairs}


def _caches() -> dict[str, int]:
    """Name ("L1d", "L1i", "L2", "L3") -> bytes of the cache that the first core sees."""
    found = {}
    for folder in sorted((CPU_FOLDER / "cache").glob("index*")):
        level, kind, size = (_text(folder / name) for name in ("level", "type", "size"))
        if level and kind and size and size.endswith("K"):
            found[f"L{level}" + {"Data": "d", "Instruction": "i"}.get(kind, "")] = int(size[:-1]) << 10
    return found


def _pressure_frac(text: str | None) -> float | None:
    """The share of the last 10 s in which some runnable task waited, from /proc/pressure/cpu."""
    value = _pressure(text, "avg10")
    return None if value is None else value / 100


def _waited_s(text: str | None) -> float | None:
    """Seconds since boot in which some runnable task waited, from /proc/pressure/cpu (microseconds there)."""
    value = _pressure(text, "total")
    return None if value is None else value * 1e-6


def _pressure(text: str | None, key: str) -> float | None:
    for word in (text or "").split("\n")[0].split():
        if word.startswith(f"{key}="):
            return float(word.removeprefix(f"{key}="))
    return None


def _cgroup(name: str) -> str | None:
    """A limit of this process's control group (version 2, then the root's); None where there is none."""
    own = (_text(Path("/proc/self/cgroup")) or "").rpartition("::")[2].strip("/")
    return _text(CGROUP / own / name) or _text(CGROUP / name)


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return None


def _fingerprint(facts: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:16]
