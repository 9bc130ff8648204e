"""Which techniques to try on a model, in which order. Nothing is left out by rule, only tried later."""

from collections.abc import Sequence
from typing import Any

from advisor.compress import failed, titled
from advisor.techniques import techniques
from advisor.types import Budget, Step, Variant
from profiler.types import Machine, Model

# What is expected of each technique on models of some size, only to order them by: bytes of the result over bytes of a
# float32 original, and CPU time likewise (shared measurements of nine shapes; a technique that is not named keeps it).
EXPECTED_SIZE = {
    "weight_only": 0.18, "weight_only_openvino": 0.16, "kmeans": 0.15, "int8_static": 0.26, "int8_openvino": 0.26,
    "int8_dynamic": 0.26, "int8_mixed": 0.3, "sparse_storage": 0.6, "fp16": 0.5, "structured": 0.4, "low_rank": 0.6,
}  # fmt: skip
EXPECTED_TIME = {
    "int8_openvino": 0.31, "int8_static": 0.36, "int8_dynamic": 0.4, "weight_only_openvino": 0.5, "int8_mixed": 0.55,
    "runtime_choice": 0.55, "structured": 0.58, "low_rank": 0.65, "weight_only": 0.85, "graph_optimise": 0.95,
}  # fmt: skip
QUICK_STAGES = ("runtime", "quantize")
FIRST = "runtime_choice"  # made in a moment and often a gain: the first answer people see
CONVOLUTIONS = {"Conv", "ConvTranspose"}
PRODUCTS = {"MatMul", "Gemm", "Attention"}
ON_OPENVINO = ("int8_openvino", "weight_only_openvino", "runtime_choice")
TINY_FLOP = 20_000_000  # a call this small is mostly the cost of calling, and OpenVINO's is several times as high


def candidates(
    model: Model, machine: Machine, budget: Budget, only: Sequence[str] = (), *, training: bool = False
) -> tuple[list[Step], list[Variant]]:
    """Steps to try, the most promising first, and what refused this model with its reason.

    Every technique's best option comes before any technique's second. Among these, quantization and the choice of
    runtime come first (and what needs `training` data, where there are some, early among them), the smaller expected
    time first - or the smaller file, where that is what counts - and what is known to be slow on such a model last of
    them; then what changes the structure, which takes long; last what cannot gain on the objective at all.
    """
    steps, refused = [], []
    for name, technique in techniques().items():
        if technique.STAGE == "export" or (only and name not in only):  # a torch file is exported before the search
            continue
        reason = technique.refuses(model, machine)
        if reason is not None:
            refused.append(failed(model, [titled(name, {})], reason))
            continue
        for place, option in enumerate(_within(technique.options(model, machine), budget)):
            steps.append((_order(name, place, model, budget, training), titled(name, option)))
    return [step for _, step in sorted(steps, key=lambda item: item[0])], refused


def _within(options: Sequence[dict[str, Any]], budget: Budget) -> list[dict[str, Any]]:
    """The options; of those that hold a loss limit of their own, one, with the budget's limit."""
    if not 0.0 < budget.max_loss < 1.0 or not any("max_loss" in option for option in options):
        return list(options)
    first = next(option for option in options if "max_loss" in option)
    return [first | {"max_loss": budget.max_loss}, *(option for option in options if "max_loss" not in option)]


def _order(
    name: str, place: int, model: Model, budget: Budget, training: bool
) -> tuple[int, int, int, bool, float, str]:
    technique = techniques()[name]
    wanted = "size" if budget.objective == "size" else "latency"
    quick = technique.STAGE in QUICK_STAGES or (training and technique.STAGE == "structure")
    tier = 2 if wanted not in technique.GAINS else 0 if quick else 1
    expected = EXPECTED_SIZE if wanted == "size" else EXPECTED_TIME
    early = name == FIRST or (training and technique.STAGE == "structure")
    return place, tier, slow_here(name, model), not early, expected.get(name, 1.0), name


def slow_here(name: str, model: Model) -> int:
    """0, or above it where this technique was seen to slow such models: 1 for dynamic INT8 on convolutional ones (6 to
    15 times), 2 for OpenVINO on very small ones (2 to 8 times, and long to make). It is tried after all others."""
    if name in ON_OPENVINO:
        return 2 if model.flop is not None and model.flop < TINY_FLOP else 0
    convolutions = sum(count for op, count in model.operators.items() if op in CONVOLUTIONS)
    products = sum(count for op, count in model.operators.items() if op in PRODUCTS)
    return 1 if name == "int8_dynamic" and convolutions > products else 0


def sure_count(steps: Sequence[Step], model: Model, most: int) -> int:
    """How many of these steps, of the first `most`, are promising or at least quick to be known: they are tried on a
    busy machine too."""
    return sum(1 for step in steps[:most] if slow_here(step.technique, model) < 2)
