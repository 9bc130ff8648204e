"""What each ONNX operator computes at known shapes: the standard ones and those of ONNX Runtime."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from data.text import plain
from profiler import flops
from profiler.flops import Cost

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One node with everything known about it: shapes of inputs and outputs in order (None where it is omitted),
    attributes, and the values of small constant inputs."""

    op: str
    inputs: Sequence[Shape | None]
    outputs: Sequence[Shape | None]
    attributes: Mapping[str, Any]
    values: Sequence[Any]

    def has(self, place: int) -> bool:
        """Whether this optional input is given."""
        return place < len(self.inputs) and self.inputs[place] is not None

    def shape(self, place: int) -> Shape:
        """The shape of an input that must be there. Raises LookupError where it is not known."""
        if not self.has(place):
            raise LookupError(place)
        found = self.inputs[place]
        assert found is not None
        return found

    @property
    def out(self) -> Shape:
        """The shape of the first output. Raises LookupError where it is not known."""
        found = self.outputs[0] if self.outputs else None
        if found is None:
            raise LookupError("output")
        return found


Rule = Callable[[Call], Cost]

VIEWS = frozenset({"Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity"})
# Move numbers without computing any.
MOVES = VIEWS | {
    "Transpose", "Concat", "Slice", "Split", "Gather", "GatherElements", "GatherND", "ScatterElements", "ScatterND",
    "Scatter", "Expand", "Tile", "Pad", "Cast", "CastLike", "Shape", "Size", "ConstantOfShape", "Constant", "Range",
    "OneHot", "NonZero", "DepthToSpace", "SpaceToDepth", "Compress", "ReverseSequence", "Dropout", "Trilu", "EyeLike",
    "SequenceConstruct", "SequenceAt", "SequenceInsert", "SequenceErase", "SequenceEmpty", "SequenceLength",
    "SplitToSequence", "ConcatFromSequence", "Optional", "OptionalGetElement", "OptionalHasElement", "Where",
    "QLinearConcat", "GatherBlockQuantized", "RandomNormalLike", "RandomUniformLike", "Bitcast", "TensorScatter",
}  # fmt: skip
# Arithmetic steps for each element written.
STEPS = {
    "Softmax": 5, "LogSoftmax": 5, "Hardmax": 2, "QLinearSoftmax": 5, "LayerNormalization": 8,
    "SkipLayerNormalization": 9, "EmbedLayerNormalization": 10, "SimplifiedLayerNormalization": 5,
    "RMSNormalization": 5, "SkipSimplifiedLayerNormalization": 6, "InstanceNormalization": 8,
    "GroupNormalization": 8, "GroupNorm": 8, "SkipGroupNorm": 9, "BatchNormalization": 2, "LpNormalization": 3,
    "Gelu": 5, "FastGelu": 8, "BiasGelu": 6, "QuickGelu": 5, "BiasSplitGelu": 6, "Sigmoid": 4, "HardSwish": 4,
    "HardSigmoid": 3, "Mish": 4, "Swish": 5, "Softplus": 3, "Elu": 3, "Selu": 4, "Clip": 2, "QuantizeLinear": 3,
    "DequantizeLinear": 2, "DynamicQuantizeLinear": 5, "RotaryEmbedding": 3, "Resize": 7, "Upsample": 7,
    "GridSample": 11, "LRN": 8, "QLinearAdd": 5, "QLinearMul": 5, "QLinearSigmoid": 6, "QLinearLeakyRelu": 4,
    "BiasSoftmax": 6, "BiasAdd": 2, "BiasDropout": 2, "MeanVarianceNormalization": 6,
}  # fmt: skip
# Read every input element once.
REDUCTIONS = ("Reduce", "ArgM", "GlobalAverage", "GlobalMax", "GlobalLp", "QLinearGlobalAverage", "QLinearReduce")
READS_ALL = frozenset({"CumSum", "CumProd", "TopK", "Unique", "Einsum1", "NonMaxSuppression", "Det"})


def cost_of(call: Call, *, standard: bool) -> Cost:
    """FLOP and dims of a call. Raises LookupError where a shape it needs is not known.

    `standard` tells an operator of the ONNX standard (one step for each element unless stated) from one that is
    not known here (the same, with a note).
    """
    rule = RULES.get(call.op)
    if rule is not None:
        return rule(call)
    elements = math.prod(call.out)
    dims = {"elements": elements}
    if call.op in MOVES:
        return Cost(dims=dims)
    if call.op.startswith(REDUCTIONS) or call.op in READS_ALL:
        return Cost(other_flop=math.prod(call.shape(0)), dims=dims)
    known = standard or call.op in STEPS
    note = f"{plain(call.op, 40)} is not known here: counted as one operation for each number written"
    notes = () if known else (note,)
    return Cost(other_flop=STEPS.get(call.op, 1) * elements, dims=dims, notes=notes)


