"""From torch's files to ONNX, so that the techniques that need ONNX can have these models too."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import InputError, RightsizeError
from profiler.inputs import filled_shapes, is_batch, random_feeds
from profiler.onnx_graph import tools as onnx_tools
from profiler.runtimes import Session
from profiler.types import Axis, Model

if TYPE_CHECKING:
    from numpy import ndarray

    Arrays = Mapping[str, ndarray]

FORMATS = ("torchscript", "pt2")
CONVERTED = "converted.onnx"
OPSET = 17  # of the older exporter, the one that takes TorchScript
# Largest difference from torch's own answer, relative to its largest number, that float32 rounding may make.
TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """An ONNX file that answers as the torch file does: `largest_difference` is the worst of all outputs, relative to
    torch's largest number; `cosine` that of the worst output. `fixed` names the axes that no longer vary."""

    file: Path
    companions: tuple[Path, ...]
    exporter: str
    largest_difference: float
    cosine: float
    other_shapes: bool
    fixed: tuple[str, ...] = ()


def to_onnx(
    path: Path,
    model: Model,
    shapes: Mapping[str, Sequence[int]],
    folder: Path,
    progress: Callable[[float, str], None] = lambda done_frac, text: None,
) -> Converted:
    """Writes the TorchScript or .pt2 file at `path` as converted.onnx (large weights beside it) into `folder`, and
    compares its answers with torch's on random inputs, at `shapes` and where axes vary at others too.

    Raises InputError where it has another format, lacks shapes, cannot be exported, or answers otherwise as ONNX.
    """
    from profiler.measure import Entry, load

    if model.format not in FORMATS:
        raise InputError("Only TorchScript and .pt2 files are turned into ONNX.")
    if model.cannot_run:
        raise InputError(model.cannot_run)
    filled = filled_shapes(model.inputs, shapes)
    progress(0.1, "Running the original")
    original = load(Entry(label="original", path=str(path), runtime="torch", options={"threads": "2"}))[0]
    feeds = random_feeds(model, filled, seed=0)
    answers = original.run(feeds)
    target = folder / CONVERTED
    for varying in _varying(model):
        progress(0.3, "Exporting to ONNX")
        companions, exporter = _write(path, model, feeds, list(answers), varying, target)
        progress(0.7, "Comparing the answers")
        found = _at(_opened(target), feeds, answers)
        others = _elsewhere(original, target, model, filled, varying)
        if others is False and model.format == "pt2":
            raise _differs("at other lengths of its open axes")
        if others or not varying or model.format == "pt2":
            return Converted(
                file=target, companions=companions, exporter=exporter, largest_difference=found[0], cosine=found[1],
                other_shapes=bool(others), fixed=tuple(sorted(_names(model) - varying)),
            )  # fmt: skip
    raise AssertionError("the last choice varies no axis")


def _names(model: Model) -> set[str]:
    """The axes that have a name, and so may vary."""
    return {axis for tensor in model.inputs for axis in tensor.shape if isinstance(axis, str)}


def _varying(model: Model) -> list[set[str]]:
    """Which axes to leave open, most first: all that have names, the batch alone, none. A traced model may have its
    other lengths built in. A .pt2 says itself which vary."""
    every = _names(model)
    if model.format == "pt2":
        return [every]
    firsts = [tensor.shape[0] for tensor in model.inputs if tensor.shape]
    batch = {axis for axis in firsts if isinstance(axis, str) and is_batch(axis, 0)}
    return [*([every] if every != batch else []), *([batch] if batch else []), set()]


def _write(
    path: Path, model: Model, feeds: "Arrays", outputs: list[str], varying: set[str], target: Path
) -> tuple[tuple[Path, ...], str]:
    """Writes the ONNX file; its companions, and what exported it. Raises InputError where the exporter cannot."""
    try:
        if model.format == "pt2":
            proto, exporter = _by_program(path, feeds, outputs), "torch.onnx (dynamo)"
        else:
            proto, exporter = _by_script(path, model, feeds, outputs, varying, target), "torch.onnx (TorchScript)"
    except RightsizeError:
        raise
    except Exception as error:  # exporters raise many kinds
        raise InputError(
            "This model cannot be exported to ONNX: it uses something the exporter does not know.",
            hint="Export it to ONNX where it was made.", details=str(error),
        ) from None  # fmt: skip
    return onnx_tools.save(proto, target), exporter


