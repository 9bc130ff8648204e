"""ONNX graphs on their way through a technique: load, look at the weights, rewrite, save. Runs in the child."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import InputError, RightsizeError
from profiler.onnx_graph import tools as onnx_tools

if TYPE_CHECKING:
    from numpy import ndarray

PER_CHANNEL_OPSET, PER_CHANNEL_IR = 13, 7  # ONNX 1.8


@contextmanager
def edge(doing: str) -> Iterator[None]:
    """Library errors inside become one line: "<doing> does not work on this model."; their text is a detail."""
    try:
        yield
    except (RightsizeError, MemoryError):
        raise
    except Exception as error:
        message = f"{doing} does not work on this model."
        raise InputError(message, hint="Other techniques are not affected.", details=f"{error}") from error


def load(path: Path) -> Any:
    """The ONNX model at `path` with its external weights. Raises InputError where it cannot be read."""
    return onnx_tools.load(path)


def save(proto: Any, path: Path) -> tuple[Path, ...]:
    """Writes the model; weights that do not fit one protobuf message go to a companion beside it (returned)."""
    with edge("Writing the ONNX file"):
        path.unlink(missing_ok=True)
        return onnx_tools.save(proto, path)


def array(tensor: Any) -> ndarray:
    """A stored tensor as a numpy array of its own (it may be written to)."""
    return onnx_tools.array(tensor).copy()


def put(tensor: Any, values: ndarray) -> None:
    """Replace what a stored tensor holds, its name kept."""
    import onnx

    tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))


def lift_constants(proto: Any) -> int:
    """Constant nodes of the main graph become initializers, where weights are looked for; returns how many."""
    import onnx

    graph, kept, lifted = proto.graph, [], 0
    for node in graph.node:
        value = next((item for item in node.attribute if item.name == "value"), None)
        if node.op_type == "Constant" and value is not None and value.type == onnx.AttributeProto.TENSOR:
            tensor = graph.initializer.add()
            tensor.CopyFrom(value.t)
            tensor.name = node.output[0]
            lifted += 1
        else:
            kept.append(node)
    if lifted:
        del graph.node[:]
        graph.node.extend(kept)
    return lifted


def operator_counts(proto: Any) -> dict[str, int]:
    """Operator -> how many nodes of the main graph."""
    counts: dict[str, int] = {}
    for node in proto.graph.node:
        counts[node.op_type] = counts.get(node.op_type, 0) + 1
    return counts


def name_nodes(proto: Any) -> None:
    """Give every node a name of its own: quantizers exclude and report by name."""
    taken: set[str] = set()
    for index, node in enumerate(proto.graph.node):
        if not node.name or node.name in taken:
            node.name = f"{node.op_type}_{index}"
        taken.add(node.name)


def attribute(node: Any, name: str, default: Any) -> Any:
    """The value of a node's attribute (text as str), or the default."""
    return onnx_tools.attributes(node).get(name, default)


def gemm_to_matmul(proto: Any) -> int:
    """Gemm with a stored weight becomes MatMul + Add (alpha and beta folded in), which weight-only quantizers see.

    Returns how many were rewritten; a Gemm with transA or without a stored weight is left alone."""
    import onnx

    stored = {tensor.name: tensor for tensor in proto.graph.initializer}
    nodes, added, rewritten = [], [], 0
    for node in proto.graph.node:
        weight = stored.get(node.input[1]) if node.op_type == "Gemm" else None
        biased = node.op_type == "Gemm" and len(node.input) > 2 and bool(node.input[2])
        alpha, beta = (attribute(node, "alpha", 1.0), attribute(node, "beta", 1.0)) if weight is not None else (1, 1)
        if weight is None or attribute(node, "transA", 0) or (biased and beta != 1.0 and node.input[2] not in stored):
            nodes.append(node)
            continue
        values = array(weight).T if attribute(node, "transB", 0) else array(weight)
        name, product = f"{node.output[0]}_weight", f"{node.output[0]}_product" if biased else node.output[0]
        added.append(onnx.numpy_helper.from_array((values * alpha).astype(values.dtype).copy(), name))
        nodes.append(onnx.helper.make_node("MatMul", [node.input[0], name], [product], name=node.name))
        if biased:
            bias = node.input[2]
            if beta != 1.0:
                bias = f"{node.output[0]}_bias"
                scaled = array(stored[node.input[2]])
                added.append(onnx.numpy_helper.from_array((scaled * beta).astype(scaled.dtype), bias))
            nodes.append(onnx.helper.make_node("Add", [product, bias], [node.output[0]], name=f"{node.name}_bias"))
        rewritten += 1
    if rewritten:
        del proto.graph.node[:]
        proto.graph.node.extend(nodes)
        proto.graph.initializer.extend(added)
        drop_unused(proto)
    return rewritten


