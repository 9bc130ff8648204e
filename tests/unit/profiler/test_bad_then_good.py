"""Each kind of bad model gets one line, in a locked child as the product runs it, and the next one is measured at once;
models with several inputs, outputs and open axes just run."""

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from data.errors import InputError, MeasurementError, RightsizeError
from data.home import home
from data.settings import settings
from profiler.intake import take_in
from profiler.jobs import Desk
from profiler.kept import measure_kept
from profiler.types import Measurement, Model
from tests import small_models
from tests.fakes import Keeper

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


@pytest.fixture
def desk():
    return Desk(home(), Keeper(), lambda done_frac, text: None)


def saved(path, nodes, inputs, outputs, stored=(), domains=()):
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info(*each) for each in inputs],
        [helper.make_tensor_value_info(*each) for each in outputs],
        [numpy_helper.from_array(values, name) for name, values in stored],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 17), *(helper.make_opsetid(domain, 1) for domain in domains)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), str(path))
    return path


def ids_and_mask(path):
    """A table of 50 words, looked up and masked: two outputs."""
    table = np.random.default_rng(0).standard_normal((50, 8)).astype(np.float32)
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["words"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["wide"]),
        helper.make_node("Mul", ["words", "wide"], ["hidden"]),
        helper.make_node("ReduceMean", ["hidden"], ["pooled"], axes=[1], keepdims=0),
    ]
    inputs = [("input_ids", INT64, ["batch", "sequence"]), ("attention_mask", INT64, ["batch", "sequence"])]
    outputs = [("hidden", FLOAT, ["batch", "sequence", 8]), ("pooled", FLOAT, ["batch", 8])]
    return saved(path, nodes, inputs, outputs, [("table", table), ("last", np.array([-1]))])


def audio(path):
    """A convolution over a wave of open length, and how loud it is."""
    kernel = np.random.default_rng(0).standard_normal((4, 1, 25)).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["wave", "kernel"], ["features"], strides=[10]),
        helper.make_node("ReduceMax", ["wave"], ["peak"], axes=[2], keepdims=0),
    ]
    outputs = [("features", FLOAT, ["batch", 4, "frames"]), ("peak", FLOAT, ["batch", 1])]
    return saved(path, nodes, [("wave", FLOAT, ["batch", 1, "samples"])], outputs, [("kernel", kernel)])


def measured(desk, path, **how):
    shapes = how.pop("read_at", {})
    sha256 = take_in(desk, path=str(path), shapes=shapes)["sha256"]
    found = measure_kept(desk, sha256=sha256, seconds=0.2, threads=1, **how)
    return desk.get(Model, sha256), desk.get(Measurement, found["measurement"])


def test_ids_a_mask_and_two_outputs(desk, tmp_path):
    model, run = measured(desk, ids_and_mask(tmp_path / "words.onnx"))
    assert [tensor.upper_bound for tensor in model.inputs] == [50, None]
    assert run.workload.shapes == {"input_ids": (1, 128), "attention_mask": (1, 128)}
    assert len(model.outputs) == 2 and run.samples_ms
    _, other = measured(desk, tmp_path / "words.onnx", shapes={"input_ids": (2, 16), "attention_mask": (2, 16)},
                        batch_size=2)  # fmt: skip
    assert other.workload.shapes["input_ids"] == (2, 16)


def test_a_wave_of_open_length_is_asked_for_and_then_runs(desk, tmp_path):
    path = audio(tmp_path / "wave.onnx")
    with pytest.raises(InputError, match="axis of open length") as caught:
        measured(desk, path)
    assert "--shape wave=?x1x?" in caught.value.hint
    _, run = measured(desk, path, shapes={"wave": (1, 1, 16_000)})
    assert run.workload.shapes == {"wave": (1, 1, 16_000)} and not [n for n in run.notes if "not finite" in n]


def missing_weights(path):
    proto = onnx.load(str(small_models.mlp(path)))
    onnx.save(proto, str(path), save_as_external_data=True, location="gone.data", size_threshold=0)
    (path.parent / "gone.data").unlink()
    return path


def custom(path):
    return saved(
        path, [helper.make_node("Mystery", ["x"], ["y"], domain="my.company")], [("x", FLOAT, ["batch", 4])],
        [("y", FLOAT, ["batch", 4])], domains=["my.company"],
    )  # fmt: skip


def unknown(path):
    nodes = [helper.make_node("Fourier", ["x"], ["y"])]
    return saved(path, nodes, [("x", FLOAT, ["batch", 4])], [("y", FLOAT, ["batch", 4])])


def too_wide(path):
    """A batch whose outer product takes 4 GiB: more than a job may have."""
    return saved(
        path, [helper.make_node("MatMul", ["x", "y"], ["z"])], [("x", FLOAT, ["batch", 32768, 1]),
        ("y", FLOAT, ["batch", 1, 32768])], [("z", FLOAT, ["batch", 32768, 32768])],
    )  # fmt: skip


def outside(path):
    """A script that looks up an id beyond its table."""

    class Lookup(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.table = torch.nn.Embedding(7, 4)

        def forward(self, ids):
            return self.table(ids + 100)

    torch.jit.script(Lookup()).save(str(path.with_suffix(".pt")))
    return path.with_suffix(".pt")


BAD = {
    "missing external data": (missing_weights, {}, "gone.data"),
    "a custom domain": (custom, {}, "my.company"),
    "an unknown operator": (unknown, {}, "Fourier"),
    "out of memory": (too_wide, {}, "GiB"),
    "ids outside the vocabulary": (outside, {"read_at": {"ids": (1, 5)}}, "id in the inputs"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_one_gets_one_line_and_the_next_is_measured(kind, desk, tmp_path, monkeypatch):
    build, how, says = BAD[kind]
    monkeypatch.setenv("RIGHTSIZE_MEMORY_MB", "3000")
    assert settings().memory_bytes == 3000 << 20
    with pytest.raises(RightsizeError) as caught:
        measured(desk, build(tmp_path / "bad.onnx"), **how)
    error = caught.value
    said = f"{error.message} {error.hint} {error.details}"
    assert says in said, said
    assert len(error.message) <= 200 and "\n" not in error.message and str(tmp_path) not in error.message
    if kind == "out of memory":
        assert isinstance(error, MeasurementError) and "4.0 of activations" in error.message
    _, run = measured(desk, small_models.mlp(tmp_path / "good.onnx"))
    assert run.samples_ms


def test_a_model_that_answers_nan_is_measured_and_says_so(desk, tmp_path):
    _, run = measured(desk, small_models.not_a_number(tmp_path / "nan.onnx"))
    assert any("not finite" in note for note in run.notes)
