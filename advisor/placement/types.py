"""The nouns of placing: one way to serve, the years there, and what decided. Standard library and `data` only."""

from dataclasses import dataclass, field

from data.estimate import Estimate

ORIGINAL = "original"  # the id of the model as it was given, where variants have ids of their own
HERE = "here"  # the provider of this machine
UTILISATION_LIMIT = 0.8  # of a server's time at the peak: beyond, waiting grows without bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """One way to serve a variant: which device, where, how many, at what cost. `latency_ms` is that of one call in the
    device; `answer_ms` holds at the budget's percentile, with filling the batch, the queue and the network."""

    variant_id: str
    device_id: str
    instance: str
    provider: str
    region: str
    zone: str | None
    replicas: int
    utilisation_frac: float
    latency_ms: Estimate
    network_ms: float | None
    kwh_per_year: Estimate
    g_co2e_per_year: Estimate | None
    usd_per_year: Estimate | None
    available: bool | None = None
    batch: int = 1
    answer_ms: float | None = None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class YearAhead:
    """A year so far from now (0 is the coming one): demand as a multiple of today's, and what it takes on this
    hardware with and without the plan, and with the plan on hardware renewed at the trend's pace."""

    years_ahead: int
    demand_ratio: Estimate
    kwh_before: Estimate
    kwh_after: Estimate | None
    kwh_renewed: Estimate
    turbine_years: Estimate
    g_co2e: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyPart:
    """A part of the energy a placement takes a year, middle only; the parts sum to the whole."""

    label: str
    kwh_per_year: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What was asked of a placement, and what decided. `titles` names the variants by their id; `here` is this machine
    whatever the limits say; `original` is the best of the uncompressed model, where a variant is placed before it;
    `parts` tell the first placement's energy apart, `years` and `until` its coming years."""

    requests_per_day: float
    peak_factor: float
    percentile: float
    objective: str
    headline: str
    considered_count: int
    feasible_count: int
    budget_ms: float | None = None
    users_at: tuple[str, ...] = ()
    binding_constraint: str = ""
    runner_up_margin: str = ""
    would_change: tuple[str, ...] = ()
    titles: dict[str, str] = field(default_factory=dict)
    not_placed: tuple[str, ...] = ()
    here: Placement | None = None
    original: Placement | None = None
    parts: tuple[EnergyPart, ...] = ()
    years: tuple[YearAhead, ...] = ()
    until: tuple[str, ...] = ()
