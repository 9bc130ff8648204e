"""An ONNX graph as a torch module, so that torch can prune and train it; and its weights put back afterwards.

The module runs the graph node by node. Layers with weights are torch's own modules, which torch-pruning knows how to
cut; everything else is a function of advisor.torch_operators. The graph itself never changes but for the shapes of
its weights and the targets of Reshape, so names, inputs and outputs stay as they were.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from advisor.surgery import onnx_rewrite
from advisor.surgery.torch_operators import OPERATORS
from data.errors import InputError
from profiler.onnx_graph import tools as onnx_tools

if TYPE_CHECKING:
    from numpy import ndarray

LAYERS = ("Conv", "Gemm", "MatMul", "BatchNormalization", "LayerNormalization")
SUPPORTED = frozenset({*LAYERS, *OPERATORS, "Constant", "Reshape", "Identity", "Dropout"})


def module(proto: Any) -> Any:
    """The graph as torch.nn.Module: `module(feeds)` takes tensors by input name and returns tensors by output name;
    `module.layers` holds its weighted layers by node name, `module.reshaped` the Reshape targets that pruning changed.
    Raises InputError for an operator that is not known here."""
    import torch

    unknown = sorted({node.op_type for node in proto.graph.node} - SUPPORTED)
    if unknown:
        raise InputError(f"The operator {unknown[0]} cannot be pruned through.")
    onnx_rewrite.lift_constants(proto)
    onnx_rewrite.name_nodes(proto)

    class Interpreter(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.proto = proto
            self.constants = {item.name: _tensor(item) for item in proto.graph.initializer}
            self.layers = torch.nn.ModuleDict(_layers(proto, self.constants))
            self.nodes = [(node, onnx_tools.attributes(node)) for node in proto.graph.node]
            self.seen: dict[str, tuple[int, ...]] = {}
            self.reshaped: dict[str, list[int]] = {}

        def forward(self, feeds: Mapping[str, Any]) -> dict[str, Any]:
            values: dict[str, Any] = {**self.constants, **feeds, "": None}
            for node, attributes in self.nodes:
                found = _run(self, node, attributes, [values.get(name) for name in node.input])
                for name, value in zip(node.output, found if isinstance(found, tuple) else (found,), strict=False):
                    values[name] = value
            return {output.name: values[output.name] for output in proto.graph.output}

    return Interpreter().eval()


def key(node: Any) -> str:
    """The name under which a node's layer is kept: torch allows no dots."""
    return str(node.name).replace(".", "_dot_")


def _run(owner: Any, node: Any, attributes: Mapping[str, Any], arguments: list[Any]) -> Any:
    if key(node) in owner.layers:
        return _layer(owner.layers[key(node)], node, attributes, arguments[0])
    if node.op_type in ("Identity", "Dropout"):
        return arguments[0]
    if node.op_type == "Reshape":
        return _reshape(owner, node, attributes, *arguments)
    return OPERATORS[node.op_type](arguments, {**attributes, "outputs": len(node.output)})


def _layer(layer: Any, node: Any, attributes: Mapping[str, Any], data: Any) -> Any:
    import torch

    pads = attributes.get("pads", [])
    half = len(pads) // 2
    if list(pads[:half]) != list(pads[half:]):  # torch's convolutions pad both sides alike
        flat = [amount for axis in reversed(range(half)) for amount in (pads[axis], pads[half + axis])]
        data = torch.nn.functional.pad(data, flat)
    return layer(data)


def _reshape(owner: Any, node: Any, attributes: Mapping[str, Any], data: Any, target: Any) -> Any:
    """Reshape; where pruning has changed what comes in, the axis that the channels lie on is set free."""
    wanted = [int(length) for length in target]
    wanted = [int(data.shape[axis]) if length == 0 else length for axis, length in enumerate(wanted)]
    before = owner.seen.setdefault(node.name, tuple(data.shape[1:]))
    if tuple(data.shape[1:]) != before:
        free = {2: 1, 3: 2, 4: 2}.get(len(wanted), len(wanted) - 1)
        wanted = [-1 if axis == free else length for axis, length in enumerate(wanted)]
        wanted[0] = int(data.shape[0]) if wanted.count(-1) > 1 or wanted[0] == -1 else wanted[0]
        owner.reshaped[node.name] = [-1, *data.reshape(wanted).shape[1:]]
    return data.reshape(wanted)


def _tensor(stored: Any) -> Any:
    import torch

    return torch.from_numpy(onnx_rewrite.array(stored))


