"""How long a model takes on hardware we do not have: predicted from its graph, always an interval, never a point.

Every operator is bounded by arithmetic, memory and launches (latency_gpu, latency_cpu); the parameters are fitted on
measured operators and models (latency_fit), and the interval is what leaving whole chips out of that fit showed.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from advisor.latency import cpu as latency_cpu
from advisor.latency import gpu as latency_gpu
from advisor.latency.cpu import Cpu
from advisor.latency.operators import DTYPES, MATMUL, OWN, Ops, parts
from advisor.latency.parameters import Parameters, fitted
from data.errors import InputError
from data.estimate import Estimate
from data.tables import UNVERIFIED_RATIO, Device, device, frame
from data.units import MS_PER_S
from profiler.types import Layer

SOURCE = "latency model, latency/parameters, devices/devices"


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """How a runtime treats a graph: what its host does for each operator, whether it folds, which residuals it has."""

    name: str
    folds: bool
    host_s: float
    host_low_s: float
    host_high_s: float
    interval: str


# Seconds of the host for each operator. Eager PyTorch: single operators cannot be timed below 26-58 us on the five
# hosts of devices/op_latency, of which timing takes a part; a model's operators are told to need 8 to 30.
RUNTIMES = {
    "pytorch": Runtime(
        name="pytorch", folds=False, host_s=15e-6, host_low_s=8e-6, host_high_s=30e-6, interval="models"
    ),
    "onnxruntime": Runtime(
        name="onnxruntime", folds=True, host_s=5e-6, host_low_s=3e-6, host_high_s=12e-6, interval="engines"
    ),
    "engine": Runtime(name="engine", folds=True, host_s=0.0, host_low_s=0.0, host_high_s=0.0, interval="engines"),
}  # fmt: skip
# Handing a call to an accelerator and waiting for its answer, however small: a few tens of microseconds (general
# knowledge; eager PyTorch's shortest measured operators of devices/op_latency take 26 to 58 us, launch included).
CALL_ENDS_S = (5e-6, 15e-6, 50e-6)
MEASURED_VENDOR = "NVIDIA"
MEASURED_CPU_VENDORS = ("Intel", "AMD")  # MLPerf's Xeons, and the nine shapes on an EPYC
WIDER = "the interval is wider"
RATES = {**{column: f"its {dtype} rate" for dtype, column in latency_gpu.PEAKS.items()},
         "memory_bytes_per_s": "its bandwidth"}  # fmt: skip
KINDS_WITHOUT_EVIDENCE = ("npu", "tpu")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """The predicted latency of one call, and what bounds it: shares of the time that sum to 1."""

    latency_ms: Estimate
    compute_frac: float
    memory_frac: float
    overhead_frac: float
    device_id: str
    dtype: str
    batch: int
    runtime: str
    notes: tuple[str, ...] = ()


def predict(
    layers: Sequence[Layer],
    device_id: str,
    *,
    dtype: str = "fp32",
    batch: int = 1,
    layers_batch: int = 1,
    runtime: str = "onnxruntime",
    cores: float | None = None,
) -> Prediction:
    """The latency (ms) of one call of `batch` samples on a device of the table.

    `layers` were built for `layers_batch` samples. `dtype` is one of DTYPES, `runtime` one of RUNTIMES; `cores` is how
    many physical cores of a CPU are used (None: a whole socket). Raises InputError on an unknown device, on a dtype
    the device has no rate for, and on a graph without layers."""
    if dtype not in (*DTYPES, OWN):
        raise InputError(f"No dtype is called {dtype}.", hint=f"Known are {', '.join(DTYPES)} and {OWN}.")
    if not layers:
        raise InputError("This model has no graph that could be followed.", hint="Weights alone have no latency.")
    if batch < 1:
        raise InputError(f"A batch of {batch} is not possible.", hint="Give 1 or more.")
    apart = parts(layers, dtype, folds=RUNTIMES[runtime].folds)
    apart = {name: ops.at_batch(batch / layers_batch) for name, ops in apart.items()}
    return _predicted(apart, device(device_id), dtype, batch, runtime, cores)


def predict_ops(
    ops: Ops, on: Device, *, dtype: str, batch: int, runtime: str = "onnxruntime", cores: float | None = None
) -> Prediction:
    """As `predict`, for operators already made ready for this dtype and batch."""
    return _predicted({dtype: ops}, on, dtype, batch, runtime, cores)


def predict_here(ops: Ops, here: Cpu, device_id: str, *, dtype: str, batch: int) -> Prediction:
    """The latency on a CPU whose peaks were measured (`latency_cpu.cpu_here`)."""
    return _on_cpu([(ops, here)], device_id, dtype, batch, interval_of("cpu here"), [])


def _predicted(
    apart: Mapping[str, Ops], on: Device, dtype: str, batch: int, runtime: str, cores: float | None
) -> Prediction:
    if on.kind == "mcu":
        raise InputError(f"{on.name} is a microcontroller: no latency is predicted for those.")
    if on.kind != "cpu":
        return _on_gpu(apart, on, dtype, batch, RUNTIMES[runtime])
    split = [(ops, latency_cpu.cpu(on, name, cores)) for name, ops in apart.items()]
    notes = [] if on.vendor in MEASURED_CPU_VENDORS else [f"No processor of {on.vendor} was measured: {WIDER}."]
    return _on_cpu(split, on.device_id, dtype, batch, table_interval(on), notes)


def interval_of(kind: str) -> tuple[float, float, float]:
    """Measured over predicted, low, middle and high, as left-out chips showed it."""
    return _intervals()[kind]


def gpu_seconds(ops: Ops, on: Device, dtype: str, p: Parameters | None = None) -> tuple[latency_gpu.Seconds, float]:
    """Seconds of one occurrence of each operator, and of the whole graph's kernels one after the other."""
    p = p or fitted()
    gpu = latency_gpu.gpu(on, dtype)
    times = latency_gpu.seconds(ops, gpu, p)
    each = times.kernel + times.launch
    if dtype == "fp8":
        rounded = latency_gpu.rounding_seconds(ops.m, ops.k, gpu.rows(len(ops)), p)
        each = each + np.where(ops.kind == MATMUL, rounded, 0.0)
    return times, float(each @ ops.repeat)


