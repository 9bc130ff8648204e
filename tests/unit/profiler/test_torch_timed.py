"""What torch's profiler hears, joined to layers: hand-made trees, a GPU's events, and a real script."""

from types import SimpleNamespace

import pytest

from data.errors import MeasurementError
from data.home import home
from data.records import from_plain
from profiler import operators
from profiler.inspect import inspect
from profiler.jobs import Desk
from profiler.measure import Feed
from profiler.operators import profile_operators
from profiler.profile import Subject, Wish
from profiler.timing import Settings
from profiler.torch_graph import timed
from profiler.torch_graph.timed import Heard, Part, calls_of, kind, parts_of
from profiler.types import Layer, Model
from tests.fakes import Keeper


def layer(name, op):
    return Layer(name=name, op=op, flop=0)


LINEAR = ["aten::linear", 5.0, [["aten::t", 0.5, []], ["aten::addmm", 4.0, [["aten::copy_", 1.0, []]]]]]


def test_kernels_of_one_kind_are_one_kind():
    assert kind("_softmax") == kind("softmax") == "softmax"
    assert kind("native_layer_norm") == kind("layer_norm")
    assert kind("_scaled_dot_product_flash_attention_for_cpu") == kind("_scaled_dot_product_efficient_attention")
    assert kind("mkldnn_rnn_layer") == kind("_cudnn_rnn")
    assert kind("cudnn_convolution") == kind("_convolution") == kind("conv2d")
    assert kind("relu_") == "relu" != kind("gelu")


def test_an_operator_is_whole_where_it_holds_one_layer_and_in_pieces_where_it_holds_several():
    one = Heard("aten::linear", 5.0, (Heard("aten::t", 0.5), Heard("aten::addmm", 4.0)))
    assert parts_of(one, {"addmm"}) == [Part("addmm", 5.0, True)]
    both = Heard("aten::matmul", 9.0, (Heard("aten::bmm", 3.0), Heard("aten::add", 2.0), Heard("aten::view", 0.5)))
    assert parts_of(both, {"bmm", "add"}) == [
        Part("matmul", 3.5, False), Part("bmm", 3.0, True), Part("add", 2.0, True), Part("view", 0.5, False)
    ]  # fmt: skip
    assert sum(part.ms for part in parts_of(both, {"bmm", "add"})) == 9.0
    assert parts_of(Heard("forward", 10.0, (one,)), {"addmm"}) == [Part("addmm", 5.0, True)]  # a script's frame
    twice = Heard("aten::lstm", 8.0, (Heard("aten::mkldnn_rnn_layer", 3.0), Heard("aten::mkldnn_rnn_layer", 4.0)))
    assert [part.ms for part in parts_of(twice, {"recurrent"})] == [1.0, 3.0, 4.0]  # each layer of it its own


def test_layers_are_found_by_order_and_kind_and_the_rest_is_summed_by_kind():
    layers = [layer("a.addmm", "addmm"), layer("gone", "native_layer_norm"), layer("relu", "relu")]
    call = {"run_ms": 12.0, "operators": [LINEAR, ["aten::view", 0.25, []], ["aten::view", 0.25, []],
                                          ["aten::relu", 2.0, []], ["aten::relu", 1.0, []]]}  # fmt: skip
    (found,) = calls_of([call], layers)
    assert found.times == {"a.addmm": 5.0, "view": 0.5, "relu": 2.0, "relu, others": 1.0}
    assert found.kinds == {"a.addmm": "addmm", "view": "view", "relu": "relu", "relu, others": "relu"}
    assert (found.run_ms, sum(found.times.values())) == (12.0, 8.5)
    with pytest.raises(MeasurementError):
        calls_of([{"run_ms": 1.0, "operators": []}], layers)


def test_on_a_gpu_an_operator_takes_what_its_kernels_took_there():
    """The host only starts kernels: 3 us there, 500 us on the device; the driver's own calls are no operators."""

    def event(name, host_us, device_us, inside=(), device="DeviceType.CPU"):
        spent = SimpleNamespace(elapsed_us=lambda: host_us)
        return SimpleNamespace(name=name, time_range=spent, device_time_total=device_us, cpu_children=list(inside),
                               device_type=device)  # fmt: skip

    inner = event("aten::mm", 2.0, 500.0, [event("cudaLaunchKernel", 1.0, 500.0)])
    assert timed._written(event("aten::linear", 3.0, 500.0, [inner]), True) == [
        "aten::linear", 0.5, [["aten::mm", 0.5, []]]
    ]  # fmt: skip
    assert timed._written(inner, False) == ["aten::mm", 0.002, []]
    assert not timed._on_host(event("sgemm", 500.0, 500.0, device="DeviceType.CUDA"))


@pytest.mark.parametrize("exported", [False, True], ids=["torchscript", "pt2"])
def test_a_real_torch_file_tells_where_its_time_goes(tmp_path, monkeypatch, exported):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(operators, "SETTINGS", Settings(budget_s=0.5, warmup_s=0.02, least_calls=10, least_s=0.05,
                                                        most_calls=40))  # fmt: skip
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(8 * 64, 5)
    ).eval()
    image, path = torch.zeros(1, 3, 8, 8), tmp_path / ("net.pt2" if exported else "net.pt")
    if exported:
        torch.export.save(torch.export.export(network, (image,)), path)
    else:
        torch.jit.script(network).save(str(path))
    desk = Desk(home(), Keeper(), lambda done_frac, text: None)
    asked = {"path": str(path), "name": "net", "shapes": {"input": [1, 3, 8, 8]}}
    model = from_plain(Model, desk.task(inspect, asked, readable=[tmp_path]))
    found = profile_operators(
        desk, Subject(path=path, model_sha256=model.sha256, runtime="torch"),
        Feed(model=model, shapes=dict(model.shapes)), model.layers, Wish(threads=1),
    )  # fmt: skip
    assert sum(row.flop for row in found.operators) == model.flop == 2 * (8 * 27 * 64 + 5 * 512)
    assert [len(row.layers) for row in found.operators if row.op in ("conv2d", "_convolution", "addmm")] == [1, 1]
    assert 0 < found.sum_ms <= found.run_ms
    assert found.notes[1] == "3 of 3 layers were found by their order and kind."
