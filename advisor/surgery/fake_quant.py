"""Quantize one layer at a time in one session: every layer gets a switch, and its weight can be fed anew.

Each layer's input x becomes x + on x (quantized(x) - x) with `on` 0 unless fed, and each weight is an input with its
stored value as default: one loaded model answers for every layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.surgery import onnx_rewrite
from advisor.surgery.layers import Weight

if TYPE_CHECKING:
    from numpy import ndarray

LEVELS = 255.0
GROUP = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What flowed into one layer: the range of its values, the largest magnitude of each channel, and the largest of
    the calls' 99.9th percentiles of magnitude."""

    low: float
    high: float
    channel_peaks: tuple[float, ...]
    percentile_999: float


def quantized_weight(weight: Weight, bits: int) -> ndarray:
    """The layer's weight as it comes back from `bits`: 8 bits symmetric for each output, 4 bits in groups of 32 inputs
    with a smallest and a largest value each."""
    import numpy as np

    values = onnx_rewrite.array(weight.tensor)
    transposed = weight.is_matrix and weight.is_transposed
    matrix = values.T if transposed else values.reshape(-1, values.shape[-1] if values.ndim == 3 else _inputs(values))
    if bits == 8:
        peak = np.abs(matrix).max(axis=1, keepdims=True)
        scale = np.where(peak > 0, peak / 127.0, 1.0)
        back = np.round(matrix / scale) * scale
    else:
        back = _in_groups(matrix, (1 << bits) - 1)
    return np.ascontiguousarray((back.T if transposed else back.reshape(values.shape)).astype(np.float32))


def _inputs(values: ndarray) -> int:
    return int(values.size // values.shape[0])


def _in_groups(matrix: ndarray, levels: int) -> ndarray:
    """Rows cut into groups of 32 (the rest is a group of its own), each on its own grid of levels + 1 values."""
    import numpy as np

    back = np.empty_like(matrix)
    for start in range(0, matrix.shape[1], GROUP):
        part = matrix[:, start : start + GROUP]
        low = np.minimum(part.min(axis=1, keepdims=True), 0.0)
        high = np.maximum(part.max(axis=1, keepdims=True), 0.0)
        scale = np.where(high > low, (high - low) / levels, 1.0)
        back[:, start : start + GROUP] = np.round(part / scale) * scale
    return back


class Switchable:
    """A model whose layers can be quantized one by one, or several at a time."""

    def __init__(self, proto: Any, wanted: Sequence[Weight], seen: Mapping[str, Seen], folder: Path) -> None:
        import onnx
        import onnxruntime as ort

        copy = onnx.ModelProto()
        copy.CopyFrom(proto)
        copy.ir_version = max(copy.ir_version, 4)
        outputs = [output.name for output in copy.graph.output]
        for number, weight in enumerate(wanted):
            _switch(copy, weight, number, seen.get(weight.name))
        path = folder / "switchable.onnx"
        files = (path, *onnx_rewrite.save(copy, path))
        settings = ort.SessionOptions()
        settings.log_severity_level = 4
        settings.intra_op_num_threads = 2
        with onnx_rewrite.edge("Quantizing single layers"):
            self._session = ort.InferenceSession(str(path), settings)
        for file in files:
            file.unlink()
        self._outputs = outputs
        self._numbers = {weight.name: number for number, weight in enumerate(wanted)}
        self._switched = {name for name in self._numbers if name in seen}

    def run(self, call: Mapping[str, ndarray], quantized: Mapping[str, tuple[str, ndarray]]) -> dict[str, ndarray]:
        """All outputs by name on one call, with these layers quantized: {layer: (weight's name, its new value)}."""
        import numpy as np

        feeds = dict(call)
        for layer, (name, values) in quantized.items():
            feeds[name] = values
            if layer in self._switched:
                feeds[f"on_{self._numbers[layer]}"] = np.array(1.0, np.float32)
        with onnx_rewrite.edge("Quantizing single layers"):
            return dict(zip(self._outputs, self._session.run(self._outputs, feeds), strict=True))


def _switch(proto: Any, weight: Weight, number: int, seen: Seen | None) -> None:
    """Makes the layer's weight an input with a default, and puts the switch before the layer's data input."""
    import numpy as np
    import onnx

    graph, make = proto.graph, onnx.helper.make_node
    known = {item.name for item in graph.input}
    if weight.tensor.name not in known:
        kind = onnx.helper.make_tensor_value_info(weight.tensor.name, onnx.TensorProto.FLOAT, list(weight.tensor.dims))
        graph.input.append(kind)
    if seen is None:
        return
    place, node = next(
        (index, each) for index, each in enumerate(graph.node) if each.output[:1] == weight.node.output[:1]
    )
    low, high = min(seen.low, 0.0), max(seen.high, 0.0)
    scale = max((high - low) / LEVELS, 1e-12)
    zero = round(-low / scale)
    data, tag = node.input[0], f"q{number}"
    for name, value in ((f"{tag}_scale", np.float32(scale)), (f"{tag}_zero", np.uint8(zero)), (f"on_{number}", 0)):
        kind = value.dtype if isinstance(value, np.generic) else np.float32
        graph.initializer.append(onnx.numpy_helper.from_array(np.array(value, kind), name))
    graph.input.append(onnx.helper.make_tensor_value_info(f"on_{number}", onnx.TensorProto.FLOAT, []))
    steps = [
        make("QuantizeLinear", [data, f"{tag}_scale", f"{tag}_zero"], [f"{tag}_1"]),
        make("DequantizeLinear", [f"{tag}_1", f"{tag}_scale", f"{tag}_zero"], [f"{tag}_2"]),
        make("Sub", [f"{tag}_2", data], [f"{tag}_3"]),
        make("Mul", [f"{tag}_3", f"on_{number}"], [f"{tag}_4"]),
        make("Add", [data, f"{tag}_4"], [f"{tag}_5"]),
    ]
    node.input[0] = f"{tag}_5"
    for step in reversed(steps):
        graph.node.insert(place, step)
