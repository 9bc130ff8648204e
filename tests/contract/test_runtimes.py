"""Every runtime, on every format it reads: right answers, the provider that really ran, one line for a bad input."""

import numpy as np
import pytest

from data.errors import InputError, RightsizeError, Unavailable
from profiler.runtimes import runtimes
from tests import small_models

CASES = [(name, suffix) for name, runtime in runtimes().items() for suffix in runtime.FORMATS]
IDS = [f"{name}-{suffix}" for name, suffix in CASES]


def weights():
    draw = small_models.draw
    return [onnx_array(draw(1, "w1", 64, 32)), onnx_array(draw(2, "b1", 64)),
            onnx_array(draw(3, "w2", 10, 64)), onnx_array(draw(4, "b2", 10))]  # fmt: skip


def onnx_array(tensor):
    from onnx import numpy_helper

    return numpy_helper.to_array(tensor)


def expected(x):
    w1, b1, w2, b2 = weights()
    return np.maximum(x @ w1.T + b1, 0) @ w2.T + b2


def torch_mlp():
    import torch

    class Mlp(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = torch.nn.Linear(32, 64), torch.nn.Linear(64, 10)
            for values, parameter in zip(weights(), self.parameters(), strict=True):
                parameter.data = torch.tensor(values)

        def forward(self, x):
            return self.second(torch.relu(self.first(x)))

    return Mlp().eval()


def written(suffix, folder):
    """The same network in each format."""
    if suffix == "onnx":
        return small_models.mlp(folder / "model.onnx")
    if suffix == "openvino_ir":
        import openvino

        openvino.save_model(openvino.convert_model(str(written("onnx", folder))), folder / "model.xml", False)
        return folder / "model.xml"
    import torch

    example = torch.zeros(2, 32)
    if suffix == "torchscript":
        torch.jit.trace(torch_mlp(), example).save(str(folder / "model.pt"))
        return folder / "model.pt"
    batch = torch.export.Dim("batch", min=1, max=64)
    torch.export.save(torch.export.export(torch_mlp(), (example,), dynamic_shapes={"x": {0: batch}}), folder / "m.pt2")
    return folder / "m.pt2"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    made = {}

    def file(suffix):
        if suffix not in made:
            made[suffix] = written(suffix, tmp_path_factory.mktemp(suffix))
        return made[suffix]

    return file


@pytest.fixture
def session(request, files):
    name, suffix = request.param
    runtime = runtimes()[name]
    if sentence := runtime.missing():
        pytest.skip(sentence)
    return runtime.load(files(suffix), {"threads": "1"})


@pytest.mark.parametrize("session", CASES, ids=IDS, indirect=True)
def test_it_computes_what_the_weights_say(session):
    for batch in (1, 5):
        x = np.random.default_rng(batch).standard_normal((batch, 32)).astype(np.float32)
        (answer,) = session.run({"x": x}).values()
        np.testing.assert_allclose(answer, expected(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("session", CASES, ids=IDS, indirect=True)
def test_the_prepared_call_can_be_repeated_and_says_who_runs_it(session):
    call = session.prepare({"x": np.ones((3, 32), np.float32)})
    for _ in range(3):
        call()
    assert session.provider
    assert "cuda" not in session.provider.lower()
    assert all(isinstance(value, str) for value in session.settings.values())


@pytest.mark.parametrize(
    "feeds",
    [
        {"x": np.ones((1, 31), np.float32)},
        {"x": np.ones((1, 32, 2), np.float32)},
        {"z": np.ones((1, 32), np.float32), "y": np.ones((1, 32), np.float32)},
        {"x": np.ones((1, 32), np.int64)},
    ],
    ids=["wrong length", "wrong rank", "wrong names", "wrong type"],
)
@pytest.mark.parametrize("session", CASES, ids=IDS, indirect=True)
def test_inputs_that_do_not_fit_are_the_users_error(session, feeds):
    for work in (session.run, session.prepare):
        with pytest.raises(InputError) as caught:
            work(feeds)
        assert "\n" not in caught.value.message
        assert "Error" not in caught.value.message
    session.run({"x": np.ones((1, 32), np.float32)})  # and the session lives on


@pytest.mark.parametrize(("name", "suffix"), CASES, ids=IDS)
def test_a_damaged_file_and_a_strange_device_are_refused(name, suffix, files, tmp_path):
    runtime = runtimes()[name]
    if sentence := runtime.missing():
        pytest.skip(sentence)
    whole = files(suffix)
    cut = tmp_path / whole.name
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(InputError):
        runtime.load(cut, {"threads": "1"})
    with pytest.raises(Unavailable):
        runtime.load(whole, {"threads": "1", "device": "abacus"})


@pytest.mark.parametrize(("name", "suffix"), CASES, ids=IDS)
def test_a_gpu_that_is_not_there_is_said(name, suffix, files):
    runtime = runtimes()[name]
    if sentence := runtime.missing():
        pytest.skip(sentence)
    from profiler.gpus import gpus

    if gpus():
        pytest.skip("There is a GPU here.")
    with pytest.raises(RightsizeError) as caught:
        runtime.load(files(suffix), {"threads": "1", "device": "cuda:0"})
    assert caught.value.exit_code == 3


def test_openvino_takes_the_precision_that_was_asked_for(files):
    runtime = runtimes()["openvino"]
    if sentence := runtime.missing():
        pytest.skip(sentence)
    assert runtime.load(files("onnx"), {"threads": "1"}).provider.endswith("f32")
    with pytest.raises(Unavailable):
        runtime.load(files("onnx"), {"threads": "1", "precision": "f8"})


@pytest.mark.parametrize(
    ("operator", "domain", "opset", "cause"),
    [("Frobnicate", "", 17, "operator"), ("Frobnicate", "my.ops", 17, "operator"), ("Relu", "", 99, "newer ONNX")],
)
def test_onnxruntime_names_the_cause(operator, domain, opset, cause, tmp_path):
    from onnx import TensorProto, helper

    runtime = runtimes()["onnxruntime"]
    strange = helper.make_graph(
        [helper.make_node(operator, ["x"], ["y"], domain=domain)], "strange",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])],
    )  # fmt: skip
    versions = [helper.make_opsetid("", opset), helper.make_opsetid("my.ops", 1)]
    path = tmp_path / "strange.onnx"
    path.write_bytes(helper.make_model(strange, ir_version=8, opset_imports=versions).SerializeToString())
    with pytest.raises(InputError, match=cause):
        runtime.load(path, {})


