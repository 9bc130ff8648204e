"""What can serve a model: its variants on every instance one can rent, and on this machine, at several batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from advisor import device_energy
from advisor.latency.gpu import PEAKS
from advisor.latency.grid import cpu_grid, gpu_grid
from advisor.latency.operators import DTYPES, Ops, from_layers
from data.errors import InputError
from data.estimate import Estimate
from data.tables import Device, device, instances
from data.units import BYTES_PER_GIB, MS_PER_S
from profiler.types import Layer

BATCHES = (1, 2, 4, 8, 16, 32)
RUNTIME_BYTES = BYTES_PER_GIB // 2  # what a runtime and its libraries hold beside the model
HERE, HERE_ID = "here", -1
NO_LIMIT = 1e300
WATTS = ("idle_low_w", "idle_w", "idle_high_w", "busy_low_w", "busy_w", "busy_high_w")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A variant to be placed: its own graph, built for `layers_batch` samples, and the dtype it computes in.

    `measured_ms` is its latency at batch 1 where it ran on this machine; only there it counts."""

    variant_id: str
    layers: tuple[Layer, ...]
    dtype: str = "fp32"
    layers_batch: int = 1
    weight_bytes: int = 0
    activation_bytes: int = 0
    measured_ms: Estimate | None = None
    runtime: str = "onnxruntime"


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """This machine as a place to serve: where it is, how many like it there are, what one draws and costs; None is
    unknown."""

    name: str
    zone_id: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    idle_w: Estimate | None = None
    busy_w: Estimate | None = None
    memory_bytes: int | None = None
    usd_per_h: float | None = None
    pue: float = 1.0
    device_id: str = HERE
    machines: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Something that serves: an instance with its device. `part` is the share of the device it has, `host_part` that of
    the host's CPU beside each accelerator."""

    target_id: int
    provider: str
    instance_type: str
    device_id: str
    kind: str
    servers: float
    part: float
    cores: float | None
    memory_bytes: float | None
    host_id: str | None = None
    host_part: float = 0.0


def targets() -> list[Target]:
    """Every instance whose device is known, as something that serves."""
    return [found for place, one in enumerate(instances()) if (found := _target(place, one)) is not None]


def options(candidates: Sequence[Candidate], here: Here | None) -> pd.DataFrame:
    """A row for every variant x instance x batch that can be predicted, and for this machine where it was measured.

    A variant is left out on devices that have no rate for its dtype. Raises InputError where nothing is left."""
    frames = [_predicted(candidate) for candidate in candidates]
    if here is not None:
        frames.append(_measured(candidates, here))
    frames = [rows for rows in frames if len(rows)]
    if not frames:
        raise InputError("None of these variants can be predicted on any device.", hint="Check that they have a graph.")
    found = pd.concat(frames, ignore_index=True)
    found.insert(0, "option_id", np.arange(len(found)))
    return found


def _target(place: int, one: Any) -> Target | None:
    name = one.accelerator_device_id or one.cpu_device_id
    if name is None:
        return None
    on = device(name)
    count = one.accelerator_count
    if one.accelerator_device_id:
        whole, part = max(float(np.floor(count)), 1.0), min(count, 1.0)
        memory = None if on.memory_bytes is None else on.memory_bytes * part
        host = device(one.cpu_device_id) if one.cpu_device_id else None
        cores = (one.vcpus or 0.0) / ((host.threads_per_core if host else None) or 1)
        return Target(
            target_id=place, provider=one.provider, instance_type=one.instance_type, device_id=name, kind=on.kind,
            servers=whole, part=part, cores=None, memory_bytes=memory, host_id=host.device_id if host else None,
            host_part=min(cores / (host.cores or cores or 1), 1.0) / whole if host else 0.0,
        )  # fmt: skip
    if one.vcpus is None:
        return None
    cores = one.vcpus / (on.threads_per_core or 1)
    return Target(
        target_id=place, provider=one.provider, instance_type=one.instance_type, device_id=name, kind="cpu",
        servers=1.0, part=min(cores / (on.cores or cores), 1.0), cores=cores, memory_bytes=one.memory_bytes,
    )  # fmt: skip


