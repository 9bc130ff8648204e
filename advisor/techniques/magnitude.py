"""Magnitude pruning: the smallest weights become zero. Shrinks nothing by itself; sparse storage does."""

from typing import TYPE_CHECKING, Any

from advisor.surgery import facts, layers, onnx_rewrite
from advisor.techniques import Product, Request
from data import words
from data.errors import InputError
from profiler.types import Machine, Model

if TYPE_CHECKING:
    from numpy import ndarray


class Magnitude:
    NAME = "magnitude"
    TITLE = "Magnitude pruning"
    STAGE = "prune"
    GAINS = ("size",)
    CALIBRATES = False

    def options(self, model: Model, machine: Machine) -> list[dict[str, Any]]:
        return [
            {"sparsity_frac": sparsity, "scope": scope} for sparsity in (0.5, 0.3, 0.8) for scope in ("global", "layer")
        ]

    def refuses(self, model: Model, machine: Machine) -> str | None:
        return facts.refusal(model)

    def apply(self, request: Request) -> Product:
        """Zeroes exactly the requested share of the weights: the smallest overall ("global") or of each layer."""
        sparsity = float(request.option.get("sparsity_frac", 0.5))
        if not 0.0 < sparsity < 1.0:
            raise InputError("The share of weights to remove lies between 0 and 1.")
        proto = onnx_rewrite.load(request.source)
        onnx_rewrite.lift_constants(proto)
        pruned = layers.weights(proto)
        if not pruned:
            raise InputError("No stored weight is used by a convolution, matrix product or recurrent layer.")
        values = [onnx_rewrite.array(weight.tensor) for weight in pruned]
        zeros_before = sum(int((each == 0).sum()) for each in values)
        request.progress(0.4, "Removing the smallest weights")
        if request.option.get("scope", "global") == "global":
            prune_together(values, sparsity)
        else:
            for each in values:
                prune_together([each], sparsity)
        for weight, each in zip(pruned, values, strict=True):
            onnx_rewrite.put(weight.tensor, each)
        total = sum(each.size for each in values)
        changed = sum(int((each == 0).sum()) for each in values) - zeros_before
        if changed <= 0:
            raise InputError("At least this share of the weights is zero already, so nothing would change.")
        target = request.folder / "magnitude.onnx"
        companions = onnx_rewrite.save(proto, target)
        zeros = words.percent((changed + zeros_before) / total, 3)
        notes = (
            f"{zeros} of {words.many(total, 'weight')} are zero, in {words.many(len(values), 'tensor')}.",
            "Zeros alone make neither file nor call smaller: sparse storage or a sparse runtime must follow.",
        )
        return Product(file=target, companions=companions, changed_count=changed, notes=notes)


def prune_together(values: "list[ndarray]", sparsity: float) -> None:
    """Sets the `sparsity` share (0..1) of smallest values over all these arrays to zero, in place: exactly
    round(sparsity x count) of them, ties taken in order."""
    import numpy as np

    sizes = [each.size for each in values]
    magnitudes = np.concatenate([np.abs(each).ravel() for each in values])
    remove = round(sparsity * magnitudes.size)
    gone = np.zeros(magnitudes.size, dtype=bool)
    if remove:
        gone[np.argpartition(magnitudes, remove - 1)[:remove]] = True
    start = 0
    for each, size in zip(values, sizes, strict=True):
        each[gone[start : start + size].reshape(each.shape)] = 0
        start += size


TECHNIQUE = Magnitude()
