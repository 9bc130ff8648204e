"""What an ONNX model must be before anything runs it: whole, bounded, made of known operators. Nothing is executed.

Each rule stands for a file that once crashed, hung or misled a runtime: an omitted input of a variadic operator ends
ONNX Runtime 1.31 with a segmentation fault, functions that call functions double their nodes with every level.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from data.errors import InputError
from data.text import plain
from profiler.onnx_graph.check_tensors import check_tensors

if TYPE_CHECKING:
    from onnx import FunctionProto, GraphProto, ModelProto, NodeProto

DOMAINS = ("", "ai.onnx", "ai.onnx.ml", "com.microsoft")
STANDARD = ("", "ai.onnx")
# Operators ONNX Runtime has kept in the standard's own domain (its contrib and deprecated operators).
OF_RUNTIME = (
    "Affine", "Crop", "DynamicSlice", "GRUUnit", "GivenTensorFill", "ImageScaler", "LayerNormalization",
    "ParametricSoftplus", "Scale", "ScaledTanh", "SimplifiedLayerNormalization",
)  # fmt: skip
# Operators that call Python, or read files and libraries of their own.
REACH_OUT = ("EPContext", "PythonOp", "PythonOpGrad", "PyOp", "ATen", "ATenOp", "ExternalOp")
NODES, DEPTH, EXPANDED_NODES = 50_000, 16, 100_000
INPUT_ELEMENTS = 1 << 32


def check_onnx(model: "ModelProto", path: Path) -> None:
    """Raises InputError, one line naming the cause, unless the model's structure is sound.

    `model` is what `onnx.load(path, load_external_data=False)` read; external files are looked for beside `path`.
    """
    _check_versions(model)
    functions = {(function.domain, function.name, function.overload): function for function in model.functions}
    _check_size(model, functions)
    _check_text(model)
    versions = _versions(model.opset_import)
    for graph in _graphs(model.graph):
        _check_nodes(graph.node, versions, functions)
    for function in model.functions:
        _check_nodes(function.node, versions | _versions(function.opset_import), functions)
    _check_flow(model.graph, frozenset())
    _check_inputs(model.graph)
    check_tensors(_every_node(model), _graphs(model.graph), path.parent)


def _check_versions(model: "ModelProto") -> None:
    import onnx

    if not model.HasField("graph") or not (model.graph.node or model.graph.output):
        _refuse("This ONNX file holds no graph: it is incomplete.")
    if model.ir_version > onnx.IR_VERSION:
        _refuse(f"This ONNX file says it has IR version {model.ir_version}; {onnx.IR_VERSION} is the newest known.")
    if not model.opset_import and model.ir_version >= 3:
        _refuse("This ONNX file does not say which opset it uses: it is incomplete.")
    newest = onnx.defs.onnx_opset_version()
    version = max((entry.version for entry in model.opset_import if entry.domain in STANDARD), default=1)
    if not 1 <= version <= newest:
        _refuse(
            f"This model asks for opset version {version}; {newest} is the newest known.",
            f"Export it with opset_version={newest} or lower.",
        )


def _check_text(model: "ModelProto") -> None:
    """Protobuf hands back text that is not UTF-8 as bytes."""
    texts = [model.producer_name, model.producer_version, model.domain, model.graph.name]
    texts += [text for entry in model.metadata_props for text in (entry.key, entry.value)]
    for graph in _graphs(model.graph):
        texts += [named.name for named in (*graph.input, *graph.output, *graph.initializer)]
    for node in _every_node(model):
        texts += [node.name, node.op_type, node.domain, *node.input, *node.output]
    if not all(isinstance(text, str) for text in texts):
        _refuse("A name in this model is not valid text (UTF-8): the file is damaged.")


def _check_size(model: "ModelProto", functions: "dict[tuple[str, str, str], FunctionProto]") -> None:
    if next(islice(_every_node(model), NODES, None), None) is not None:
        _refuse(f"The graph has more than {NODES:,} nodes, the limit.")
    if _depth(model.graph) > DEPTH:
        _refuse(f"The graph is nested more than {DEPTH} levels deep, more than an operator is run with.")
    known: dict[tuple[str, str, str], int] = {}
    total = sum(_expanded(node, functions, known, ()) for graph in _graphs(model.graph) for node in graph.node)
    if total > EXPANDED_NODES:
        _refuse(f"The model's functions expand to more than {EXPANDED_NODES:,} nodes, the limit.")


def _expanded(
    node: "NodeProto",
    functions: "dict[tuple[str, str, str], FunctionProto]",
    known: dict[tuple[str, str, str], int],
    callers: tuple[tuple[str, str, str], ...],
) -> int:
    """How many nodes one node comes to when the functions it calls are written out."""
    key = (node.domain, node.op_type, node.overload)
    function = functions.get(key)
    if function is None:
        return 1
    if key in callers:
        _refuse(f'The function "{plain(key[1], 40)}" calls itself: recursion is not valid in a graph.')
    if len(callers) >= DEPTH:
        _refuse(f"The model's functions call each other more than {DEPTH} levels deep.")
    if key not in known:
        inner = chain(function.node, *(graph.node for graph in _inner(function.node, deep=True)))
        known[key] = sum(_expanded(each, functions, known, (*callers, key)) for each in inner)
    return known[key]


def _check_nodes(
    nodes: "Iterable[NodeProto]",
    versions: dict[str, int],
    functions: "dict[tuple[str, str, str], FunctionProto]",
) -> None:
    for node in nodes:
        if (node.domain, node.op_type, node.overload) in functions:
            continue
        shown = plain(node.op_type, 40) or "without a name"
        if node.domain not in DOMAINS:
            whose = f'of the domain "{plain(node.domain, 40)}"'
            _refuse(f'The operator "{shown}", {whose}, is unsupported.', "Export with standard operators only.")
        if node.op_type in REACH_OUT:
            _refuse(f'The operator "{shown}" reaches outside the model; it is not allowed here.')
        if node.domain != "com.microsoft":
            _check_against_schema(node, versions.get(node.domain, versions.get("", 1)), shown)


def _check_against_schema(node: "NodeProto", version: int, shown: str) -> None:
    first = _first_variadic("" if node.domain in STANDARD else node.domain, node.op_type, version)
    if first is None and node.op_type not in OF_RUNTIME:
        _refuse(f'The operator "{shown}" is unknown in opset version {version}.', "Export again with a newer opset.")
    if first is not None and "" in node.input[first:]:
        _refuse(f'The operator "{shown}" leaves out one of its inputs, which crashes runtimes: the node is invalid.')


@cache
def _first_variadic(domain: str, op: str, version: int) -> int | None:
    """From which input on an operator takes any number of them (past all inputs where it does not); None where this
    opset has no such operator."""
    from onnx import defs

    if not defs.has(op, max_inclusive_version=version, domain=domain):
        return None
    formal = defs.get_schema(op, version, domain).inputs
    many = formal and formal[-1].option == defs.OpSchema.FormalParameterOption.Variadic
    return len(formal) - 1 if many else 1 << 20


def _check_flow(graph: "GraphProto", outside: frozenset[str]) -> None:
    """Every name is made once, before it is read (in some order), and every output is made by something."""
    given = {value.name for value in graph.input} | {tensor.name for tensor in graph.initializer}
    given |= {sparse.values.name for sparse in graph.sparse_initializer}
    made = Counter(name for node in graph.node for name in node.output if name)
    twice = next((name for name, count in made.items() if count > 1), None)
    if twice is not None:
        _refuse(f'Two nodes make the output "{plain(twice, 40)}": the graph is invalid.')
    known = outside | given | made.keys()
    for node in graph.node:
        missing = next((name for name in node.input if name and name not in known), None)
        if missing is not None:
            _refuse(f'A node reads the input "{plain(missing, 40)}", which nothing in the graph makes.')
        for inner in _inner([node]):
            _check_flow(inner, frozenset(known))
    lost = next((value.name for value in graph.output if value.name not in known), None)
    if lost is not None:
        _refuse(f'Nothing in the graph makes its output "{plain(lost, 40)}".')
    _check_order(graph, made)


def _check_order(graph: "GraphProto", made: Counter[str]) -> None:
    """No node waits for itself, by way of others (Kahn's algorithm on the names made in this graph)."""
    readers: dict[str, list[int]] = {}
    waiting = []
    for place, node in enumerate(graph.node):
        needs = {name for name in chain(node.input, _read_inside(node)) if name in made}
        waiting.append(len(needs))
        for name in needs:
            readers.setdefault(name, []).append(place)
    ready = [place for place, count in enumerate(waiting) if not count]
    done = 0
    while ready:
        done += 1
        for name in graph.node[ready.pop()].output:
            for place in readers.get(name, ()):
                waiting[place] -= 1
                if not waiting[place]:
                    ready.append(place)
    if done < len(graph.node):
        _refuse("The nodes of this graph wait for each other: it has a cycle.")


def _check_inputs(graph: "GraphProto") -> None:
    stored = {tensor.name for tensor in graph.initializer}
    for value in graph.input:
        if value.name in stored:
            continue
        elements = 1
        for axis in value.type.tensor_type.shape.dim:
            if axis.dim_value < 0:
                _refuse(f'The input "{plain(value.name, 40)}" has an axis of negative size: its shape is invalid.')
            elements *= axis.dim_value or 1
        if elements > INPUT_ELEMENTS:
            _refuse(f'The input "{plain(value.name, 40)}" has a shape of {elements:.1e} elements: too large to make.')


def _versions(imports: Iterable[object]) -> dict[str, int]:
    return {("" if entry.domain in STANDARD else entry.domain): entry.version for entry in imports}  # type: ignore[attr-defined]


def _every_node(model: "ModelProto") -> "Iterator[NodeProto]":
    for graph in _graphs(model.graph):
        yield from graph.node
    for function in model.functions:
        yield from function.node
        for graph in _inner(function.node, deep=True):
            yield from graph.node


def _graphs(graph: "GraphProto") -> "Iterator[GraphProto]":
    yield graph
    yield from _inner(graph.node, deep=True)


def _inner(nodes: "Iterable[NodeProto]", deep: bool = False) -> "Iterator[GraphProto]":
    """The graphs these nodes hold: branches and loop bodies; with `deep`, those inside them too."""
    for node in nodes:
        for attribute in node.attribute:
            for graph in chain([attribute.g] if attribute.HasField("g") else (), attribute.graphs):
                yield graph
                if deep:
                    yield from _inner(graph.node, deep)


def _read_inside(node: "NodeProto") -> Iterator[str]:
    for graph in _inner([node], deep=True):
        for inner in graph.node:
            yield from inner.input
        yield from (value.name for value in graph.output)


def _depth(graph: "GraphProto") -> int:
    return 1 + max((_depth(inner) for inner in _inner(graph.node)), default=0)


def _refuse(message: str, hint: str = "Export the model again, and check it with onnx.checker.") -> NoReturn:
    raise InputError(message, hint=hint)
