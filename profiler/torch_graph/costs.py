"""What each torch operator computes, by its arguments. Names are those of the dispatcher, without overloads."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from profiler import flops
from profiler.flops import Cost

Rule = Callable[[Sequence[Any], Any], Cost]

# Hand on the same memory: no work at all.
VIEWS = frozenset({
    "view", "_unsafe_view", "reshape", "t", "transpose", "permute", "expand", "expand_as", "squeeze", "unsqueeze",
    "select", "slice", "split", "split_with_sizes", "chunk", "unbind", "narrow", "detach", "alias", "as_strided",
    "unflatten", "flatten", "view_as", "numpy_T", "diagonal", "_reshape_alias", "lift_fresh", "unfold", "real",
    "movedim", "swapaxes", "mT", "contiguous_view", "dropout",
})  # fmt: skip
# Nothing a runtime does at run time, or questions about a tensor.
SILENT = frozenset({
    "device", "layout", "dtype", "sym_size", "sym_stride", "sym_numel", "sym_storage_offset", "is_contiguous", "size",
    "stride", "empty", "empty_like", "new_empty", "empty_strided", "_assert_async", "_assert_tensor_metadata",
    "_local_scalar_dense", "item", "is_same_size", "_has_compatible_shallow_copy_type", "dim", "numel",
    "is_strides_like_format", "is_non_overlapping_and_dense", "_assert_scalar", "sym_constrain_range_for_size",
    "sym_constrain_range", "equal",
})  # fmt: skip
# Move numbers without computing any.
MOVES = frozenset({
    "clone", "copy", "copy_", "_to_copy", "cat", "stack", "index_select", "gather", "index", "embedding", "arange",
    "zeros", "ones", "full", "zeros_like", "ones_like", "full_like", "new_zeros", "new_ones", "new_full", "fill_",
    "fill", "scalar_tensor", "constant_pad_nd", "repeat", "repeat_interleave", "flip", "roll", "tril", "triu",
    "masked_fill", "masked_fill_", "where", "index_put", "index_put_", "_index_put_impl_", "scatter", "scatter_",
    "slice_scatter", "select_scatter", "one_hot", "nonzero", "masked_select", "masked_scatter", "pixel_shuffle",
    "contiguous", "to", "sort", "argsort", "topk", "index_copy", "index_copy_", "zero_", "lift_fresh_copy",
    "quantize_per_tensor", "dequantize", "randn", "rand", "reflection_pad1d", "reflection_pad2d", "eye", "linspace",
})  # fmt: skip
STEPS = {
    "_softmax": 5, "_safe_softmax": 5, "_log_softmax": 5, "native_layer_norm": 8, "_fused_rms_norm": 5,
    "native_group_norm": 8, "native_batch_norm": 2, "_native_batch_norm_legit_no_training": 2, "cudnn_batch_norm": 2,
    "_native_batch_norm_legit": 8, "gelu": 5, "silu": 5, "sigmoid": 4, "hardswish": 4, "hardsigmoid": 3, "mish": 4,
    "hardtanh": 2, "clamp": 2, "elu": 3, "softplus": 3, "upsample_bilinear2d": 7, "upsample_bicubic2d": 31,
    "addcmul": 3, "addcdiv": 3, "lerp": 3, "rsqrt": 2, "grid_sampler_2d": 11, "batch_norm": 2,
}  # fmt: skip
REDUCTIONS = frozenset({
    "sum", "mean", "amax", "amin", "max", "min", "argmax", "argmin", "prod", "any", "all", "cumsum", "logsumexp",
    "var", "std", "var_mean", "linalg_vector_norm", "norm", "_adaptive_avg_pool2d", "_adaptive_avg_pool1d", "cumprod",
    "adaptive_max_pool2d", "histc", "bincount",
})  # fmt: skip


def cost_of(op: str, args: Sequence[Any], result: Any) -> Cost:
    """FLOP and dims of one call. Raises LookupError, ValueError, TypeError or AttributeError where its arguments are
    not the known ones."""
    rule = RULES.get(op)
    if rule is not None:
        return rule(args, result)
    elements = math.prod(shape(first(result)))
    dims = {"elements": elements}
    if op in MOVES or op in VIEWS:
        return Cost(dims=dims)
    if op in REDUCTIONS:
        return Cost(other_flop=math.prod(shape(args[0])), dims=dims)
    return Cost(other_flop=STEPS.get(op.rstrip("_"), 1) * elements, dims=dims)


def shape(tensor: Any) -> tuple[int, ...]:
    """A tensor's lengths as plain numbers."""
    return tuple(int(length) for length in tensor.shape)


def first(result: Any) -> Any:
    """The first tensor of a result."""
    while isinstance(result, list | tuple):
        result = result[0]
    return result


