"""Layers of ONNX graphs against closed forms written out here."""

import pytest
from onnx import TensorProto, helper
from onnx_cases import FLOAT, INT64, UINT8, build, constant, layer, read, weight

node = helper.make_node


def test_convolution_with_groups_dilation_and_stride(tmp_path):
    nodes = [node("Conv", ["x", "w", "b"], ["y"], group=2, dilations=[2, 2], strides=[2, 2], pads=[2, 2, 2, 2])]
    model = read(
        build(tmp_path / "m", nodes, {"x": [1, 4, 16, 16]}, {"y": None}, [weight("w", 6, 2, 3, 3), weight("b", 6)])
    )
    found = layer(model, "Conv")
    # 8x8 outputs of 6 channels, each over 2 input channels and 3x3 positions
    assert found.flop == 2 * 64 * 6 * 2 * 9
    assert found.weight_bytes == 4 * (6 * 2 * 9 + 6)
    assert (found.read_bytes, found.written_bytes) == (4 * 4 * 256, 4 * 6 * 64)
    assert found.parameter_count == model.parameter_count == 6 * 2 * 9 + 6
    assert found.dims == {
        "batch": 1, "in_channels": 4, "out_channels": 6, "groups": 2, "out_positions": 64, "kernel_positions": 9,
    }  # fmt: skip
    assert found.intensity == pytest.approx((found.flop + 6 * 64) / (4 * 114 + 4 * 1024 + 4 * 384))