def _by_program(path: Path, feeds: "Arrays", outputs: list[str]) -> Any:
    import torch

    exported = torch.onnx.export(
        torch.export.load(str(path)), dynamo=True, input_names=list(feeds), output_names=outputs, verbose=False,
        external_data=False,
    )  # fmt: skip
    assert exported is not None
    return _without_traces(exported.model_proto)


def _by_script(path: Path, model: Model, feeds: "Arrays", outputs: list[str], varying: set[str], target: Path) -> Any:
    import torch

    module = torch.jit.load(str(path), map_location="cpu").eval()  # type: ignore[no-untyped-call]
    examples = tuple(torch.from_numpy(values.copy()) for values in feeds.values())
    dynamic = {tensor.name: _open(tensor.shape, varying) for tensor in (*model.inputs, *model.outputs)}
    torch.onnx.export(
        module, examples, str(target), dynamo=False, input_names=list(feeds), output_names=outputs,
        dynamic_axes={name: axes for name, axes in dynamic.items() if axes and name in {*feeds, *outputs}},
        opset_version=OPSET,
    )  # fmt: skip
    return onnx_tools.load(target)


def _open(axes: Sequence[Axis], varying: set[str]) -> dict[int, str]:
    return {place: axis for place, axis in enumerate(axes) if isinstance(axis, str) and axis in varying}


def _without_traces(proto: Any) -> Any:
    """Without the source lines exporters leave in nodes: they are paths of the exporting machine."""
    for node in onnx_tools.nodes(proto):
        del node.metadata_props[:]
    return proto


def _opened(target: Path) -> Session:
    from profiler.measure import Entry, load

    return load(Entry(label="converted", path=str(target), options={"threads": "2"}))[0]


def _elsewhere(
    original: Session, target: Path, model: Model, filled: Mapping[str, Sequence[int]], varying: set[str]
) -> bool | None:
    """Whether both answer alike where the axes that vary have other lengths: two more samples, other axes half as
    long. None where nothing varies, or torch itself does not run there."""
    if not varying:
        return None
    lengths = {
        tensor.name: [
            _other(axis, place, filled[tensor.name][place], varying) for place, axis in enumerate(tensor.shape)
        ]
        for tensor in model.inputs
    }
    try:
        feeds = random_feeds(model, lengths, seed=1)
        answers = original.run(feeds)
    except RightsizeError:
        return None
    try:
        _at(_opened(target), feeds, answers)
    except RightsizeError:
        return False
    return True


def _other(axis: Axis, place: int, length: int, varying: set[str]) -> int:
    if axis not in varying:
        return length
    return length + 2 if is_batch(axis, place) else max(1, length // 2)


def _at(session: Session, feeds: "Arrays", wanted: "Arrays") -> tuple[float, float]:
    """(largest difference relative to torch's largest number, cosine), the worst of all outputs. Raises InputError
    where the answers differ by more than rounding."""
    import numpy as np

    found, worst, cosine = session.run(feeds), 0.0, 1.0
    for name, theirs in wanted.items():
        if theirs.dtype.kind == "f" and not np.isfinite(theirs).all():
            raise InputError(f"The model itself answers NaN or infinity at '{name}': nothing can be compared.")
        ours = found.get(name)
        if ours is None or ours.shape != theirs.shape:
            raise InputError(f"The exported ONNX model's output '{name}' is missing or has another shape.")
        if theirs.size:
            one, other = ours.astype(np.float64).ravel(), theirs.astype(np.float64).ravel()
            worst = max(worst, float(np.abs(one - other).max()) / (float(np.abs(other).max()) or 1.0))
            norms = float(np.linalg.norm(one) * np.linalg.norm(other))
            cosine = min(cosine, float(one @ other) / norms) if norms else cosine
    if not worst <= TOLERANCE:
        raise _differs(f"largest difference {worst:.3g} of the largest output")
    return worst, cosine


def _differs(details: str) -> InputError:
    return InputError(
        "The exported ONNX model answers otherwise than the original; it is not used.",
        hint="Export the model to ONNX where it was made.", details=details,
    )  # fmt: skip
