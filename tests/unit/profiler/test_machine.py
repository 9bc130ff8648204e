"""What this machine is, from planted system files."""

from types import SimpleNamespace

import pytest

from data.errors import InputError
from profiler import machine as module
from profiler.machine import (
    Watch,
    _Moment,
    busy_cores_s,
    load,
    machine,
    memory_bytes,
    others_frac,
    threads_of,
    usable_cores,
)
from profiler.types import Machine


@pytest.fixture
def planted(tmp_path, monkeypatch):
    """A /proc and /sys of our own; `write(name, text)` puts a file there."""

    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    monkeypatch.setattr(module, "CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(module, "PRESSURE", tmp_path / "pressure")
    monkeypatch.setattr(module, "CPU_FOLDER", tmp_path / "cpu0")
    monkeypatch.setattr(module, "CGROUP", tmp_path / "cgroup")
    module.machine.cache_clear()
    yield write
    module.machine.cache_clear()


def test_cpu_isa_caches_and_governor_are_read(planted):
    planted("cpuinfo", "model name\t: Abacus 9\nflags\t\t: fpu avx2 avx512_vnni amx_bf16 hypervisor\n\nmodel name: x\n")
    planted("cpu0/cpufreq/scaling_governor", "performance\n")
    caches = [("1", "Data", "48K"), ("1", "Instruction", "32K"), ("3", "Unified", "32768K")]
    for index, (level, kind, size) in enumerate(caches):
        for name, text in (("level", level), ("type", kind), ("size", size)):
            planted(f"cpu0/cache/index{index}/{name}", text + "\n")
    here = machine()
    assert here.cpu == "Abacus 9"
    assert here.isa == ("avx2", "avx512_vnni", "amx_bf16")
    assert here.has_vnni
    assert here.has_bf16
    assert here.virtual is True
    assert here.governor == "performance"
    assert here.caches_bytes == {"L1d": 48 << 10, "L1i": 32 << 10, "L3": 32 << 20}
    assert here.versions["onnxruntime"]


def test_the_fingerprint_changes_with_the_hardware_and_with_nothing_else(planted):
    planted("cpuinfo", "model name: A\nflags: avx2\n")
    first = machine().fingerprint
    module.machine.cache_clear()
    planted("cpu0/cpufreq/scaling_governor", "powersave\n")
    assert machine().fingerprint == first
    module.machine.cache_clear()
    planted("cpuinfo", "model name: A\nflags: avx2 avx512f\n")
    assert machine().fingerprint != first


def test_a_control_group_limits_cores_and_memory(planted, monkeypatch):
    monkeypatch.setattr(module.os, "sched_getaffinity", lambda pid: set(range(8)))
    assert usable_cores() == 8
    planted("cgroup/cpu.max", "150000 100000\n")
    planted("cgroup/memory.max", f"{1 << 30}\n")
    assert usable_cores() == 2
    assert memory_bytes() == 1 << 30
    planted("cgroup/cpu.max", "max 100000\n")
    planted("cgroup/memory.max", "max\n")
    assert usable_cores() == 8
    assert memory_bytes() > 1 << 30


def test_pressure_is_a_share_and_absent_where_the_system_tells_none(planted):
    assert load().cpu_pressure_frac is None
    planted("pressure", "some avg10=12.50 avg60=1.00 avg300=0.10 total=1000000\nfull avg10=0.00\n")
    assert load().cpu_pressure_frac == 0.125


def test_the_watch_reads_the_pressure_of_its_window(planted, monkeypatch):
    now = iter([10.0, 14.0])
    planted("pressure", "some avg10=50.00 avg60=1.00 avg300=0.10 total=1000000\n")
    watch = Watch()
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(now)))
    watch.start("timed")
    planted("pressure", "some avg10=90.00 avg60=1.00 avg300=0.10 total=1400000\n")
    watch.stop("timed")
    assert watch.before.cpu_pressure_frac == 0.5
    assert watch.during("timed").cpu_pressure_frac == pytest.approx(0.1)  # 0.4 s of 4 s
    assert watch.during("never").cpu_pressure_frac is None


STAT = """cpu  9 9 9 9 9 9 9 9 9 9
cpu0 100 10 40 5000 7 1 2 47 0 0
cpu1 300 0 0 5000 0 0 0 0 0 0
cpu2 900 0 0 0 0 0 0 0 0 0
intr 5
"""


def test_busy_cores_are_ours_and_waiting_for_disk_is_idle(monkeypatch):
    monkeypatch.setattr(module.os, "sysconf", lambda name: 100)
    assert busy_cores_s(STAT, {0, 1}) == (5.0, 2)  # 100 + 10 + 40 + 1 + 2 + 47 (other guests), and 300 ticks
    assert busy_cores_s(None, {0}) == busy_cores_s("nothing", {0}) == (None, 0)


def test_what_others_took_is_the_cores_work_less_our_own():
    began = _Moment(at_s=10.0, waited_s=None, busy_s=50.0, cores=2, own_s=7.0)
    now = _Moment(at_s=14.0, waited_s=None, busy_s=55.0, cores=2, own_s=10.0)
    assert others_frac(began, now) == pytest.approx((5.0 - 3.0) / (4.0 * 2))
    assert others_frac(began, _Moment(at_s=14.0, waited_s=None, busy_s=52.0, cores=2, own_s=11.0)) == 0.0
    assert others_frac(began, _Moment(at_s=10.1, waited_s=None, busy_s=50.1, cores=2, own_s=7.0)) is None  # too short
    assert others_frac(_Moment(at_s=0.0, waited_s=None, busy_s=None, cores=0, own_s=0.0), now) is None


def test_threads_are_those_asked_for_where_the_machine_can_run_them():
    here = Machine(fingerprint="f", cpu="c", isa=(), physical_cores=2, logical_cores=4, memory_bytes=1)
    assert (threads_of(None, here), threads_of(3, here), threads_of(64, here)) == (2, 3, 64)
    for odd in (-1, 65):
        with pytest.raises(InputError, match="4 cores"):
            threads_of(odd, here)
