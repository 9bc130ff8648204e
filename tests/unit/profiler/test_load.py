"""Poisson arrivals through LoadGen, and sweeps: hand-made traces, a known queue, a real child."""

import threading
import time

import numpy as np
import pytest

from data.errors import InputError
from data.home import home
from profiler import load
from profiler.intake import take_in
from profiler.jobs import Desk
from profiler.load import arrivals, load_test, read_trace, sweep_kept
from profiler.measure import Feed
from profiler.profile import Subject
from profiler.run_types import LoadTest
from profiler.timing import Settings
from profiler.types import Measurement, Model, Tensor
from tests import small_models
from tests.fakes import Keeper

MLP = Model(
    sha256="s", name="m", format="onnx", file_bytes=1, parameter_count=1, parameters_by_dtype={}, weight_bytes=1,
    inputs=(Tensor(name="x", dtype="float32", shape=("batch", 32)),),
)  # fmt: skip


def desk():
    return Desk(home(), Keeper(), lambda done_frac, text: None)


def test_the_trace_is_read_in_the_order_of_arrival():
    trace = (
        '{"name":"Sample","ph":"b","args":{"sample_seq":1,"query_seq":1,"issue_start_ns":9,"complete_ns":2500000}},\n'
        '{"name":"Other","args":{"sample_seq":7,"complete_ns":1}},\n'
        '{"name":"Sample","ph":"b","args":{"sample_seq":0,"query_seq":0,"issue_start_ns":9,"complete_ns":4000000}},\n'
        '{"name":"Sample","ph":"e"},\n'
    )
    assert read_trace(trace) == [4.0, 2.5]


def test_waiting_is_part_of_the_latency_and_requests_come_at_random(tmp_path):
    """Each request's due time is when it was answered less its latency; it is served then, or when the one before it is
    done. That holds however long a busy machine makes each of them; medians, as one moment may be lost anywhere."""
    begun, ended = [], []

    def call():
        begun.append(time.perf_counter() * 1e3)
        time.sleep(0.004)
        ended.append(time.perf_counter() * 1e3)

    samples = np.array(arrivals([call], 125.0, 3.0, tmp_path))
    begun, ended = np.array(begun), np.array(ended)
    assert len(samples) == len(ended) == pytest.approx(125 * 3, rel=0.25)
    due = ended - samples
    free = np.maximum(due, np.concatenate([[0.0], ended[:-1]]))
    assert np.median(np.abs(begun - free)) < 1.0
    assert (free > due + 1.0).mean() > 0.2  # at half load half of them wait
    gaps = np.diff(due)
    assert gaps.mean() == pytest.approx(8.0, rel=0.25) and gaps.std() == pytest.approx(8.0, rel=0.4)  # exponential


def test_two_workers_serve_at_once(tmp_path):
    at_once, most, lock = 0, 0, threading.Lock()

    def call():
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.02)
        with lock:
            at_once -= 1

    assert arrivals([call, call], 60.0, 1.0, tmp_path)
    assert most == 2


def test_what_a_call_raises_reaches_the_caller(tmp_path):
    def broken():
        raise InputError("It broke.")

    with pytest.raises(InputError, match="It broke"):
        arrivals([broken], 50.0, 0.3, tmp_path)


def test_a_model_under_load_in_the_locked_child(tmp_path):
    path = small_models.mlp(tmp_path / "m.onnx")
    subject, feed = Subject(path=path, model_sha256="s"), Feed(model=MLP)
    found = load_test(desk(), subject, feed, 200.0, seconds=1.5, threads=1)
    assert isinstance(found, LoadTest)
    assert len(found.samples_ms) == pytest.approx(300, rel=0.3)
    assert min(found.samples_ms) >= found.service_ms * 0.5
    assert found.utilisation_frac == pytest.approx(200 * found.service_ms / 1000)
    assert found.workload.scenario == "Poisson arrivals"
    with pytest.raises(InputError, match="cannot keep up"):
        load_test(desk(), Subject(path=small_models.mlp(tmp_path / "wide.onnx", width=200_000), model_sha256="s"), feed,
                  19_000.0, seconds=1.0)  # fmt: skip
    for rate, seconds in ((0.0, 1.0), (1e6, 1.0)):
        with pytest.raises(InputError, match="requests"):
            load_test(desk(), subject, feed, rate, seconds=seconds)


def test_a_sweep_keeps_what_ran_and_says_what_did_not(tmp_path, monkeypatch):
    monkeypatch.setattr(load, "SWEPT", Settings(budget_s=0.2, warmup_s=0.01, least_calls=20, least_s=0.02))
    keeper = Keeper()
    here = Desk(home(), keeper, lambda done_frac, text: None)
    taken = take_in(here, path=str(small_models.mlp(tmp_path / "m.onnx")))
    found = sweep_kept(here, sha256=taken["sha256"], batch_sizes=[1, 4], threads=[1])
    runs = [record for record in keeper.kept if isinstance(record, Measurement)]
    assert [run.id for run in runs] == found["runs"]
    assert [(run.workload.batch_size, run.workload.scenario) for run in runs] == [(1, "sweep"), (4, "sweep")]
    with pytest.raises(InputError):
        sweep_kept(here, sha256=taken["sha256"], batch_sizes=[], threads=[1])
