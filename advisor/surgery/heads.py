"""Attention heads of an ONNX graph: where they are, which matter least, and how whole heads are taken out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from advisor.surgery import onnx_rewrite
from profiler.onnx_graph import tools as onnx_tools

if TYPE_CHECKING:
    from numpy import ndarray

PASSES = ("Identity", "Dropout", "Transpose", "Cast")
SCALES = ("Mul", "Div")
BETWEEN_SCORES = (*PASSES, *SCALES, "Add", "Where", "Softmax")


@dataclass(frozen=True, slots=True)
class Projection:
    """The columns of a stored weight (and bias) that make one of query, key and value, the Split that cuts them out,
    and the Reshape that gives each head its own axis."""

    weight: Any
    bias: Any
    split: Any
    start: int
    reshape: Any


@dataclass(frozen=True, slots=True)
class Block:
    """One attention: query, key and value, the Reshape that joins the heads again, and the weight they go into."""

    parts: tuple[Projection, Projection, Projection]
    join: Any
    output: Any
    heads: int
    head_size: int

    def importance(self) -> ndarray:
        """Norm of each head's value columns times that of its output rows."""
        import numpy as np

        value = self.parts[2]
        width = self.heads * self.head_size
        columns = onnx_rewrite.array(value.weight)[:, value.start : value.start + width]
        rows = onnx_rewrite.array(self.output)
        first = np.linalg.norm(columns.reshape(-1, self.heads, self.head_size), axis=(0, 2))
        second = np.linalg.norm(rows.reshape(self.heads, self.head_size, -1), axis=(1, 2))
        return np.asarray(first * second)


class _Graph:
    def __init__(self, proto: Any) -> None:
        self.stored = onnx_tools.initializers(proto.graph)
        self.makers = onnx_tools.producers(proto.graph)
        self.readers = onnx_tools.consumers(proto.graph)

    def is_scalar(self, name: str) -> bool:
        return name in self.stored and onnx_tools.count_of(self.stored[name]) == 1

    def linear(self, node: Any) -> Any | None:
        """The stored 2-D weight of a MatMul that no other node reads."""
        if node is None or node.op_type != "MatMul" or node.input[1] not in self.stored:
            return None
        tensor = self.stored[node.input[1]]
        return tensor if len(tensor.dims) == 2 and len(self.readers[tensor.name]) == 1 else None

    def back(self, name: str, stop: str) -> Any | None:
        """The first `stop` node on the way back through steps that move or scale values."""
        while (node := self.makers.get(name)) is not None and node.op_type != stop:
            if node.op_type in SCALES:
                name = next((each for each in node.input if not self.is_scalar(each)), "")
            elif node.op_type in PASSES:
                name = node.input[0]
            else:
                return None
        return node

    def only_reader(self, name: str) -> Any | None:
        found = self.readers.get(name, [])
        return found[0] if len(found) == 1 else None


def blocks(proto: Any) -> list[Block]:
    """Every attention whose heads can be taken out: query, key and value from MatMuls of their own or from one that is
    split evenly, heads laid apart by a Reshape to (..., heads, head size)."""
    graph = _Graph(proto)
    found = [_block(graph, node) for node in proto.graph.node if node.op_type == "MatMul"]
    return [block for block in found if block is not None]


def _block(graph: _Graph, mix: Any) -> Block | None:
    if mix.input[0] in graph.stored or mix.input[1] in graph.stored:
        return None
    scores = _scores(graph, mix.input[0])
    back = graph.only_reader(mix.output[0])
    join = graph.only_reader(back.output[0]) if back is not None and back.op_type == "Transpose" else None
    last = graph.only_reader(join.output[0]) if join is not None and join.op_type == "Reshape" else None
    output = graph.linear(last)
    if scores is None or output is None or _target(graph, join) is None:
        return None
    parts = [_projection(graph, name) for name in (scores.input[0], scores.input[1], mix.input[1])]
    query, key, value = parts
    if query is None or key is None or value is None:
        return None
    shapes = {tuple((_target(graph, part.reshape) or [])[-2:]) for part in (query, key, value)}
    heads, head_size = next(iter(shapes)) if len(shapes) == 1 else (None, None)
    if not heads or not head_size or heads < 2 or heads * head_size != int(output.dims[0]):
        return None
    return Block(parts=(query, key, value), join=join, output=output, heads=heads, head_size=head_size)


def _scores(graph: _Graph, name: str) -> Any | None:
    """The MatMul of two activations behind a softmax."""
    seen_softmax = False
    while (node := graph.makers.get(name)) is not None:
        if node.op_type == "MatMul":
            is_product = node.input[0] not in graph.stored and node.input[1] not in graph.stored
            return node if seen_softmax and is_product else None
        if node.op_type not in BETWEEN_SCORES:
            return None
        seen_softmax = seen_softmax or node.op_type == "Softmax"
        made = [each for each in node.input if each in graph.makers]
        name = made[-1] if node.op_type == "Where" and len(made) > 1 else (made[0] if made else "")
    return None


