"""The runtime's profile read and joined to layers: hand-made events, and a real run."""

import json

import pytest

from data.errors import InputError, MeasurementError
from data.home import home
from data.records import from_plain
from profiler import joining, operators
from profiler.inspect import inspect
from profiler.jobs import Desk
from profiler.joining import Node, named, operator_times, owners_of, read_events
from profiler.measure import Feed
from profiler.operators import profile_operators
from profiler.profile import Subject, Wish
from profiler.timing import Settings
from profiler.types import Layer, Model
from tests import small_models
from tests.fakes import Keeper


def run(start, duration):
    return {"cat": "Session", "name": "model_run", "ts": start, "dur": duration, "args": {}}


def kernel(name, start, duration, op="Conv"):
    return {"cat": "Node", "name": f"{name}_kernel_time", "ts": start, "dur": duration, "args": {"op_name": op}}


def layer(name, inputs, outputs, flop=0, **bytes_):
    return Layer(name=name, op="Conv", flop=flop, inputs=inputs, outputs=outputs, **bytes_)


def test_events_are_read_call_by_call_in_milliseconds():
    events = [run(100, 900), kernel("a", 110, 300), kernel("b", 420, 500, "Relu")]
    events += [run(2000, 700), kernel("a", 2010, 600)]
    first, second = read_events([*reversed(events)])
    assert first.times == {"a": 0.3, "b": 0.5}
    assert first.kinds["b"] == "Relu"
    assert (first.run_ms, second.times) == (0.9, {"a": 0.6})


def test_what_runs_inside_a_loops_body_is_counted_once():
    events = [run(0, 1000), kernel("loop", 10, 800, "Loop"), kernel("body", 20, 300), kernel("body", 400, 300),
              kernel("after", 850, 100)]  # fmt: skip
    (call,) = read_events(events)
    assert call.times == {"loop": 0.8, "after": 0.1}
    with pytest.raises(MeasurementError):
        read_events([run(0, 10)])


def test_layers_belong_to_the_operator_that_makes_their_output():
    layers = [layer("conv", ("x",), ("c",)), layer("relu", ("c",), ("r",)), layer("head", ("r",), ("y",))]
    graph = [Node("conv + relu", "FusedConv", ("x",), ("r",)), Node("head", "Gemm", ("r",), ("y",))]
    assert owners_of(layers, graph, {"conv + relu", "head"}) == {
        "conv": "conv + relu",
        "relu": "conv + relu",
        "head": "head",
    }


def test_a_blocked_layout_operator_is_found_by_its_tensor_and_not_by_what_turns_it_back():
    layers = [layer("conv", ("x",), ("c",)), layer("relu", ("c",), ("r",))]
    graph = [Node("r_nchwc", "Conv", ("x",), ("token_0",)), Node("turn", "ReorderOutput", ("token_0",), ("r",))]
    assert owners_of(layers, graph, {"r_nchwc", "turn"}) == {"conv": "r_nchwc", "relu": "r_nchwc"}


def test_operators_without_a_name_take_the_profiles_in_order():
    graph = [Node("", "Relu", ("a",), ("b",)), Node("kept", "Conv", ("b",), ("c",)), Node("", "Relu", ("c",), ("d",))]
    assert [node.name for node in named(graph, ["Relu_7", "kept", "Relu_3"])] == ["Relu_7", "kept", "Relu_3"]


def test_a_row_sums_its_layers_and_leaves_out_what_passes_inside():
    layers = [
        layer("conv", ("x",), ("c",), flop=1000, weight_bytes=40, read_bytes=100, written_bytes=200),
        layer("relu", ("c",), ("r",), read_bytes=200, written_bytes=200),
    ]
    graph = [Node("both", "FusedConv", ("x",), ("r",))]
    calls = [joining.Call({"both": ms}, {"both": "FusedConv"}, ms) for ms in (1.0, 2.0, 3.0, 100.0)]
    (row,) = operator_times(calls, layers, owners_of(layers, graph, {"both"}))
    assert (row.flop, row.weight_bytes, row.moved_bytes) == (1000, 40, 40 + 100 + 200)
    assert row.ms == 2.5  # the mean of the middle half
    assert row.flop_per_s == pytest.approx(1000 / 2.5e-3)
    assert row.intensity == pytest.approx(1000 / 340)


