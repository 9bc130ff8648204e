"""Reading and writing ONNX: what formats, runtimes and techniques share."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import InputError
from data.text import plain
from profiler.dtypes import bytes_of, onnx_dtype_name
from profiler.onnx_graph.check import check_onnx

if TYPE_CHECKING:
    from numpy import ndarray
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto

EXTERNAL_ABOVE_BYTES = 1 << 30  # a protobuf message may not pass 2 GiB
SMALL_BYTES = 1 << 16  # integer tensors up to this size may be shapes, and are read for shape inference
TINY_BYTES = 1 << 8  # any tensor up to this size may be the scales of a Resize, bounds of a Clip, ...


def load(path: Path, *, weights: bool = True) -> "ModelProto":
    """The model of an ONNX file, with its external data unless `weights` is False (then only their sizes are known).

    Raises InputError where the file is damaged or its external data is missing or too short.
    """
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load(str(path), load_external_data=False)
    except (DecodeError, ValueError) as error:
        raise InputError("This ONNX file is damaged or cut off.", hint="Export it again.", details=str(error)) from None
    if not model.graph.node and not model.graph.output:
        raise InputError("This ONNX file holds no graph.", hint="Export the model again.")
    check_onnx(model, path)
    check_external(model, path.parent)
    if weights:
        onnx.load_external_data_for_model(model, str(path.parent))
    return model


def save(model: "ModelProto", path: Path) -> tuple[Path, ...]:
    """Write the model; one too large for a single message keeps its weights beside it. Returns those companions."""
    import onnx

    size = sum(stored_bytes(tensor) for tensor in tensors(model))  # protobuf itself fails to size a larger one
    if size < EXTERNAL_ABOVE_BYTES:
        onnx.save(model, str(path))
        return ()
    beside = path.with_name(path.name + ".data")
    beside.unlink(missing_ok=True)  # onnx appends to a file that is there
    onnx.save(model, str(path), save_as_external_data=True, all_tensors_to_one_file=True, location=beside.name)
    return (beside,)


def graphs(graph: "GraphProto") -> Iterator["GraphProto"]:
    """This graph and every graph inside it (branches and loop bodies)."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in [attribute.g] if attribute.HasField("g") else attribute.graphs:
                yield from graphs(inner)


def nodes(model: "ModelProto") -> Iterator["NodeProto"]:
    """Every node: of the graph, of the graphs inside it, and of the functions it brings along."""
    for graph in graphs(model.graph):
        yield from graph.node
    for function in model.functions:
        yield from function.node


def tensors(model: "ModelProto") -> Iterator["TensorProto"]:
    """Every stored tensor: initializers, and tensors held by Constant nodes (these take the node's output name)."""
    for graph in graphs(model.graph):
        yield from graph.initializer
        yield from (sparse.values for sparse in graph.sparse_initializer)
    for node in nodes(model):
        if node.op_type == "Constant":
            for attribute in node.attribute:
                if attribute.name == "value":
                    attribute.t.name = attribute.t.name or node.output[0]
                    yield attribute.t


def attributes(node: "NodeProto") -> dict[str, Any]:
    """A node's attributes as Python values (text as str)."""
    import onnx

    found = {}
    for attribute in node.attribute:
        value = onnx.helper.get_attribute_value(attribute)
        found[attribute.name] = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return found


def consumers(graph: "GraphProto") -> dict[str, list["NodeProto"]]:
    """Tensor name -> the nodes of this graph that read it."""
    found: dict[str, list[NodeProto]] = defaultdict(list)
    for node in graph.node:
        for name in dict.fromkeys(node.input):
            if name:
                found[name].append(node)
    return dict(found)


def producers(graph: "GraphProto") -> dict[str, "NodeProto"]:
    """Tensor name -> the node of this graph that writes it."""
    return {name: node for node in graph.node for name in node.output if name}


