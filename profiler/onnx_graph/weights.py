"""Which stored tensors of an ONNX file are parameters, and how many each holds.

The rule. Counted: floating tensors, and 2- to 16-bit integer tensors (quantized weights), wherever they are stored;
32-bit integers only where they are a quantized bias. Not counted: other integers, booleans and text (shapes, axes,
indices, masks), single numbers without an axis, scales and zero points, the running mean and variance of a
BatchNormalization (torch keeps them as buffers, not parameters), initial states of recurrent layers, and bounds and
scales of operators such as Clip and Resize. Tensors that share their bytes in a file of weights count once.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from profiler import dtypes
from profiler.dtypes import is_float
from profiler.onnx_graph import tools as onnx_tools

if TYPE_CHECKING:
    from onnx import ModelProto, TensorProto

# Inputs that hold no parameters, by operator: quantization scales and zero points, statistics, states, bounds.
NOT_PARAMETERS: dict[str, frozenset[int]] = {
    op: frozenset(places)
    for op, places in {
        "BatchNormalization": (3, 4), "QuantizeLinear": (1, 2), "DequantizeLinear": (1, 2),
        "QLinearConv": (1, 2, 4, 5, 6, 7), "QLinearMatMul": (1, 2, 4, 5, 6, 7),
        "ConvInteger": (2, 3), "MatMulInteger": (2, 3), "MatMulIntegerToFloat": (2, 3, 4, 5),
        "DynamicQuantizeMatMul": (2, 3), "MatMulNBits": (2, 3, 4), "MatMulBnb4": (2,),
        "GatherBlockQuantized": (1, 2, 3), "QGemm": (1, 2, 4, 5, 7, 8), "QAttention": (3, 4, 6, 7),
        "QLinearAdd": (1, 2, 4, 5, 6, 7), "QLinearMul": (1, 2, 4, 5, 6, 7),
        "LSTM": (4, 5, 6), "GRU": (4, 5), "RNN": (4, 5), "DynamicQuantizeLSTM": (4, 5, 6, 8, 9, 10, 11),
        "Resize": (1, 2, 3), "Upsample": (1,), "Clip": (1, 2), "Pad": (1, 2, 3), "Dropout": (1, 2),
    }.items()
}  # fmt: skip
QUANTIZED_BIAS = {("DequantizeLinear", 0), ("QLinearConv", 8), ("QGemm", 6)}
SMALL_INTEGERS = ("int8", "uint8", "int4", "uint4", "int2", "uint2", "int16", "uint16")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """One stored tensor: its bytes in the file, and how many parameters it holds (0 for scales, shapes, ...)."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    stored_bytes: int
    parameter_count: int


def weights(model: "ModelProto") -> dict[str, Weight]:
    """Every stored tensor of the model by name; tensors that share their bytes hold parameters only once."""
    uses = _uses(model)
    found: dict[str, Weight] = {}
    places: set[tuple[str, str, str]] = set()
    for tensor in onnx_tools.tensors(model):
        place = onnx_tools.external(tensor)
        key = (place.get("location", ""), place.get("offset", ""), place.get("length", ""))
        shared = bool(place) and key in places
        places.add(key)
        found[tensor.name] = Weight(
            name=tensor.name,
            dtype=dtypes.onnx_dtype_name(tensor.data_type),
            shape=tuple(tensor.dims),
            stored_bytes=0 if shared else onnx_tools.stored_bytes(tensor),
            parameter_count=0 if shared else _parameters(tensor, uses.get(tensor.name, {})),
        )
    return found


def by_dtype(found: dict[str, Weight]) -> dict[str, int]:
    """Parameters by number type, most first."""
    counts: dict[str, int] = {}
    for weight in found.values():
        if weight.parameter_count:
            counts[weight.dtype] = counts.get(weight.dtype, 0) + weight.parameter_count
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def _uses(model: "ModelProto") -> dict[str, dict[tuple[str, int], int]]:
    """Tensor name -> {(operator, place among its inputs): parameters it unpacks to there, or 0 for its own count}."""
    found: dict[str, dict[tuple[str, int], int]] = {}
    for node in onnx_tools.nodes(model):
        for place, name in enumerate(node.input):
            unpacked = 0
            if place == 1 and node.op_type in ("MatMulNBits", "MatMulBnb4"):
                given = onnx_tools.attributes(node)
                unpacked = int(given.get("K", 0)) * int(given.get("N", 0))
            found.setdefault(name, {})[node.op_type, place] = unpacked
    return found


def _parameters(tensor: "TensorProto", uses: dict[tuple[str, int], int]) -> int:
    dtype = dtypes.onnx_dtype_name(tensor.data_type)
    roles = [role for role in uses if role[1] not in NOT_PARAMETERS.get(role[0], ())]
    if not tensor.dims or (uses and not roles):
        return 0
    if dtype == "int32":
        counted = any(role in QUANTIZED_BIAS for role in roles)
    else:
        counted = is_float(dtype) or dtype in SMALL_INTEGERS or dtype.startswith(("float8", "float4"))
    unpacked = max((uses[role] for role in roles), default=0)
    return (unpacked or onnx_tools.count_of(tensor)) if counted else 0
