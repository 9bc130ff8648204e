"""What an ONNX file holds, without running it. Weights kept in other files are measured, not read."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from profiler import dtypes
from profiler.files import bytes_on_disk, sha256_of
from profiler.graph import summary
from profiler.id_inputs import upper_bounds
from profiler.onnx_graph import tools as onnx_tools
from profiler.onnx_graph import weights as onnx_weights
from profiler.types import Model, Tensor

if TYPE_CHECKING:
    from onnx import ModelProto

FORMAT = "onnx"


def read_onnx(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> Model:
    """Parameters by type, operators, inputs and outputs, and the layers at these shapes (input name -> lengths).

    Raises InputError where the file is damaged or its weights are missing.
    """
    model = onnx_tools.inlined(onnx_tools.load(path, weights=False))
    companions = onnx_tools.external_files(model, path.parent)
    weights = onnx_weights.weights(model)
    onnx_tools.slim(model, path.parent)
    inputs, outputs = _inputs(model), tuple(_tensor(value) for value in model.graph.output)
    graph = summary(model, weights, inputs, shapes)
    return Model(
        sha256=sha256_of(path, companions),
        name=path.stem,
        format=FORMAT,
        file_bytes=bytes_on_disk(path, companions),
        companions=tuple(file.name for file in companions),
        parameter_count=sum(weight.parameter_count for weight in weights.values()),
        parameters_by_dtype=onnx_weights.by_dtype(weights),
        weight_bytes=sum(weight.stored_bytes for weight in weights.values()),
        producer=f"{model.producer_name} {model.producer_version}".strip(),
        opset=next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), None),
        operators=_operators(model),
        inputs=inputs,
        outputs=outputs,
        shapes=graph.shapes,
        layers=graph.layers,
        flop=graph.flop,
        other_flop=graph.other_flop,
        peak_activation_bytes=graph.peak_activation_bytes,
        notes=graph.notes,
    )


def _inputs(model: "ModelProto") -> tuple[Tensor, ...]:
    bounds = upper_bounds(model)
    return tuple(_tensor(value, bounds.get(value.name)) for value in onnx_tools.real_inputs(model.graph))


def _tensor(value: Any, upper_bound: int | None = None) -> Tensor:
    kind = value.type.tensor_type
    shape = tuple(dim.dim_value if dim.HasField("dim_value") else (dim.dim_param or None) for dim in kind.shape.dim)
    dtype = dtypes.onnx_dtype_name(kind.elem_type) if value.type.HasField("tensor_type") else "sequence"
    return Tensor(name=value.name, dtype=dtype, shape=shape, upper_bound=upper_bound)


def _operators(model: "ModelProto") -> dict[str, int]:
    """How often each operator occurs, the most frequent first; those outside the standard carry their domain."""
    counted = Counter(
        node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"
        for node in onnx_tools.nodes(model)
        if node.op_type != "Constant"
    )
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))
