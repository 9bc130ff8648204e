"""Types and shapes of every tensor of an ONNX graph whose inputs have fixed shapes, and the values of small ones.

One pass in the graph's order: ONNX's own inference for each node, rules of our own for ONNX Runtime's operators, and
small integer tensors (the arithmetic on shapes that exporters leave behind) computed on the way.
"""

import math
from collections import ChainMap
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from data.text import plain
from profiler import dtypes
from profiler.onnx_graph import tools as onnx_tools
from profiler.onnx_graph.contrib_shapes import LIKE, contrib_shapes
from profiler.onnx_graph.costs import Call, Shape

if TYPE_CHECKING:
    from numpy import ndarray
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto, TypeProto

VALUE_LIMIT = 4096  # numbers in a tensor whose value is followed
FLOAT_LIMIT = 16
STANDARD = ("", "ai.onnx")
# Evaluating these could cost more than their inputs suggest, or gives other numbers on every run.
NEVER_EVALUATED = ("If", "Loop", "Scan", "SequenceMap")
RANDOM = ("Random", "Bernoulli", "Multinomial")


@dataclass(slots=True, kw_only=True)
class Scope:
    """What is known of the tensors visible in one graph; an inner graph sees its outer one."""

    types: MutableMapping[str, "TypeProto"] = field(default_factory=dict)
    values: MutableMapping[str, "ndarray"] = field(default_factory=dict)
    declared: MutableMapping[str, "TypeProto"] = field(default_factory=dict)
    opsets: dict[str, int] = field(default_factory=dict)
    problems: dict[str, None] = field(default_factory=dict)

    def inner(self) -> "Scope":
        """A scope for a graph inside this one."""
        return Scope(
            types=ChainMap({}, self.types), values=ChainMap({}, self.values), declared=ChainMap({}, self.declared),
            opsets=self.opsets, problems=self.problems,
        )  # fmt: skip

    def shape(self, name: str) -> Shape | None:
        """The shape of a tensor; None where a length is not known."""
        kind = self.types.get(name)
        if kind is None or not kind.HasField("tensor_type") or not kind.tensor_type.HasField("shape"):
            return None
        dims = kind.tensor_type.shape.dim
        return tuple(dim.dim_value for dim in dims) if all(dim.HasField("dim_value") for dim in dims) else None

    def dtype(self, name: str) -> str:
        """The number type of a tensor by name, "" where it is not known."""
        kind = self.types.get(name)
        return dtypes.onnx_dtype_name(kind.tensor_type.elem_type) if kind is not None else ""

    def set(self, name: str, dtype: int, shape: Shape) -> None:
        """Settle a tensor's type."""
        from onnx import helper

        self.types[name] = helper.make_tensor_type_proto(dtype, shape)

    def call(self, node: "NodeProto", attributes: dict[str, Any]) -> Call:
        """The node with what is known of its inputs and outputs."""
        return Call(
            op=node.op_type,
            inputs=[self.shape(name) if name else None for name in node.input],
            outputs=[self.shape(name) if name else None for name in node.output],
            attributes=attributes,
            values=[self.values.get(name) for name in node.input],
        )


def opened(model: "ModelProto", lengths: dict[str, int]) -> Scope:
    """The scope of a model's main graph: inputs (their shapes set), stored tensors, and what the file declares about
    others, with the lengths of named axes filled in."""
    scope = Scope(opsets={entry.domain: entry.version for entry in model.opset_import})
    for domain in STANDARD:
        if domain in scope.opsets:
            scope.opsets[""] = scope.opsets[domain]
    enter(model.graph, scope, lengths)
    return scope


def enter(graph: "GraphProto", scope: Scope, lengths: dict[str, int]) -> None:
    """Make a graph's inputs, stored tensors and declarations known in its scope."""
    for value in graph.input:
        scope.types.setdefault(value.name, value.type)
    for tensor in graph.initializer:
        remember(tensor, tensor.name, scope)
    for value in (*graph.value_info, *graph.output):
        if value.type.HasField("tensor_type"):
            for dim in value.type.tensor_type.shape.dim:
                if dim.dim_param in lengths:
                    dim.dim_value = lengths[dim.dim_param]
        scope.declared[value.name] = value.type