def _projection(graph: _Graph, name: str) -> Projection | None:
    reshape = graph.back(name, "Reshape")
    if reshape is None or _target(graph, reshape) is None:
        return None
    tensor = reshape.input[0]
    node, split, part, parts = graph.makers.get(tensor), None, 0, 1
    if node is not None and node.op_type == "Split":
        split, part, parts = node, list(node.output).index(tensor), len(node.output)
        node = graph.makers.get(node.input[0])
    bias = None
    if node is not None and node.op_type == "Add":
        added = [graph.stored.get(each) for each in node.input]
        bias = next((each for each in added if each is not None and len(each.dims) == 1), None)
        node = graph.makers.get(next(each for each in node.input if each not in graph.stored))
    weight = graph.linear(node)
    if weight is None or int(weight.dims[1]) % parts:
        return None
    return Projection(weight, bias, split, part * (int(weight.dims[1]) // parts), reshape)


def _target(graph: _Graph, reshape: Any) -> list[int | None] | None:
    """The target of a Reshape, stored or put together by Concat of single lengths (None where one is computed)."""
    stored, maker = graph.stored.get(reshape.input[1]), graph.makers.get(reshape.input[1])
    if stored is not None:
        return [int(length) for length in onnx_rewrite.array(stored)]
    if maker is None or maker.op_type != "Concat":
        return None
    entries = [graph.stored.get(name) for name in maker.input]
    return [None if each is None else int(onnx_rewrite.array(each).reshape(-1)[0]) for each in entries]


def remove(proto: Any, block: Block, kept: Sequence[int]) -> None:
    """Takes all heads but `kept` out of the weights, and tells the Reshapes and the Split around them."""
    import numpy as np

    size = block.head_size
    inside = np.concatenate([np.arange(head * size, (head + 1) * size) for head in sorted(kept)])
    columns: dict[str, list[ndarray]] = {}
    for part in block.parts:
        columns.setdefault(part.weight.name, []).append(part.start + inside)
    for part in block.parts:
        if part.weight.name in columns:
            chosen = np.sort(np.concatenate(columns.pop(part.weight.name)))
            for tensor in (part.weight, part.bias) if part.bias is not None else (part.weight,):
                onnx_rewrite.put(tensor, np.ascontiguousarray(onnx_rewrite.array(tensor)[..., chosen]))
            if part.split is not None and len(part.split.input) > 1:
                _split_evenly(proto, part.split, len(inside))
    onnx_rewrite.put(block.output, np.ascontiguousarray(onnx_rewrite.array(block.output)[inside]))
    for part in block.parts:
        _set_length(proto, part.reshape, -2, len(kept))
    _set_length(proto, block.join, -1, len(inside))


def _set_length(proto: Any, node: Any, place: int, length: int) -> None:
    """Sets one length of a Reshape's target, in a target of its own: exporters share one among all layers. A length
    of -1 stays."""
    import numpy as np
    import onnx

    stored, name = onnx_tools.initializers(proto.graph), f"{node.name or node.output[0]}_without_heads"
    if node.input[1] == name:
        return
    if node.input[1] in stored:
        values = onnx_rewrite.array(stored[node.input[1]])
        if values[place] != -1:
            values[place] = length
            proto.graph.initializer.append(onnx.numpy_helper.from_array(values, name))
            node.input[1] = name
        return
    maker = onnx_tools.producers(proto.graph)[node.input[1]]
    if int(onnx_rewrite.array(stored[maker.input[place]]).reshape(-1)[0]) == -1:
        return
    entry = f"{name}_length"
    proto.graph.initializer.append(onnx.numpy_helper.from_array(np.array([length], dtype=np.int64), entry))
    inputs = list(maker.input)
    inputs[place] = entry
    index = next(at for at, each in enumerate(proto.graph.node) if each.output[:1] == node.output[:1])
    proto.graph.node.insert(index, onnx.helper.make_node("Concat", inputs, [name], axis=0, name=name))
    proto.graph.node[index + 1].input[1] = name


def _split_evenly(proto: Any, node: Any, length: int) -> None:
    """Gives a Split with stored lengths new ones, all alike."""
    import numpy as np
    import onnx

    name = f"{node.name or node.output[0]}_without_heads"
    if node.input[1] != name:
        lengths = np.full(len(node.output), length, dtype=np.int64)
        proto.graph.initializer.append(onnx.numpy_helper.from_array(lengths, name))
        node.input[1] = name


def prune(proto: Any, share: float) -> int:
    """Takes the `share` (0..1) of least important heads out of every attention, leaving one at least; how many went."""
    import numpy as np

    gone = 0
    for block in blocks(proto):
        drop = min(round(share * block.heads), block.heads - 1)
        if drop > 0:
            order = np.argsort(block.importance(), kind="stable")
            remove(proto, block, [int(head) for head in order[drop:]])
            gone += drop
    if gone:
        del proto.graph.value_info[:]
        onnx_rewrite.drop_unused(proto)
    return gone
