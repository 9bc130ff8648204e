"""Measured peaks: kept by machine, device and threads, and no number where a runtime is missing."""

import pytest

from data.home import home
from profiler import peaks, timing
from profiler.jobs import Desk
from profiler.machine import machine
from profiler.types import Machine, Peaks
from tests.fakes import Keeper

OPTIONS = {"threads": "1", "device": "cpu"}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(peaks, "SETTINGS", timing.Settings(budget_s=0.1, warmup_s=0.0, least_calls=8, least_s=0.02))
    monkeypatch.setattr(peaks, "SIZES", (128, 256))


@pytest.mark.parametrize("name", ["fp32_flop_per_s", "int8_op_per_s"])
def test_a_product_counts_two_per_multiply_add(name, tmp_path, monkeypatch):
    seen = []
    rate = peaks._rate
    monkeypatch.setattr(peaks, "_rate", lambda *given: seen.append(given[4]) or rate(*given))
    found = peaks.product(tmp_path, name, OPTIONS)
    assert seen == [2 * 128**3, 2 * 256**3]
    assert 1e8 < found.low <= found.mid <= found.high < 1e14
    assert found.basis == "measured"
    assert "product" in found.source


def test_a_stream_counts_bytes_read_and_written(tmp_path, monkeypatch):
    seen = []
    rate = peaks._rate
    monkeypatch.setattr(peaks, "_rate", lambda *given: seen.append(given[4]) or rate(*given))
    found = peaks.stream(tmp_path, 1 << 20, OPTIONS)
    assert seen == [33 * (1 << 20)]  # 16 operations read and write, the last one reads
    assert 1e8 < found.mid < 1e13


def test_the_cached_buffer_is_a_quarter_of_the_last_cache_up_to_four_mib():
    def of(**caches):
        here = Machine(fingerprint="f", cpu="c", isa=(), physical_cores=1, logical_cores=1, memory_bytes=1,
                       caches_bytes=caches)  # fmt: skip
        return peaks.cached_bytes(here)

    assert of(L3=8 << 20) == 2 << 20
    assert of(L3=64 << 20) == 4 << 20
    assert of(L2=1 << 20) == 512 << 10
    assert of() == 4 << 20


def test_peaks_are_saved_by_machine_and_threads(monkeypatch):
    rates = {"fp32_flop_per_s": {"low": 1.0, "mid": 2.0, "high": 3.0, "basis": "measured", "source": "s"}}
    keeper = Keeper()
    desk = Desk(home(), keeper, lambda done_frac, text: None)
    monkeypatch.setattr(Desk, "task", lambda self, *given, **also: {"rates": rates, "notes": ["bf16: not here."]})
    answer = peaks.measure_peaks(desk, threads=1)
    kept = keeper.get(Peaks, answer["id"])
    assert kept.fp32_flop_per_s.mid == 2.0
    assert kept.bf16_flop_per_s is None
    assert kept.notes == ("bf16: not here.",)
    assert keeper.get(Machine, machine().fingerprint) is not None
    assert peaks.kept_peaks(desk, 1) == kept
    assert peaks.kept_peaks(desk, 2) is None
