"""The weighted layers of an ONNX graph as matrices (outputs x inputs), and what flows into them on given inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.surgery import onnx_rewrite
from advisor.surgery.facts import CONVOLUTIONS, MATRIX_PRODUCTS, RECURRENT, WEIGHTED
from profiler.onnx_graph import tools as onnx_tools

if TYPE_CHECKING:
    from numpy import ndarray

ROWS_PER_CALL = 512  # a convolution sees many positions: this many of them, drawn at random, speak for one call


@dataclass(frozen=True, slots=True)
class Weight:
    """A stored float weight and the first node that uses it, at input `slot`; `uses` counts the readers."""

    node: Any
    tensor: Any
    slot: int
    uses: int

    @property
    def name(self) -> str:
        """The layer's name: its node's, or its output's where that is empty."""
        return str(self.node.name or self.node.output[0])

    @property
    def is_matrix(self) -> bool:
        """Whether `matrix` and `rows` understand it: matrix products, and ungrouped convolutions padded by numbers."""
        node = self.node
        if node.op_type in MATRIX_PRODUCTS:
            return len(self.tensor.dims) == 2 and not onnx_rewrite.attribute(node, "transA", 0)
        return (
            node.op_type == "Conv"
            and len(self.tensor.dims) == 4
            and onnx_rewrite.attribute(node, "group", 1) == 1
            and onnx_rewrite.attribute(node, "auto_pad", "NOTSET") == "NOTSET"
        )

    def matrix(self) -> ndarray:
        """A copy of the weight as (outputs, inputs); a convolution's inputs are channels x kernel positions."""
        values = onnx_rewrite.array(self.tensor)
        if self.node.op_type == "Conv":
            return values.reshape(values.shape[0], -1)
        return values.T.copy() if self.is_transposed else values

    @property
    def is_transposed(self) -> bool:
        """Whether the stored array is (inputs, outputs)."""
        node = self.node
        by_output = node.op_type == "Gemm" and onnx_rewrite.attribute(node, "transB", 0)
        return node.op_type in MATRIX_PRODUCTS and not by_output

    def put(self, matrix: ndarray) -> None:
        """Store (outputs, inputs) in the layout the node reads."""
        if self.node.op_type == "Conv":
            matrix = matrix.reshape(tuple(self.tensor.dims))
        elif self.is_transposed:
            matrix = matrix.T
        onnx_rewrite.put(self.tensor, matrix.astype("float32", order="C"))

    def rows(self, values: ndarray, generator: Any) -> ndarray:
        """What the layer multiplies by its matrix, (samples, inputs), from the tensor that flows into it."""
        if self.node.op_type != "Conv":
            return values.reshape(-1, values.shape[-1])
        return _patches(self, values, generator)


def weights(proto: Any, operators: tuple[str, ...] = WEIGHTED, smallest: int = 16) -> list[Weight]:
    """The float32 weights of these operators in the main graph, each stored tensor once (shared ones say how often
    they are used), in graph order; tensors of fewer than `smallest` values are left out."""
    import onnx

    stored = {tensor.name: tensor for tensor in proto.graph.initializer}
    uses: dict[str, int] = {}
    for node in proto.graph.node:
        for name in node.input:
            uses[name] = uses.get(name, 0) + 1
    found: dict[str, Weight] = {}
    for node in proto.graph.node:
        for slot in _weight_slots(node) if node.op_type in operators else ():
            tensor = stored.get(node.input[slot]) if slot < len(node.input) else None
            if tensor is None or tensor.name in found or tensor.data_type != onnx.TensorProto.FLOAT:
                continue
            if len(tensor.dims) >= 2 and onnx_tools.count_of(tensor) >= smallest:
                found[tensor.name] = Weight(node, tensor, slot, uses[tensor.name])
    return list(found.values())


def matrices(proto: Any, smallest: int = 256) -> list[Weight]:
    """The weights that can be treated as matrices fed by one tensor: not shared, not recurrent, not grouped."""
    kinds = (*MATRIX_PRODUCTS, "Conv")
    return [weight for weight in weights(proto, kinds, smallest) if weight.is_matrix and weight.uses == 1]


def _weight_slots(node: Any) -> tuple[int, ...]:
    if node.op_type in CONVOLUTIONS + MATRIX_PRODUCTS:
        return (1,)
    if node.op_type == "Gather":
        return (0,)
    return (1, 2) if node.op_type in RECURRENT else ()


def tensors(
    proto: Any, wanted: Sequence[Weight], calls: Sequence[Mapping[str, ndarray]], folder: Path
) -> Iterator[Callable[[Weight], ndarray]]:
    """Runs the model on the calls; yields for each call a function from a layer to the tensor that flows into it.

    Raises InputError where the model does not run on them."""
    import onnxruntime as ort

    path = folder / "watched.onnx"
    files = _watched(proto, {weight.node.input[0] for weight in wanted}, path)
    settings = ort.SessionOptions()
    settings.log_severity_level = 4
    settings.intra_op_num_threads = 2
    with onnx_rewrite.edge("Running on the calibration inputs"):
        session = ort.InferenceSession(str(path), settings)
    for file in files:
        file.unlink()
    names = [output.name for output in session.get_outputs()]
    for call in calls:
        with onnx_rewrite.edge("Running on the calibration inputs"):
            seen = dict(call) | dict(zip(names, session.run(None, dict(call)), strict=True))
        yield partial(_input_of, seen)


