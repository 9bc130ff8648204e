"""Pairs of linear layers with nothing but linear, position-wise steps between them, and their rotation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from advisor.surgery import onnx_rewrite
from profiler.onnx_graph import tools as onnx_tools

if TYPE_CHECKING:
    from numpy import ndarray

PASSES = ("Identity", "Dropout")


@dataclass(frozen=True, slots=True)
class Pair:
    """`first` and `second` are stored (inputs, outputs) tensors of MatMuls, `bias` the first one's; `width` outputs of
    the first from `start` on may be rotated within blocks of `block` values, the inputs of the second back."""

    first: Any
    bias: Any
    second: Any
    block: int
    start: int
    width: int


@dataclass(frozen=True, slots=True)
class Branch:
    """What comes after a first layer: the node that reads its outputs from `start` on, `width` of them, as `tensor`."""

    node: Any
    tensor: str
    start: int
    width: int


class Graph:
    """The main graph with what reads and writes each tensor, and the lengths that are known."""

    def __init__(self, proto: Any) -> None:
        import onnx

        with onnx_rewrite.edge("Shape inference"):
            inferred = onnx.shape_inference.infer_shapes(proto, data_prop=True)
        self.stored = onnx_tools.initializers(proto.graph)
        self.readers = onnx_tools.consumers(proto.graph)
        self.answers = {output.name for output in proto.graph.output}
        self.nodes = list(proto.graph.node)
        self._last = {
            value.name: value.type.tensor_type.shape.dim[-1].dim_value
            for value in inferred.graph.value_info
            if value.type.tensor_type.shape.dim
        }

    def next(self, tensor: str) -> Any | None:
        """The only node that reads this tensor (steps that pass it on unchanged are skipped); None where there are
        several, or the tensor is an output of the model."""
        while tensor not in self.answers and len(self.readers.get(tensor, ())) == 1:
            node = self.readers[tensor][0]
            if node.op_type not in PASSES:
                return node
            tensor = node.output[0]
        return None

    def last_length(self, tensor: str) -> int:
        """The length of the tensor's last axis; 0 where it is not known."""
        return int(self._last.get(tensor, 0))

    def uses(self, name: str) -> int:
        """How many nodes read a stored tensor."""
        return len(self.readers.get(name, ()))


def pairs(proto: Any) -> list[Pair]:
    """Rotatable pairs of MatMuls: one straight after the other (a bias between them), or the value and the output
    projection around attention, where the rotation stays within each head. Query, key and value may come from one
    MatMul that is split."""
    graph, found, taken = Graph(proto), [], set()
    for node in graph.nodes:
        first = _weight(graph, node)
        if first is None or first.name in taken:
            continue
        after, tensor, bias = _past_bias(graph, node)
        for branch in _branches(graph, after, tensor, int(first.dims[1])):
            second, block = _partner(graph, branch)
            if second is not None and block > 1 and second.name not in taken and second.name != first.name:
                pair = Pair(first=first, bias=bias, second=second, block=block, start=branch.start, width=branch.width)
                found.append(pair)
                taken |= {first.name, second.name}
    return found


def _branches(graph: Graph, after: Any | None, tensor: str, width: int) -> list[Branch]:
    """The layer's outputs as they go on: whole, or in the parts an even Split along the last axis makes."""
    if after is None or after.op_type != "Split":
        return [Branch(after, tensor, 0, width)]
    parts = len(after.output)
    lengths = [graph.last_length(output) for output in after.output]
    if width % parts or set(lengths) != {width // parts}:
        return []
    each = width // parts
    return [Branch(graph.next(output), output, number * each, each) for number, output in enumerate(after.output)]


def _weight(graph: Graph, node: Any) -> Any | None:
    """The stored 2-D float weight a MatMul multiplies by, where no other node reads it."""
    import onnx

    if node is None or node.op_type != "MatMul":
        return None
    tensor = graph.stored.get(node.input[1])
    if tensor is None or len(tensor.dims) != 2 or tensor.data_type != onnx.TensorProto.FLOAT:
        return None
    return tensor if graph.uses(tensor.name) == 1 else None


def _past_bias(graph: Graph, node: Any) -> tuple[Any | None, str, Any | None]:
    """The node after a MatMul and its bias, the tensor that flows into it, and the bias."""
    tensor = node.output[0]
    after = graph.next(tensor)
    if after is not None and after.op_type == "Add":
        other = next((name for name in after.input if name in graph.stored), None)
        if other is not None and len(graph.stored[other].dims) == 1 and graph.uses(other) == 1:
            return graph.next(after.output[0]), after.output[0], graph.stored[other]
    return after, tensor, None


def _partner(graph: Graph, branch: Branch) -> tuple[Any | None, int]:
    """The second weight of a pair and the length of the blocks that may be rotated."""
    after, tensor, width = branch.node, branch.tensor, branch.width
    straight = _weight(graph, after)
    if straight is not None and after.input[0] == tensor and int(straight.dims[0]) == width:
        return straight, power_of_two(width)
    if after is None or after.op_type != "Reshape":
        return None, 0
    head = graph.last_length(after.output[0])
    turned = graph.next(after.output[0])
    mixed = graph.next(turned.output[0]) if turned is not None and turned.op_type == "Transpose" else None
    if turned is None or mixed is None or mixed.op_type != "MatMul" or mixed.input[1] != turned.output[0]:
        return None, 0
    back = graph.next(mixed.output[0])
    joined = graph.next(back.output[0]) if back is not None and back.op_type == "Transpose" else None
    last = graph.next(joined.output[0]) if joined is not None and joined.op_type == "Reshape" else None
    keeps_heads = _keeps_last(turned) and back is not None and _keeps_last(back)
    second = _weight(graph, last)
    fits = second is not None and int(second.dims[0]) == width and head and width % head == 0
    return (second, power_of_two(head)) if fits and keeps_heads else (None, 0)


def _keeps_last(node: Any) -> bool:
    order = list(onnx_rewrite.attribute(node, "perm", []))
    return bool(order) and order[-1] == len(order) - 1


def power_of_two(length: int) -> int:
    """The largest power of two that divides a length."""
    return length & -length


def rotate(pair: Pair, signs: ndarray) -> None:
    """Turns the first weight's outputs (and its bias) by signs and a Hadamard matrix within each block, and the
    second weight's inputs back, so that their product stays what it was. `signs` holds +1 or -1 for each of them."""
    import numpy as np
    from scipy.linalg import hadamard

    turn = hadamard(pair.block) / np.sqrt(pair.block)
    chosen = slice(pair.start, pair.start + pair.width)

    def turned(values: ndarray) -> ndarray:
        blocks = (values.astype(np.float64) * signs).reshape(*values.shape[:-1], -1, pair.block)
        return np.asarray((blocks @ turn).reshape(values.shape), dtype=np.float32)

    for tensor in (pair.first, pair.bias) if pair.bias is not None else (pair.first,):
        values = onnx_rewrite.array(tensor)
        values[..., chosen] = turned(values[..., chosen])
        onnx_rewrite.put(tensor, values)
    second = onnx_rewrite.array(pair.second)
    onnx_rewrite.put(pair.second, np.ascontiguousarray(turned(second.T).T))