def test_a_real_profile_adds_up_and_every_flop_finds_its_operator(tmp_path, monkeypatch):
    monkeypatch.setattr(operators, "SETTINGS", Settings(budget_s=0.5, warmup_s=0.02, least_calls=20, least_s=0.05,
                                                        most_calls=200))  # fmt: skip
    path = small_models.cnn(tmp_path / "cnn.onnx")
    desk = Desk(home(), Keeper(), lambda done_frac, text: None)
    model = from_plain(Model, desk.task(inspect, {"path": str(path), "name": "cnn", "shapes": {}}, readable=[tmp_path]))
    subject = Subject(path=path, model_sha256=model.sha256)
    feed = Feed(model=model, shapes=dict(model.shapes))
    found = profile_operators(desk, subject, feed, model.layers, Wish(threads=1))
    assert sum(row.flop for row in found.operators) == model.flop
    assert found.sum_ms == pytest.approx(sum(row.ms for row in found.operators), rel=0.25)
    assert 0 < found.sum_ms <= found.run_ms
    assert found.latency_ms > 0
    assert "add up to" in found.notes[0]
    with pytest.raises(InputError):
        profile_operators(desk, Subject(path=path, model_sha256="m", runtime="silent"), feed, model.layers)


def test_openvino_fuses_an_activation_or_a_sum_into_what_makes_it():
    """first -> relu, second; sum of both -> third: the sum runs with the later of the two."""
    layers = [
        Layer(name="first", op="Conv", flop=1, inputs=("x",), outputs=("a",)),
        Layer(name="relu", op="Relu", flop=0, inputs=("a",), outputs=("b",)),
        Layer(name="second", op="Conv", flop=1, inputs=("b",), outputs=("c",)),
        Layer(name="sum", op="Add", flop=0, inputs=("b", "c"), outputs=("d",)),
        Layer(name="third", op="Gemm", flop=1, inputs=("d",), outputs=("logits",)),
    ]
    timed = {"first", "second", "logits"}
    found = owners_of(layers, [], timed, into_maker=True)
    assert found == {"first": "first", "relu": "first", "second": "second", "sum": "second", "third": "logits"}
    assert owners_of(layers, [], timed)["relu"] == "second"  # ONNX Runtime: into the reader


def test_openvinos_own_counters_are_told_as_a_profile(tmp_path):
    import numpy as np

    from profiler.runtimes.openvino import RUNTIME

    if sentence := RUNTIME.missing():
        pytest.skip(sentence)
    file = small_models.mlp(tmp_path / "m.onnx")
    session = RUNTIME.load(file, {"threads": "1", "profile": str(tmp_path / "profile")})
    call = session.prepare({"x": np.ones((2, 32), np.float32)})
    for _ in range(20):
        call()
    calls = read_events(json.loads(session.end_profiling().read_text()))
    assert len(calls) == 4  # of calls 3-4, 5-8, 9-16, 17-21: the counters are means since the first call
    assert "FullyConnected" in set(calls[0].kinds.values())
    assert all(value >= 0 for one in calls for value in one.times.values())


def test_means_since_the_first_call_become_those_of_windows(tmp_path):
    """Totals 30 and 52 us after 2 and 4 calls: the calls between took 11 us each."""
    from datetime import timedelta
    from types import SimpleNamespace

    from profiler.runtimes.openvino import OpenVinoSession

    def counter(mean_us):
        status, took = "Status.EXECUTED", timedelta(microseconds=mean_us)
        return SimpleNamespace(node_name="a/WithoutBiases", node_type="Convolution", status=status, real_time=took)

    session = OpenVinoSession.__new__(OpenVinoSession)
    session._profile, session._told = str(tmp_path / "p"), []
    for count, mean_us in ((2, 15.0), (4, 13.0)):
        session._count, session._spent_us = count, count * 20.0
        session._request = SimpleNamespace(profiling_info=[counter(mean_us)])
        session._read_counters()
    (call,) = read_events(json.loads(session.end_profiling().read_text()))
    assert call.times == {"a": pytest.approx(0.011)}
    assert call.run_ms == pytest.approx(0.020)


def test_a_sum_that_the_profile_itself_disturbed_says_so():
    assert operators.agreement(9.5, 10.2, 10.0).endswith("add up to 95 % of the latency measured without the profile.")
    assert operators.agreement(12.0, 13.0, 10.0).endswith("120 % of the latency measured without the profile; a call "
                                                          "under the profile took 130 % of it.")  # fmt: skip
