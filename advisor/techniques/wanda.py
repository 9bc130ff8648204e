"""Wanda pruning: the weights that matter least for the inputs that really flow become zero."""

from typing import Any

from advisor.surgery import compensate, facts, layers, onnx_rewrite
from advisor.techniques import Product, Request
from data import words
from data.errors import InputError, Unavailable
from profiler.types import Machine, Model


class Wanda:
    NAME = "wanda"
    TITLE = "Wanda pruning"
    STAGE = "prune"
    GAINS = ("size",)
    CALIBRATES = True

    def options(self, model: Model, machine: Machine) -> list[dict[str, Any]]:
        return [
            {"sparsity_frac": 0.5, "compensation": "bias"},
            {"sparsity_frac": 0.5, "compensation": "none"},
            {"sparsity_frac": 0.7, "compensation": "bias"},
        ]

    def refuses(self, model: Model, machine: Machine) -> str | None:
        return facts.refusal(model, needs=("Conv", *facts.MATRIX_PRODUCTS))

    def apply(self, request: Request) -> Product:
        """Zeroes the requested share of each row by |weight| x norm of its input on the calibration inputs; "bias"
        moves the mean of what is lost into the layer's bias."""
        share, compensation = float(request.option.get("sparsity_frac", 0.5)), request.option.get("compensation")
        if not 0.0 < share < 1.0:
            raise InputError("The share of weights to remove lies between 0 and 1.")
        if not request.calibration:
            raise Unavailable("Wanda pruning needs inputs to calibrate on.", hint="Give an .npz of inputs.")
        proto = onnx_rewrite.load(request.source)
        onnx_rewrite.lift_constants(proto)
        chosen = layers.matrices(proto)
        if not chosen:
            raise InputError("No layer is fed by one tensor and has a weight of its own.")
        request.progress(0.1, "Watching what flows in")
        squares, means = _watched(proto, chosen, request)
        changed = total = 0
        for weight in chosen:
            matrix, name = weight.matrix(), weight.tensor.name
            pruned = matrix.copy()
            pruned[compensate.smallest_mask(compensate.wanda_scores(matrix, squares[name]), share)] = 0
            weight.put(pruned)
            if compensation == "bias":
                layers.add_bias(proto, weight, (matrix - pruned) @ means[name])
            changed += int(((matrix != 0) & (pruned == 0)).sum())
            total += matrix.size
        if not changed:
            raise InputError("At least this share of the weights is zero already, so nothing would change.")
        target = request.folder / "wanda.onnx"
        companions = onnx_rewrite.save(proto, target)
        notes = (
            f"{words.percent(share)} of {words.many(total, 'weight')} are zero, in {words.many(len(chosen), 'layer')}.",
            "Zeros alone make neither file nor call smaller: sparse storage or a sparse runtime must follow.",
        )
        return Product(file=target, companions=companions, changed_count=changed, notes=notes)


def _watched(proto: Any, chosen: list[layers.Weight], request: Request) -> tuple[dict[str, Any], dict[str, Any]]:
    """The sum of squares of each input of each layer and its mean, by the weight's name."""
    import numpy as np

    squares: dict[str, Any] = {}
    sums: dict[str, Any] = {}
    counts: dict[str, int] = {}
    for rows_of in layers.flow(proto, chosen, request.calibration, request.folder, request.seed):
        for weight in chosen:
            name, rows = weight.tensor.name, rows_of(weight).astype(np.float64)
            squares[name] = squares.get(name, 0.0) + (rows**2).sum(0)
            sums[name] = sums.get(name, 0.0) + rows.sum(0)
            counts[name] = counts.get(name, 0) + len(rows)
    return squares, {name: sums[name] / counts[name] for name in sums}


TECHNIQUE = Wanda()