def _matmul(a: int, b: int, *, bias: bool = False) -> Rule:
    return lambda args, result: flops.matmul_of(shape(args[a]), shape(args[b]), bias=bias)


def _linear(args: Sequence[Any], result: Any) -> Cost:
    weight = shape(args[1])
    return flops.matmul_of(shape(args[0]), weight[::-1], bias=len(args) > 2 and args[2] is not None)


def _convolution(args: Sequence[Any], result: Any) -> Cost:
    transposed = len(args) > 8 and bool(args[6])
    groups = int(args[8]) if len(args) > 8 else int(args[6]) if len(args) > 6 else 1
    return flops.convolution(
        shape(args[0]), shape(args[1]), shape(first(result)), groups=groups, transposed=transposed,
        bias=args[2] is not None,
    )  # fmt: skip


def _attention(args: Sequence[Any], result: Any) -> Cost:
    query, key, value = (shape(each) for each in args[:3])
    return flops.attention(math.prod(query[:-3]), query[-3], query[-2], key[-2], query[-1], value[-1])


def _one_recurrent_layer(args: Sequence[Any], result: Any) -> Cost:
    """mkldnn_rnn_layer: one LSTM layer in one direction over (steps, batch, width)."""
    steps, batch, width = shape(args[0])
    hidden = int(args[10])
    return flops.recurrent(batch, steps, width, hidden, shape(args[1])[0] // hidden, 1)


def _whole_recurrent(args: Sequence[Any], result: Any) -> Cost:
    """aten::lstm, gru, rnn_*: input, state(s), weights, has_biases, layers, dropout, train, bidirectional,
    batch_first. Each weight matrix multiplies every step."""
    places = [place for place, arg in enumerate(args) if isinstance(arg, list | tuple) and len(arg) > 1]
    weights = [each for each in args[places[-1]] if len(each.shape) == 2]
    batch_first = bool(args[-1])
    one, two, width = shape(args[0])
    steps, batch = (two, one) if batch_first else (one, two)
    products = sum(math.prod(shape(weight)) for weight in weights)
    return Cost(flop=2 * batch * steps * products, dims={"batch": batch, "steps": steps, "input_size": width})


def _grouped(args: Sequence[Any], result: Any) -> Cost:
    """_grouped_mm: each row is multiplied by the one matrix of its group."""
    rows, k = shape(args[0])[-2:]
    return flops.matmul(1, rows, shape(args[1])[-1], k)


def _pool(args: Sequence[Any], result: Any) -> Cost:
    kernel = args[1] if isinstance(args[1], list | tuple) else [args[1]]
    rank = len(shape(args[0])) - 2
    size = math.prod(int(length) for length in kernel) ** (rank if len(kernel) == 1 else 1)
    elements = math.prod(shape(first(result)))
    return Cost(other_flop=elements * size, dims={"elements": elements})


RULES: dict[str, Rule] = {
    "mm": _matmul(0, 1), "bmm": _matmul(0, 1), "matmul": _matmul(0, 1), "mv": _matmul(0, 1), "dot": _matmul(0, 1),
    "addmm": _matmul(1, 2, bias=True), "baddbmm": _matmul(1, 2, bias=True), "addmv": _matmul(1, 2, bias=True),
    "addbmm": _matmul(1, 2, bias=True), "_addmm_activation": _matmul(1, 2, bias=True), "_scaled_mm": _matmul(0, 1),
    "_int_mm": _matmul(0, 1), "linear": _linear, "mkldnn_linear": _linear, "_mkl_linear": _linear,
    "convolution": _convolution, "_convolution": _convolution, "convolution_overrideable": _convolution,
    "mkldnn_convolution": lambda args, result: flops.convolution(
        shape(args[0]), shape(args[1]), shape(result), groups=int(args[6]), bias=args[2] is not None
    ),
    "conv1d": _convolution, "conv2d": _convolution, "conv3d": _convolution,
    "scaled_dot_product_attention": _attention, "_scaled_dot_product_flash_attention_for_cpu": _attention,
    "_scaled_dot_product_flash_attention": _attention, "_scaled_dot_product_efficient_attention": _attention,
    "_scaled_dot_product_cudnn_attention": _attention, "_scaled_dot_product_fused_attention_overrideable": _attention,
    "mkldnn_rnn_layer": _one_recurrent_layer, "lstm": _whole_recurrent, "gru": _whole_recurrent,
    "rnn_tanh": _whole_recurrent, "rnn_relu": _whole_recurrent, "_grouped_mm": _grouped,
    "max_pool2d_with_indices": _pool, "avg_pool2d": _pool, "max_pool2d": _pool, "avg_pool1d": _pool,
    "max_pool1d": _pool, "max_pool3d_with_indices": _pool, "avg_pool3d": _pool,
}  # fmt: skip
