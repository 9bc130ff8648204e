"""A model's memory as the rows that tables and charts are made of: running it, where it fits, training it."""

from collections.abc import Sequence

import pandas as pd

from data import words
from profiler import memory
from profiler.run_types import TrainingStep
from profiler.types import Measurement, Model

MODES = {"full": "All layers", "head": "Last layer alone"}
COLUMNS = ["what", "part", "memory_bytes", "basis"]


def running(model: Model, run: Measurement | None) -> pd.DataFrame:
    """what, part, memory_bytes, basis: the static estimate (weights and the most activations alive at once) and, where
    there is a run, the peak measured beside it."""
    rows: list[dict[str, object]] = []
    if model.peak_activation_bytes is not None:
        estimate = {"what": "Estimate", "basis": "modelled"}
        rows += [{**estimate, "part": "Weights", "memory_bytes": model.weight_bytes},
                 {**estimate, "part": "Activations", "memory_bytes": model.peak_activation_bytes}]  # fmt: skip
    if run is not None and run.peak_bytes is not None:
        rows.append({"what": "Measured", "part": "Peak", "memory_bytes": run.peak_bytes, "basis": "measured"})
    if run is not None and run.gpu_peak_bytes is not None:
        rows.append({"what": "On the GPU", "part": "Peak", "memory_bytes": run.gpu_peak_bytes, "basis": "measured"})
    return pd.DataFrame(rows, columns=COLUMNS)


def ratio(model: Model, run: Measurement | None) -> str:
    """How the measured peak stands to the estimate, in one sentence; "" where that is not known."""
    found = _ratio(model, run)
    return "" if found is None else f"The measured peak is {words.number(found)} times the estimate."


def beside(model: Model, run: Measurement | None) -> str:
    """The same in few words."""
    found = _ratio(model, run)
    return "" if found is None else f"{words.number(found)} × the estimate"


def _ratio(model: Model, run: Measurement | None) -> float | None:
    """Measured peak over estimate; None where one of them is not known or the run was of other shapes."""
    return memory.estimate_ratio(model, run) if run is not None and _same_call(model, run) else None


def fits(model: Model) -> pd.DataFrame:
    """One row a target: target, fits, verdict in words, needed_frac (of its tightest limit), needed_bytes,
    there_bytes, spare_bytes (below 0: what is missing), limit, basis. Empty where the memory is not known."""
    if model.peak_activation_bytes is None:
        return pd.DataFrame(columns=["target", "fits", "verdict", "needed_frac"])
    found = memory.ladder(model.weight_bytes, model.peak_activation_bytes)
    return pd.DataFrame(
        [
            {
                "target": one.tier.title,
                "fits": one.fits,
                "verdict": verdict(one),
                "needed_frac": one.needed_bytes / one.there_bytes,
                "needed_bytes": one.needed_bytes,
                "there_bytes": one.there_bytes,
                "spare_bytes": one.spare_bytes,
                "limit": one.limit,
                "basis": "modelled",
            }
            for one in found
        ]
    )


def verdict(fit: memory.Fit) -> str:
    """ "fits, 3.1 GiB spare" or "does not fit: 12.0 MiB missing"."""
    if fit.fits:
        return f"fits, {words.size(fit.spare_bytes)} spare"
    return f"does not fit: {words.size(-fit.spare_bytes)} missing"


def training(model: Model, steps: Sequence[TrainingStep] = ()) -> pd.DataFrame:
    """what, part, memory_bytes, basis: one float32 step with Adam, estimated part by part, and each step measured."""
    rows: list[dict[str, object]] = []
    for mode, found in memory.training_estimates(model).items():
        parts = {
            "Weights": found.weight_bytes, "Gradients": found.gradient_bytes, "Optimizer": found.optimizer_bytes,
            "Activations": found.activation_bytes,
        }  # fmt: skip
        rows += [{"what": f"{MODES[mode]}, estimate", "part": part, "memory_bytes": value, "basis": "modelled"}
                 for part, value in parts.items()]  # fmt: skip
        rows += [{"what": f"{MODES[mode]}, measured", "part": "Peak", "memory_bytes": step.peak_bytes,
                  "basis": "measured"} for step in steps if step.mode == mode]  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def _same_call(model: Model, run: Measurement) -> bool:
    """Whether the run was of the shapes the estimate is for (a run that names none took the model's own)."""
    shapes = run.workload.shapes
    return all(tuple(shapes.get(name, shape)) == tuple(shape) for name, shape in model.shapes.items())