@cache
def _intervals() -> dict[str, tuple[float, float, float]]:
    rows = frame("latency", "intervals")
    columns = ["kind", "low_ratio", "mid_ratio", "high_ratio"]
    return {row[0]: (float(row[1]), float(row[2]), float(row[3])) for row in rows[columns].itertuples(index=False)}


def gpu_ends_s(
    kernels_s: float, nodes: float, on: Device, runtime: Runtime, dtypes: Iterable[str] = ()
) -> tuple[float, float, float]:
    """Seconds of one call, low, middle and high: its kernels one after the other, or the host that starts `nodes`;
    `dtypes` are what it computes in."""
    if runtime.name == "engine":
        kernels_s *= fitted().engine_frac
    ratios = _widened(runtime.interval, on, dtypes)
    hosts = (runtime.host_low_s, runtime.host_s, runtime.host_high_s)
    low, mid, high = (
        max(kernels_s * ratio, nodes * host) + call
        for ratio, host, call in zip(ratios, hosts, CALL_ENDS_S, strict=True)
    )
    return low, mid, high


def cpu_ends_s(split: Sequence[tuple[Ops, Cpu]], ratios: tuple[float, float, float]) -> tuple[float, float, float]:
    """Seconds of one call on a CPU, low, middle and high: each part of the graph at the rates of its dtype."""
    total_s = sum(_cpu_s(split)) + latency_cpu.CALL_S
    low, mid, high = (total_s * ratio for ratio in ratios)
    return low, mid, high


def table_interval(on: Device) -> tuple[float, float, float]:
    """Measured over predicted for a CPU of the table; squared where no processor of its vendor was measured."""
    low, mid, high = interval_of("cpu table")
    return (low, mid, high) if on.vendor in MEASURED_CPU_VENDORS else (low**2 / mid, mid, high**2 / mid)


def _cpu_s(split: Sequence[tuple[Ops, Cpu]]) -> list[float]:
    weight_bytes = sum(float(ops.weight_bytes @ ops.repeat) for ops, _ in split)
    times = [(latency_cpu.seconds(ops, on, weight_bytes), ops) for ops, on in split]
    return [float((each.kernel + each.launch) @ ops.repeat) for each, ops in times]


