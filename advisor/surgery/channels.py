"""Which layers of a graph may lose channels, and how wide they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from advisor.surgery import onnx_rewrite
from advisor.surgery.torch_graph import key
from profiler.onnx_graph import tools as onnx_tools

if TYPE_CHECKING:
    from numpy import ndarray

ROUND_TO = 4  # widths stay multiples of this: vector units like them
ELEMENTWISE = frozenset({
    "Relu", "Gelu", "Clip", "LeakyRelu", "HardSigmoid", "HardSwish", "Sigmoid", "Tanh", "Erf", "Add", "Mul", "Div",
    "Sub", "Pow", "Sqrt", "Identity", "Dropout", "Exp", "Neg", "Abs", "Cast",
})  # fmt: skip
WEIGHTED = ("Conv", "Gemm", "MatMul")


def merge_biases(proto: Any) -> int:
    """A MatMul with a stored weight and the Add of a stored vector after it become one Gemm-like layer for torch: the
    vector is noted as the MatMul's third input. Returns how many; `split_biases` is the way back."""
    merged = 0
    stored, readers = onnx_tools.initializers(proto.graph), onnx_tools.consumers(proto.graph)
    outputs = {output.name for output in proto.graph.output}
    gone = []
    for node in proto.graph.node:
        if node.op_type != "MatMul" or node.input[1] not in stored or len(stored[node.input[1]].dims) != 2:
            continue
        after = readers.get(node.output[0], [])
        if len(after) != 1 or after[0].op_type != "Add" or node.output[0] in outputs:
            continue
        bias = next((name for name in after[0].input if name in stored and len(stored[name].dims) == 1), None)
        if bias is not None and len(readers[bias]) == 1:
            node.input.append(bias)
            node.output[0] = after[0].output[0]
            gone.append(after[0])
            merged += 1
    for node in gone:
        proto.graph.node.remove(node)
    return merged


def split_biases(proto: Any) -> None:
    """Undo `merge_biases`: the third input of a MatMul becomes an Add after it."""
    import onnx

    nodes = []
    for node in proto.graph.node:
        nodes.append(node)
        if node.op_type == "MatMul" and len(node.input) == 3:
            answer, bias = node.output[0], node.input.pop()
            node.output[0] = f"{answer}_product"
            nodes.append(onnx.helper.make_node("Add", [node.output[0], bias], [answer], name=f"{node.name}_bias"))
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)


def prunable(proto: Any) -> list[str]:
    """Keys of the layers that may lose outputs: none whose channels reach an output of the model unmixed. Where
    activations are multiplied by each other (attention) only layers whose outputs meet nothing but element-wise steps
    before the next layer, so that heads and the residual stream keep their widths."""
    onnx_rewrite.name_nodes(proto)
    stored = onnx_tools.initializers(proto.graph)
    if any(node.op_type == "MatMul" and node.input[1] not in stored for node in proto.graph.node):
        return hidden(proto)
    return [key(node) for node in _inner(proto, stored)]


def hidden(proto: Any) -> list[str]:
    """Those of the prunable layers whose outputs meet nothing but element-wise steps before the next layer."""
    onnx_rewrite.name_nodes(proto)
    stored = onnx_tools.initializers(proto.graph)
    return [key(node) for node in _inner(proto, stored) if _is_hidden(proto, node, stored)]


def _inner(proto: Any, stored: Mapping[str, Any]) -> list[Any]:
    """The weighted nodes whose channels do not reach an output of the model unmixed."""
    last = _reach_outputs(proto, stored)
    layers = [node for node in proto.graph.node if node.op_type in WEIGHTED and node.input[1] in stored]
    return [node for node in layers if node.name not in last]


def _reach_outputs(proto: Any, stored: Mapping[str, Any]) -> set[str]:
    """Names of the weighted nodes found first when walking back from the model's outputs."""
    makers = onnx_tools.producers(proto.graph)
    found: set[str] = set()
    seen: set[str] = set()
    waiting = [output.name for output in proto.graph.output]
    while waiting:
        name = waiting.pop()
        node = makers.get(name)
        if node is None or name in seen:
            continue
        seen.add(name)
        if node.op_type in WEIGHTED and node.input[1] in stored:
            found.add(node.name)
        else:
            waiting += list(node.input)
    return found


def _is_hidden(proto: Any, node: Any, stored: Mapping[str, Any]) -> bool:
    """Whether everything between this layer and the next ones is element-wise and comes from this layer alone."""
    readers = onnx_tools.consumers(proto.graph)
    inside, waiting, reached = {node.output[0]}, [node.output[0]], 0
    between: dict[str, Any] = {}
    while waiting:
        name = waiting.pop()
        for reader in readers.get(name, []):
            if reader.op_type in WEIGHTED and reader.input[0] == name and reader.input[1] in stored:
                reached += 1
            elif reader.op_type not in ELEMENTWISE:
                return False
            elif reader.output[0] not in inside:
                inside.add(reader.output[0])
                between[reader.name] = reader
                waiting.append(reader.output[0])
    others = [name for reader in between.values() for name in reader.input if name and name not in inside]
    return reached > 0 and all(name in stored and onnx_tools.count_of(stored[name]) == 1 for name in others)


def widths(module: Any) -> dict[str, int]:
    """Outputs of each convolution and linear layer by key."""
    return {name: int(layer.weight.shape[0]) for name, layer in module.layers.items() if layer.weight.ndim > 1}


def tensors(call: Mapping[str, ndarray], *, first: int | None = None) -> dict[str, Any]:
    """A call's arrays as torch tensors; the first few samples only where `first` is given."""
    import torch

    return {name: torch.from_numpy((values[:first] if values.ndim else values).copy()) for name, values in call.items()}