def remember(tensor: "TensorProto", name: str, scope: Scope) -> None:
    """A stored tensor: its type, and its value where it is small and was kept."""
    scope.set(name, tensor.data_type, tuple(tensor.dims))
    integer = dtypes.onnx_dtype_name(tensor.data_type) in ("int64", "int32", "bool")
    if onnx_tools.count_of(tensor) > (VALUE_LIMIT if integer else FLOAT_LIMIT) or onnx_tools.external(tensor):
        return
    if integer or dtypes.onnx_dtype_name(tensor.data_type) in ("float32", "float64"):
        try:
            scope.values[name] = onnx_tools.array(tensor)
        except (ValueError, TypeError) as error:
            scope.problems[f"a stored tensor could not be read ({type(error).__name__})"] = None


def infer(node: "NodeProto", attributes: dict[str, Any], scope: Scope) -> None:
    """Settle the types of a node's outputs (what cannot be known stays unknown), and small values."""
    if node.op_type == "Constant" and node.domain in STANDARD:
        _constant(node, attributes, scope)
        return
    found: dict[str, TypeProto] = {}
    try:
        found = _standard(node, scope) if _has_schema(node, scope) else _contrib(node, attributes, scope)
    except LookupError:
        if not _has_schema(node, scope):
            scope.problems[f"the output shape of {plain(node.op_type, 40)} is not known here"] = None
    except Exception as error:  # onnx raises several kinds for a node that does not fit its inputs
        scope.problems[f"{plain(node.op_type, 40)} does not fit its inputs: {plain(error, 80)}"] = None
    for name in node.output:
        if name:
            _settle(name, found.get(name), scope)
    _evaluate(node, scope)


def _settle(name: str, found: "TypeProto | None", scope: Scope) -> None:
    if found is not None:
        scope.types[name] = found
    if scope.shape(name) is None and name in scope.declared:
        declared = scope.declared[name]
        if found is None or all(dim.HasField("dim_value") for dim in declared.tensor_type.shape.dim):
            scope.types[name] = declared


def _constant(node: "NodeProto", attributes: dict[str, Any], scope: Scope) -> None:
    from onnx import helper, numpy_helper
    from onnx.helper import np_dtype_to_tensor_dtype

    name = node.output[0]
    if "value" in attributes:
        remember(attributes["value"], name, scope)
        return
    import numpy as np

    kinds = {"value_int": np.int64, "value_ints": np.int64, "value_float": np.float32, "value_floats": np.float32}
    for key, kind in kinds.items():
        if key in attributes:
            value = np.asarray(attributes[key], kind)
            remember(numpy_helper.from_array(value, name), name, scope)
            return
    scope.types[name] = helper.make_tensor_type_proto(np_dtype_to_tensor_dtype(np.dtype(object)), None)


def _has_schema(node: "NodeProto", scope: Scope) -> bool:
    """Whether ONNX itself knows the operator (the runtime keeps some of its own in the standard's domain)."""
    from onnx import defs

    return bool(defs.has(node.op_type, "" if node.domain in STANDARD else node.domain))


def _standard(node: "NodeProto", scope: Scope) -> dict[str, "TypeProto"]:
    from onnx import defs, numpy_helper, shape_inference

    domain = "" if node.domain in STANDARD else node.domain
    schema = defs.get_schema(node.op_type, scope.opsets.get(domain, 1), domain)
    names = [name for name in dict.fromkeys(node.input) if name]
    types = {name: scope.types[name] for name in names}
    data = {name: numpy_helper.from_array(scope.values[name], name) for name in names if name in scope.values}
    found: dict[str, TypeProto] = shape_inference.infer_node_outputs(schema, node, types, data)
    return found