def _matmul(a: int, b: int, bias: int = -1) -> Rule:
    def rule(call: Call) -> Cost:
        left, right = _turned(call, call.shape(a), "A"), _turned(call, call.shape(b), "B")
        return flops.matmul_of(left, right, bias=bias > 0 and call.has(bias))

    return rule


def _turned(call: Call, shape: Shape, side: str) -> Shape:
    """The shape after the transpositions that FusedMatMul and Gemm take as attributes."""
    if call.attributes.get(f"transBatch{side}"):
        shape = (*shape[1:-1], shape[0], shape[-1])
    return (*shape[:-2], shape[-1], shape[-2]) if call.attributes.get(f"trans{side}") else shape


def _matmul_packed(call: Call) -> Cost:
    n, k = int(call.attributes["N"]), int(call.attributes["K"])
    return flops.matmul(1, math.prod(call.shape(0)) // k, n, k, bias=call.has(5))


def _convolution(x: int, weight: int, bias: int, *, transposed: bool = False, channels_last: bool = False) -> Rule:
    def rule(call: Call) -> Cost:
        last = channels_last or bool(call.attributes.get("channels_last"))
        return flops.convolution(
            call.shape(x), call.shape(weight), call.out, groups=int(call.attributes.get("group", 1)),
            transposed=transposed, bias=call.has(bias), channels_last=last,
        )  # fmt: skip

    return rule


def _deform_convolution(call: Call) -> Cost:
    weight, groups = call.shape(1), int(call.attributes.get("group", 1))
    cost = flops.convolution(call.shape(0), weight, call.out, groups=groups, bias=call.has(3))
    sampled = call.shape(0)[0] * call.shape(0)[1] * math.prod(call.out[2:]) * math.prod(weight[2:])
    return Cost(flop=cost.flop, other_flop=cost.other_flop + 11 * sampled, dims=cost.dims)


def _recurrent(gates: int) -> Rule:
    def rule(call: Call) -> Cost:
        first, second, width = call.shape(0)
        steps, batch = (second, first) if call.attributes.get("layout") else (first, second)
        directions = 2 if call.attributes.get("direction") == "bidirectional" else 1
        hidden = int(call.attributes.get("hidden_size") or call.shape(2)[-1])
        return flops.recurrent(batch, steps, width, hidden, gates, directions)

    return rule


def _packed_attention(past: int) -> Rule:
    """com.microsoft Attention and QAttention: the projections to query, key and value are part of it."""

    def rule(call: Call) -> Cost:
        batch, query, width = call.shape(0)
        heads = int(call.attributes["num_heads"])
        sizes = call.attributes.get("qkv_hidden_sizes") or [call.shape(1)[-1] // 3] * 3
        key = query + (call.shape(past)[3] if call.has(past) else 0)
        projection = flops.matmul(1, batch * query, sum(sizes), width).flop
        return flops.attention(batch, heads, query, key, sizes[0] // heads, sizes[2] // heads, projection)

    return rule


def _multi_head_attention(call: Call) -> Cost:
    """com.microsoft MultiHeadAttention: query (B, S, D), or packed (B, S, heads, 3, size)."""
    query, heads = call.shape(0), int(call.attributes["num_heads"])
    past = call.shape(6)[2] if call.has(6) else 0
    if len(query) == 5:
        return flops.attention(query[0], heads, query[1], query[1] + past, query[4])
    key = call.shape(1)
    length = key[2] if len(key) == 4 else key[1]
    value = call.shape(2)[-1] // heads if call.has(2) and len(call.shape(2)) == 3 else None
    return flops.attention(query[0], heads, query[1], length + past, query[2] // heads, value)


def _grouped_attention(call: Call) -> Cost:
    """com.microsoft GroupQueryAttention: query (B, S, D), or all three packed in it."""
    batch, query, width = call.shape(0)
    heads, shared = int(call.attributes["num_heads"]), int(call.attributes["kv_num_heads"])
    size = width // heads if call.has(1) else width // (heads + 2 * shared)
    total = call.values[6] if len(call.values) > 6 else None
    past = call.shape(3)[2] if call.has(3) else 0
    return flops.attention(batch, heads, query, int(total.flat[0]) if total is not None else query + past, size)


def _attention(call: Call) -> Cost:
    """ai.onnx Attention (opset 23): 4-D (B, heads, S, size), or 3-D (B, S, heads x size) with the heads told."""
    query, key, value = call.shape(0), call.shape(1), call.shape(2)
    past = call.shape(4)[2] if call.has(4) else 0
    if len(query) == 4:
        return flops.attention(query[0], query[1], query[2], key[2] + past, query[3], value[3])
    heads, shared = int(call.attributes["q_num_heads"]), int(call.attributes["kv_num_heads"])
    return flops.attention(query[0], heads, query[1], key[1] + past, query[2] // heads, value[2] // shared)


def _standard_or_packed_attention(call: Call) -> Cost:
    return _packed_attention(4)(call) if "num_heads" in call.attributes else _attention(call)


def _einsum(call: Call) -> Cost:
    return flops.einsum(str(call.attributes["equation"]), [call.shape(place) for place in range(len(call.inputs))])


def _experts(call: Call) -> Cost:
    """com.microsoft MoE: each token goes through k experts of two (or three) matrices."""
    tokens, chosen = math.prod(call.shape(0)[:-1]), int(call.attributes.get("k", 1))
    each = sum(math.prod(call.shape(place)[1:]) for place in (2, 4, 6) if call.has(place))
    return Cost(flop=2 * tokens * chosen * each, dims={"batch": 1, "m": tokens * chosen, "n": 1, "k": each})


def _pool(call: Call) -> Cost:
    elements = math.prod(call.out)
    return Cost(other_flop=elements * math.prod(call.attributes["kernel_shape"]), dims={"elements": elements})


def _linear_model(call: Call) -> Cost:
    """ai.onnx.ml LinearClassifier and LinearRegressor."""
    rows, width = (1, *call.shape(0))[-2:]
    return flops.matmul(1, rows, len(call.attributes["coefficients"]) // width, width, bias=True)


def _variadic(call: Call) -> Cost:
    elements = math.prod(call.out)
    return Cost(other_flop=(len(call.inputs) - 1) * elements, dims={"elements": elements})


RULES: dict[str, Rule] = {
    "MatMul": _matmul(0, 1), "Gemm": _matmul(0, 1, 2), "FusedMatMul": _matmul(0, 1), "FusedGemm": _matmul(0, 1, 2),
    "TransposeMatMul": _matmul(0, 1), "GemmFastGelu": _matmul(0, 1, 2), "GemmFloat8": _matmul(0, 1, 2),
    "MatMulInteger": _matmul(0, 1), "MatMulIntegerToFloat": _matmul(0, 1, 6), "MatMulInteger16": _matmul(0, 1),
    "DynamicQuantizeMatMul": _matmul(0, 1, 4), "QLinearMatMul": _matmul(0, 3), "QGemm": _matmul(0, 3, 6),
    "MatMulNBits": _matmul_packed, "MatMulBnb4": _matmul_packed, "MatMulFpQ4": _matmul(0, 1),
    "Conv": _convolution(0, 1, 2), "FusedConv": _convolution(0, 1, 2), "ConvInteger": _convolution(0, 1, 9),
    "QLinearConv": _convolution(0, 3, 8), "ConvTranspose": _convolution(0, 1, 2, transposed=True),
    "NhwcConv": _convolution(0, 1, 2, channels_last=True), "NhwcFusedConv": _convolution(0, 1, 2, channels_last=True),
    "QLinearConvTranspose": _convolution(0, 3, 8, transposed=True), "DeformConv": _deform_convolution,
    "LSTM": _recurrent(4), "GRU": _recurrent(3), "RNN": _recurrent(1), "DynamicQuantizeLSTM": _recurrent(4),
    "Attention": _standard_or_packed_attention, "QAttention": _packed_attention(8),
    "MultiHeadAttention": _multi_head_attention, "GroupQueryAttention": _grouped_attention,
    "Einsum": _einsum, "MoE": _experts, "MaxPool": _pool, "AveragePool": _pool, "LpPool": _pool,
    "NhwcMaxPool": _pool, "QLinearAveragePool": _pool, "LinearClassifier": _linear_model,
    "LinearRegressor": _linear_model, "Sum": _variadic, "Max": _variadic, "Min": _variadic, "Mean": _variadic,
}  # fmt: skip
# Operators that compute in 8-bit integers.
INTEGER = frozenset({
    "MatMulInteger", "MatMulIntegerToFloat", "DynamicQuantizeMatMul", "QLinearMatMul", "QGemm", "ConvInteger",
    "QLinearConv", "QLinearConvTranspose", "QAttention", "DynamicQuantizeLSTM", "QLinearAdd", "QLinearMul",
})  # fmt: skip