def _input_of(seen: Mapping[str, ndarray], weight: Weight) -> ndarray:
    return seen[weight.node.input[0]]


def flow(
    proto: Any, wanted: Sequence[Weight], calls: Sequence[Mapping[str, ndarray]], folder: Path, seed: int = 0
) -> Iterator[Callable[[Weight], ndarray]]:
    """As `tensors`, but the input rows (samples, inputs) of each layer's matrix."""
    import numpy as np

    for number, tensor_of in enumerate(tensors(proto, wanted, calls, folder)):
        yield partial(_rows_of, tensor_of, np.random.default_rng((seed, number)))


def _rows_of(tensor_of: Callable[[Weight], ndarray], generator: Any, weight: Weight) -> ndarray:
    return weight.rows(tensor_of(weight), generator)


def _watched(proto: Any, tensors: set[str], path: Path) -> tuple[Path, ...]:
    """Writes a copy of the model that answers these tensors too; returns the files written."""
    import onnx

    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    known = {output.name for output in copy.graph.output} | {item.name for item in copy.graph.input}
    for name in sorted(tensors - known):
        copy.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    return (path, *onnx_rewrite.save(copy, path))


def moments(
    proto: Any, wanted: Sequence[Weight], calls: Sequence[Mapping[str, ndarray]], folder: Path, seed: int = 0
) -> dict[str, ndarray]:
    """X^T X of each layer's input rows X over all calls: (inputs, inputs) float32 by the weight's name.

    Fewer rows than inputs say little about how inputs go together: X^T X is drawn towards its mean diagonal by
    inputs / (inputs + rows), after Ledoit and Wolf (2004)."""
    import numpy as np

    sums: dict[str, ndarray] = {}
    counts: dict[str, int] = {}
    for rows_of in flow(proto, wanted, calls, folder, seed):
        for weight in wanted:
            rows, name = rows_of(weight).astype(np.float32), weight.tensor.name
            sums[name] = rows.T @ rows + sums.get(name, np.float32(0))
            counts[name] = counts.get(name, 0) + len(rows)
    for name, moment in sums.items():
        share = len(moment) / (len(moment) + counts[name])
        mean = float(np.diagonal(moment).mean())
        moment *= np.float32(1 - share)
        moment[np.diag_indices_from(moment)] += np.float32(share * mean)
    return sums


def _patches(weight: Weight, values: ndarray, generator: Any) -> ndarray:
    """A convolution's input patches as rows (positions, channels x kernel), at most ROWS_PER_CALL drawn at random."""
    import numpy as np

    node = weight.node
    height, width = weight.tensor.dims[2:]
    strides = onnx_rewrite.attribute(node, "strides", [1, 1])
    dilations = onnx_rewrite.attribute(node, "dilations", [1, 1])
    top, left, bottom, right = onnx_rewrite.attribute(node, "pads", [0, 0, 0, 0])
    padded = np.pad(values, ((0, 0), (0, 0), (top, bottom), (left, right)))
    span = ((height - 1) * dilations[0] + 1, (width - 1) * dilations[1] + 1)
    view = np.lib.stride_tricks.sliding_window_view(padded, span, axis=(2, 3))
    view = view[:, :, :: strides[0], :: strides[1], :: dilations[0], :: dilations[1]]
    view = view.transpose(0, 2, 3, 1, 4, 5)  # (batch, rows, columns, channels, height, width), nothing copied yet
    count = view.shape[0] * view.shape[1] * view.shape[2]
    chosen = np.arange(count)
    if count > ROWS_PER_CALL:
        chosen = np.sort(generator.choice(count, ROWS_PER_CALL, replace=False))
    places = np.unravel_index(chosen, view.shape[:3])
    return np.ascontiguousarray(view[places]).reshape(len(chosen), -1)


def add_bias(proto: Any, weight: Weight, delta: ndarray) -> None:
    """Adds `delta` (one value an output) to what the layer answers: into its bias, or as a new one."""
    import onnx

    node, graph = weight.node, proto.graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    name = f"{weight.tensor.name}_compensation"
    if node.op_type in ("Gemm", "Conv") and len(node.input) > 2 and node.input[2] in stored:
        bias = onnx_rewrite.array(stored[node.input[2]])
        scale = onnx_rewrite.attribute(node, "beta", 1.0) if node.op_type == "Gemm" else 1.0
        graph.initializer.append(onnx.numpy_helper.from_array((bias + delta / scale).astype("float32"), name))
        node.input[2] = name
        return
    graph.initializer.append(onnx.numpy_helper.from_array(delta.astype("float32"), name))
    if node.op_type in ("Gemm", "Conv") and len(node.input) == 2:
        node.input.append(name)
        return
    answer = node.output[0]
    node.output[0] = f"{answer}_uncompensated"
    added = onnx.helper.make_node("Add", [node.output[0], name], [answer], name=f"{node.name}_compensation")
    place = next(index for index, each in enumerate(graph.node) if each.output[:1] == node.output[:1])
    graph.node.insert(place + 1, added)
