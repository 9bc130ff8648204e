"""Shapes of ONNX Runtime's own operators: ours against what the runtime really returns; their FLOP by hand."""

import numpy as np
import onnxruntime
import pytest
from onnx import helper
from onnx_cases import FLOAT, INT8, INT64, UINT8, build, constant, read, weight

INT32 = 6
BATCH, STEPS, WIDTH, HEADS = 2, 5, 16, 4
HIDDEN = [BATCH, STEPS, WIDTH]
SCALE, ZERO = constant("s", 0.02, "float32"), constant("z", 10, "uint8")
HALF = [constant("ws", 0.01, "float32"), constant("wz", 0, "int8")]


def ms(op, inputs, outputs, **attributes):
    return helper.make_node(op, inputs, outputs, domain="com.microsoft", name="node", **attributes)


# name: (node, {input: shape or (type, shape)}, stored tensors, outputs and their types, FLOP by hand)
PROJECTION = 2 * BATCH * STEPS * WIDTH * 3 * WIDTH
CORE = 2 * 2 * BATCH * HEADS * STEPS * STEPS * (WIDTH // HEADS)
CASES = {
    "attention": (
        ms("Attention", ["x", "w", "b"], ["y"], num_heads=HEADS), {"x": HIDDEN},
        [weight("w", WIDTH, 3 * WIDTH), weight("b", 3 * WIDTH)], {"y": FLOAT}, PROJECTION + CORE,
    ),
    "multi-head attention": (
        ms("MultiHeadAttention", ["q", "k", "v"], ["y"], num_heads=HEADS), {"q": HIDDEN, "k": HIDDEN, "v": HIDDEN},
        [], {"y": FLOAT}, CORE,
    ),
    "cross attention": (
        ms("MultiHeadAttention", ["q", "k", "v"], ["y"], num_heads=HEADS),
        {"q": HIDDEN, "k": [BATCH, 7, WIDTH], "v": [BATCH, 7, WIDTH]}, [], {"y": FLOAT},
        2 * 2 * BATCH * HEADS * STEPS * 7 * (WIDTH // HEADS),
    ),
    "grouped attention": (
        ms("GroupQueryAttention", ["q", "k", "v", "", "", "lengths", "total"], ["y", "pk", "pv"], num_heads=4,
           kv_num_heads=2),
        {"q": [BATCH, STEPS, 32], "k": [BATCH, STEPS, 16], "v": [BATCH, STEPS, 16]},
        [constant("lengths", [STEPS - 1] * BATCH, "int32"), constant("total", [STEPS], "int32")],
        {"y": FLOAT, "pk": FLOAT, "pv": FLOAT}, 2 * 2 * BATCH * 4 * STEPS * STEPS * 8,
    ),
    "skip norm": (
        ms("SkipLayerNormalization", ["x", "r", "g", "b"], ["y", "", "", "sum"], epsilon=1e-5),
        {"x": HIDDEN, "r": HIDDEN}, [weight("g", WIDTH), weight("b", WIDTH)], {"y": FLOAT, "sum": FLOAT}, 0,
    ),
    "embedding norm": (
        ms("EmbedLayerNormalization", ["ids", "", "words", "places", "", "g", "b"], ["y", "index"]),
        {"ids": (INT32, [BATCH, STEPS])},
        [weight("words", 30, WIDTH), weight("places", 8, WIDTH), weight("g", WIDTH), weight("b", WIDTH)],
        {"y": FLOAT, "index": INT32}, 0,
    ),
    "4-bit product": (
        ms("MatMulNBits", ["x", "w", "ws"], ["y"], K=32, N=24, bits=4, block_size=16), {"x": [BATCH, STEPS, 32]},
        [weight("w", 24, 2, 8, dtype="uint8"), weight("ws", 48)], {"y": FLOAT}, 2 * BATCH * STEPS * 32 * 24,
    ),
    "fused product": (
        ms("FusedMatMul", ["a", "b"], ["y"], transB=1), {"a": HIDDEN, "b": [BATCH, 7, WIDTH]}, [], {"y": FLOAT},
        2 * BATCH * STEPS * 7 * WIDTH,
    ),
    "dynamic quantized product": (
        ms("DynamicQuantizeMatMul", ["x", "w", "ws", "wz"], ["y"]), {"x": HIDDEN},
        [weight("w", WIDTH, 24, dtype="int8"), *HALF], {"y": FLOAT}, 2 * BATCH * STEPS * WIDTH * 24,
    ),
    "integer product to float": (
        ms("MatMulIntegerToFloat", ["x", "w", "s", "ws", "z", "wz"], ["y"]), {"x": (UINT8, HIDDEN)},
        [weight("w", WIDTH, 24, dtype="int8"), SCALE, ZERO, *HALF], {"y": FLOAT}, 2 * BATCH * STEPS * WIDTH * 24,
    ),
    "quantized gemm": (
        ms("QGemm", ["x", "s", "z", "w", "ws", "wz", "", "s", "z"], ["y"], transB=1), {"x": (UINT8, [STEPS, WIDTH])},
        [weight("w", 24, WIDTH, dtype="int8"), SCALE, ZERO, *HALF], {"y": UINT8}, 2 * STEPS * WIDTH * 24,
    ),
    "quantized attention": (
        ms("QAttention", ["x", "w", "b", "s", "ws", "", "z", "wz"], ["y"], num_heads=HEADS), {"x": (UINT8, HIDDEN)},
        [weight("w", WIDTH, 3 * WIDTH, dtype="int8"), weight("b", 3 * WIDTH), SCALE, ZERO, *HALF], {"y": FLOAT},
        PROJECTION + CORE,
    ),
    "quantized sum": (
        ms("QLinearAdd", ["x", "s", "z", "r", "s", "z", "s", "z"], ["y"]),
        {"x": (UINT8, HIDDEN), "r": (UINT8, [WIDTH])}, [SCALE, ZERO], {"y": UINT8}, 0,
    ),
    "quantized concatenation": (
        ms("QLinearConcat", ["s", "z", "x", "s", "z", "r", "s", "z"], ["y"], axis=1),
        {"x": (UINT8, HIDDEN), "r": (UINT8, [BATCH, 3, WIDTH])}, [SCALE, ZERO], {"y": UINT8}, 0,
    ),
    "quantized pool": (
        ms("QLinearAveragePool", ["x", "s", "z", "s", "z"], ["y"], kernel_shape=[2, 2], strides=[2, 2]),
        {"x": (UINT8, [1, 3, 8, 8])}, [SCALE, ZERO], {"y": UINT8}, 0,
    ),
    "quantized global pool": (
        ms("QLinearGlobalAveragePool", ["x", "s", "z", "s", "z"], ["y"]), {"x": (UINT8, [1, 3, 8, 8])},
        [SCALE, ZERO], {"y": UINT8}, 0,
    ),
    "quantized lstm": (
        ms("DynamicQuantizeLSTM", ["x", "w", "r", "", "", "", "", "", "ws", "wz", "ws", "wz"], ["y", "h", "c"],
           hidden_size=8),
        {"x": [STEPS, BATCH, WIDTH]},
        [weight("w", 1, WIDTH, 32, dtype="int8"), weight("r", 1, 8, 32, dtype="int8"),
         constant("ws", [0.01], "float32"), constant("wz", [0], "int8")],
        {"y": FLOAT, "h": FLOAT, "c": FLOAT}, 2 * STEPS * BATCH * 4 * 8 * (WIDTH + 8),
    ),
    "fused convolution": (
        ms("FusedConv", ["x", "w", "b"], ["y"], activation="Relu", pads=[1, 1, 1, 1], strides=[2, 2]),
        {"x": [1, 3, 8, 8]}, [weight("w", 6, 3, 3, 3), weight("b", 6)], {"y": FLOAT}, 2 * 6 * 16 * 3 * 9,
    ),
    "gelu with bias": (
        ms("BiasGelu", ["x", "b"], ["y"]), {"x": HIDDEN}, [weight("b", WIDTH)], {"y": FLOAT}, 0,
    ),
    "packed table": (
        ms("GatherBlockQuantized", ["w", "ids", "ws"], ["y"], block_size=16, gather_axis=0, quantize_axis=1, bits=4),
        {"ids": (INT64, [BATCH, STEPS])}, [weight("w", 30, 16, dtype="uint8"), weight("ws", 30, 2)], {"y": FLOAT}, 0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_shapes_are_those_the_runtime_returns(name, tmp_path):
    node, inputs, stored, outputs, flop = CASES[name]
    path = build(tmp_path / "m.onnx", [node], inputs, {key: (kind, None) for key, kind in outputs.items()}, stored)
    model = read(path)
    session = onnxruntime.InferenceSession(str(path))
    kinds = {FLOAT: np.float32, UINT8: np.uint8, INT8: np.int8, INT64: np.int64, INT32: np.int32}
    feeds = {
        key: np.ones(spec[1], kinds[spec[0]]) if isinstance(spec, tuple) else np.ones(spec, np.float32)
        for key, spec in inputs.items()
    }
    (layer,) = model.layers
    real = {output.name: value for output, value in zip(session.get_outputs(), session.run(None, feeds), strict=True)}
    assert layer.written_bytes == sum(value.nbytes for value in real.values())
    assert model.notes == ()
    assert model.flop == layer.flop == flop


def test_an_operator_without_a_rule_is_a_note_not_an_error(tmp_path):
    node = helper.make_node("Mystery", ["x"], ["y"], domain="com.microsoft", name="odd")
    after = helper.make_node("Relu", ["y"], ["z"])
    model = read(build(tmp_path / "m.onnx", [node, after], {"x": HIDDEN}, {"z": None}))
    assert any("Mystery" in note for note in model.notes)
    assert any("2 operators are not counted" in note for note in model.notes)
    assert model.flop == 0
