"""The latency model against everything measured: predicted without the chip in question, beside the plain roofline.

The left-out predictions are those of the day of the fit (table latency/left_out); `benchmarks/latency_model.py` makes
them anew. A user's own measurements join them as rows of their own (`advisor.latency.own`).
"""

import numpy as np
import pandas as pd

from advisor.latency.measured import Measured
from advisor.latency.operators import Numbers
from advisor.latency.predict import interval_of
from data.tables import device, frame, headers

KINDS = {
    "models": "language models, eager PyTorch, FP32", "engines": "ResNet-50 and BERT, TensorRT (MLPerf offline)",
    "products": "matrix products, bf16 and fp8", "squares": "large square products",
    "operators": "single operators, FP32", "here": "your measurements, this machine's peaks",
    "elsewhere": "your measurements, the table's device",
}  # fmt: skip
COLUMNS = ("kind", "chip", "device_id", "label", "measured_ms", "predicted_ms", "low_ms", "high_ms", "roofline_ms",
           "error_frac", "roofline_error_frac", "inside")  # fmt: skip
OURS = "Rightsize, without the device"
INTERVAL = {"models": "models", "engines": "engines", "products": "products"}


def rows(own: pd.DataFrame | None = None) -> pd.DataFrame:
    """Every left-out prediction with its interval and error (predicted over measured, less 1), and `own` rows after."""
    found = frame("latency", "left_out")
    ends = {kind: interval_of(INTERVAL.get(kind, "products")) for kind in found["kind"].unique()}
    found["low_ms"] = found["predicted_ms"] * found["kind"].map({kind: each[0] for kind, each in ends.items()})
    found["high_ms"] = found["predicted_ms"] * found["kind"].map({kind: each[2] for kind, each in ends.items()})
    found = judged(found)
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


def roofline_s(measured: Measured) -> Numbers:
    """Seconds the plain roofline gives: all FLOP over the peak, or all bytes over the bandwidth; for whole models once
    over the whole, as it is usually drawn."""
    ops, on = measured.ops, measured.on
    flop = np.bincount(measured.group, ops.flop * ops.repeat, minlength=len(measured))
    moved = np.bincount(measured.group, ops.moved_bytes * ops.repeat, minlength=len(measured))
    first = np.searchsorted(measured.group, np.arange(len(measured)))
    return np.asarray(np.maximum(flop / on.peak_flop_per_s[first], moved / on.memory_bytes_per_s[first]))


def judged(found: pd.DataFrame) -> pd.DataFrame:
    """The rows with their errors (predicted over measured, less 1) and whether the interval holds the measured time."""
    found["error_frac"] = found["predicted_ms"] / found["measured_ms"] - 1.0
    found["roofline_error_frac"] = found["roofline_ms"] / found["measured_ms"] - 1.0
    found["inside"] = found["measured_ms"].between(found["low_ms"], found["high_ms"])
    return found[list(COLUMNS)]


def beside_others(found: pd.DataFrame) -> pd.DataFrame:
    """device, who, error_frac: the mean error on whole models by device, ours without the device, what others publish
    of the same models, and the plain roofline."""
    own = summary(found[found["kind"] == "models"])
    names = {one: device(one).name for one in own["device_id"]}
    rows = [(names[one.device_id], OURS, one.mean_error_frac) for one in own.itertuples()]
    rows += [
        (names[one.device_id], f"{one.tool}, published", one.mean_error_ratio)
        for one in published().itertuples()
        if one.device_id in names
    ]
    rows += [(names[one.device_id], "Plain roofline", one.roofline_error_frac) for one in own.itertuples()]
    return pd.DataFrame(rows, columns=["device", "who", "error_frac"])
