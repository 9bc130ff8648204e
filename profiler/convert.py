"""From torch's files to ONNX, so that the techniques that need ONNX can have these models too."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import InputError
from profiler.inputs import random_feeds
from profiler.inspect import recognise
from profiler.onnx_graph import tools as onnx_tools
from profiler.tasks import ChildDesk, task
from profiler.types import Model

if TYPE_CHECKING:
    from numpy import ndarray

CONVERTED = "converted.onnx"
# Largest difference from torch's own answer, relative to its largest number, that float32 rounding may make.
TOLERANCE = 1e-3


@task
def to_onnx(desk: ChildDesk, *, path: str, shapes: dict[str, Sequence[int]]) -> dict[str, Any]:
    """Writes the TorchScript or .pt2 model at `path` as converted.onnx (weights beside it if they are large) into the
    job's folder; {"file", "companions", "largest_difference"}, the last relative to torch's largest output.

    Raises InputError where it has another format, lacks shapes, cannot be exported, or answers otherwise as ONNX.
    """
    file = Path(path)
    format = recognise(file)
    if format.NAME not in ("torchscript", "pt2"):
        raise InputError("Only TorchScript and .pt2 files are turned into ONNX.")
    desk.progress(0.1, "reading the model")
    model = format.read(file, {name: tuple(shape) for name, shape in shapes.items()})
    if model.cannot_run:
        raise InputError(model.cannot_run)
    feeds = random_feeds(model, shapes, seed=0)
    desk.progress(0.3, "exporting to ONNX")
    target = desk.folder / CONVERTED
    try:
        module, proto = _export(file, format.NAME, model, feeds, target)
    except RuntimeError as error:
        raise InputError(
            "This model cannot be exported to ONNX: it uses an operator the exporter does not know.",
            hint="Export it to ONNX where it was made.", details=str(error),
        ) from None  # fmt: skip
    companions = onnx_tools.save(proto, target)
    desk.progress(0.8, "comparing the answers")
    difference = _largest_difference(module, feeds, target)
    if not difference <= TOLERANCE:
        raise InputError(
            "The exported ONNX model answers otherwise than the original; it is not used.",
            hint="Export the model to ONNX where it was made.",
            details=f"largest difference {difference:.3g} of the largest output",
        )
    return {"file": CONVERTED, "companions": [each.name for each in companions], "largest_difference": difference}


def _export(path: Path, format: str, model: Model, feeds: "Mapping[str, ndarray]", target: Path) -> tuple[Any, Any]:
    """The torch module that was exported, and the ONNX model."""
    import torch

    names = [tensor.name for tensor in model.inputs]
    outputs = [tensor.name for tensor in model.outputs]
    if format == "pt2":
        program = torch.export.load(str(path))
        exported = torch.onnx.export(
            program, dynamo=True, input_names=names, output_names=outputs, verbose=False, external_data=False
        )
        assert exported is not None
        return program.module(), _without_traces(exported.model_proto)
    module = torch.jit.load(str(path), map_location="cpu").eval()  # type: ignore[no-untyped-call]
    examples = tuple(torch.from_numpy(feeds[name].copy()) for name in names)
    dynamic = {
        tensor.name: {place: axis for place, axis in enumerate(tensor.shape) if isinstance(axis, str)}
        for tensor in (*model.inputs, *model.outputs)
    }
    torch.onnx.export(
        module, examples, str(target), dynamo=False, input_names=names, output_names=outputs,
        dynamic_axes=dynamic, opset_version=17,
    )  # fmt: skip
    return module, onnx_tools.load(target)


def _without_traces(proto: Any) -> Any:
    """Without the source lines exporters leave in nodes: they are paths of the exporting machine."""
    for node in onnx_tools.nodes(proto):
        del node.metadata_props[:]
    return proto


def _largest_difference(module: Any, feeds: "Mapping[str, ndarray]", path: Path) -> float:
    """Largest difference between torch and ONNX Runtime over all outputs, relative to torch's largest number."""
    import numpy as np
    import onnxruntime
    import torch

    from profiler.torch_graph.layers import tensors_in

    with torch.no_grad():
        wanted = [value.numpy() for value in tensors_in(module(*(torch.from_numpy(a.copy()) for a in feeds.values())))]
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = session.run(None, {value.name: feeds[value.name] for value in session.get_inputs()})
    worst = 0.0
    for ours, theirs in zip(found, wanted, strict=True):
        scale = float(np.abs(theirs).max()) if theirs.size else 0.0
        if theirs.size:
            worst = max(worst, float(np.abs(ours.astype(np.float64) - theirs).max()) / (scale or 1.0))
    return worst
