"""From the nodes of an ONNX graph to layers, as a runtime would run them.

What is made of stored tensors alone is folded when a model loads, so it is no layer: its weights count where they are
used. Arithmetic on shapes is none either. A DequantizeLinear before, and a QuantizeLinear after, an operator that
runtimes join with them are part of it: it then moves 8-bit tensors and computes in integers.
"""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from profiler.dtypes import bytes_of
from profiler.flops import Cost
from profiler.liveness import Event, peak_bytes
from profiler.onnx_graph import control as onnx_control
from profiler.onnx_graph import shapes as onnx_shapes
from profiler.onnx_graph import tools as onnx_tools
from profiler.onnx_graph.costs import INTEGER, VIEWS, cost_of
from profiler.onnx_graph.names import Names
from profiler.onnx_graph.shapes import RANDOM, STANDARD, Scope
from profiler.onnx_graph.weights import Weight
from profiler.types import Layer

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

NOT_COUNTED = "its shape depends on the data or is not known: not counted"
JOINED = frozenset({
    "Conv", "ConvTranspose", "MatMul", "Gemm", "Add", "Mul", "Sub", "Div", "Relu", "Clip", "Sigmoid", "Tanh",
    "MaxPool", "AveragePool", "GlobalAveragePool", "Concat", "Softmax", "LeakyRelu", "Resize", "Split", "Where",
    "Transpose", "Gather", "Slice", "Pad", "Reshape", "Flatten", "Squeeze", "Unsqueeze",
})  # fmt: skip
# Operators that read only a part of their first input.
PARTIAL = frozenset({"Gather", "GatherElements", "GatherND", "Slice", "Split", "GatherBlockQuantized"})
UINT8 = 2  # TensorProto.UINT8, what a QuantizeLinear without a zero point writes
SHAPE_TYPES = ("int64", "int32", "bool", "string")