def test_onnxruntime_sees_an_id_outside_the_table(tmp_path):
    from onnx import TensorProto, helper

    nodes = [helper.make_node("Gather", ["table", "ids"], ["y"])]
    path = small_models.write(
        tmp_path / "embed.onnx", nodes, [("ids", TensorProto.INT64, [2])], [("y", TensorProto.FLOAT, [2, 4])],
        [small_models.draw(1, "table", 8, 4)],
    )  # fmt: skip
    session = runtimes()["onnxruntime"].load(path, {})
    with pytest.raises(InputError, match="outside the table"):
        session.run({"ids": np.array([1, 9])})


def test_onnxruntime_binds_inputs_and_outputs_to_a_device_and_says_what_ran_where(files):
    """The path of a GPU, with the real binding, on the only device every machine has."""
    import onnxruntime as ort

    from profiler.runtimes.onnxruntime import OrtSession, _assigned, session_options

    settings = session_options({})
    settings.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    made = ort.InferenceSession(str(files("onnx")), settings, providers=["CPUExecutionProvider"])
    seen = []
    binding = type("Binding", (ort.IOBinding,), {"get": ort.IOBinding.get_outputs})
    made.io_binding = lambda: seen.append(binding(made)) or seen[-1]
    x = np.random.default_rng(3).standard_normal((4, 32)).astype(np.float32)
    OrtSession(made, "CPUExecutionProvider", {})._bound({"x": x}, "cpu")()
    np.testing.assert_allclose(seen[0].get()[0].numpy(), expected(x), rtol=1e-4, atol=1e-4)
    told = _assigned(made)
    assert told["operators"] == told["cpu_operators"] > 0
