"""Hadamard rotation of pairs of linear layers: the same function, its outliers spread before it is quantized."""

from typing import TYPE_CHECKING, Any

from advisor.surgery import facts, onnx_rewrite, rotation
from advisor.techniques import Product, Request
from data import words
from data.errors import InputError
from profiler.types import Machine, Model

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy import ndarray

ALLOWED_CHANGE = 1e-5  # of the largest output, in float32


class Hadamard:
    NAME = "hadamard"
    TITLE = "Hadamard rotation"
    STAGE = "rotate"
    GAINS = ("size",)
    CALIBRATES = False

    def options(self, model: Model, machine: Machine) -> list[dict[str, Any]]:
        return [{}]

    def refuses(self, model: Model, machine: Machine) -> str | None:
        if (reason := facts.refusal(model, needs=facts.MATRIX_PRODUCTS)) is not None:
            return reason
        if facts.count(model, facts.MATRIX_PRODUCTS) < 2:
            return "A rotation needs two linear layers, one after the other."
        return "Rotating more than 1 GB of weights is not supported." if facts.is_large(model) else None

    def apply(self, request: Request) -> Product:
        """Rotates every pair with nothing nonlinear between; the outputs must stay within 1e-5 of the largest."""
        import numpy as np

        proto = onnx_rewrite.load(request.source)
        onnx_rewrite.lift_constants(proto)
        onnx_rewrite.gemm_to_matmul(proto)
        found = rotation.pairs(proto)
        if not found:
            raise InputError(
                "No two linear layers follow each other without something nonlinear between, so nothing can be rotated."
            )
        generator = np.random.default_rng(request.seed)
        for number, pair in enumerate(found):
            request.progress(number / len(found), "Rotating")
            rotation.rotate(pair, generator.choice([-1.0, 1.0], pair.width))
        target = request.folder / "hadamard.onnx"
        companions = onnx_rewrite.save(proto, target)
        change = largest_change(request.source, target, request.calibration[0])
        if change > ALLOWED_CHANGE:
            raise InputError(f"The rotated model's outputs differ by {change:.1g} of the largest: thrown away.")
        blocks = sorted({pair.block for pair in found})
        notes = (
            f"{words.many(len(found), 'pair')} of layers rotated, in blocks of {', '.join(map(str, blocks))}.",
            f"Outputs in float32 stay within {change:.1g} of the largest; a gain shows only after quantization.",
        )
        return Product(file=target, companions=companions, changed_count=len(found), notes=notes)


def largest_change(before: "Path", after: "Path", call: "Mapping[str, ndarray]") -> float:
    """The largest difference of two ONNX files' outputs on one call, relative to the largest output (at least 1)."""
    import numpy as np
    import onnxruntime as ort

    settings = ort.SessionOptions()
    settings.log_severity_level = 4
    with onnx_rewrite.edge("Running the rotated model"):
        first, second = (ort.InferenceSession(str(path), settings).run(None, dict(call)) for path in (before, after))
    return max(
        float(np.abs(one - two).max(initial=0.0)) / max(1.0, float(np.abs(one).max(initial=0.0)))
        for one, two in zip(first, second, strict=True)
    )


TECHNIQUE = Hadamard()
