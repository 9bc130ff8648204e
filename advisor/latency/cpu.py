"""How long operators take on a CPU, from what this machine (or the table) says it reaches: products and streams.

A product runs at the rate large products were seen to reach, padded to the registers' tile; weights stream from
memory unless the whole model stays in the cache, activations from the cache while they fit. A core computes while its
cache delivers, and waits for memory. What is computed beside
the products (exponentials, divisions) and windows of one channel run at a fraction of the vector rate.
"""

from dataclasses import dataclass

import numpy as np

from advisor.latency.gpu import Seconds
from advisor.latency.operators import DEPTHWISE, ELEMENTWISE, NORM, SOFTMAX, STEP, Ops
from data.errors import InputError
from data.tables import Device
from profiler.types import Peaks

NODE_S = 0.5e-6  # ONNX Runtime's work around one operator, and around one call; a 2.6 GHz Zen 5, one thread
CALL_S = 4e-6
# Waking the other cores for an operator, spinning off: what two threads lost against half of one thread's time.
WAKE_S = 20e-6
TILE_N = 16  # output columns a kernel computes at a time: one 512-bit register of floats
RAMP_K = 8.0  # columns of k lost to loading the accumulators and storing them
DEPTHWISE_FRAC = 1 / 8  # of the product rate: one multiply-add a load
OTHER_FRAC = 1 / 16  # of the product rate: an exponential is a polynomial of about twelve steps
VECTOR_FRAC, MATRIX_FRAC = 0.57, 0.29  # of the table's peaks: MLPerf's Xeon results (VNNI 0.56-0.58, AMX 0.25-0.36)
NEAR_BYTES, NEAR_GAIN = 1 << 20, 1.4  # what stays in a core's own cache streams faster than from the shared one
CACHE_OVER_MEMORY = 2.5  # where only the memory's bandwidth is known
MEMORY_FRAC = 0.8
CACHE_BYTES_PER_CORE = 2 * 1024 * 1024
SERVES = {"fp32": "fp32_flop_per_s", "bf16": "bf16_flop_per_s", "int8": "int8_op_per_s", "fp16": "fp16_flop_per_s"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cpu:
    """Rates a CPU reaches on the cores in use, all together, and the cache they share."""

    product_flop_per_s: float
    vector_flop_per_s: float
    memory_bytes_per_s: float
    cache_bytes_per_s: float
    cache_bytes: float
    cores: float = 1.0


def cpu_here(peaks: Peaks, dtype: str, cache_bytes: float) -> Cpu:
    """This machine as `peaks` were measured. Raises InputError where this dtype, or the bandwidth, was not."""
    rate = getattr(peaks, SERVES.get(dtype, ""), None)
    vector, memory = peaks.fp32_flop_per_s, peaks.memory_bytes_per_s
    if rate is None or vector is None or memory is None:
        raise InputError(f"The peaks of this machine say nothing of {dtype}.", hint="Measure the peaks again.")
    cache = peaks.cache_bytes_per_s or memory
    return Cpu(
        product_flop_per_s=rate.mid, vector_flop_per_s=vector.mid, memory_bytes_per_s=memory.mid,
        cache_bytes_per_s=max(cache.mid, memory.mid), cache_bytes=cache_bytes, cores=peaks.threads,
    )  # fmt: skip


def cpu(device: Device, dtype: str, cores: float | None = None) -> Cpu:
    """The table's CPU on `cores` physical cores of a socket (None: all). Raises InputError where a rate is missing."""
    peak = getattr(device, SERVES.get(dtype, ""), None)
    fp32, memory = device.fp32_flop_per_s, device.memory_bytes_per_s
    if peak is None or fp32 is None or memory is None:
        raise InputError(f"{device.name} has no {dtype} rate in the table.", hint="Choose another dtype or device.")
    count = device.cores or 1
    share = min((cores or count) / count, 1.0)
    matrix = "AMX" in (device.simd or "") and dtype in ("bf16", "int8")
    stream = memory * MEMORY_FRAC * min(1.0, max(share * 2.0, share))  # half of the cores fill the memory channels
    return Cpu(
        product_flop_per_s=peak * share * (MATRIX_FRAC if matrix else VECTOR_FRAC),
        vector_flop_per_s=fp32 * share * VECTOR_FRAC,
        memory_bytes_per_s=stream,
        cache_bytes_per_s=max(stream, memory * CACHE_OVER_MEMORY * share),
        cache_bytes=CACHE_BYTES_PER_CORE * count * share,
        cores=max(count * share, 1.0),
    )


def seconds(ops: Ops, on: Cpu, weight_bytes: float | None = None) -> Seconds:
    """Seconds of one occurrence of each operator on the CPU. `weight_bytes` are those of the whole model, where `ops`
    are only a part of it."""
    whole = float(ops.weight_bytes @ ops.repeat) if weight_bytes is None else weight_bytes
    weights_stay = whole < on.cache_bytes / 2
    moved = ops.read_bytes + ops.written_bytes
    near = NEAR_GAIN if float(ops.moved_bytes.max(initial=0.0)) < NEAR_BYTES else 1.0
    from_cache = moved < on.cache_bytes / 2
    # The next step of a recurrent layer finds its weights where the last one left them.
    weights_near = weights_stay | (ops.weight_bytes < on.cache_bytes / 2) & (ops.kind == STEP)
    cached = (np.where(weights_near, ops.weight_bytes, 0.0) + np.where(from_cache, moved, 0.0)) / near
    cached = cached / on.cache_bytes_per_s
    fetched = np.where(weights_near, 0.0, ops.weight_bytes) + np.where(from_cache, 0.0, moved)
    fetched = fetched / on.memory_bytes_per_s
    padded = 2.0 * ops.batch * ops.m * np.ceil(ops.n / TILE_N) * TILE_N * (ops.k + RAMP_K * (ops.k > 0))
    compute = np.where(
        ops.kind == DEPTHWISE, ops.flop / DEPTHWISE_FRAC / on.vector_flop_per_s, padded / on.product_flop_per_s
    )
    light = np.isin(ops.kind, (ELEMENTWISE, SOFTMAX, NORM))
    compute = compute + np.where(light, ops.other_flop / OTHER_FRAC / on.vector_flop_per_s, 0.0)
    alone = np.maximum(compute * on.cores, cached) + fetched
    together = np.maximum(compute, cached) + fetched + WAKE_S
    return Seconds(
        compute=compute, memory=cached + fetched, kernel=alone if on.cores <= 1.0 else np.minimum(alone, together),
        launch=ops.nodes * NODE_S,
    )  # fmt: skip
