"""What a file of weights says without an architecture, as rows: its tensors, and its size at each precision."""

import math
from collections.abc import Sequence

import pandas as pd

from advisor.types import Variant
from profiler.dtypes import sizes
from profiler.memory import ladder
from profiler.types import Model


def tensors(model: Model) -> pd.DataFrame:
    """One row a stored tensor, largest first: tensor, dtype, shape, numbers_count, stored_bytes, zero_frac."""
    rows = [
        {
            "tensor": one.name,
            "dtype": one.dtype,
            "shape": " × ".join(map(str, one.shape)) or "scalar",
            "numbers_count": math.prod(one.shape),
            "stored_bytes": one.stored_bytes,
            "zero_frac": one.zero_frac,
        }
        for one in sorted(model.tensors, key=lambda one: -one.stored_bytes)
    ]
    return pd.DataFrame(rows, columns=["tensor", "dtype", "shape", "numbers_count", "stored_bytes", "zero_frac"])


def by_dtype(model: Model) -> pd.DataFrame:
    """dtype, tensors_count, numbers_count, stored_bytes, zero_frac (of those where it is known)."""
    table = tensors(model)
    rows = []
    for dtype, group in table.groupby("dtype", sort=False):
        known = group[group["zero_frac"].notna()]
        counted = int(known["numbers_count"].sum())
        rows.append(
            {
                "dtype": dtype,
                "tensors_count": len(group),
                "numbers_count": int(group["numbers_count"].sum()),
                "stored_bytes": int(group["stored_bytes"].sum()),
                "zero_frac": float((known["zero_frac"] * known["numbers_count"]).sum()) / counted if counted else None,
            }
        )
    return pd.DataFrame(rows, columns=["dtype", "tensors_count", "numbers_count", "stored_bytes", "zero_frac"])


def precisions(model: Model) -> pd.DataFrame:
    """precision, weights_bytes, size_ratio (to what is stored), holds (the smallest rung of the ladder of places that
    holds the weights; activations come on top and are not known): one row a precision."""
    rows = []
    for precision, weight_bytes in sizes(model.parameter_count).items():
        there = next((fit.tier.title for fit in ladder(weight_bytes, 0) if fit.fits), "none of the ladder")
        rows.append(
            {
                "precision": precision,
                "weights_bytes": weight_bytes,
                "size_ratio": weight_bytes / model.weight_bytes if model.weight_bytes else None,
                "holds": there,
            }
        )
    return pd.DataFrame(rows)


def stored(model: Model, made: Sequence[Variant]) -> pd.DataFrame:
    """form, file_bytes, size_ratio (to the file as it is), snr_db (of the weights), what: one row a file that was
    made only to store."""
    rows = [
        {
            "form": one.steps[-1].title,
            "file_bytes": one.file_bytes,
            "size_ratio": one.file_bytes / model.file_bytes if one.file_bytes else None,
            "snr_db": one.quality.snr_db if one.quality else None,
            "what": one.failed or "; ".join(one.notes),
        }
        for one in made
    ]
    return pd.DataFrame(rows, columns=["form", "file_bytes", "size_ratio", "snr_db", "what"])
