"""Export to ONNX: a TorchScript or .pt2 file as a graph that ONNX Runtime runs, checked against torch's answers."""

from typing import Any

from advisor.techniques import Product, Request
from profiler import convert
from profiler.types import Machine, Model


class ToOnnx:
    NAME = "to_onnx"
    TITLE = "Export to ONNX"
    STAGE = "export"
    GAINS = ("latency", "memory")
    CALIBRATES = False

    def options(self, model: Model, machine: Machine) -> list[dict[str, Any]]:
        return [{}]

    def refuses(self, model: Model, machine: Machine) -> str | None:
        if model.format == "onnx":
            return "The file is ONNX already."
        if model.format not in convert.FORMATS:
            return f"Only TorchScript and .pt2 files are exported; this one is {model.format.replace('_', ' ')}."
        return model.cannot_run

    def apply(self, request: Request) -> Product:
        """Exports at the model's shapes and compares with torch. Raises InputError where it cannot, or differs."""
        made = convert.to_onnx(
            request.source, request.model, request.model.shapes, request.folder, request.progress
        )  # fmt: skip
        notes = [
            f"Exported by {made.exporter}; on random inputs it differs from torch by at most "
            f"{made.largest_difference:.1e} of the largest output (cosine {made.cosine:.6f}).",
        ]
        if made.other_shapes:
            notes.append("It was checked at other lengths of its open axes too.")
        if made.fixed:
            notes.append(f"The model has the length of {', '.join(made.fixed)} built in: it no longer varies.")
        return Product(file=made.file, companions=made.companions, changed_count=1, notes=tuple(notes))


TECHNIQUE = ToOnnx()
