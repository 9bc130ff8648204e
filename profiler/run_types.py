"""The nouns of special runs: where a call's time goes, latency under load, and a step of training."""

from dataclasses import dataclass
from typing import ClassVar

from data.units import MS_PER_S
from profiler.types import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorTime:
    """One operator as the runtime ran it, which may be several layers of the graph in one. `ms` is the median of a
    call, with the middle half in low and high; `layers` are the names of the graph's layers it stands for (none for
    what the runtime added itself), and flop and bytes are theirs."""

    name: str
    op: str
    ms: float
    low_ms: float
    high_ms: float
    layers: tuple[str, ...] = ()
    flop: int = 0
    weight_bytes: int = 0
    moved_bytes: int = 0

    @property
    def flop_per_s(self) -> float | None:
        """FLOP a second; None where it does none or took no time."""
        return self.flop / self.ms * MS_PER_S if self.flop and self.ms else None

    @property
    def intensity(self) -> float | None:
        """FLOP per byte moved."""
        return self.flop / self.moved_bytes if self.flop and self.moved_bytes else None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorProfile:
    """Where the time of a call goes, by the runtime's own profile. `sum_ms` is that of the operators, `run_ms` the
    profiled call's, `latency_ms` a call's without the profile, measured in the same child."""

    KEY: ClassVar[str] = "id"

    id: str
    created_at: str
    model_sha256: str
    variant_id: str | None = None
    fingerprint: str
    runtime: str
    options: dict[str, str]
    workload: Workload
    operators: tuple[OperatorTime, ...]
    sum_ms: float
    run_ms: float
    latency_ms: float
    calls: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadTest:
    """Latency under load: single requests arriving at random (Poisson) at `rate_per_s` on average, served by
    `workers` at once. A sample is the time from a request's arrival to its answer, waiting included; `service_ms` is
    a call's own time, and `utilisation_frac` the share of time the workers were to be busy."""

    KEY: ClassVar[str] = "id"

    id: str
    created_at: str
    model_sha256: str
    variant_id: str | None = None
    fingerprint: str
    runtime: str
    provider: str
    options: dict[str, str]
    workload: Workload
    rate_per_s: float
    achieved_per_s: float
    workers: int
    service_ms: float
    utilisation_frac: float
    samples_ms: tuple[float, ...]
    cpu_pressure_frac: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingStep:
    """The memory of real training steps with Adam, in a process of their own beyond its imports: `load_bytes` after
    loading, `peak_bytes` at most. `mode` is "full" or "head" (the last layer with parameters learned)."""

    KEY: ClassVar[str] = "id"

    id: str
    created_at: str
    model_sha256: str
    fingerprint: str
    mode: str
    workload: Workload
    load_bytes: int
    peak_bytes: int
    trained_count: int
    parameter_count: int
    notes: tuple[str, ...] = ()
