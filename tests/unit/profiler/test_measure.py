"""The child's work, in this process: known delays and allocations, odd outputs, data that does not fit."""

import mmap
import time
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest
from onnx import TensorProto, helper

from data.errors import InputError, Unavailable
from data.records import to_plain
from profiler import measure, runtimes
from profiler.measure import Entry, Feed, Peak, feeds_of, mark_error_bytes
from profiler.types import Model, Tensor
from tests import small_models
from tests.patience import until

QUICK = {"budget_s": 0.5, "warmup_s": 0.02, "least_calls": 20, "least_s": 0.1}


class Desk:
    """A child's desk that keeps what it hears."""

    def __init__(self):
        self.heard, self.metered_labels = [], []

    def progress(self, done_frac, text):
        self.heard.append((done_frac, text))

    @contextmanager
    def metered(self, label):
        self.metered_labels.append(label)
        yield


def model(*inputs):
    return Model(
        sha256="s", name="m", format="onnx", file_bytes=1, parameter_count=1, parameters_by_dtype={}, weight_bytes=1,
        inputs=inputs,
    )  # fmt: skip


MLP = model(Tensor(name="x", dtype="float32", shape=("batch", 32)))


class Stub:
    """A runtime whose models take a known time and hold a known amount of memory."""

    NAME, FORMATS = "stub", ("onnx",)

    def __init__(self):
        self.slept_ms = []  # how long each delay really was: a busy machine wakes a sleeper late

    def missing(self):
        return None

    def warm(self):
        pass

    def load(self, path, options):
        held = []

        def call():
            started = time.perf_counter()
            time.sleep(float(options.get("delay_s", 0)))
            self.slept_ms.append((time.perf_counter() - started) * 1e3)
            held.clear()
            held.append(np.ones(int(options.get("bytes", 8)), np.uint8))

        return SimpleNamespace(
            provider="stub",
            settings={"kind": "stub"},
            run=lambda feeds: {"y": np.zeros(1)},
            prepare=lambda feeds: call,
            device_facts=lambda feeds: {"call_ms": 4.2, "peak_bytes": 5.0} if "gpu" in options else {},
        )


@pytest.fixture
def stub(monkeypatch):
    made = Stub()
    monkeypatch.setattr(measure, "runtimes", lambda: {"stub": made})
    return made


def test_a_known_delay_reads_back_within_five_percent(stub):
    entry, desk = Entry(label="original", path="x", runtime="stub", options={"delay_s": "0.005"}), Desk()
    found = measure.time_group(
        desk, entries=[to_plain(entry)], feed=to_plain(Feed(model=MLP)), settings=QUICK, window_s=0.05
    )["original"]
    before = len(found["warmup_ms"])
    slept_ms = stub.slept_ms[before : before + len(found["samples_ms"])]
    assert np.median(slept_ms) >= 5.0
    assert np.median(found["samples_ms"]) == pytest.approx(np.median(slept_ms), rel=0.05)
    assert found["provider"] == "stub"
    assert found["settings"] == {"kind": "stub"}
    assert desk.metered_labels == ["timed", "original"]
    assert 1 <= found["window"]["calls"] <= 10
    assert found["timed"]["calls"] == len(found["samples_ms"])
    assert found["timed"]["wall_s"] == pytest.approx(sum(found["samples_ms"]) / 1000)


def test_what_the_gpu_tells_is_passed_on(stub):
    entry = Entry(label="original", path="x", runtime="stub", options={"gpu": "1"})
    arguments = {"feed": to_plain(Feed(model=MLP))}
    timed = measure.time_group(Desk(), entries=[to_plain(entry)], settings=QUICK, **arguments)["original"]
    assert timed["notes"] == ["By the GPU's own events a call takes 4.2 ms."]
    assert measure.peak_memory(Desk(), entry=to_plain(entry), **arguments)["gpu_bytes"] == 5


def test_a_known_allocation_reads_back_within_five_percent(stub):
    entry = Entry(label="original", path="x", runtime="stub", options={"bytes": str(256 << 20)})
    found = measure.peak_memory(Desk(), entry=to_plain(entry), feed=to_plain(Feed(model=MLP)))
    assert found["peak_bytes"] == pytest.approx(256 << 20, rel=0.05)


