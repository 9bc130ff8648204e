"""2:4 pruning: of every four neighbouring weights the two that matter least become zero, as sparse GPU cores want."""

from typing import Any

from advisor.surgery import compensate, facts, layers, onnx_rewrite
from advisor.techniques import Product, Request
from data import words
from data.errors import InputError, Unavailable
from profiler.types import Machine, Model

CRITERIA = ("magnitude", "activation")


class TwoFour:
    NAME = "two_four"
    TITLE = "2:4 pruning"
    STAGE = "prune"
    GAINS = ("size",)
    CALIBRATES = True

    def options(self, model: Model, machine: Machine) -> list[dict[str, Any]]:
        return [{"criterion": "activation"}, {"criterion": "magnitude"}]

    def refuses(self, model: Model, machine: Machine) -> str | None:
        return facts.refusal(model, needs=("Conv", *facts.MATRIX_PRODUCTS))

    def apply(self, request: Request) -> Product:
        """Prunes along each output's inputs, by |weight| or by |weight| x norm of its input."""
        criterion = str(request.option.get("criterion", "magnitude"))
        if criterion not in CRITERIA:
            raise InputError(f"The criterion is one of {', '.join(CRITERIA)}.")
        if criterion == "activation" and not request.calibration:
            raise Unavailable("Pruning by activation needs inputs to calibrate on.", hint="Give an .npz of inputs.")
        proto = onnx_rewrite.load(request.source)
        onnx_rewrite.lift_constants(proto)
        chosen = layers.matrices(proto)
        moments = {}
        if criterion == "activation" and chosen:
            request.progress(0.1, "Watching what flows in")
            moments = layers.moments(proto, chosen, request.calibration, request.folder, request.seed)
        changed = 0
        for weight in chosen:
            matrix = weight.matrix()
            scores = compensate.wanda_scores(matrix, moments[weight.tensor.name].diagonal()) if moments else abs(matrix)
            pruned = matrix.copy()
            pruned[compensate.two_of_four_mask(scores)] = 0
            weight.put(pruned)
            changed += int(((matrix != 0) & (pruned == 0)).sum())
        if not changed:
            raise InputError("No layer has four neighbouring weights to choose from, so nothing would change.")
        target = request.folder / "two_four.onnx"
        companions = onnx_rewrite.save(proto, target)
        notes = (
            f"{words.many(changed, 'weight')} of {words.many(len(chosen), 'layer')} became zero, two of every four.",
            "Faster only on GPUs with sparse tensor cores; CPUs multiply by the zeros too.",
        )
        return Product(file=target, companions=companions, changed_count=changed, notes=notes)


TECHNIQUE = TwoFour()
