"""How long operators take on a GPU: bounded by its arithmetic, its memory, its power limit and its launches.

A matrix product is cut into tiles, of which every multiprocessor works on one; the cheapest of a few tile shapes and
cuts of k is taken, as libraries do. Padding to whole tiles, idle multiprocessors and the ramp of short k cost time.
The sustained rate is a share of the peak, or what the power limit allows: energy a FLOP, by process node, times rate.
"""

from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.latency.operators import BATCHED, CONVOLUTION, DEPTHWISE, NORM, SOFTMAX, Numbers, Ops
from advisor.latency.parameters import Parameters
from data.errors import InputError
from data.tables import Device, frame

FULL, WIDE, SHARED, OLD = range(4)
ISSUE = {"full": FULL, "wide": WIDE, "shared": SHARED, "old": OLD}
LANE_FLOP_PER_S = 2 * 128 * 1.7e9  # a multiprocessor of a GPU whose count is not in the table: 128 lanes at 1.7 GHz
NODE_NM = 12.0  # the parameters' energies a FLOP hold at this node; energy scales with it
DEPTHWISE_FRAC = 0.25
MODERN_NM = 7.0  # where a device's node is not known
FP32_TILES = ((128, 128), (128, 64), (64, 128), (64, 64), (32, 128), (128, 32), (32, 32))
MATRIX_TILES = (
    (256, 128), (128, 256), (128, 128), (128, 64), (64, 128), (64, 64), (32, 64), (32, 128), (16, 64), (16, 128),
)  # fmt: skip
CUTS = (1, 2, 4, 8, 16)  # pieces k may be cut into, so that more multiprocessors have work
FP32_TILE = 10.0
# Softmax and normalisation read twice (statistics, then values) and write once, where other work reads and writes once.
TWO_PASSES = 1.5
BOARD_FRAC = 1 / 3  # of a small device's power limit: what its board takes at most
SHARP, OVERLAP = 8.0, 4.0  # exponents of the smooth minimum and of the overlap of arithmetic with memory
PEAKS = {"fp32": "fp32_flop_per_s", "fp16": "fp16_flop_per_s", "bf16": "bf16_flop_per_s", "fp8": "fp8_flop_per_s",
         "int8": "int8_op_per_s"}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """What the model knows of a GPU, for one dtype: numbers, or arrays of them to predict rows of several devices."""

    peak_flop_per_s: Any
    matrix: Any
    bits8: Any
    memory_bytes_per_s: Any
    tdp_w: Any
    node_nm: Any
    multiprocessors: Any
    issue: Any
    hbm: Any

    def take(self, rows: Any) -> "Gpu":
        """The rows of a mask or of indices."""
        return Gpu(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def rows(self, count: int) -> "Gpu":
        """The same numbers as arrays of `count` rows."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return Gpu(**{name: np.broadcast_to(np.asarray(value), (count,)) for name, value in values.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Seconds:
    """Seconds of one occurrence of each operator: of its arithmetic alone, of its bytes alone, of both together, and
    of launching it."""

    compute: Numbers
    memory: Numbers
    kernel: Numbers
    launch: Numbers


def gpu(device: Device, dtype: str) -> Gpu:
    """The device at this dtype. Raises InputError where the table has no rate for the dtype, or no bandwidth."""
    peak = getattr(device, PEAKS[dtype])
    if peak is None:
        known = ", ".join(name for name, column in PEAKS.items() if getattr(device, column) is not None) or "none"
        raise InputError(f"{device.name} has no {dtype} rate in the table.", hint=f"It has: {known}.")
    if device.memory_bytes_per_s is None:
        raise InputError(f"The memory bandwidth of {device.name} is not known, so nothing can be predicted for it.")
    count, issue, memory, units = units_of(device)
    return Gpu(
        peak_flop_per_s=peak,
        matrix=dtype != "fp32" and units,
        bits8=dtype in ("fp8", "int8"),
        memory_bytes_per_s=device.memory_bytes_per_s,
        tdp_w=device.tdp_w or np.inf,
        node_nm=device.process_nm or MODERN_NM,
        multiprocessors=count,
        issue=issue,
        hbm=memory == "hbm",
    )


def units_of(device: Device) -> tuple[float, int, str, bool]:
    """Multiprocessors, kind of FP32 issue, kind of memory, matrix units; estimated from the peaks where not listed."""
    row = _units().get(device.device_id)
    if row is not None:
        return float(row[0]), ISSUE[str(row[1])], str(row[2]), row[3] == "yes"
    fp32 = device.fp32_flop_per_s or (device.bf16_flop_per_s or device.int8_op_per_s or LANE_FLOP_PER_S) / 16
    half = device.bf16_flop_per_s or device.fp16_flop_per_s or device.int8_op_per_s or 0.0
    return max(fp32 / LANE_FLOP_PER_S, 1.0), FULL, "hbm" if (device.tdp_w or 0) > 300 else "gddr", half > 2.5 * fp32


@cache
def _units() -> dict[str, tuple[Any, ...]]:
    columns = ["device_id", "multiprocessors_count", "issue", "memory_kind", "matrix_units"]
    return {row[0]: row[1:] for row in frame("latency", "gpu_units")[columns].itertuples(index=False, name=None)}


def sustained_flop_per_s(on: Gpu, p: Parameters) -> Numbers:
    """What large products reach: a share of the peak, or less where the watts do not last for it."""
    by_issue = np.array([p.fp32_full_frac, p.fp32_wide_frac, p.fp32_shared_frac, p.fp32_old_frac])
    matrix, bits8 = np.asarray(on.matrix, bool), np.asarray(on.bits8, bool)
    share = np.where(matrix, np.where(bits8, p.matrix8_frac, p.matrix16_frac), by_issue[on.issue])
    energy = np.where(matrix, np.where(bits8, 0.5, 1.0) * p.matrix16_pj_per_flop, p.fp32_pj_per_flop)
    energy_j = energy * 1e-12 * np.asarray(on.node_nm) / NODE_NM
    rate = np.asarray(on.peak_flop_per_s) * share
    watts = np.asarray(on.tdp_w)
    allowed = (watts - np.minimum(p.board_w, BOARD_FRAC * watts)) / energy_j
    return np.asarray(rate * (1.0 + (rate / allowed) ** SHARP) ** (-1.0 / SHARP))


def stream_bytes_per_s(on: Gpu, p: Parameters) -> Numbers:
    """The bandwidth that long streams reach."""
    share = np.where(np.asarray(on.issue) == OLD, p.old_memory_frac, np.where(on.hbm, p.hbm_frac, p.gddr_frac))
    return np.asarray(share * np.asarray(on.memory_bytes_per_s))


def seconds(ops: Ops, on: Gpu, p: Parameters) -> Seconds:
    """Seconds of one occurrence of each operator on the GPU."""
    on = on.rows(len(ops))
    stream = stream_bytes_per_s(on, p)
    passes = np.where(np.isin(ops.kind, (SOFTMAX, NORM)), TWO_PASSES, 1.0)
    memory = ops.moved_bytes * passes / stream
    compute = np.zeros(len(ops))
    products = ops.is_product()
    compute[products] = product_seconds(ops.take(products), on.take(products), p)
    compute[ops.kind == CONVOLUTION] *= p.convolution_frac
    kernel = (compute**OVERLAP + memory**OVERLAP) ** (1.0 / OVERLAP)
    return Seconds(compute=compute, memory=memory, kernel=kernel, launch=ops.launches * p.launch_us * 1e-6)


def rounding_seconds(m: Numbers, k: Numbers, on: Gpu, p: Parameters) -> Numbers:
    """Rounding m x k activations of 16 bits to 8 before a product: two bytes read, one written, one scale a row."""
    moved = 3.0 * m * k / stream_bytes_per_s(on, p)
    worked = (m + 0.5 * on.multiprocessors) * k / (p.rounding_per_ns * 1e9 * on.multiprocessors)
    return np.asarray(np.maximum(moved, worked) + p.rounding_launch_us * 1e-6)


def product_seconds(ops: Ops, on: Gpu, p: Parameters) -> Numbers:
    """Seconds of the arithmetic of each product, with the cheapest tile and cut of k."""
    rate = sustained_flop_per_s(on, p)
    found = np.full(len(ops), np.inf)
    deep = ops.kind == DEPTHWISE  # no product to tile: every lane sums its own window
    found[deep] = ops.flop[deep] / (DEPTHWISE_FRAC * LANE_FLOP_PER_S * on.multiprocessors[deep])
    for uses, tiles in ((False, FP32_TILES), (True, MATRIX_TILES)):
        rows = (np.asarray(on.matrix, bool) == uses) & ~deep
        if rows.any():
            found[rows] = _tiled(ops.take(rows), on.take(rows), p, rate[rows], tiles, uses)
    return found


def _tiled(
    ops: Ops, on: Gpu, p: Parameters, rate: Numbers, tiles: tuple[tuple[int, int], ...], matrix: bool
) -> NDArray[np.float64]:
    half_width = p.matrix_tile if matrix else FP32_TILE
    ramp = p.matrix_ramp * np.where(on.bits8, 2.0, 1.0) if matrix else p.fp32_ramp
    whole = (ops.kind == BATCHED) | on.bits8  # nobody cuts k of many products side by side, nor at 8 bits
    stream = stream_bytes_per_s(on, p)
    best = np.full(len(ops), np.inf)
    for high, wide in tiles:
        slower = 1.0 + half_width * (1.0 / high + 1.0 / wide - 1.0 / 64) / 2
        count = np.ceil(ops.m / high) * np.ceil(ops.n / wide) * ops.batch
        for cut in CUTS:
            waves = np.maximum(count * cut / on.multiprocessors, 1.0)
            flop = 2.0 * high * wide * (ops.k / cut + ramp) * waves * on.multiprocessors
            time = flop * slower / rate
            if cut > 1:
                time = time + 8.0 * cut * ops.m * ops.n * ops.batch / stream + p.launch_us * 1e-6
                time = np.where(whole, np.inf, time)
            best = np.minimum(best, time)
    return best
