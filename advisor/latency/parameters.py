"""The numbers of the latency model: few, physical, read from a table with units, priors and the day of the fit."""

from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.errors import DataError
from data.tables import frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """What is fitted on measured operators, products and models. Shares are of the vendor's dense peak.

    FP32 is issued in four ways: `full` (64 lanes a multiprocessor: V100, T4, A100), `wide` (128 lanes: H100), `shared`
    (128 lanes, half of them shared with integers: Ampere's graphics cards, Ada), `old` (Pascal and before)."""

    fp32_full_frac: float
    fp32_wide_frac: float
    fp32_shared_frac: float
    fp32_old_frac: float
    matrix16_frac: float
    matrix8_frac: float
    fp32_pj_per_flop: float
    matrix16_pj_per_flop: float
    board_w: float
    fp32_ramp: float
    matrix_ramp: float
    matrix_tile: float
    hbm_frac: float
    gddr_frac: float
    old_memory_frac: float
    convolution_frac: float
    launch_us: float
    rounding_launch_us: float
    rounding_per_ns: float
    engine_frac: float


NAMES = tuple(field.name for field in fields(Parameters))


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """What is expected of the parameters before anything is measured: middle, spread, and hard bounds, by NAMES."""

    middle: NDArray[np.float64]
    spread: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@cache
def fitted() -> Parameters:
    """The shipped parameters."""
    return of(_table()["value"].to_numpy(float))


@cache
def prior() -> Prior:
    """The shipped prior."""
    rows = _table()
    low, high = rows["lowest"].to_numpy(float), rows["highest"].to_numpy(float)
    return Prior(middle=rows["prior"].to_numpy(float), spread=rows["prior_spread"].to_numpy(float), low=low, high=high)


def of(values: NDArray[np.float64]) -> Parameters:
    """Parameters from their values in the order of NAMES."""
    return Parameters(**dict(zip(NAMES, map(float, values), strict=True)))


def _table() -> Any:
    rows = frame("latency", "parameters").set_index("name")
    missing = [name for name in NAMES if name not in rows.index]
    if missing:
        raise DataError(f"Table latency/parameters lacks {missing[0]}.")
    return rows.loc[list(NAMES)]