class Walk:
    """One pass over a model's graphs; parameters count at the first layer that uses them."""

    def __init__(self, weights: Mapping[str, Weight], lengths: dict[str, int]) -> None:
        self.lengths = lengths
        self.notes: dict[str, None] = {}
        self._weights = weights
        self._counted: set[str] = set()

    def graph(
        self, graph: "GraphProto", scope: Scope, names: Names, prefix: str = "", repeat: int = 1
    ) -> tuple[list[Layer], int]:
        """The layers of a graph in order, and its peak of live activations (bytes)."""
        names.stored |= {tensor.name: frozenset([tensor.name]) for tensor in graph.initializer}
        kept = {value.name for value in graph.output}
        readers = {name: users for name, users in onnx_tools.consumers(graph).items() if name not in kept}
        layers: list[Layer] = []
        events: list[Event] = []
        for node in graph.node:
            attributes = onnx_tools.attributes(node)
            if onnx_control.is_control(node):
                inner, event = onnx_control.control(self, node, attributes, scope, names, prefix, repeat)
                layers += inner
                events.append(event)
                continue
            onnx_shapes.infer(node, attributes, scope)
            if self._vanishes(node, scope, names, readers, kept):
                continue
            layer = self._layer(node, attributes, scope, names, prefix, repeat, readers)
            layers.append(layer)
            events.append(Event(op=node.op_type, reads=layer.inputs, writes=layer.outputs))
        given = [] if prefix else [value.name for value in onnx_tools.real_inputs(graph)]
        moved = {name for event in events for name in (*event.reads, *event.writes)}.union(given)
        return layers, peak_bytes(events, {name: size_of(name, scope) for name in moved}, given, kept)

    def _vanishes(
        self, node: "NodeProto", scope: Scope, names: Names, readers: Mapping[str, list["NodeProto"]], kept: set[str]
    ) -> bool:
        """Whether a runtime has nothing to do here: folded at load, joined with a neighbour, or shape arithmetic."""
        written = [name for name in node.output if name]
        if kept.intersection(written) or node.op_type.startswith(RANDOM):
            return False
        read = [name for name in node.input if name]
        if node.op_type == "Constant":
            names.stored[written[0]] = frozenset(written)
            return True
        if read and all(name in names.stored for name in read):
            origins = frozenset(origin for name in read for origin in names.stored[name])
            names.stored |= dict.fromkeys(written, origins)
            return True
        if node.op_type == "DequantizeLinear":
            users = readers.get(written[0], [])
            if users and all(user.op_type in JOINED for user in users):
                names.quantized[written[0]] = read[0]
                return True
        if node.op_type == "QuantizeLinear" and names.requantized.get(read[0]) == written[0]:
            return True
        return bool(written) and all(name in scope.values for name in written)

    def _layer(
        self, node: "NodeProto", attributes: dict[str, Any], scope: Scope, names: Names, prefix: str, repeat: int,
        readers: Mapping[str, list["NodeProto"]],
    ) -> Layer:  # fmt: skip
        try:
            cost = cost_of(scope.call(node, attributes), standard=node.domain in STANDARD)
        except (LookupError, ValueError, TypeError, ZeroDivisionError):
            cost = Cost(notes=(NOT_COUNTED,))
        self.notes |= dict.fromkeys(note for note in cost.notes if note != NOT_COUNTED)
        integers = _joins(node, attributes, scope, names, readers)
        reads = tuple(dict.fromkeys(
            names.moved(name) for name in node.input if name and name not in names.stored and name not in scope.values
        ))  # fmt: skip
        writes = tuple(names.moved(name) for name in node.output if name)
        written = sum(size_of(name, scope) for name in writes)
        read = sum(size_of(name, scope) for name in reads)
        if node.op_type in PARTIAL:
            read = min(read, written + sum(size_of(name, scope) for name in reads if name != node.input[0]))
        weight_bytes, parameters = self._weights_of(node, scope, names)
        moves = 0 if node.op_type in VIEWS else repeat
        return Layer(
            name=prefix + (node.name or f"{node.op_type}_{node.output[0]}"),
            op=node.op_type,
            flop=cost.flop * repeat,
            other_flop=cost.other_flop * repeat,
            weight_bytes=weight_bytes * moves,
            read_bytes=read * moves,
            written_bytes=written * moves,
            parameter_count=parameters,
            dtype="int8" if integers else (scope.dtype(node.output[0]) or "float32"),
            dims=dict(cost.dims),
            inputs=reads,
            outputs=writes,
            repeat=repeat,
            notes=cost.notes,
        )

    def _weights_of(self, node: "NodeProto", scope: Scope, names: Names) -> tuple[int, int]:
        """Bytes of stored tensors a node reads (of a table only the rows), and the parameters first used here."""
        total = parameters = 0
        stored = (names.stored[name] for name in node.input if name in names.stored)
        for origin in sorted({origin for origins in stored for origin in origins}):
            weight = self._weights.get(origin)
            if weight is None:
                continue
            if weight.parameter_count or weight.dtype not in SHAPE_TYPES:
                total += bytes_of(weight.dtype, math.prod(weight.shape))
            if origin not in self._counted:
                parameters += weight.parameter_count
                self._counted.add(origin)
        if node.op_type in PARTIAL and node.input[0] in names.stored:
            table = math.prod(scope.shape(node.input[0]) or (1,))
            rows = math.prod(scope.shape(node.output[0]) or (table,))
            total = min(total, math.ceil(total * rows / max(table, 1)))
        return total, parameters


def size_of(name: str, scope: Scope) -> int:
    """Bytes of a tensor; 0 where its shape is not known."""
    shape = scope.shape(name)
    return bytes_of(scope.dtype(name), math.prod(shape)) if shape is not None else 0


def _joins(
    node: "NodeProto", attributes: dict[str, Any], scope: Scope, names: Names, readers: Mapping[str, list["NodeProto"]]
) -> bool:
    """Whether a node computes in integers. One that reads a dequantized tensor and is read by a QuantizeLinear alone
    writes the quantized tensor itself."""
    if node.op_type in INTEGER or attributes.get("accuracy_level") == 4:
        return True
    if node.op_type not in JOINED or not any(name in names.quantized for name in node.input):
        return False
    for name in node.output:
        users = readers.get(name, [])
        shape = scope.shape(name)
        if len(users) == 1 and users[0].op_type == "QuantizeLinear" and shape is not None:
            quantize = users[0]
            zero_point = scope.types.get(quantize.input[2]) if len(quantize.input) > 2 else None
            scope.set(quantize.output[0], zero_point.tensor_type.elem_type if zero_point else UINT8, shape)
            names.requantized[name] = quantize.output[0]
    return True