def _predicted(candidate: Candidate) -> pd.DataFrame:
    if candidate.dtype not in DTYPES:
        raise InputError(f"No dtype is called {candidate.dtype}.", hint=f"Known are {', '.join(DTYPES)}.")
    if not candidate.layers:
        return pd.DataFrame()
    ops = from_layers(candidate.layers, candidate.dtype, folds=candidate.runtime != "pytorch")
    ops = ops.at_batch(1.0 / candidate.layers_batch)
    able = [one for one in targets() if _serves(device(one.device_id), candidate.dtype)]
    gpus = sorted({one.device_id for one in able if one.kind != "cpu"})
    cpus = sorted({(one.device_id, one.cores) for one in able if one.kind == "cpu"}, key=str)
    seconds: dict[tuple[str, float | None], Any] = {}
    if gpus:
        grid = gpu_grid(ops, [device(name) for name in gpus], candidate.dtype, BATCHES, candidate.runtime)
        seconds |= {(name, None): grid[place] for place, name in enumerate(gpus)}
    if cpus:
        on = [(device(name), cores) for name, cores in cpus]
        seconds |= dict(zip(cpus, cpu_grid(ops, on, candidate.dtype, BATCHES), strict=True))
    rows = [
        _rows(candidate, one, seconds[one.device_id, one.cores] / (one.part if one.kind != "cpu" else 1.0))
        for one in able
    ]
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame()


def _serves(on: Device, dtype: str) -> bool:
    known = getattr(on, PEAKS[dtype]) is not None and on.memory_bytes_per_s is not None and on.tdp_w is not None
    return known and on.kind != "mcu" and not (on.kind == "cpu" and (dtype == "fp8" or on.fp32_flop_per_s is None))


def _rows(candidate: Candidate, one: Target, ends_s: Any) -> pd.DataFrame:
    on = device(one.device_id)
    idle, busy = device_energy.idle_w(on, one.part), device_energy.busy_w(on, one.part)
    assert idle is not None and busy is not None
    waiting = device_energy.idle_w(device(one.host_id), one.host_part) if one.host_id else None
    if waiting is not None:  # the accelerator's host is switched on too
        idle, busy = idle + waiting, busy + waiting
    need = [candidate.weight_bytes + candidate.activation_bytes * batch + RUNTIME_BYTES for batch in BATCHES]
    watts = (idle.low, idle.mid, idle.high, busy.low, busy.mid, busy.high)
    return pd.DataFrame({
        "variant_id": candidate.variant_id, "target_id": one.target_id, "kind": one.kind, "batch": BATCHES,
        "low_ms": ends_s[:, 0] * MS_PER_S, "mid_ms": ends_s[:, 1] * MS_PER_S, "high_ms": ends_s[:, 2] * MS_PER_S,
        "basis": "predicted", "servers_per_instance": one.servers, "most_servers": NO_LIMIT,
        "fits": None if one.memory_bytes is None else [bytes_ <= one.memory_bytes for bytes_ in need],
        **dict(zip(WATTS, watts, strict=True)),
    })  # fmt: skip


def _measured(candidates: Sequence[Candidate], here: Here) -> pd.DataFrame:
    """This machine at batch 1, for the variants that ran on it and where its power is known."""
    if here.idle_w is None or here.busy_w is None:
        return pd.DataFrame()
    idle, busy = here.idle_w, here.busy_w
    rows = [
        {
            "variant_id": one.variant_id, "target_id": HERE_ID, "kind": "cpu", "batch": 1,
            "low_ms": one.measured_ms.low, "mid_ms": one.measured_ms.mid, "high_ms": one.measured_ms.high,
            "basis": one.measured_ms.basis,
            "servers_per_instance": 1.0, "most_servers": float(here.machines),
            "fits": None if here.memory_bytes is None
            else one.weight_bytes + one.activation_bytes + RUNTIME_BYTES <= here.memory_bytes,
            **dict(zip(WATTS, (idle.low, idle.mid, idle.high, busy.low, busy.mid, busy.high), strict=True)),
        }
        for one in candidates
        if one.measured_ms is not None
    ]  # fmt: skip
    return pd.DataFrame(rows)


def floor_ms(ops: Ops, devices: Sequence[Device], dtype: str) -> tuple[float, str]:
    """The time none of these devices can beat, and which comes closest: weights over bandwidth, or FLOP over peak."""
    moved = float(ops.weight_bytes @ ops.repeat)
    flop = float(ops.flop @ ops.repeat)
    found = [
        (max(moved / one.memory_bytes_per_s, flop / peak) * MS_PER_S, one.name)
        for one in devices
        if (peak := getattr(one, PEAKS[dtype])) and one.memory_bytes_per_s
    ]
    return min(found) if found else (0.0, "")
