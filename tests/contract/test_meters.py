"""Every energy meter: P x t = E in every reading, one sentence where it cannot be read, and what its counters say."""

import os
from types import SimpleNamespace

import pytest

from data.errors import MeasurementError, Unavailable
from profiler.meters import Window, meters, nvml, rapl
from profiler.meters.nvml import Nvml, disagreement, integral_j
from profiler.meters.rapl import Rapl
from profiler.meters.rated_power import RatedPower
from tests import fakes
from tests.fakes import FakeNvml, powercap
from tests.patience import until


@pytest.mark.parametrize("meter", meters().values(), ids=list(meters()))
def test_every_meter_says_what_it_is_or_why_it_is_not_there(meter):
    assert meter.DEVICE in ("cpu", "cuda")
    assert meter.BASIS in ("measured", "modelled")
    sentence = meter.missing()
    assert sentence is None or (sentence.endswith((".", "energy_uj.")) and "\n" not in sentence)


def test_the_best_basis_comes_first():
    assert list(meters()) == ["nvml", "rapl", "rated_power"]


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """The time of meters and of boards: it moves only where a test says so."""
    now = SimpleNamespace(s=100.0)
    for module in (nvml, rapl, fakes):
        monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: now.s))
    return now


@pytest.fixture
def reading(clock):
    def read(meter, seconds, cpu_s=0.0, between=lambda: None, device="cpu"):
        started = meter.start(device)
        until(lambda: getattr(started, "samples", True))  # a board's power has been polled
        clock.s += seconds
        between()
        return meter.stop(started, Window(wall_s=seconds, cpu_s=cpu_s))

    return read


@pytest.fixture
def package(tmp_path):
    return Rapl(powercap(tmp_path)), tmp_path


def count(folder, zone, microjoules):
    (folder / zone / "energy_uj").write_text(f"{microjoules}\n")


def test_rapl_adds_package_and_memory_and_leaves_out_what_is_inside(package, reading):
    meter, folder = package

    def spend():
        count(folder, "intel-rapl:0", 6_000_000)
        count(folder, "intel-rapl:0:0", 4_000_000)  # cores: part of the package
        count(folder, "intel-rapl:0:1", 1_500_000)

    found = reading(meter, 0.2, between=spend)
    assert found.energy_j.mid == pytest.approx(7.5)
    assert found.energy_j.basis == "measured"
    assert "package-0 dram" in found.energy_j.source
    assert found.energy_j.low < 7.5 < found.energy_j.high
    assert found.power_w.mid == pytest.approx(7.5 / 0.2)


def test_rapl_goes_over_the_end_of_its_counter(package, reading):
    meter, folder = package
    count(folder, "intel-rapl:0", 262_143_328_850 - 1_000_000)
    found = reading(meter, 0.15, between=lambda: count(folder, "intel-rapl:0", 2_000_000))
    assert found.energy_j.mid == pytest.approx(3.0)


def test_rapl_refuses_a_window_too_short_for_its_counter(package, reading):
    meter, _ = package
    with pytest.raises(MeasurementError, match="too short"):
        reading(meter, 0.0)


def test_rapl_says_whether_it_is_absent_or_closed(tmp_path):
    assert "virtual" in Rapl(tmp_path / "nothing").missing()
    folder = powercap(tmp_path / "powercap")
    assert Rapl(folder).missing() is None
    if os.geteuid():
        (folder / "intel-rapl:0" / "energy_uj").chmod(0)
        assert "root" in Rapl(folder).missing()


def test_nvml_reads_the_counter_and_power_times_time_is_energy(reading):
    found = reading(Nvml(lambda: FakeNvml(200.0)), 0.6, device="cuda:0")
    assert found.energy_j.mid == pytest.approx(120.0, rel=1e-4)
    assert found.power_w.mid == pytest.approx(200.0, rel=1e-4)
    assert found.energy_j.source == "NVML total-energy counter"
    assert found.notes == ()


def test_nvml_polls_power_where_the_card_has_no_counter(reading):
    found = reading(Nvml(lambda: FakeNvml(80.0, counter=False)), 0.6, device="cuda")
    assert found.energy_j.mid == pytest.approx(48.0)
    assert "polled" in found.energy_j.source


def test_nvml_says_when_counter_and_polled_power_disagree(reading):
    found = reading(Nvml(lambda: FakeNvml(100.0, counter_factor=0.5)), 0.6, device="cuda")
    assert found.power_w.mid == pytest.approx(50.0, rel=1e-4)
    assert "polled power" in found.notes[0]
    assert disagreement(100.0, 114.0) == ()
    assert disagreement(100.0, 116.0)
    assert disagreement(None, 5.0) == ()


def test_nvml_refuses_slices_missing_boards_and_short_windows(monkeypatch, reading):
    with pytest.raises(Unavailable, match="MIG"):
        Nvml(lambda: FakeNvml(mig=True)).start("cuda:0")
    with pytest.raises(Unavailable, match="cuda:3"):
        Nvml(lambda: FakeNvml()).start("cuda:3")
    with pytest.raises(MeasurementError, match="too short"):
        reading(Nvml(lambda: FakeNvml()), 0.0, device="cuda")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-22bb")
    with pytest.raises(Unavailable, match="MIG"):
        Nvml(lambda: FakeNvml()).start("cuda:0")
    assert "no NVIDIA driver" in Nvml(lambda: FakeNvml(driver=False)).missing()
    assert "no GPU" in Nvml(lambda: FakeNvml(boards=0)).missing()


def test_polled_power_is_integrated_by_trapezoids():
    samples = [(1.0, 10.0), (2.0, 20.0), (4.0, 20.0)]
    # 0.5 s at 10 W, then 15 W for 1 s, 20 W for 2 s, 20 W for 1 s
    assert integral_j(samples, 0.5, 5.0) == pytest.approx(5 + 15 + 40 + 20)
    assert integral_j([], 0.0, 1.0) is None


def test_rated_power_bills_cpu_seconds_and_not_wall_seconds():
    meter = RatedPower(lambda: "AMD EPYC")
    alone = meter.stop(None, Window(wall_s=5.0, cpu_s=5.0))
    crowded = meter.stop(None, Window(wall_s=15.0, cpu_s=5.0))
    assert alone.energy_j == crowded.energy_j
    assert crowded.power_w.mid * 15.0 == pytest.approx(crowded.energy_j.mid)
    assert alone.energy_j.basis == "modelled"


def test_a_cpu_named_by_its_family_gets_a_wider_interval_than_one_named_in_full():
    family = RatedPower(lambda: "AMD EPYC").stop(None, Window(wall_s=1.0, cpu_s=1.0)).energy_j
    named = RatedPower(lambda: "AMD EPYC 7763 64-Core Processor").stop(None, Window(wall_s=1.0, cpu_s=1.0)).energy_j
    assert named.mid == pytest.approx(280 / 64)  # rated 280 W over 64 cores
    assert family.low < family.mid < family.high
    assert family.high - family.low > named.high - named.low
    assert "not in the device table" in RatedPower(lambda: "Abacus 3000").missing()
