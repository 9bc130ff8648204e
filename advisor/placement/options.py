"""What can serve a model: its variants on every instance one can rent, and on this machine, at several batches."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from advisor import device_energy
from advisor.latency.cpu import SERVES
from advisor.latency.gpu import PEAKS
from advisor.latency.grid import cpu_grid, gpu_grid
from advisor.latency.operators import DTYPES, OWN, Ops, parts
from advisor.placement.types import HERE
from data.errors import InputError
from data.estimate import Estimate
from data.own import SOURCE, Yours
from data.tables import Device, device, instances
from data.units import BYTES_PER_GIB, MS_PER_S
from profiler.types import Layer

BATCHES = (1, 2, 4, 8, 16, 32)
RUNTIME_BYTES = BYTES_PER_GIB // 2  # what a runtime and its libraries hold beside the model
HERE_ID = -1
NO_LIMIT = 1e300
COLUMNS = (
    "variant_id", "target_id", "kind", "batch", "low_ms", "mid_ms", "high_ms", "basis", "servers_per_instance",
    "most_servers", "part", "host_w", "fits", "idle_low_w", "idle_w", "idle_high_w", "busy_low_w", "busy_w",
    "busy_high_w",
)  # fmt: skip
WATTS = COLUMNS[-6:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A variant to be placed: its own graph, built for `layers_batch` samples, and the dtype it computes in (OWN: each
    layer in its own).

    `measured_ms` is its latency at batch 1 where it ran on this machine; only there it counts. `kinds` are the kinds
    of device its runtime works on (none named: all)."""

    variant_id: str
    layers: tuple[Layer, ...]
    dtype: str = "fp32"
    layers_batch: int = 1
    weight_bytes: int = 0
    activation_bytes: int = 0
    measured_ms: Estimate | None = None
    runtime: str = "onnxruntime"
    kinds: tuple[str, ...] = ()
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """This machine as a place to serve: where it is, how many like it there are, what one draws and costs; None is
    unknown. `yours` is what the user added: devices that stand beside it, values of zones, prices."""

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
    yours: Yours = field(default_factory=Yours)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Something that serves: an instance with `servers` devices. `part` is the share of each device it has, `host_part`
    that of the host's CPU beside each accelerator."""

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
    own: Device | None = None

    @property
    def device(self) -> Device:
        """The user's own device, or the catalogue's."""
        return self.own or device(self.device_id)


def targets(own: Sequence[Device] = ()) -> list[Target]:
    """Every instance whose device is known, as something that serves, and after them the user's own devices."""
    shipped = [found for place, one in enumerate(instances()) if (found := _target(place, one)) is not None]
    return [*shipped, *(_own_target(len(instances()) + place, one) for place, one in enumerate(own))]


def options(candidates: Sequence[Candidate], here: Here | None) -> pd.DataFrame:
    """A row for every variant x instance x batch that can be predicted, and for this machine where it was measured.

    A variant is left out on devices that have no rate for its dtype. Raises InputError where nothing is left."""
    served = targets(here.yours.devices if here is not None else ())
    frames = [_predicted(candidate, served) for candidate in candidates]
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
            host_part=cores / (host.cores or cores or 1) / whole if host else 0.0,
        )  # fmt: skip
    if one.vcpus is None:
        return None
    cores = one.vcpus / (on.threads_per_core or 1)
    sockets = max(float(np.floor(cores / (on.cores or cores))), 1.0)  # each socket serves calls of its own
    return Target(
        target_id=place, provider=one.provider, instance_type=one.instance_type, device_id=name, kind="cpu",
        servers=sockets, part=min(cores / (on.cores or cores), 1.0), cores=cores / sockets,
        memory_bytes=None if one.memory_bytes is None else one.memory_bytes / sockets,
    )  # fmt: skip


def _own_target(place: int, one: Device) -> Target:
    """One whole device of the user's own, in a server that draws what the rest of every server does."""
    return Target(
        target_id=place, provider=SOURCE, instance_type=one.device_id, device_id=one.device_id, kind=one.kind,
        servers=1.0, part=1.0, cores=None, own=one,
        memory_bytes=None if one.memory_bytes is None else float(one.memory_bytes),
    )  # fmt: skip


def _predicted(candidate: Candidate, served: Sequence[Target]) -> pd.DataFrame:
    if candidate.dtype not in (*DTYPES, OWN):
        raise InputError(f"No dtype is called {candidate.dtype}.", hint=f"Known are {', '.join(DTYPES)}.")
    if not candidate.layers:
        return pd.DataFrame()
    apart = parts(candidate.layers, candidate.dtype, folds=candidate.runtime != "pytorch")
    apart = {dtype: ops.at_batch(1.0 / candidate.layers_batch) for dtype, ops in apart.items()}
    able = [one for one in served if _runs(candidate, one) and serves(one.device, apart)]
    known = {one.device_id: one.device for one in able}
    gpus = sorted({one.device_id for one in able if one.kind != "cpu"})
    cpus = sorted({(one.device_id, one.cores) for one in able if one.kind == "cpu"}, key=str)
    seconds: dict[tuple[str, float | None], Any] = {}
    if gpus:
        grid = gpu_grid(apart, [known[name] for name in gpus], BATCHES, candidate.runtime)
        seconds |= {(name, None): grid[place] for place, name in enumerate(gpus)}
    if cpus:
        on = [(known[name], cores) for name, cores in cpus]
        seconds |= dict(zip(cpus, cpu_grid(apart, on, BATCHES), strict=True))
    rows = [row for one in able for row in _rows(candidate, one, _of_a_part(seconds[one.device_id, one.cores], one))]
    return pd.DataFrame.from_records(rows, columns=COLUMNS).assign(bits8="int8" in apart) if rows else pd.DataFrame()


