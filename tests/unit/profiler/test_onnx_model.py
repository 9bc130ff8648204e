"""What is told of an ONNX file: parameters by the rule, inputs and their bounds, external data, and what is refused."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_cases import FLOAT, INT64, build, constant, read, weight

from data.errors import InputError
from profiler.examples import bert
from profiler.onnx_graph import tools as onnx_tools
from profiler.onnx_graph import weights as onnx_weights

node = helper.make_node


def external(path, *, size=None):
    """Keep the weights of an ONNX file in a second one; `size` cuts that to so many bytes."""
    beside = path.with_name(path.name + ".data")
    proto = onnx.load(str(path))
    onnx.save(proto, str(path), save_as_external_data=True, location=beside.name, size_threshold=0)
    if size is not None:
        beside.write_bytes(beside.read_bytes()[:size])
    return beside


@pytest.fixture
def linear(tmp_path):
    """x (batch, 8) times w (8, 4) plus b: 36 parameters."""
    nodes = [node("MatMul", ["x", "w"], ["h"]), node("Add", ["h", "b"], ["y"])]
    stored = [weight("w", 8, 4), weight("b", 4)]
    return build(tmp_path / "m.onnx", nodes, {"x": ["batch", 8]}, {"y": ["batch", 4]}, stored)


def test_what_is_told_of_a_file(linear):
    model = read(linear)
    assert (model.format, model.name, model.opset, model.file_bytes) == ("onnx", "m", 21, linear.stat().st_size)
    assert (model.parameter_count, model.parameters_by_dtype, model.weight_bytes) == (36, {"float32": 36}, 144)
    assert model.operators == {"Add": 1, "MatMul": 1}
    assert (model.inputs[0].shape, model.outputs[0].shape) == (("batch", 8), ("batch", 4))
    assert model.cannot_run is None
    assert read(linear) == model


def test_shapes_statistics_scales_and_single_numbers_are_no_parameters(tmp_path):
    nodes = [
        node("BatchNormalization", ["x", "scale", "shift", "mean", "variance"], ["n"]),
        node("Mul", ["n", "half"], ["h"]), node("Reshape", ["h", "shape"], ["r"]),
        node("DequantizeLinear", ["w", "s", "z"], ["d"]), node("MatMul", ["r", "d"], ["y"]),
    ]  # fmt: skip
    stored = [
        *(weight(name, 4) for name in ("scale", "shift", "mean", "variance")), constant("half", 0.5, "float32"),
        constant("shape", [1, 16]), weight("w", 16, 2, dtype="int8"), constant("s", 0.1, "float32"),
        constant("z", 0, "int8"),
    ]  # fmt: skip
    model = read(build(tmp_path / "m.onnx", nodes, {"x": [1, 4, 2, 2]}, {"y": None}, stored))
    assert model.parameters_by_dtype == {"int8": 32, "float32": 8}
    assert model.weight_bytes == 4 * 4 * 4 + 4 + 16 + 32 + 4 + 1


def test_packed_weights_count_what_they_unpack_to(tmp_path):
    nodes = [node("MatMulNBits", ["x", "w", "s"], ["y"], domain="com.microsoft", K=30, N=8, bits=4, block_size=16)]
    stored = [weight("w", 8, 2, 8, dtype="uint8"), weight("s", 16)]
    model = read(build(tmp_path / "m.onnx", nodes, {"x": [1, 30]}, {"y": None}, stored))
    assert model.parameter_count == 8 * 30  # 4 bits each; the last block is padded
    assert model.layers[0].weight_bytes == 8 * 16 + 16 * 4


def test_constants_in_nodes_are_counted_like_stored_tensors(tmp_path):
    nodes = [node("Constant", [], ["w"], value=weight("w", 8, 4)), node("MatMul", ["x", "w"], ["y"])]
    model = read(build(tmp_path / "m.onnx", nodes, {"x": [1, 8]}, {"y": None}))
    assert (model.parameter_count, model.operators) == (32, {"MatMul": 1})
    assert model.layers[0].parameter_count == 32


def test_weights_outside_the_file_count_the_same(linear):
    before = read(linear)
    beside = external(linear)
    model = read(linear)
    assert model.companions == (beside.name,)
    assert model.file_bytes == linear.stat().st_size + beside.stat().st_size
    assert (model.parameter_count, model.weight_bytes, model.flop) == (36, 144, before.flop)
    proto = onnx_tools.load(linear)
    assert onnx_tools.array(proto.graph.initializer[0]).shape == (8, 4)


def test_the_hash_covers_the_weights_outside(linear):
    beside = external(linear)
    one = read(linear).sha256
    beside.write_bytes(bytes(len(beside.read_bytes())))
    assert read(linear).sha256 != one


def test_tensors_that_share_their_bytes_count_once(linear):
    external(linear)
    proto = onnx.load(str(linear), load_external_data=False)
    twin = proto.graph.initializer.add()
    twin.CopyFrom(proto.graph.initializer[0])
    twin.name = "twin"
    proto.graph.node.append(node("MatMul", ["x", "twin"], ["z"]))
    proto.graph.output.append(helper.make_tensor_value_info("z", FLOAT, None))
    onnx.save(proto, str(linear))
    model = read(linear)
    assert (model.parameter_count, model.weight_bytes) == (36, 144)


@pytest.mark.parametrize(("size", "words"), [(None, "missing"), (100, "shorter")])
def test_weights_that_are_missing_or_cut_are_one_line(size, words, linear):
    beside = external(linear, size=size)
    if size is None:
        beside.unlink()
    with pytest.raises(InputError) as caught:
        read(linear)
    assert len(caught.value.message) <= 200
    assert any(word in caught.value.message for word in (words, "short", "not there", "incomplete"))


def test_a_damaged_file_is_one_line(linear):
    whole = linear.read_bytes()
    for cut in (10, len(whole) // 2, len(whole) - 5):
        linear.write_bytes(whole[:cut])
        with pytest.raises(InputError):
            read(linear)


def test_a_tiny_bert_keeps_its_numbers_and_bounds(tmp_path):
    module = bert.network(layers=1, width=32, heads=2)
    bert.export(module, tmp_path / "bert.onnx")
    model = read(tmp_path / "bert.onnx", input_ids=(3, 20))
    assert model.parameter_count == sum(parameter.numel() for parameter in module.parameters())
    assert {tensor.name: tensor.upper_bound for tensor in model.inputs} == {
        "input_ids": 30_522, "attention_mask": None, "token_type_ids": 2,
    }  # fmt: skip
    # projections and feed-forward: 12 width^2 a token; QK^T and AV; pooler and classifier
    tokens, width = 60, 32
    block = tokens * 12 * width * width + 2 * 3 * 20 * 20 * width
    assert model.flop == 2 * (block + 3 * width * width + 3 * width * 10)


def test_ids_are_followed_to_the_tables_they_index(tmp_path):
    nodes = [
        node("Cast", ["ids"], ["long"], to=INT64), node("Gather", ["long", "first"], ["one"], axis=1),
        node("Gather", ["small", "one"], ["a"]), node("Unsqueeze", ["long", "axes"], ["u"]),
        node("Gather", ["large", "u"], ["b"]), node("Gather", ["counts", "first"], ["c"]),
    ]  # fmt: skip
    stored = [
        weight("small", 7, 2), weight("large", 90, 2), constant("first", [0]), constant("axes", [0]),
    ]  # fmt: skip
    inputs = {"ids": (TensorProto.INT32, ["batch", 3]), "counts": (INT64, [5])}
    path = build(tmp_path / "m.onnx", nodes, inputs, {"a": None, "b": None, "c": (INT64, None)}, stored)
    assert [tensor.upper_bound for tensor in read(path).inputs] == [7, None]


def test_an_offset_added_to_ids_lowers_their_bound(tmp_path):
    """Tables laid one after the other, as recommenders have them: 3 columns at rows 0, 40 and 70 of 100."""
    nodes = [node("Add", ["ids", "starts"], ["rows"]), node("Gather", ["table", "rows"], ["y"])]
    stored = [constant("starts", [0, 40, 70]), weight("table", 100, 2)]
    path = build(tmp_path / "m.onnx", nodes, {"ids": (INT64, ["batch", 3])}, {"y": None}, stored)
    assert read(path).inputs[0].upper_bound == 30


def test_saving_keeps_large_weights_beside(linear, tmp_path, monkeypatch):
    proto = onnx_tools.load(linear)
    assert onnx_tools.save(proto, tmp_path / "small.onnx") == ()
    monkeypatch.setattr(onnx_tools, "EXTERNAL_ABOVE_BYTES", 100)
    large = onnx.load(str(linear))
    large.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(np.ones((8, 512), np.float32), "w"))
    assert onnx_tools.save(large, tmp_path / "large.onnx") == (tmp_path / "large.onnx.data",)
    assert onnx_tools.array(onnx_tools.load(tmp_path / "large.onnx").graph.initializer[0]).sum() == 8 * 512


def test_parameters_by_type_come_largest_first(linear):
    proto = onnx_tools.load(linear)
    assert onnx_weights.by_dtype(onnx_weights.weights(proto)) == {"float32": 36}
