"""One graph predicted on many devices and batches at once: arrays in, arrays out."""

from collections.abc import Sequence
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from advisor.latency import cpu as latency_cpu
from advisor.latency import gpu as latency_gpu
from advisor.latency.gpu import Gpu
from advisor.latency.operators import MATMUL, Ops
from advisor.latency.parameters import fitted
from advisor.latency.predict import RUNTIMES, cpu_ends_s, gpu_ends_s
from data.tables import Device

Ends = NDArray[np.float64]


def gpu_grid(ops: Ops, devices: Sequence[Device], dtype: str, batches: Sequence[int], runtime: str) -> Ends:
    """Seconds of one call, [device, batch, (low, mid, high)]; `ops` are those of batch 1 in this dtype.

    Raises InputError where one of the devices has no rate for the dtype."""
    p = fitted()
    many = [ops.at_batch(float(batch)) for batch in batches]
    joined = Ops(**{name: np.concatenate([getattr(one, name) for one in many]) for name in _names(Ops)})
    rows = len(joined)
    whole = Ops(**{name: np.tile(getattr(joined, name), len(devices)) for name in _names(Ops)})
    known = [latency_gpu.gpu(one, dtype) for one in devices]
    on = Gpu(**{name: np.repeat([getattr(one, name) for one in known], rows) for name in _names(Gpu)})
    times = latency_gpu.seconds(whole, on, p)
    each = times.kernel + times.launch
    if dtype == "fp8":
        each = each + np.where(whole.kind == MATMUL, latency_gpu.rounding_seconds(whole.m, whole.k, on, p), 0.0)
    kernels_s = (each * whole.repeat).reshape(len(devices), len(batches), len(ops)).sum(axis=2)
    nodes = float(ops.nodes @ ops.repeat)
    found = [
        [gpu_ends_s(kernels_s[row, column], nodes, one, RUNTIMES[runtime]) for column in range(len(batches))]
        for row, one in enumerate(devices)
    ]
    return np.array(found)


def cpu_grid(ops: Ops, on: Sequence[tuple[Device, float | None]], dtype: str, batches: Sequence[int]) -> Ends:
    """Seconds of one call, [(device, cores), batch, (low, mid, high)]. Raises InputError as `gpu_grid` does."""
    many = [ops.at_batch(float(batch)) for batch in batches]
    found = [
        [cpu_ends_s(one, latency_cpu.cpu(device, dtype, cores), "cpu table") for one in many] for device, cores in on
    ]
    return np.array(found)


def _names(kind: type) -> list[str]:
    return [field.name for field in fields(kind)]