def _of_a_part(ends_s: Any, one: Target) -> Any:
    """Seconds on a share of an accelerator: as much longer as the share is smaller; at the low end the rest is idle and
    the share may use it all."""
    return ends_s if one.kind == "cpu" else ends_s / np.array([1.0, one.part, one.part])


def _runs(candidate: Candidate, one: Target) -> bool:
    return not candidate.kinds or one.kind in candidate.kinds


def serves(on: Device, apart: Mapping[str, Ops]) -> bool:
    """Whether a device has rates for every dtype that the parts of a graph compute in, and its bandwidth and power are
    known. A graph with products in 8 bits is not for a device without 8-bit rates."""
    return all(_serves(on, dtype) for dtype in apart)


def _serves(on: Device, dtype: str) -> bool:
    known = getattr(on, PEAKS[dtype]) is not None and on.memory_bytes_per_s is not None and on.tdp_w is not None
    cpu_rate = dtype in SERVES and on.fp32_flop_per_s is not None
    return known and on.kind != "mcu" and (on.kind != "cpu" or cpu_rate)


def _rows(candidate: Candidate, one: Target, ends_s: Any) -> Iterator[tuple[Any, ...]]:
    """One row a batch, in the order of COLUMNS."""
    idle, busy, host = _watts(one)
    watts = (idle.low, idle.mid, idle.high, busy.low, busy.mid, busy.high)
    for batch, ends_ms in zip(BATCHES, (ends_s * MS_PER_S).tolist(), strict=True):
        need = candidate.weight_bytes + candidate.activation_bytes * batch + RUNTIME_BYTES
        fits = None if one.memory_bytes is None else need <= one.memory_bytes
        yield (
            candidate.variant_id, one.target_id, one.kind, batch, *ends_ms, "predicted", one.servers, NO_LIMIT,
            one.part, host, fits, *watts,
        )  # fmt: skip


def _watts(one: Target) -> tuple[Estimate, Estimate, float]:
    """Watts of a server that waits and of one that works, host included, and what of the waiting is the host's."""
    on = one.device
    whole, run = device_energy.idle_w(on), device_energy.busy_w(on)
    assert whole is not None and run is not None
    idle = device_energy.charged(whole, one.part)
    above = [
        one.part * max(busy - still, 0.0)
        for busy, still in ((run.low, whole.low), (run.mid, whole.mid), (run.high, whole.high))
    ]
    waiting = device_energy.idle_w(device(one.host_id)) if one.host_id else None
    host = None if waiting is None else device_energy.charged(waiting, one.host_part)
    idle = idle if host is None else idle + host  # the accelerator's host is switched on too
    busy = Estimate(
        low=idle.low + above[0], mid=idle.mid + above[1], high=idle.high + above[2], basis="modelled",
        source=device_energy.SOURCE,
    )  # fmt: skip
    return idle, busy, 0.0 if host is None else host.mid


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
            "servers_per_instance": 1.0, "most_servers": float(here.machines), "part": 1.0, "host_w": 0.0,
            "fits": None if here.memory_bytes is None
            else one.weight_bytes + one.activation_bytes + RUNTIME_BYTES <= here.memory_bytes,
            **dict(zip(WATTS, (idle.low, idle.mid, idle.high, busy.low, busy.mid, busy.high), strict=True)),
        }
        for one in candidates
        if one.measured_ms is not None
    ]  # fmt: skip
    return pd.DataFrame(rows)


def floor_ms(apart: Mapping[str, Ops], devices: Sequence[Device]) -> tuple[float, str]:
    """The time none of these devices can beat, and which comes closest: weights over bandwidth, or FLOP over peak.

    `apart` are the operators by their dtype; devices without a rate for one of them, or no bandwidth, are left out."""
    moved = sum(float(ops.weight_bytes @ ops.repeat) for ops in apart.values())
    flop = {dtype: float(ops.flop @ ops.repeat) for dtype, ops in apart.items()}
    found = []
    for one in devices:
        peaks = {dtype: getattr(one, PEAKS[dtype]) for dtype in apart}
        if one.memory_bytes_per_s and all(peaks.values()):
            computes_s = sum(flop[dtype] / peaks[dtype] for dtype in apart)
            found.append((max(moved / one.memory_bytes_per_s, computes_s) * MS_PER_S, one.name))
    return min(found) if found else (0.0, "")
