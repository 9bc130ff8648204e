"""Pruning with reconstruction: what is lost is put into the weights that stay, by least squares (SparseGPT)."""

from typing import Any

from advisor.surgery import compensate, facts, layers, onnx_rewrite
from advisor.techniques import Product, Request
from data import words
from data.errors import InputError, Unavailable
from profiler.types import Machine, Model

HELD_OUT = 4  # every fourth calibration call is held out


class Reconstruct:
    NAME = "reconstruct"
    TITLE = "Pruning with reconstruction"
    STAGE = "prune"
    GAINS = ("size",)
    CALIBRATES = True

    def options(self, model: Model, machine: Machine) -> list[dict[str, Any]]:
        return [
            {"sparsity_frac": 0.5, "pattern": "unstructured"},
            {"sparsity_frac": 0.5, "pattern": "2:4"},
            {"sparsity_frac": 0.7, "pattern": "unstructured"},
        ]

    def refuses(self, model: Model, machine: Machine) -> str | None:
        return facts.refusal(model, needs=("Conv", *facts.MATRIX_PRODUCTS))

    def apply(self, request: Request) -> Product:
        """Prunes layer by layer on three quarters of the calibration calls; the error on the held-out quarter is told
        beside it, because a reconstruction can overfit."""
        share, pattern = _checked(request)
        proto = onnx_rewrite.load(request.source)
        onnx_rewrite.lift_constants(proto)
        chosen = layers.matrices(proto)
        if not chosen:
            raise InputError("No layer is fed by one tensor and has a weight of its own.")
        fitted = [call for number, call in enumerate(request.calibration) if number % HELD_OUT != HELD_OUT - 1]
        held_out = list(request.calibration[HELD_OUT - 1 :: HELD_OUT])
        request.progress(0.05, "Watching what flows in")
        moments = layers.moments(proto, chosen, fitted, request.folder, request.seed)
        others = layers.moments(proto, chosen, held_out, request.folder, request.seed + 1)
        changed, seen, unseen = 0, [], []
        for number, weight in enumerate(chosen):
            request.progress(0.2 + 0.8 * number / len(chosen), f"Reconstructing {weight.name}")
            matrix, name = weight.matrix(), weight.tensor.name
            pruned = compensate.reconstruct(matrix, moments[name], share, pattern == "2:4")
            weight.put(pruned)
            changed += int(((matrix != 0) & (pruned == 0)).sum())
            seen.append(compensate.output_error(matrix, pruned, moments[name]))
            unseen.append(compensate.output_error(matrix, pruned, others[name]))
        target = request.folder / "reconstruct.onnx"
        companions = onnx_rewrite.save(proto, target)
        notes = (
            f"{words.many(changed, 'weight')} of {words.many(len(chosen), 'layer')} became zero ({pattern}).",
            f"A layer's relative squared error: {_mean(seen):.2g} on calibration inputs, {_mean(unseen):.2g} held out.",
            "Zeros alone make neither file nor call smaller: sparse storage or a sparse runtime must follow.",
        )
        return Product(file=target, companions=companions, changed_count=changed, notes=notes)


def _checked(request: Request) -> tuple[float, str]:
    """The share and the pattern. Raises InputError or Unavailable where they, or the calibration, cannot be."""
    share, pattern = float(request.option.get("sparsity_frac", 0.5)), str(request.option.get("pattern", "unstructured"))
    if not 0.0 < share < 1.0 or pattern not in ("unstructured", "2:4"):
        raise InputError("The share lies between 0 and 1, the pattern is unstructured or 2:4.")
    if len(request.calibration) < HELD_OUT:
        raise Unavailable(
            f"Reconstruction needs at least {HELD_OUT} calls to calibrate on.", hint="Give an .npz with more samples."
        )
    return share, pattern


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


TECHNIQUE = Reconstruct()