def _contrib(node: "NodeProto", attributes: dict[str, Any], scope: Scope) -> dict[str, "TypeProto"]:
    """Shapes of an operator outside the standard, by our rules. Raises LookupError where there is none."""
    from onnx import TensorProto, helper

    if node.op_type in LIKE:
        return _like(node, scope)
    numbers = {dtypes.onnx_dtype_name(number): number for number in TensorProto.DataType.values()}
    found = {}
    for name, (kind, shape) in zip(node.output, contrib_shapes(scope.call(node, attributes)), strict=False):
        dtype = numbers[kind if isinstance(kind, str) else scope.dtype(node.input[kind])]
        if name:
            found[name] = helper.make_tensor_type_proto(dtype, shape)
    return found


def _like(node: "NodeProto", scope: Scope) -> dict[str, "TypeProto"]:
    """The shape a standard operator gives for the same inputs, taken as floats."""
    from onnx import TensorProto, defs, helper

    op, places = LIKE[node.op_type]
    known = defs.get_schema(op, scope.opsets.get("", 1), "").attributes
    twin = helper.make_node(op, [node.input[place] for place in places], [node.output[0]])
    twin.attribute.extend(attribute for attribute in node.attribute if attribute.name in known)
    inner = scope.inner()
    for name in twin.input:
        shape = scope.shape(name)
        if shape is None:
            raise LookupError(name)
        inner.set(name, TensorProto.FLOAT, shape)
    found = _standard(twin, inner)
    found[node.output[0]].tensor_type.elem_type = scope.types[node.input[0]].tensor_type.elem_type
    return found


def _evaluate(node: "NodeProto", scope: Scope) -> None:
    """Compute a node whose inputs are all known and whose outputs are small: arithmetic on shapes."""
    import numpy as np

    if node.op_type in ("Shape", "Size") and (shape := scope.shape(node.input[0])) is not None:
        start, end = (onnx_tools.attributes(node).get(key, default) for key, default in (("start", 0), ("end", None)))
        full = np.array(shape[start:end], np.int64)
        scope.values[node.output[0]] = full if node.op_type == "Shape" else np.array(math.prod(shape), np.int64)
        return
    unsafe = node.domain not in STANDARD or node.op_type in NEVER_EVALUATED or node.op_type.startswith(RANDOM)
    if unsafe or not node.input or not all(name in scope.values for name in node.input if name):
        return
    shapes = [scope.shape(name) for name in node.output if name]
    if node.op_type == "Range":
        start, limit, delta = (float(scope.values[name].reshape(-1)[0]) for name in node.input)
        shapes = [(max(0, math.ceil((limit - start) / delta)),)] if delta else [None]
    if any(shape is None or math.prod(shape) > VALUE_LIMIT for shape in shapes):
        return
    for name, value in zip((name for name in node.output if name), _run(node, scope), strict=False):
        if isinstance(value, np.ndarray | np.generic):
            array = np.asarray(value)
            if array.dtype.kind in "ib" or (array.dtype.kind == "f" and array.size <= FLOAT_LIMIT):
                scope.values[name] = array


def _run(node: "NodeProto", scope: Scope) -> list[Any]:
    from onnx import helper
    from onnx.reference import ReferenceEvaluator

    opset = helper.make_opsetid("", scope.opsets.get("", 1))
    names, written = [name for name in dict.fromkeys(node.input) if name], [name for name in node.output if name]
    try:
        function = helper.make_function("shapes", "one", names, written, [node], [opset])
        feeds = {name: scope.values[name] for name in names}
        results: list[Any] = ReferenceEvaluator(function).run(None, feeds, attributes={})
    except Exception:  # the reference raises whatever numpy raises; then the value stays unknown
        return []
    for name, value in zip(written, results, strict=False):
        if scope.shape(name) is None and hasattr(value, "shape"):
            scope.types[name] = helper.make_tensor_type_proto(helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
    return results
