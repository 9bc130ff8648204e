"""Output shapes of ONNX Runtime's own operators (com.microsoft), which ONNX's shape inference does not know."""

import math
from collections.abc import Callable
from typing import Any

from profiler.flops import broadcast
from profiler.onnx_graph.costs import Call

# dtype of each output: the place of the input it takes it from, or its name.
Outputs = list[tuple[int | str, tuple[int, ...]]]
Rule = Callable[[Call], Outputs]

SAME = frozenset({
    "Gelu", "FastGelu", "BiasGelu", "QuickGelu", "LayerNormalization", "SimplifiedLayerNormalization", "BiasAdd",
    "BiasSoftmax", "QLinearSigmoid", "QLinearLeakyRelu", "QLinearSoftmax", "RotaryEmbedding", "GroupNorm", "Inverse",
    "BiasDropout", "FusedActivation", "Swish", "ParametricSoftplus", "ScaledTanh", "ThresholdedRelu",
})  # fmt: skip
# Operators whose first output has the shape of a standard operator's, given these of their inputs; their own first
# output has the type of their first input.
LIKE: dict[str, tuple[str, tuple[int, ...]]] = {
    "FusedConv": ("Conv", (0, 1)), "QLinearConvTranspose": ("ConvTranspose", (0, 3)),
    "QLinearAveragePool": ("AveragePool", (0,)), "QLinearGlobalAveragePool": ("GlobalAveragePool", (0,)),
    "QLinearReduceMean": ("ReduceMean", (0,)), "FusedGemm": ("Gemm", (0, 1)), "GemmFastGelu": ("MatMul", (0, 1)),
}  # fmt: skip


def contrib_shapes(call: Call) -> Outputs:
    """(type, shape) of each output. Raises LookupError where the operator, or a shape it needs, is not known."""
    if call.op in SAME:
        return [(0, call.shape(0))]
    return RULES[call.op](call)


def _quantized(call: Call) -> Outputs:
    return [(2 if call.has(2) else "uint8", call.shape(0))]


def _elementwise(a: int, b: int) -> Rule:
    return lambda call: [(a, broadcast(call.shape(a), call.shape(b)))]


def _matmul(a: int, b: int, kind: int | str) -> Rule:
    def rule(call: Call) -> Outputs:
        left, right = call.shape(a), call.shape(b)
        if call.attributes.get("transA"):
            left = (*left[:-2], left[-1], left[-2])
        if call.attributes.get("transB"):
            right = (*right[:-2], right[-1], right[-2])
        return [(kind, (*broadcast(left[:-2], right[:-2]), left[-2], right[-1]))]

    return rule


def _packed(call: Call) -> Outputs:
    return [(0, (*call.shape(0)[:-1], int(call.attributes["N"])))]


