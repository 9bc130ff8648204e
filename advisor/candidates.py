"""Which techniques to try on a model, in which order. Nothing is left out by rule, only tried later."""

from collections.abc import Sequence
from typing import Any

from advisor.compress import failed, titled
from advisor.techniques import techniques
from advisor.types import Budget, Step, Variant
from profiler.types import Machine, Model

# Bytes of the result over bytes of a float32 original, by name: the smallest come first. A technique that is not
# named here keeps the size.
EXPECTED_SIZE = {
    "weight_only": 0.18, "weight_only_openvino": 0.16, "kmeans": 0.15, "int8_static": 0.26, "int8_openvino": 0.26,
    "int8_dynamic": 0.26, "sparse_storage": 0.6, "fp16": 0.5, "structured": 0.4, "low_rank": 0.6,
}  # fmt: skip
QUICK_STAGES = ("runtime", "quantize")
CONVOLUTIONS = {"Conv", "ConvTranspose"}
PRODUCTS = {"MatMul", "Gemm", "Attention"}


def candidates(
    model: Model, machine: Machine, budget: Budget, only: Sequence[str] = ()
) -> tuple[list[Step], list[Variant]]:
    """Steps to try, the most promising first, and what refused this model with its reason.

    Every technique's best option comes before any technique's second. Among these, quantization and the choice of
    runtime come first, the smaller expected file first, what is known to be slow on this mix of operators last of
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
            steps.append((_order(name, place, model, budget), titled(name, option)))
    return [step for _, step in sorted(steps, key=lambda item: item[0])], refused


def _within(options: Sequence[dict[str, Any]], budget: Budget) -> list[dict[str, Any]]:
    """The options; of those that hold a loss limit of their own, one, with the budget's limit."""
    if not 0.0 < budget.max_loss < 1.0 or not any("max_loss" in option for option in options):
        return list(options)
    first = next(option for option in options if "max_loss" in option)
    return [first | {"max_loss": budget.max_loss}, *(option for option in options if "max_loss" not in option)]


def _order(name: str, place: int, model: Model, budget: Budget) -> tuple[int, int, bool, bool, float, str]:
    technique = techniques()[name]
    wanted = "size" if budget.objective == "size" else "latency"
    tier = 2 if wanted not in technique.GAINS else 0 if technique.STAGE in QUICK_STAGES else 1
    return (
        place, tier, slow_here(name, model), technique.STAGE != "runtime", EXPECTED_SIZE.get(name, 1.0), name,
    )  # fmt: skip


def slow_here(name: str, model: Model) -> bool:
    """Whether this technique was seen to slow models of this operator mix: dynamic INT8 on convolutional ones (6 to
    15 times). It is still tried, after all others."""
    convolutions = sum(count for op, count in model.operators.items() if op in CONVOLUTIONS)
    products = sum(count for op, count in model.operators.items() if op in PRODUCTS)
    return name == "int8_dynamic" and convolutions > products