def _layers(proto: Any, constants: Mapping[str, Any]) -> dict[str, Any]:
    """A torch module for every node with weights, holding a copy of them."""
    found = {}
    for node in proto.graph.node:
        if node.op_type not in LAYERS or len(node.input) < 2 or node.input[1] not in constants:
            continue
        attributes = onnx_tools.attributes(node)
        weight = constants[node.input[1]]
        bias = constants.get(node.input[2]) if len(node.input) > 2 else None
        if node.op_type == "Conv":
            found[key(node)] = _convolution(weight, bias, attributes)
        elif node.op_type in ("Gemm", "MatMul") and weight.ndim == 2 and weight.is_floating_point():
            found[key(node)] = _linear(node, attributes, weight, bias)
        elif node.op_type == "BatchNormalization":
            found[key(node)] = _batch_norm(weight, bias, constants[node.input[3]], constants[node.input[4]], attributes)
        elif node.op_type == "LayerNormalization":
            found[key(node)] = _layer_norm(weight, bias, attributes)
    return found


def _convolution(weight: Any, bias: Any, attributes: Mapping[str, Any]) -> Any:
    import torch

    if attributes.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
        raise InputError("Convolutions padded automatically (auto_pad) cannot be pruned.")
    spatial = weight.ndim - 2
    kinds = {1: torch.nn.Conv1d, 2: torch.nn.Conv2d, 3: torch.nn.Conv3d}
    groups, pads = int(attributes.get("group", 1)), list(attributes.get("pads", [0] * 2 * spatial))
    symmetric = pads[:spatial] == pads[spatial:]
    layer = kinds[spatial](
        weight.shape[1] * groups, weight.shape[0], tuple(weight.shape[2:]), bias=bias is not None, groups=groups,
        stride=tuple(attributes.get("strides", [1] * spatial)), padding=tuple(pads[:spatial]) if symmetric else 0,
        dilation=tuple(attributes.get("dilations", [1] * spatial)),
    )  # fmt: skip
    return _filled(layer, weight, bias)


def _linear(node: Any, attributes: Mapping[str, Any], weight: Any, bias: Any) -> Any:
    import torch

    if attributes.get("transA", 0) or attributes.get("alpha", 1.0) != 1.0 or attributes.get("beta", 1.0) != 1.0:
        raise InputError("A Gemm with scaled or transposed inputs cannot be pruned.")
    rows = weight if attributes.get("transB", 0) else weight.t()
    return _filled(torch.nn.Linear(rows.shape[1], rows.shape[0], bias=bias is not None), rows, bias)


def _batch_norm(scale: Any, shift: Any, mean: Any, variance: Any, attributes: Mapping[str, Any]) -> Any:
    import torch

    layer = torch.nn.BatchNorm2d(len(scale), eps=attributes.get("epsilon", 1e-5))
    layer.running_mean.copy_(mean)
    layer.running_var.copy_(variance)
    return _filled(layer, scale, shift)


def _layer_norm(scale: Any, shift: Any, attributes: Mapping[str, Any]) -> Any:
    import torch

    layer = torch.nn.LayerNorm(tuple(scale.shape), eps=attributes.get("epsilon", 1e-5), bias=shift is not None)
    return _filled(layer, scale, shift)


def _filled(layer: Any, weight: Any, bias: Any) -> Any:
    import torch

    with torch.no_grad():
        layer.weight.copy_(weight)
        if bias is not None:
            layer.bias.copy_(bias)
    return layer


def write_back(owner: Any) -> None:
    """Puts the module's weights, pruned and trained, into its graph in place, and the changed Reshape targets."""
    import numpy as np
    import onnx

    proto = owner.proto
    stored = onnx_tools.initializers(proto.graph)
    for node in proto.graph.node:
        if key(node) in owner.layers:
            for slot, values in _stored_form(node, owner.layers[key(node)]).items():
                onnx_rewrite.put(stored[node.input[slot]], values)
            for item in [each for each in node.attribute if each.name == "group"]:
                item.i = owner.layers[key(node)].groups
        elif node.name in owner.reshaped:
            name = f"{node.name}_target"
            target = np.array(owner.reshaped[node.name], dtype=np.int64)
            proto.graph.initializer.append(onnx.numpy_helper.from_array(target, name))
            node.input[1] = name
    del proto.graph.value_info[:]
    onnx_rewrite.drop_unused(proto)


def _stored_form(node: Any, layer: Any) -> dict[int, ndarray]:
    """Input slot -> the layer's values in the layout the ONNX node reads."""
    import numpy as np

    weight = layer.weight.detach().numpy()
    if node.op_type == "MatMul" or (node.op_type == "Gemm" and not onnx_rewrite.attribute(node, "transB", 0)):
        weight = np.ascontiguousarray(weight.T)
    found = {1: weight}
    if layer.bias is not None:
        found[2] = layer.bias.detach().numpy()
    if node.op_type == "BatchNormalization":
        found |= {3: layer.running_mean.numpy(), 4: layer.running_var.numpy()}
    return {slot: values.copy() for slot, values in found.items()}