def _on_gpu(apart: Mapping[str, Ops], on: Device, dtype: str, batch: int, runtime: Runtime) -> Prediction:
    found = [(*gpu_seconds(ops, on, name), ops) for name, ops in apart.items()]
    kernels_s = sum(each[1] for each in found)
    nodes = sum(float(ops.nodes @ ops.repeat) for ops in apart.values())
    ends_s = gpu_ends_s(kernels_s, nodes, on, runtime, apart)
    waits_s = nodes * runtime.host_s
    notes = [] if on.tdp_w else [f"The power limit of {on.name} is not known and taken not to bind."]
    if waits_s >= kernels_s:
        notes.append("The host that starts the operators sets the time, not the device: a larger batch is almost free.")
    if on.vendor != MEASURED_VENDOR:
        notes.append(f"No device of {on.vendor} is among those the model was fitted on: {WIDER}.")
    if doubt := unverified(on, apart):
        notes.append(f"Not verified for this device: {', '.join(doubt)}: {WIDER}.")
    overhead_s = max(waits_s - kernels_s, 0.0) + CALL_ENDS_S[1]
    overhead_s += sum(float(times.launch @ ops.repeat) for times, _, ops in found)
    shares = _shares([(times, ops) for times, _, ops in found], overhead_s)
    return _prediction(ends_s, shares, on.device_id, dtype, batch, runtime.name, notes)


def _on_cpu(
    split: Sequence[tuple[Ops, Cpu]], device_id: str, dtype: str, batch: int, ratios: tuple[float, float, float],
    notes: list[str],
) -> Prediction:  # fmt: skip
    weight_bytes = sum(float(ops.weight_bytes @ ops.repeat) for ops, _ in split)
    times = [(latency_cpu.seconds(ops, on, weight_bytes), ops) for ops, on in split]
    overhead_s = latency_cpu.CALL_S + sum(float(each.launch @ ops.repeat) for each, ops in times)
    return _prediction(
        cpu_ends_s(split, ratios), _shares(times, overhead_s), device_id, dtype, batch, "onnxruntime", notes
    )


def unverified(on: Device, dtypes: Iterable[str]) -> list[str]:
    """The rates a prediction rests on that could not be read again in their source, of a device nothing was measured
    on; a measured one shows by itself what it does."""
    if on.device_id in _measured_devices():
        return []
    needed = [*dict.fromkeys(latency_gpu.PEAKS[dtype] for dtype in dtypes), "memory_bytes_per_s"]
    return [RATES[name] for name in needed if name in on.unverified_fields]


@cache
def _measured_devices() -> frozenset[str]:
    return frozenset(frame("latency", "left_out")["device_id"])


def _widened(kind: str, on: Device, dtypes: Iterable[str]) -> tuple[float, float, float]:
    """The interval, squared where no device of the kind or vendor was measured. A rate that is not verified adds the
    factor by which catalogues disagree on such cells, as an error of its own."""
    low, mid, high = interval_of(kind)
    if on.kind in KINDS_WITHOUT_EVIDENCE or on.vendor != MEASURED_VENDOR:
        low, high = low**2 / mid, high**2 / mid
    if unverified(on, dtypes):
        low = mid * math.exp(-math.hypot(math.log(mid / low), math.log(UNVERIFIED_RATIO)))
        high = mid * math.exp(math.hypot(math.log(high / mid), math.log(UNVERIFIED_RATIO)))
    return low, mid, high


def _shares(found: Sequence[tuple[latency_gpu.Seconds, Ops]], overhead_s: float) -> tuple[float, float, float]:
    """Compute, memory, overhead: each operator's time goes to whichever of its bounds is the higher."""
    compute = memory = 0.0
    for times, ops in found:
        bound = times.compute >= times.memory
        compute += float(np.where(bound, times.kernel, 0.0) @ ops.repeat)
        memory += float(np.where(bound, 0.0, times.kernel) @ ops.repeat)
    whole = compute + memory + overhead_s
    return compute / whole, memory / whole, overhead_s / whole


def _prediction(
    ends_s: tuple[float, float, float], shares: tuple[float, float, float], device_id: str, dtype: str, batch: int,
    runtime: str, notes: list[str],
) -> Prediction:  # fmt: skip
    low, mid, high = (end * MS_PER_S for end in ends_s)
    return Prediction(
        latency_ms=Estimate(low=low, mid=mid, high=high, basis="predicted", source=SOURCE),
        compute_frac=shares[0], memory_frac=shares[1], overhead_frac=shares[2], device_id=device_id, dtype=dtype,
        batch=batch, runtime=runtime, notes=tuple(notes),
    )  # fmt: skip
