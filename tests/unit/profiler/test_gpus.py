"""GPUs as a fake driver shows them, and as no driver does."""

import time

import pytest

from profiler.gpus import MemoryWatch, gpus, handle_of, live, missing
from tests.fakes import FakeNvml


def test_a_card_is_told_with_its_limits():
    (gpu,) = gpus(lambda: FakeNvml())
    assert (gpu.name, gpu.memory_bytes, gpu.power_limit_w, gpu.driver, gpu.mig) == (
        "Fake GPU", 80 << 30, 700.0, "999.0", False
    )  # fmt: skip
    assert gpus(lambda: FakeNvml(mig=True))[0].mig


def test_the_panel_shows_what_the_driver_says_now():
    (now,) = live(lambda: FakeNvml(68.0, busy=3))
    assert now.power_w == 68.0
    assert now.utilisation_frac == 0.03
    assert now.memory_used_bytes == 3 << 30
    assert now.temperature_c == 54
    assert now.clock_hz == 1.2e9
    assert now.clock_most_hz is None  # the card does not tell
    assert now.processes == ((4242, 2 << 30),)
    assert "3.0 % busy" in now.warning
    assert live(lambda: FakeNvml(busy=90))[0].warning is None


def test_without_a_driver_there_is_a_sentence_and_no_crash():
    none = FakeNvml(driver=False)
    assert gpus(lambda: none) == ()
    assert live(lambda: none) == ()
    assert missing(lambda: none) == "This machine has no NVIDIA driver."
    assert missing(lambda: FakeNvml()) is None
    with MemoryWatch("cuda:0", lambda: none) as watch:
        pass
    assert watch.peak_bytes is None


def test_memory_taken_during_a_run_is_seen():
    board = FakeNvml()
    with MemoryWatch("cuda:0", lambda: board) as watch:
        board.used_bytes += 512 << 20
        time.sleep(0.05)
        board.used_bytes -= 512 << 20
    assert watch.peak_bytes == 512 << 20


def test_cuda_numbers_are_those_of_nvml_also_where_boards_are_hidden(monkeypatch):
    boards = FakeNvml(boards=4)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert handle_of(boards, "cuda:2") == handle_of(boards, "cuda:2") == 2
    assert handle_of(boards, "cuda") == 0
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, 1")
    assert (handle_of(boards, "cuda:0"), handle_of(boards, "cuda:1")) == (3, 1)
    with pytest.raises(boards.NVMLError):
        handle_of(boards, "cuda:2")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-11aa")
    assert handle_of(boards, "cuda:0") == "board GPU-11aa"
