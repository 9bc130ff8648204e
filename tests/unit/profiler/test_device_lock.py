"""Turns on a device: in order, across processes, without waiting for the dead."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from profiler.device_lock import held
from tests.patience import until

ROOT = Path(__file__).resolve().parents[3]
HOLDER = """
import sys, time
from pathlib import Path
from profiler.device_lock import held
with held(Path(sys.argv[1]), "cpu"):
    print("mine", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"mine\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_process_waits_and_is_told_its_place(tmp_path, holder):
    places = []

    def waiting(place):
        places.append(place)
        if len(places) == 3:
            holder.send_signal(signal.SIGKILL)
            holder.wait()

    with held(tmp_path, "cpu", waiting=waiting):
        assert places[:3] == [1, 1, 1]
    assert not [path for path in (tmp_path / "cpu").iterdir() if path.name != "desk"]


def test_another_device_is_free(tmp_path, holder):
    with held(tmp_path, "cuda:0", waiting=lambda place: pytest.fail("it waited for the other device")):
        pass


def test_turns_come_in_the_order_of_asking(tmp_path):
    order, inside, threads = [], [], []

    def job(number):
        with held(tmp_path, "cpu", waiting=lambda place: None):
            inside.append(number)
            assert len(inside) == 1
            time.sleep(0.02)
            order.append(number)
            inside.clear()

    with held(tmp_path, "cpu"):
        for number in range(4):
            threads.append(threading.Thread(target=job, args=(number,)))
            threads[-1].start()
            until(lambda asked=number + 1: len(list((tmp_path / "cpu").iterdir())) >= asked + 2)
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3]


def test_who_gives_up_leaves_no_ticket(tmp_path, holder):
    def give_up(place):
        raise InterruptedError

    with pytest.raises(InterruptedError), held(tmp_path, "cpu", waiting=give_up):
        pytest.fail("the device was not free")
    assert len(list((tmp_path / "cpu").iterdir())) == 2
