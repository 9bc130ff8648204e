"""The latency model against everything measured: predicted without the chip in question, beside the plain roofline.

The left-out predictions are those of the day of the fit (table latency/left_out); `benchmarks/latency_model.py` makes
them anew. A user's own measurements join them as rows of their own.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from advisor.latency.cpu import cpu_here
from advisor.latency.measured import Measured
from advisor.latency.operators import Numbers, from_layers
from advisor.latency.predict import interval_of, predict_here
from data.tables import frame, headers
from data.units import MS_PER_S
from profiler import stats
from profiler.types import Measurement, Model, Peaks

KINDS = {
    "models": "language models, eager PyTorch, FP32", "engines": "ResNet-50 and BERT, TensorRT (MLPerf offline)",
    "products": "matrix products, bf16 and fp8", "squares": "large square products",
    "operators": "single operators, FP32", "here": "measured here",
}  # fmt: skip
COLUMNS = ("kind", "chip", "device_id", "label", "measured_ms", "predicted_ms", "low_ms", "high_ms", "roofline_ms",
           "error_frac", "roofline_error_frac", "inside")  # fmt: skip
INTERVAL = {"models": "models", "engines": "engines", "products": "products"}


def rows(own: pd.DataFrame | None = None) -> pd.DataFrame:
    """Every left-out prediction with its interval and error (predicted over measured, less 1), and `own` rows after."""
    found = frame("latency", "left_out")
    ends = {kind: interval_of(INTERVAL.get(kind, "products")) for kind in found["kind"].unique()}
    found["low_ms"] = found["predicted_ms"] * found["kind"].map({kind: each[0] for kind, each in ends.items()})
    found["high_ms"] = found["predicted_ms"] * found["kind"].map({kind: each[2] for kind, each in ends.items()})
    found = _judged(found)
    return found if own is None else pd.concat([found, own], ignore_index=True)


def summary(found: pd.DataFrame) -> pd.DataFrame:
    """By kind and device: rows, mean and median error, the plain roofline's mean error, share inside the interval."""
    grouped = found.assign(
        error=found["error_frac"].abs(), roofline=found["roofline_error_frac"].abs()
    ).groupby(["kind", "device_id"], sort=False)  # fmt: skip
    told = grouped.agg(
        rows_count=("error", "size"), mean_error_frac=("error", "mean"), median_error_frac=("error", "median"),
        bias_frac=("error_frac", "median"), roofline_error_frac=("roofline", "mean"), inside_frac=("inside", "mean"),
    )  # fmt: skip
    return told.reset_index()


def published() -> pd.DataFrame:
    """What NeuSight, Habitat and Li et al. say of their own errors, with the source of each figure."""
    return frame("latency", "published")


def fitted_on() -> str:
    """The day of the fit (YYYY-MM-DD)."""
    return headers("latency", "left_out")[0].as_of


def own_rows(found: Sequence[tuple[Model, Measurement, Peaks]], cache_bytes: float) -> pd.DataFrame:
    """Measurements of this machine, or of others whose peaks came with them, predicted from graph and peaks alone."""
    told = []
    for model, measured, peaks in found:
        if not model.layers:
            continue
        on = cpu_here(peaks, "fp32", cache_bytes)
        ops = from_layers(model.layers, "fp32", folds=True)
        name, batch = measured.machine.cpu, measured.workload.batch_size
        latency = predict_here(ops, on, name, dtype="fp32", batch=batch).latency_ms
        flop, moved = float(ops.flop @ ops.repeat), float(ops.moved_bytes @ ops.repeat)
        roof_s = max(flop / on.product_flop_per_s, moved / on.memory_bytes_per_s)
        told.append({
            "kind": "here", "chip": name, "device_id": name, "label": model.name,
            "measured_ms": stats.median_interval(measured.samples_ms)[1], "predicted_ms": latency.mid,
            "low_ms": latency.low, "high_ms": latency.high, "roofline_ms": roof_s * MS_PER_S,
        })  # fmt: skip
    return _judged(pd.DataFrame(told)) if told else pd.DataFrame(columns=list(COLUMNS))


def roofline_s(measured: Measured) -> Numbers:
    """Seconds the plain roofline gives: all FLOP over the peak, or all bytes over the bandwidth; for whole models once
    over the whole, as it is usually drawn."""
    ops, on = measured.ops, measured.on
    flop = np.bincount(measured.group, ops.flop * ops.repeat, minlength=len(measured))
    moved = np.bincount(measured.group, ops.moved_bytes * ops.repeat, minlength=len(measured))
    first = np.searchsorted(measured.group, np.arange(len(measured)))
    return np.asarray(np.maximum(flop / on.peak_flop_per_s[first], moved / on.memory_bytes_per_s[first]))


def _judged(found: pd.DataFrame) -> pd.DataFrame:
    found["error_frac"] = found["predicted_ms"] / found["measured_ms"] - 1.0
    found["roofline_error_frac"] = found["roofline_ms"] / found["measured_ms"] - 1.0
    found["inside"] = found["measured_ms"].between(found["low_ms"], found["high_ms"])
    return found[list(COLUMNS)]
