"""Joules per call from windows and meters; hand-computed."""

import pytest

from data.errors import MeasurementError
from profiler import energy
from profiler.energy import PerCall, Wattmeter, meters_for
from profiler.meters import Window
from profiler.meters.nvml import Nvml
from tests.fakes import FakeMeter, FakeNvml

FOUND = {"timed": {"wall_s": 4.0, "cpu_s": 2.0, "calls": 100}, "window": {"wall_s": 5.0, "cpu_s": 5.0, "calls": 50}}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(energy, "IDLE_S", 0.01)


def by_name(*meters):
    return {meter.NAME: meter for meter in meters}


def test_the_first_meter_that_is_there_is_read_and_the_others_say_why_not():
    gone = FakeMeter(1.0, missing="It is not there.", name="gone")
    here, later = FakeMeter(1.0, name="here"), FakeMeter(1.0, name="later")
    chosen, reasons = meters_for("cpu", by_name(gone, here, later))
    assert chosen == [here]
    assert reasons == ["It is not there."]


def test_a_gpu_run_reads_board_and_cpu():
    board, cpu = FakeMeter(300.0, device="cuda", name="board"), FakeMeter(50.0, name="cpu")
    assert meters_for("cuda:0", by_name(board, cpu))[0] == [board, cpu]
    assert meters_for("cpu", by_name(board, cpu))[0] == [cpu]
    meter = Wattmeter("cuda:0", known=by_name(board, cpu))
    meter.start("original")
    meter.stop("original", Window(wall_s=5.0, cpu_s=5.0))
    told = meter.per_call("original", FOUND)
    assert told.energy_j.mid == pytest.approx((300 + 50) * 5.0 / 50)
    assert told.idle_w.mid == told.power_w.mid == pytest.approx(350.0)
    assert told.energy_j.mid == pytest.approx(told.power_w.mid * 5.0 / 50)
    assert len(told.notes) == 2
    assert board.started == ["cuda:0"] * 2


def test_a_meter_without_a_window_bills_the_timed_loop():
    modelled = FakeMeter(10.0, window_s=0.0)
    meter = Wattmeter("cpu", known=by_name(modelled))
    assert meter.window_s == 0.0
    told = meter.per_call("original", FOUND | {"window": None})
    assert told.energy_j.mid == pytest.approx(10.0 * 4.0 / 100)
    assert told.power_w.mid * 4.0 / 100 == pytest.approx(told.energy_j.mid)  # power x time of a call
    assert told.idle_w is None


def test_no_meter_is_no_number_and_a_reason():
    meter = Wattmeter("cpu", known=by_name(FakeMeter(1.0, missing="Nothing counts here.")))
    assert meter.per_call("original", FOUND) == PerCall(notes=("Nothing counts here.",))
    assert Wattmeter("cpu", on=False).per_call("original", FOUND).energy_j is None


def test_a_split_gpu_is_timed_and_its_energy_refused_with_the_reason():
    """The processor's share alone would pass for the whole: nothing is told."""
    meter = Wattmeter("cuda:0", known={"nvml": Nvml(lambda: FakeNvml(mig=True)), "cpu": FakeMeter(50.0, name="cpu")})
    meter.start("original")
    meter.stop("original", Window(wall_s=5.0, cpu_s=5.0))
    told = meter.per_call("original", FOUND)
    assert told.energy_j is None and told.power_w is None
    assert any("slices (MIG)" in note for note in told.notes)


def test_a_window_too_short_for_the_counter_costs_the_energy_and_not_the_run():
    class Short(FakeMeter):
        def stop(self, started, window):
            raise MeasurementError("The run was too short for the counter.")

    meter = Wattmeter("cpu", known=by_name(Short(1.0)))
    meter.start("original")
    meter.stop("original", Window(wall_s=0.1, cpu_s=0.1))
    assert meter.per_call("original", FOUND) == PerCall(notes=("The run was too short for the counter.",))