def drop_unused(proto: Any) -> int:
    """Remove initializers that nothing reads any more (subgraphs count as readers); returns how many."""
    used = set(_read_names(proto.graph)) | {output.name for output in proto.graph.output}
    kept = [tensor for tensor in proto.graph.initializer if tensor.name in used]
    dropped = len(proto.graph.initializer) - len(kept)
    if dropped:
        gone = {tensor.name for tensor in proto.graph.initializer} - {tensor.name for tensor in kept}
        inputs = [item for item in proto.graph.input if item.name not in gone]
        del proto.graph.initializer[:]
        proto.graph.initializer.extend(kept)
        del proto.graph.input[:]
        proto.graph.input.extend(inputs)
    return dropped


def _read_names(graph: Any) -> Iterator[str]:
    for node in graph.node:
        yield from node.input
        for item in node.attribute:
            for inner in [item.g] if item.HasField("g") else list(item.graphs):
                yield from _read_names(inner)


def weight_bytes(proto: Any) -> int:
    """Bytes of all stored tensors: initializers and Constant nodes, 4-bit values packed."""
    return sum(onnx_tools.stored_bytes(tensor) for tensor in onnx_tools.tensors(proto) if tensor.data_type)


def prepared(source: Path, folder: Path, *, large: bool) -> Path:
    """The model with shapes inferred, constants folded and batch norms fused, as ONNX Runtime's quantizers want it.

    Symbolic shape inference is slow to load and fails on some graphs: it is asked only where ONNX's own leaves a
    tensor without a shape. Raises InputError where the model cannot be loaded at all."""
    from onnxruntime.quantization.shape_inference import quant_pre_process

    path, named = folder / "prepared.onnx", folder / "named.onnx"
    proto = raised(load(source), large=large)
    name_nodes(proto)
    _forget_stored_shapes(proto)
    files = (named, *save(proto, named))
    settings = {"save_as_external_data": large, "all_tensors_to_one_file": True} if large else {}
    with edge("Preparing for quantization"):
        quant_pre_process(str(named), str(path), skip_symbolic_shape=True, **settings)
    if not large and not _knows_all_shapes(path):
        symbolic = folder / "prepared_symbolic.onnx"
        with suppress(Exception):
            quant_pre_process(str(named), str(symbolic), **settings)
            symbolic.rename(path)
    for file in files:
        file.unlink()
    return path


def too_old(opset: int | None) -> bool:
    """Whether a QuantizeLinear of this opset has only one scale for all channels."""
    return opset is not None and opset < PER_CHANNEL_OPSET


def raised_note(opset: int | None) -> list[str]:
    """What to say of a graph of this opset once it is `prepared`."""
    return [f"The graph was raised from opset {opset} to {PER_CHANNEL_OPSET}."] if too_old(opset) else []


def raised(proto: Any, *, large: bool) -> Any:
    """The model in the oldest opset in which a QuantizeLinear has one scale per channel, where its own is older.

    Source: ONNX operators, QuantizeLinear-13. Raises InputError where the graph cannot be raised."""
    from onnx import version_converter

    versions = [one.version for one in proto.opset_import if one.domain in ("", "ai.onnx")]
    if not versions or not too_old(versions[0]):
        return proto
    cannot = InputError(
        f"Its opset {versions[0]} is too old for 8 bits per channel, and the graph could not be raised to "
        f"{PER_CHANNEL_OPSET}.", hint=f"Export the model with opset {PER_CHANNEL_OPSET} or newer.",
    )  # fmt: skip
    if large:
        raise cannot
    try:
        newer = version_converter.convert_version(proto, PER_CHANNEL_OPSET)
    except Exception as error:
        raise cannot from error
    newer.ir_version = max(newer.ir_version, PER_CHANNEL_IR)
    return newer


def _forget_stored_shapes(proto: Any) -> None:
    """Drop the shapes noted for weights: torch notes them, and a quantizer that transposes a weight trips over them."""
    stored = {tensor.name for tensor in proto.graph.initializer}
    kept = [value for value in proto.graph.value_info if value.name not in stored]
    del proto.graph.value_info[:]
    proto.graph.value_info.extend(kept)


def _knows_all_shapes(path: Path) -> bool:
    graph = onnx_tools.load(path, weights=False).graph
    known = {value.name for value in (*graph.value_info, *graph.output, *graph.input)}
    return all(name in known for node in graph.node for name in node.output if name)


def companions(path: Path) -> tuple[Path, ...]:
    """The files beside `path` that hold its weights."""
    return onnx_tools.external_files(onnx_tools.load(path, weights=False), path.parent)


def without_telemetry() -> None:
    """NNCF reports its use over the network unless this is set before it is imported."""
    os.environ["NNCF_CI"] = "1"