def _packed_attention(kind: int | str, past: int) -> Rule:
    def rule(call: Call) -> Outputs:
        batch, steps, _ = call.shape(0)
        heads = int(call.attributes["num_heads"])
        sizes = call.attributes.get("qkv_hidden_sizes") or [call.shape(1)[-1] // 3] * 3
        before = call.shape(past)[3] if call.has(past) else 0
        present = (2, batch, heads, before + steps, sizes[1] // heads)
        return [(kind, (batch, steps, sizes[2])), (kind, present)]

    return rule


def _multi_head_attention(call: Call) -> Outputs:
    query, heads = call.shape(0), int(call.attributes["num_heads"])
    if len(query) == 5:
        batch, steps, _, _, size = query
        width, key_length, value_size = heads * size, steps, size
    else:
        batch, steps, width = query
        key = call.shape(1)
        key_length, size = (key[2], key[3]) if len(key) == 4 else (key[1], width // heads)
        value = call.shape(2) if call.has(2) else (size * heads,)
        value_size = value[-1] if len(value) == 4 else value[-1] // heads
        width = heads * value_size
    total = key_length + (call.shape(6)[2] if call.has(6) else 0)
    return [
        (0, (batch, steps, width)), (0, (batch, heads, total, size)), (0, (batch, heads, total, value_size)),
    ]  # fmt: skip


def _grouped_attention(call: Call) -> Outputs:
    batch, steps, width = call.shape(0)
    heads, shared = int(call.attributes["num_heads"]), int(call.attributes["kv_num_heads"])
    size = width // heads if call.has(1) else width // (heads + 2 * shared)
    total = max(call.shape(3)[2] if call.has(3) else 0, steps)
    if call.has(3) and call.values[6] is not None:
        total = max(int(call.values[6].flat[0]), call.shape(3)[2])
    present = (batch, shared, total, size)
    return [(0, (batch, steps, heads * size)), (0, present), (0, present)]


def _quantized_gemm(call: Call) -> Outputs:
    a, b = call.shape(0), call.shape(3)
    rows = a[1] if call.attributes.get("transA") else a[0]
    columns = b[0] if call.attributes.get("transB") else b[1]
    return [(8 if call.has(8) else "float32", (rows, columns))]


def _lstm(call: Call) -> Outputs:
    steps, batch, _ = call.shape(0)
    directions = 2 if call.attributes.get("direction") == "bidirectional" else 1
    last = (directions, batch, int(call.attributes["hidden_size"]))
    return [(0, (steps, *last)), (0, last), (0, last)]


def _skip_norm(call: Call) -> Outputs:
    shape, rows = call.shape(0), (*call.shape(0)[:-1], 1)
    return [(0, shape), ("float32", rows), ("float32", rows), (0, shape)]


def _embed_norm(call: Call) -> Outputs:
    batch, steps = call.shape(0)
    shape = (batch, steps, call.shape(2)[-1])
    return [(2, shape), ("int32", (batch,)), (2, shape)]


def _concat(call: Call) -> Outputs:
    parts = [call.shape(place) for place in range(2, len(call.inputs), 3)]
    axis = int(call.attributes["axis"]) % len(parts[0])
    length = sum(part[axis] for part in parts)
    return [(2, (*parts[0][:axis], length, *parts[0][axis + 1 :]))]


def _channels_last(x: int, weight: int) -> Rule:
    def rule(call: Call) -> Outputs:
        shape, kernel = call.shape(x), call.shape(weight)
        spatial = _pooled(call.attributes, shape[1:-1], kernel[2:])
        return [(0, (shape[0], *spatial, kernel[0]))]

    return rule


def _channels_last_pool(call: Call) -> Outputs:
    shape = call.shape(0)
    return [(0, (shape[0], *_pooled(call.attributes, shape[1:-1], call.attributes["kernel_shape"]), shape[-1]))]


def _pooled(attributes: Any, lengths: Any, kernel: Any) -> tuple[int, ...]:
    """Output positions of a convolution or pool: (length + pads - dilation (kernel - 1) - 1) // stride + 1."""
    rank = len(lengths)
    pads, strides = attributes.get("pads") or [0] * 2 * rank, attributes.get("strides") or [1] * rank
    dilations = attributes.get("dilations") or [1] * rank
    if str(attributes.get("auto_pad", "NOTSET")).startswith("SAME"):
        return tuple(math.ceil(length / stride) for length, stride in zip(lengths, strides, strict=True))
    return tuple(
        (lengths[i] + pads[i] + pads[i + rank] - dilations[i] * (kernel[i] - 1) - 1) // strides[i] + 1
        for i in range(rank)
    )


def _packed_gather(call: Call) -> Outputs:
    table, ids, axis = call.shape(0), call.shape(1), int(call.attributes.get("gather_axis", 0))
    per_byte = 2 if int(call.attributes.get("bits", 4)) == 4 and call.attributes.get("packed", 1) else 1
    shape = [*table[:axis], *ids, *table[axis + 1 :]]
    shape[-1] *= per_byte
    return [(2, tuple(shape))]


RULES: dict[str, Rule] = {
    "QuantizeLinear": _quantized, "DequantizeLinear": lambda call: [(1, call.shape(0))],
    "QLinearAdd": _elementwise(0, 3), "QLinearMul": _elementwise(0, 3), "QLinearWhere": _elementwise(1, 4),
    "FusedMatMul": _matmul(0, 1, 0), "TransposeMatMul": _matmul(0, 1, 0), "MatMulFpQ4": _matmul(0, 1, 0),
    "MatMulIntegerToFloat": _matmul(0, 1, 2), "DynamicQuantizeMatMul": _matmul(0, 1, 0),
    "MatMulInteger16": _matmul(0, 1, "int32"), "MatMulNBits": _packed, "MatMulBnb4": _packed,
    "Attention": _packed_attention(0, 4), "QAttention": _packed_attention(3, 8),
    "MultiHeadAttention": _multi_head_attention, "GroupQueryAttention": _grouped_attention,
    "SkipLayerNormalization": _skip_norm, "SkipSimplifiedLayerNormalization": _skip_norm,
    "EmbedLayerNormalization": _embed_norm, "QLinearConcat": _concat, "SkipGroupNorm": _skip_norm,
    "NhwcConv": _channels_last(0, 1), "NhwcFusedConv": _channels_last(0, 1), "NhwcMaxPool": _channels_last_pool,
    "GatherBlockQuantized": _packed_gather, "MoE": lambda call: [(0, call.shape(0))],
    "QGemm": _quantized_gemm, "DynamicQuantizeLSTM": _lstm,
    "BiasSplitGelu": lambda call: [(0, (*call.shape(0)[:-1], call.shape(0)[-1] // 2))],
}  # fmt: skip