def initializers(graph: "GraphProto") -> dict[str, "TensorProto"]:
    """Initializers of this graph by name."""
    return {tensor.name: tensor for tensor in graph.initializer}


def array(tensor: "TensorProto") -> "ndarray":
    """A stored tensor as numpy knows it (bfloat16 and 8-bit floats through ml_dtypes)."""
    from onnx import numpy_helper

    found: ndarray = numpy_helper.to_array(tensor)
    return found


def count_of(tensor: "TensorProto") -> int:
    """Numbers in a stored tensor."""
    count = 1
    for length in tensor.dims:
        count *= length
    return count


def stored_bytes(tensor: "TensorProto") -> int:
    """Bytes of a stored tensor, from its type and dims: nothing is read."""
    return bytes_of(onnx_dtype_name(tensor.data_type), count_of(tensor))


def external(tensor: "TensorProto") -> dict[str, str]:
    """Where a tensor's bytes lie outside the file (location, offset, length); empty where they are inside."""
    import onnx

    if tensor.data_location != onnx.TensorProto.EXTERNAL:
        return {}
    return {entry.key: entry.value for entry in tensor.external_data}


def external_files(model: "ModelProto", folder: Path) -> tuple[Path, ...]:
    """The files beside the model that hold its weights, sorted."""
    return tuple(sorted({folder / place["location"] for tensor in tensors(model) if (place := external(tensor))}))


def check_external(model: "ModelProto", folder: Path) -> None:
    """Raises InputError where a file of weights is missing, too short, or named outside the model's folder."""
    for tensor in tensors(model):
        place = external(tensor)
        if not place:
            continue
        name = place.get("location", "")
        if not name or name in (".", "..") or Path(name).name != name:
            raise InputError(
                "This model wants to read its weights from another folder.",
                hint="Save it again with its external data in one file beside it.",
            )
        file = folder / name
        if file.is_symlink() or not file.is_file():
            raise InputError(
                f'The weights are kept in a second file, "{plain(name, 60)}", which is missing.',
                hint="Put both files into one folder, or upload them as one zip.",
            )
        needed = int(place.get("offset", 0)) + int(place.get("length", stored_bytes(tensor)))
        if int(place.get("offset", 0)) < 0 or needed > file.stat().st_size:
            raise InputError(f'The file of weights "{plain(name, 60)}" is shorter than the model says.')


def slim(model: "ModelProto", folder: Path) -> None:
    """Drop in place the bytes of all tensors but tiny ones and small integer ones (those can be shapes); dims and
    types stay."""
    import onnx

    integers = (onnx.TensorProto.INT64, onnx.TensorProto.INT32)
    for tensor in tensors(model):
        size = stored_bytes(tensor)
        if size <= TINY_BYTES or (tensor.data_type in integers and size <= SMALL_BYTES):
            if external(tensor):
                onnx.external_data_helper.load_external_data_for_tensor(tensor, str(folder))
                tensor.data_location = onnx.TensorProto.DEFAULT
                del tensor.external_data[:]
        else:
            for field in ("raw_data", "float_data", "int32_data", "int64_data", "double_data", "uint64_data"):
                tensor.ClearField(field)


def inlined(model: "ModelProto") -> "ModelProto":
    """The model with the functions it brings along put in place of their calls."""
    import onnx.inliner

    return onnx.inliner.inline_local_functions(model) if model.functions else model


def real_inputs(graph: "GraphProto") -> list[Any]:
    """The graph's inputs that must be fed (old files list initializers among the inputs)."""
    stored = {tensor.name for tensor in graph.initializer}
    return [value for value in graph.input if value.name not in stored]


def set_shapes(model: "ModelProto", shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Write these lengths into the graph's inputs, in place."""
    for value in model.graph.input:
        if value.name in shapes and value.type.HasField("tensor_type"):
            shape = value.type.tensor_type.shape
            del shape.dim[:]
            for length in shapes[value.name]:
                shape.dim.add().dim_value = length
