"""One graph predicted on many devices and batches at once: arrays in, arrays out."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.latency import cpu as latency_cpu
from advisor.latency import gpu as latency_gpu
from advisor.latency.gpu import Gpu
from advisor.latency.operators import MATMUL, Ops
from advisor.latency.parameters import fitted
from advisor.latency.predict import RUNTIMES, cpu_ends_s, gpu_ends_s, table_interval
from data.tables import Device

Ends = NDArray[np.float64]


def gpu_grid(apart: Mapping[str, Ops], devices: Sequence[Device], batches: Sequence[int], runtime: str) -> Ends:
    """Seconds of one call, [device, batch, (low, mid, high)]; `apart` are the operators of batch 1 by their dtype
    (`operators.parts`). Raises InputError where one of the devices has no rate for one of the dtypes."""
    kernels_s = sum(_kernels_s(ops, devices, dtype, batches) for dtype, ops in apart.items())
    nodes = sum(float(ops.nodes @ ops.repeat) for ops in apart.values())
    found = [
        [gpu_ends_s(kernels_s[row, column], nodes, one, RUNTIMES[runtime], apart) for column in range(len(batches))]
        for row, one in enumerate(devices)
    ]
    return np.array(found)


def cpu_grid(apart: Mapping[str, Ops], on: Sequence[tuple[Device, float | None]], batches: Sequence[int]) -> Ends:
    """Seconds of one call, [(device, cores), batch, (low, mid, high)]. Raises InputError as `gpu_grid` does."""
    many = [{dtype: ops.at_batch(float(batch)) for dtype, ops in apart.items()} for batch in batches]
    found = []
    for device, cores in on:
        cpus = {dtype: latency_cpu.cpu(device, dtype, cores) for dtype in apart}
        ratios = table_interval(device)
        found.append([cpu_ends_s([(ops, cpus[dtype]) for dtype, ops in one.items()], ratios) for one in many])
    return np.array(found)


def _kernels_s(ops: Ops, devices: Sequence[Device], dtype: str, batches: Sequence[int]) -> Any:
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
    return (each * whole.repeat).reshape(len(devices), len(batches), len(ops)).sum(axis=2)


def _names(kind: type) -> list[str]:
    return [field.name for field in fields(kind)]