def touched(size_bytes):
    """Fresh pages, whatever the allocator keeps from earlier tests, and nothing else: a byte in each, so that no second
    block of their size is ever resident beside them."""
    block = mmap.mmap(-1, size_bytes)
    block[:: mmap.PAGESIZE] = bytes(len(range(0, size_bytes, mmap.PAGESIZE)))
    return block


def test_the_peak_is_sampled_where_the_kernels_mark_cannot_be_reset(monkeypatch):
    monkeypatch.setattr(measure, "CLEAR_PEAK", measure.Path("/proc/self/no-such-file"))
    touched((64 << 20) + 4 * mark_error_bytes()).close()  # lifts the mark, then goes
    with Peak() as peak:
        block = touched(32 << 20)
        until(lambda: peak._sampled > peak.baseline_bytes + (16 << 20))  # its thread has looked meanwhile
        block.close()
    assert peak.peak_bytes == pytest.approx(32 << 20, abs=mark_error_bytes() + (3 << 20))
    assert "sampled" in peak.notes[0]


def test_in_a_large_process_a_mark_of_before_is_not_taken_for_the_peak(monkeypatch, tmp_path):
    status = tmp_path / "status"
    status.write_text("VmHWM:\t8454144 kB\nVmRSS:\t8388608 kB\n")  # 8 GiB resident, the mark 64 MiB above it
    monkeypatch.setattr(measure, "CLEAR_PEAK", measure.Path("/proc/self/no-such-file"))
    monkeypatch.setattr(measure, "STATUS", status)
    monkeypatch.setattr(measure.os, "cpu_count", lambda: 2)
    with Peak() as peak:
        until(lambda: peak._sampled)
    assert "sampled" in peak.notes[0]
    assert peak.peak_bytes == 0


def test_a_model_with_a_large_intermediate_shows_it(tmp_path):
    length = 64 << 20  # 64 Mi float32: 256 MiB
    nodes = [helper.make_node("Expand", ["x", "shape"], ["wide"]),
             helper.make_node("ReduceSum", ["wide"], ["y"], keepdims=0)]  # fmt: skip
    shape = helper.make_tensor("shape", TensorProto.INT64, [1], [length])
    path = small_models.write(
        tmp_path / "wide.onnx", nodes, [("x", TensorProto.FLOAT, [1])], [("y", TensorProto.FLOAT, [])], [shape]
    )
    feed = Feed(model=model(Tensor(name="x", dtype="float32", shape=(1,))))
    found = measure.peak_memory(Desk(), entry=to_plain(Entry(label="a", path=str(path))), feed=to_plain(feed))
    # ONNX Runtime keeps the block of its first run beside the one it plans for all later runs: up to twice as much.
    assert 256 << 20 <= found["peak_bytes"] < 576 << 20
    assert found["load_bytes"] < 32 << 20


def test_two_files_are_timed_in_the_same_rounds(tmp_path):
    files = [small_models.mlp(tmp_path / "a.onnx"), small_models.mlp(tmp_path / "b.onnx", width=256)]
    entries = [to_plain(Entry(label=path.stem, path=str(path))) for path in files]
    found = measure.time_group(Desk(), entries=entries, feed=to_plain(Feed(model=MLP)), settings=QUICK)
    assert found["a"]["notes"] == []
    assert found["a"]["window"] is None
    assert len(found["a"]["samples_ms"]) == len(found["b"]["samples_ms"])
    assert found["a"]["calls_per_round"] == found["b"]["calls_per_round"] > 1


def test_outputs_that_are_not_finite_are_noted(tmp_path):
    session = runtimes.runtimes()["onnxruntime"].load(small_models.not_a_number(tmp_path / "a.onnx"), {})
    assert "not finite" in measure.odd_outputs(session, {"x": np.ones((2, 64), np.float32)})[0]


def test_unknown_runtimes_are_refused():
    with pytest.raises(Unavailable, match="no runtime called 'abacus'"):
        measure.load(Entry(label="a", path="x", runtime="abacus"))


def test_data_is_cut_to_the_batch_or_refused(tmp_path):
    path = tmp_path / "data.npz"
    np.savez(path, x=np.arange(96, dtype=np.float32).reshape(3, 32))
    fed = feeds_of(Feed(model=MLP, data=str(path), batch_size=2))
    assert fed["x"].shape == (2, 32)
    with pytest.raises(InputError, match="3 rows"):
        feeds_of(Feed(model=MLP, data=str(path), batch_size=4))
    assert feeds_of(Feed(model=MLP, batch_size=4))["x"].shape == (4, 32)
