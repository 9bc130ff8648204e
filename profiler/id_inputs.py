"""Inputs that index a table (token ids): below which number their values must stay."""

from typing import TYPE_CHECKING

from profiler import dtypes
from profiler.onnx_graph import tools as onnx_tools

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

# Operators that hand ids on unchanged: input place -> output 0.
CARRIES = {
    "Cast": (0,), "Identity": (0,), "Reshape": (0,), "Unsqueeze": (0,), "Squeeze": (0,), "Flatten": (0,),
    "Transpose": (0,), "Slice": (0,), "Split": (0,), "Expand": (0,), "Tile": (0,), "Dropout": (0,), "Pad": (0,),
    "GatherElements": (0,), "Where": (1, 2), "Concat": tuple(range(64)), "Clip": (0,), "ScatterElements": (0, 2),
    "Gather": (0,),
}  # fmt: skip
# Operators that look ids up: place of the ids -> place of the table.
LOOKS_UP = {
    "Gather": {1: 0}, "GatherBlockQuantized": {1: 0}, "EmbedLayerNormalization": {0: 2, 1: 4},
    "GatherElements": {1: 0}, "QEmbedLayerNormalization": {0: 2, 1: 4},
}  # fmt: skip


def upper_bounds(model: "ModelProto") -> dict[str, int]:
    """Input name -> the length of the smallest table its values index, for inputs that index one.

    Follows each integer input forward through operators that hand it on (adding a constant shifts the bound) to
    the lookups whose table is stored in the file.
    """
    readers: dict[str, list[NodeProto]] = {}
    for graph in onnx_tools.graphs(model.graph):
        for name, found in onnx_tools.consumers(graph).items():
            readers.setdefault(name, []).extend(found)
    tables, shifts = _table_lengths(model), _largest_integers(model)
    bounds = {}
    for value in onnx_tools.real_inputs(model.graph):
        if dtypes.onnx_dtype_name(value.type.tensor_type.elem_type) in ("int64", "int32"):
            bound = _follow(value.name, readers, tables, shifts)
            if bound is not None and bound > 0:
                bounds[value.name] = bound
    return bounds


def _table_lengths(model: "ModelProto") -> dict[str, int]:
    """First axis of every stored tensor with one, and of what is made of it by Cast, DequantizeLinear or Identity."""
    lengths = {tensor.name: tensor.dims[0] for tensor in onnx_tools.tensors(model) if tensor.dims}
    for node in onnx_tools.nodes(model):
        if node.op_type in ("DequantizeLinear", "Cast", "Identity") and node.input[0] in lengths:
            lengths[node.output[0]] = lengths[node.input[0]]
    return lengths


def _largest_integers(model: "ModelProto") -> dict[str, int]:
    """The largest number of every small stored tensor of integers: offsets of tables laid one after the other."""
    return {
        tensor.name: int(onnx_tools.array(tensor).max())
        for tensor in onnx_tools.tensors(model)
        if dtypes.onnx_dtype_name(tensor.data_type) in ("int64", "int32")
        and 0 < onnx_tools.stored_bytes(tensor) <= onnx_tools.SMALL_BYTES
        and not onnx_tools.external(tensor)
    }


def _follow(
    start: str, readers: dict[str, list["NodeProto"]], tables: dict[str, int], shifts: dict[str, int]
) -> int | None:
    """The smallest bound on the way from an input to the tables it indexes; None where it indexes none."""
    bounds, seen, pending = [], {start}, [(start, 0)]
    while pending:
        name, shift = pending.pop()
        for node in readers.get(name, ()):
            for place in (place for place, read in enumerate(node.input) if read == name):
                table = LOOKS_UP.get(node.op_type, {}).get(place)
                other = node.input[1 - place] if node.op_type == "Add" and len(node.input) == 2 else ""
                added = shifts.get(other, 0)
                if table is not None:
                    if node.input[table] in tables and onnx_tools.attributes(node).get("axis", 0) == 0:
                        bounds.append(tables[node.input[table]] - shift)
                elif other in shifts or place in CARRIES.get(node.op_type, ()):
                    pending += [(output, shift + added) for output in node.output if output not in seen]
                    seen.update(node.output)
    return min(bounds, default=None)
