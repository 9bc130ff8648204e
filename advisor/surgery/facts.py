"""What a technique may know of a model before any library opens it: pure looks at its operators and numbers."""

from __future__ import annotations

from collections.abc import Iterable

from data.units import BYTES_PER_GIB
from profiler.types import Model

CONVOLUTIONS = ("Conv", "ConvTranspose")
MATRIX_PRODUCTS = ("MatMul", "Gemm")
RECURRENT = ("LSTM", "GRU", "RNN")
WEIGHTED = CONVOLUTIONS + MATRIX_PRODUCTS + RECURRENT
QUANTIZED = (
    "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "MatMulInteger", "ConvInteger", "QLinearConv",
    "QLinearMatMul", "QGemm", "QAttention", "MatMulNBits", "MatMulBnb4", "DynamicQuantizeLSTM", "GatherBlockQuantized",
    "MatMulIntegerToFloat", "DynamicQuantizeMatMul",
)  # fmt: skip
ATTENTION = ("Softmax", "Attention", "MultiHeadAttention")
NORMALIZATION = ("LayerNormalization", "ReduceMean", "SkipLayerNormalization")
TREES = ("TreeEnsembleRegressor", "TreeEnsembleClassifier", "TreeEnsemble")
FLOATS = ("float32", "float64")
ONE_FILE_BYTES = int(0.95 * BYTES_PER_GIB)  # profiler.onnx_tools keeps the weights of larger models beside them


def count(model: Model, operators: Iterable[str]) -> int:
    """How many nodes of these operators the graph has; the domain of an operator does not matter."""
    wanted = set(operators)
    return sum(many for name, many in model.operators.items() if short(name) in wanted)


def short(operator: str) -> str:
    """An operator's name without its domain."""
    return operator.replace("::", ".").rsplit(".", 1)[-1]


def is_onnx(model: Model) -> bool:
    """Whether the file is an ONNX graph."""
    return model.format == "onnx"


def is_quantized(model: Model) -> bool:
    """Whether the graph already computes with, or stores, quantized weights."""
    return count(model, QUANTIZED) > 0


def is_transformer(model: Model) -> bool:
    """Whether the graph looks like attention: softmax between matrix products, and normalised."""
    return count(model, ATTENTION) > 1 and count(model, NORMALIZATION) > 1


def is_large(model: Model) -> bool:
    """Whether the weights are kept in a file beside the graph: one protobuf message holds 2 GiB at most."""
    return max(model.weight_bytes, model.file_bytes) > ONE_FILE_BYTES


def float_share(model: Model) -> float:
    """The share (0..1) of the parameters that is stored as 32 or 64 bit floats."""
    total = sum(model.parameters_by_dtype.values())
    return sum(model.parameters_by_dtype.get(name, 0) for name in FLOATS) / total if total else 0.0


def weightless(model: Model) -> str | None:
    """The sentence for a model without weights, or None; a tree ensemble keeps its numbers in attributes."""
    if model.parameter_count:
        return None
    if count(model, TREES):
        return "This is a tree ensemble: it has no layers with weights, which all of this works on."
    return "The model has no weights, so there is nothing to make smaller."


def refusal(model: Model, *, needs: Iterable[str] = WEIGHTED, quantized_too: bool = False) -> str | None:
    """The one sentence why an ONNX technique that works on the operators `needs` cannot take this model, or None."""
    if not is_onnx(model):
        return f"This works on ONNX files; this one is {model.format.replace('_', ' ')}."
    if (reason := weightless(model)) is not None:
        return reason
    if is_quantized(model) and not quantized_too:
        return "The model is already quantized."
    if float_share(model) == 0:
        return "The weights are not 32-bit floats any more."
    if not model.parameters_by_dtype.get("float32"):
        return "The weights are 64-bit floats: export the model in 32-bit floats first, which halves it at once."
    if not count(model, needs):
        named = ", ".join(needs)
        return f"The model has none of the operators this works on ({named})."
    return None
