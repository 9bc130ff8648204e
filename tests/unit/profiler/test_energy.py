"""Joules per call from windows and meters; hand-computed."""

import pytest

from profiler import energy
from profiler.energy import Wattmeter, meters_for
from profiler.meters import Window
from tests.fakes import FakeMeter

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
    joules, idle_w, notes = meter.per_call("original", FOUND)
    assert joules.mid == pytest.approx((300 + 50) * 5.0 / 50)
    assert idle_w.mid == pytest.approx(350.0)
    assert len(notes) == 2
    assert board.started == ["cuda:0"] * 2


def test_a_meter_without_a_window_bills_the_timed_loop():
    modelled = FakeMeter(10.0, window_s=0.0)
    meter = Wattmeter("cpu", known=by_name(modelled))
    assert meter.window_s == 0.0
    joules, idle_w, _ = meter.per_call("original", FOUND | {"window": None})
    assert joules.mid == pytest.approx(10.0 * 4.0 / 100)
    assert idle_w is None


def test_no_meter_is_no_number_and_a_reason():
    meter = Wattmeter("cpu", known=by_name(FakeMeter(1.0, missing="Nothing counts here.")))
    assert meter.per_call("original", FOUND) == (None, None, ("Nothing counts here.",))
    assert Wattmeter("cpu", on=False).per_call("original", FOUND)[0] is None