def test_transposed_convolution(tmp_path):
    nodes = [node("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2])]
    model = read(build(tmp_path / "m", nodes, {"x": [1, 8, 5, 5]}, {"y": None}, [weight("w", 8, 3, 2, 2)]))
    assert model.flop == 2 * 25 * 8 * 3 * 4


def test_gemm_and_its_transposes(tmp_path):
    nodes = [node("Gemm", ["x", "w", "b"], ["y"], transA=1, transB=1)]
    model = read(build(tmp_path / "m", nodes, {"x": [32, 7]}, {"y": None}, [weight("w", 10, 32), weight("b", 10)]))
    assert layer(model, "Gemm").dims == {"batch": 1, "m": 7, "n": 10, "k": 32}
    assert (model.flop, model.other_flop) == (2 * 7 * 10 * 32, 70)


def test_matmul_broadcasts(tmp_path):
    nodes = [node("MatMul", ["a", "b"], ["y"])]
    model = read(build(tmp_path / "m", nodes, {"a": [2, 1, 4, 5], "b": [3, 5, 6]}, {"y": None}))
    assert layer(model, "MatMul").dims == {"batch": 6, "m": 4, "n": 6, "k": 5}


def test_attention_written_out_and_fused_is_the_same_work(tmp_path):
    batch, heads, steps, size = 2, 3, 10, 8
    shape = [batch, heads, steps, size]
    parts = [
        node("Transpose", ["k"], ["t"], perm=[0, 1, 3, 2]), node("MatMul", ["q", "t"], ["s"]),
        node("Softmax", ["s"], ["p"]), node("MatMul", ["p", "v"], ["y"]),
    ]  # fmt: skip
    inputs = {"q": shape, "k": shape, "v": shape}
    apart = read(build(tmp_path / "a", parts, inputs, {"y": None}))
    fused = read(build(tmp_path / "f", [node("Attention", ["q", "k", "v"], ["y"])], inputs, {"y": None}, opset=23))
    assert apart.flop == fused.flop == 2 * 2 * batch * heads * steps * steps * size
    assert fused.layers[0].dims == {"batch": 2, "heads": 3, "query": 10, "key": 10, "head_size": 8}


@pytest.mark.parametrize(("op", "gates"), [("LSTM", 4), ("GRU", 3), ("RNN", 1)])
def test_recurrent_layers_in_both_directions(op, gates, tmp_path):
    nodes = [node(op, ["x", "w", "r"], ["y"], hidden_size=6, direction="bidirectional")]
    stored = [weight("w", 2, gates * 6, 5), weight("r", 2, gates * 6, 6)]
    model = read(build(tmp_path / "m", nodes, {"x": [7, 3, 5]}, {"y": None}, stored))
    assert model.flop == 2 * 7 * 3 * 2 * gates * 6 * (5 + 6)
    assert layer(model, op).dims == {
        "batch": 3, "steps": 7, "input_size": 5, "hidden_size": 6, "gates": gates, "directions": 2,
    }  # fmt: skip


def test_a_table_costs_no_flop_and_only_the_rows_looked_up(tmp_path):
    nodes = [node("Gather", ["table", "ids"], ["y"])]
    model = read(build(tmp_path / "m", nodes, {"ids": (INT64, [2, 3])}, {"y": None}, [weight("table", 1000, 16)]))
    found = layer(model, "Gather")
    assert (found.flop, found.weight_bytes, found.written_bytes) == (0, 2 * 3 * 16 * 4, 2 * 3 * 16 * 4)
    assert found.read_bytes == 6 * 8
    assert model.parameter_count == found.parameter_count == 16_000
    assert model.inputs[0].upper_bound == 1000


def test_einsum_and_reductions(tmp_path):
    nodes = [node("Einsum", ["a", "b"], ["e"], equation="bij,bjk->bik"), node("ReduceSum", ["e", "axes"], ["y"])]
    model = read(build(tmp_path / "m", nodes, {"a": [2, 3, 4], "b": [2, 4, 5]}, {"y": None}, [constant("axes", [1])]))
    assert (model.flop, model.other_flop) == (2 * 2 * 3 * 4 * 5, 2 * 3 * 5)


def test_integer_operators_are_the_same_work(tmp_path):
    scale, zero = constant("s", 0.1, "float32"), constant("z", 3, "uint8")
    quantized = [
        node("QLinearConv", ["x", "s", "z", "w", "s", "z", "s", "z"], ["c"], pads=[1] * 4),
        node("ConvInteger", ["c", "v", "z", "z"], ["i"]),
    ]
    stored = [scale, zero, weight("w", 6, 4, 3, 3, dtype="uint8"), weight("v", 5, 6, 1, 1, dtype="uint8")]
    model = read(
        build(tmp_path / "m", quantized, {"x": (UINT8, [1, 4, 8, 8])}, {"i": (TensorProto.INT32, None)}, stored)
    )
    assert [each.flop for each in model.layers] == [2 * 64 * 6 * 4 * 9, 2 * 64 * 5 * 6]
    assert {each.dtype for each in model.layers} == {"int8"}
    assert model.parameter_count == 6 * 4 * 9 + 5 * 6
    products = [
        node("QLinearMatMul", ["x", "s", "z", "w", "s", "z", "s", "z"], ["c"]),
        node("MatMulInteger", ["c", "v", "z", "z"], ["i"]),
    ]
    stored = [scale, zero, weight("w", 16, 8, dtype="uint8"), weight("v", 8, 4, dtype="uint8")]
    model = read(build(tmp_path / "p", products, {"x": (UINT8, [3, 16])}, {"i": (TensorProto.INT32, None)}, stored))
    assert model.flop == 2 * 3 * 16 * 8 + 2 * 3 * 8 * 4


def test_quantize_and_dequantize_around_an_operator_are_part_of_it(tmp_path):
    nodes = [
        node("QuantizeLinear", ["x", "s", "z"], ["xq"]), node("DequantizeLinear", ["xq", "s", "z"], ["xd"]),
        node("DequantizeLinear", ["w", "s", "z"], ["wd"]), node("MatMul", ["xd", "wd"], ["m"]),
        node("QuantizeLinear", ["m", "s", "z"], ["mq"]), node("DequantizeLinear", ["mq", "s", "z"], ["y"]),
    ]  # fmt: skip
    stored = [constant("s", 0.1, "float32"), constant("z", 3, "uint8"), weight("w", 64, 32, dtype="uint8")]
    model = read(build(tmp_path / "m", nodes, {"x": [4, 64]}, {"y": None}, stored))
    found = layer(model, "MatMul")
    assert (found.flop, found.dtype, found.parameter_count) == (2 * 4 * 64 * 32, "int8", 64 * 32)
    # 8-bit in, 8-bit out, 8-bit weights with their scale (4 bytes) and zero point
    assert (found.read_bytes, found.written_bytes, found.weight_bytes) == (4 * 64, 4 * 32, 64 * 32 + 5)
    assert [each.op for each in model.layers] == ["QuantizeLinear", "MatMul", "DequantizeLinear"]


def test_shape_arithmetic_is_followed_and_is_no_layer(tmp_path):
    nodes = [
        node("Shape", ["x"], ["shape"]), node("Gather", ["shape", "zero"], ["batch"]),
        node("Unsqueeze", ["batch", "axes"], ["first"]), node("Concat", ["first", "rest"], ["target"], axis=0),
        node("Reshape", ["x", "target"], ["r"]), node("MatMul", ["r", "w"], ["y"]),
    ]  # fmt: skip
    stored = [constant("zero", 0), constant("axes", [0]), constant("rest", [4, -1]), weight("w", 6, 5)]
    path = build(tmp_path / "m", nodes, {"x": ["batch", 24]}, {"y": None}, stored)
    model = read(path, x=(3, 24))
    assert [each.op for each in model.layers] == ["Reshape", "MatMul"]
    assert model.flop == 2 * 3 * 4 * 6 * 5
    assert model.parameter_count == 30
    assert model.shapes == {"x": (3, 24)}
    assert read(path).flop == 2 * 4 * 6 * 5


def test_weights_made_of_stored_tensors_count_once_and_where_they_are_used(tmp_path):
    nodes = [
        node("Transpose", ["w"], ["t"]), node("MatMul", ["x", "t"], ["h"]), node("MatMul", ["h", "w"], ["y"]),
    ]  # fmt: skip
    model = read(build(tmp_path / "m", nodes, {"x": [2, 8]}, {"y": None}, [weight("w", 16, 8)]))
    assert [each.op for each in model.layers] == ["MatMul", "MatMul"]
    assert [each.weight_bytes for each in model.layers] == [512, 512]
    assert [each.parameter_count for each in model.layers] == [128, 0]


def test_a_256_mib_intermediate_shows_in_the_peak(tmp_path):
    # 64 MiB in; 64 Mi numbers (256 MiB) between; one number out
    nodes = [
        node("Expand", ["x", "to"], ["big"]), node("Relu", ["big"], ["r"]), node("Neg", ["r"], ["n"]),
        node("ReduceSum", ["n"], ["y"], keepdims=0),
    ]  # fmt: skip
    path = build(tmp_path / "m", nodes, {"x": [1, 1024, 16384]}, {"y": None}, [constant("to", [4, 1024, 16384])])
    model = read(path)
    assert model.peak_activation_bytes == (64 << 20) + (256 << 20) + 4  # Relu and Neg write in place


def test_the_peak_follows_the_order_of_life(tmp_path):
    # a and b are alive together with the sum's result written over one of them, x is held throughout
    nodes = [
        node("MatMul", ["x", "w"], ["a"]), node("Relu", ["a"], ["b"]), node("Reshape", ["a", "flat"], ["v"]),
        node("Reshape", ["b", "flat"], ["u"]), node("Add", ["u", "v"], ["y"]),
    ]  # fmt: skip
    path = build(tmp_path / "m", nodes, {"x": [1, 256]}, {"y": None}, [weight("w", 256, 1024), constant("flat", [-1])])
    assert read(path).peak_activation_bytes == 4 * (256 + 1024 + 1024)


def test_a_branch_that_is_known_and_one_that_is_not(tmp_path):
    small = helper.make_graph([node("Relu", ["x"], ["t"])], "t", [], [helper.make_tensor_value_info("t", FLOAT, None)])
    large = helper.make_graph(
        [node("MatMul", ["x", "w"], ["e"])], "e", [], [helper.make_tensor_value_info("e", FLOAT, None)]
    )
    branch = node("If", ["c"], ["y"], then_branch=small, else_branch=large, name="choice")
    stored = [weight("w", 8, 8)]
    inputs = {"x": [4, 8], "c": (TensorProto.BOOL, [])}
    model = read(build(tmp_path / "m", [branch, node("Neg", ["y"], ["z"])], inputs, {"z": None}, stored))
    assert model.flop == 2 * 4 * 8 * 8
    found = layer(model, "MatMul")
    assert found.name == "choice/MatMul_e"
    assert found.notes == ("the larger branch (else) of an If",)
    assert any("larger branch" in note for note in model.notes)
    assert layer(model, "Neg").written_bytes == 4 * 8 * 4  # the shape comes out of the branch
    known = [
        node("Shape", ["x"], ["n"]),
        node("ReduceProd", ["n"], ["p"], keepdims=0),
        node("Equal", ["p", "k"], ["c"]),
    ]
    path = build(tmp_path / "k", [*known, branch], {"x": [4, 8]}, {"y": None}, [*stored, constant("k", 32)])
    assert read(path).flop == 0
    assert read(path).notes == ()


def body(*, scan: bool):
    infos = [helper.make_tensor_value_info("h", FLOAT, None)]
    nodes = [node("MatMul", ["h", "w"], ["m"]), node("Add", ["m", "step"] if scan else ["m", "m"], ["h2"])]
    outputs = [helper.make_tensor_value_info("h2", FLOAT, None), helper.make_tensor_value_info("o", FLOAT, None)]
    nodes.append(node("Identity", ["h2"], ["o"]))
    if scan:
        infos.append(helper.make_tensor_value_info("step", FLOAT, None))
        return helper.make_graph(nodes, "body", infos, outputs)
    infos = [
        helper.make_tensor_value_info("i", INT64, []), helper.make_tensor_value_info("go", TensorProto.BOOL, []),
        *infos,
    ]  # fmt: skip
    nodes.append(node("Identity", ["go"], ["go2"]))
    outputs.insert(0, helper.make_tensor_value_info("go2", TensorProto.BOOL, []))
    return helper.make_graph(nodes, "body", infos, outputs)


def test_a_loop_counts_as_often_as_it_runs(tmp_path):
    loop = node("Loop", ["count", "true", "x"], ["y", "all"], body=body(scan=False), name="loop")
    stored = [weight("w", 8, 8), constant("true", True, "bool")]
    fixed = build(tmp_path / "m", [loop], {"x": [2, 8]}, {"y": None, "all": None}, [*stored, constant("count", 5)])
    model = read(fixed)
    assert model.flop == 5 * 2 * 2 * 8 * 8
    assert layer(model, "MatMul").repeat == 5
    assert layer(model, "MatMul").parameter_count == 64
    inputs = {"x": [2, 8], "count": (INT64, [])}
    model = read(build(tmp_path / "o", [loop], inputs, {"y": None, "all": None}, stored))
    assert model.flop == 2 * 2 * 8 * 8
    assert any("one turn" in note for note in model.notes)


def test_a_scan_runs_once_for_each_slice(tmp_path):
    scan = node("Scan", ["x", "steps"], ["y", "all"], body=body(scan=True), num_scan_inputs=1, name="scan")
    after = node("Neg", ["all"], ["z"])
    path = build(
        tmp_path / "m", [scan, after], {"x": [2, 8], "steps": [7, 2, 8]}, {"y": None, "z": None}, [weight("w", 8, 8)]
    )
    model = read(path)
    assert model.flop == 7 * 2 * 2 * 8 * 8
    assert layer(model, "Neg").written_bytes == 7 * 2 * 8 * 4


def test_functions_of_the_model_are_looked_into(tmp_path):
    opset = [helper.make_opsetid("", 21)]
    function = helper.make_function("own", "Twice", ["a", "b"], ["c"], [node("MatMul", ["a", "b"], ["c"])], opset)
    call = node("Twice", ["x", "w"], ["y"], domain="own")
    path = build(tmp_path / "m", [call], {"x": [2, 8]}, {"y": None}, [weight("w", 8, 8)], functions=[function])
    import onnx

    proto = onnx.load(str(path))
    proto.opset_import.append(helper.make_opsetid("own", 1))
    onnx.save(proto, str(path))
    model = read(path)
    assert (model.flop, model.parameter_count) == (2 * 2 * 8 * 8, 64)


def test_shapes_that_depend_on_the_data_become_a_note(tmp_path):
    nodes = [node("NonZero", ["x"], ["n"]), node("Transpose", ["n"], ["t"]), node("Cast", ["t"], ["f"], to=FLOAT),
             node("MatMul", ["f", "w"], ["y"])]  # fmt: skip
    model = read(build(tmp_path / "m", nodes, {"x": [4, 4]}, {"y": None}, [weight("w", 2, 3)]))
    assert model.flop == 0
    assert any("4 operators are not counted" in note for note in model.notes)


def test_an_axis_nobody_filled_is_a_note_and_no_guess(tmp_path):
    path = build(tmp_path / "m", [node("Relu", ["x"], ["y"])], {"x": [1, 3, "height", "width"]}, {"y": None})
    model = read(path)
    assert (model.flop, model.layers, model.peak_activation_bytes) == (None, (), None)
    assert any("--shape x=1x3x?x?" in note for note in model.notes)
    assert read(path, x=(1, 3, 4, 5)).other_flop == 60


def test_numbers_beyond_belief_are_a_note(tmp_path):
    nodes = [node("Expand", ["x", "to"], ["a"]), node("MatMul", ["a", "a"], ["y"])]
    stored = [constant("to", [1 << 30, 1 << 20, 1 << 20])]
    model = read(build(tmp_path / "m", nodes, {"x": [1, 1, 1]}, {"y": None}, stored))
    assert (model.flop, model.layers) == (None, ())
    assert "too large to be true" in model.notes[0]
    loop = node("Loop", ["count", "true", "x"], ["y", "all"], body=body(scan=False), name="loop")
    stored = [weight("w", 8, 8), constant("true", True, "bool"), constant("count", 1 << 62)]
    model = read(build(tmp_path / "l", [loop], {"x": [2, 8]}, {"y": None, "all": None}, stored))
    assert model.flop == 2 * 2 * 8 * 8
    assert "claims 4,611,686,018,427,387,904 turns" in model.notes[0]
