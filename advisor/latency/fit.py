"""Fitting the latency model's parameters: robust least squares on log ratios, held to what physics expects of them.

Leaving one chip out and predicting it from all others is the proof; the spread of those predictions is the interval.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from advisor.latency import gpu as latency_gpu
from advisor.latency.measured import ENGINES, MODELS, OPERATORS, PRODUCTS, SETS, SQUARES, Measured
from advisor.latency.operators import Numbers
from advisor.latency.parameters import Parameters, Prior, of, prior

ROBUST = 0.15  # log ratios beyond this count less than squared
ROUNDS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """One chip left out: the parameters found without it, and measured over predicted for each of its rows."""

    chip: str
    parameters: Parameters
    kind: NDArray[np.str_]
    device_id: NDArray[np.str_]
    label: NDArray[np.str_]
    measured_s: Numbers
    predicted_s: Numbers


def measured_sets(kinds: Iterable[str] = tuple(SETS)) -> list[Measured]:
    """What is measured, by kind."""
    return [SETS[kind]() for kind in kinds]


def chips(sets: Iterable[Measured]) -> list[str]:
    """Every chip that something was measured on."""
    return sorted({str(name) for measured in sets for name in measured.chip})


def predicted(measured: Measured, p: Parameters) -> Numbers:
    """Seconds the model says for each measurement."""
    ops, on = measured.ops, measured.on
    times = latency_gpu.seconds(ops, on, p)
    each = times.kernel.copy()
    if measured.kind in (PRODUCTS, MODELS, ENGINES):
        each += times.launch
    if measured.kind == PRODUCTS:
        each += np.where(on.bits8, latency_gpu.rounding_seconds(ops.m, ops.k, on, p), 0.0)
    if measured.kind == ENGINES:
        each *= p.engine_frac
    total = np.bincount(measured.group, each * ops.repeat, minlength=len(measured))
    return np.asarray(total + measured.added_s)


def fit(sets: list[Measured], expected: Prior | None = None) -> Parameters:
    """The parameters that explain these measurements best, given what is expected of them."""
    expected = expected or prior()
    weights = [_weights(measured) for measured in sets]

    def residuals(values: Numbers) -> Numbers:
        p = of(values)
        parts = [
            np.log(predicted(measured, p) / measured.seconds) * weight
            for measured, weight in zip(sets, weights, strict=True)
            if len(measured)
        ]
        return np.concatenate([*parts, (values - expected.middle) / expected.spread])

    found = least_squares(
        residuals, expected.middle, bounds=(expected.low, expected.high), x_scale=expected.spread,
        loss="soft_l1", f_scale=ROBUST, max_nfev=ROUNDS,
    )  # fmt: skip
    return of(found.x)


def leave_out(sets: list[Measured], chip: str) -> Fold:
    """The parameters fitted from scratch without the chip, and its rows predicted with them."""
    p = fit([measured.where(measured.chip != chip) for measured in sets])
    held = [measured.where(measured.chip == chip) for measured in sets]
    held = [measured for measured in held if len(measured)]
    return Fold(
        chip=chip,
        parameters=p,
        kind=np.concatenate([np.full(len(measured), measured.kind) for measured in held]),
        device_id=np.concatenate([measured.device_id for measured in held]),
        label=np.concatenate([measured.label for measured in held]),
        measured_s=np.concatenate([measured.seconds for measured in held]),
        predicted_s=np.concatenate([predicted(measured, p) for measured in held]),
    )


def _weights(measured: Measured) -> Numbers:
    """Every (device, kind of operator) counts the same, however many rows it has; then the set's own weights."""
    if measured.kind in (MODELS, SQUARES, ENGINES):
        return measured.weight
    limit = 200.0
    names = np.char.add(measured.device_id.astype(str), measured.ops.kind.astype(str))
    names = np.char.add(names, measured.on.bits8.astype(str)) if measured.kind != OPERATORS else names
    _, place, count = np.unique(names, return_inverse=True, return_counts=True)
    return np.asarray(measured.weight * np.sqrt(limit / count[place]))
