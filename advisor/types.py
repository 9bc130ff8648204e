"""The nouns of deciding. Standard library only (and `data`, `profiler.types`)."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from advisor.clippings import Clipping
from advisor.placement.types import Placed, Placement, YearAhead
from data.estimate import Estimate
from profiler.run_types import OperatorProfile
from profiler.types import Layer, Machine, Measurement, Model

OBJECTIVES = ("energy", "latency", "size", "cost")
VERDICTS = ("compress", "keep the original", "nothing meets the budget")


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What is asked for. `latency_ms` holds at `percentile`; `max_loss` is a drop in accuracy, else 1 - cosine."""

    latency_ms: float | None = None
    percentile: float = 95.0
    max_loss: float = 0.01
    memory_bytes: int | None = None
    requests_per_day: float = 1_000_000.0
    zone: str | None = None
    objective: str = "energy"
    users_at: tuple[str, ...] = ()
    allowed_regions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One technique with the option it was applied with."""

    technique: str
    options: dict[str, Any] = field(default_factory=dict)
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How far the outputs are from the original's. `kind` is "accuracy" where labels were given, else
    "agreement". `cosine` and `snr_db` are the worst over the outputs; `inputs` says what they were taken on."""

    kind: str
    samples: int
    inputs: str = "random"
    cosine: float | None = None
    snr_db: float | None = None
    kl_divergence: float | None = None
    top1_agreement: float | None = None
    accuracy_before: float | None = None
    accuracy_after: float | None = None
    accuracy_drop: Estimate | None = None
    per_output: dict[str, dict[str, float | None]] = field(default_factory=dict)
    warning: str = ""

    @property
    def loss(self) -> float | None:
        """What is held against Budget.max_loss: the drop in accuracy, else 1 - cosine, else (of a model that answers in
        whole numbers alone) the share of answers that differ; None where none of them is known."""
        if self.accuracy_before is not None and self.accuracy_after is not None:
            return self.accuracy_before - self.accuracy_after
        agreed = self.top1_agreement if self.cosine is None else self.cosine
        return None if agreed is None else 1.0 - agreed


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A compressed file of a model: the chain of steps that made it, from which parent, and what it is.

    `failed` is the one line that says why there is no file, or why it does not run. One file run in two ways is two
    variants: `id` is the hash of file, runtime and steps; `sha256` the file's ("" where there is none). `file`, its
    `companions` and `decoded` (what runs in place of a file that is only for storage) are names in the folder of the
    model's variants."""

    KEY: ClassVar[str] = "id"

    id: str
    sha256: str
    parent_sha256: str
    steps: tuple[Step, ...]
    file: str = ""
    companions: tuple[str, ...] = ()
    decoded: str | None = None
    file_bytes: int | None = None
    weight_bytes: int | None = None
    runtime: str = "onnxruntime"
    runtime_options: dict[str, str] = field(default_factory=dict)
    quality: Quality | None = None
    calibrated_on: str = ""
    make_s: float | None = None
    make_energy_j: Estimate | None = None
    failed: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """The graph of a variant's file, as a runtime runs it at `shapes` for `batch` samples: what its latency on other
    devices is predicted from. `sha256` is that of the variant's file."""

    KEY: ClassVar[str] = "sha256"

    sha256: str
    parent_sha256: str
    batch: int
    weight_bytes: int
    activation_bytes: int
    layers: tuple[Layer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """From one call to a year. Every part is an Estimate; None where its input is not known. The totals contain the
    idle and the embodied part, which are told apart as well."""

    energy_j_per_call: Estimate | None = None
    kwh_per_year: Estimate | None = None
    g_co2e_per_year: Estimate | None = None
    turbine_years: Estimate | None = None
    usd_per_year: Estimate | None = None
    idle_kwh_per_year: Estimate | None = None
    embodied_g_co2e_per_year: Estimate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One candidate, measured against the original in the same child, and why it stands where it stands.

    `latency_ratio` is the median of paired ratios (variant / original), of wall times or, on a noisy run, of CPU times
    (`latency_basis` says which); `energy_ratio` that of the energy per call; `export_ratio` a torch file's latency
    over its ONNX export's. `loss` is held against Budget.max_loss. `ruled_out` is None for one to be recommended."""

    steps: tuple[Step, ...]
    variant_id: str
    file: str = ""
    file_bytes: int | None = None
    size_ratio: float | None = None
    latency_ratio: Estimate | None = None
    latency_basis: str = "wall"
    energy_ratio: Estimate | None = None
    export_ratio: Estimate | None = None
    latency_ms: dict[str, float | None] = field(default_factory=dict)
    peak_bytes: int | None = None
    energy_j: Estimate | None = None
    quality: Quality | None = None
    calibrated_on: str = ""
    footprint: Footprint | None = None
    payback_calls: float | None = None
    loss: float | None = None
    reasons: tuple[str, ...] = ()
    ruled_out: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """The verdict (one of VERDICTS), the plan, the runner-up with its margin, and everything that was tried."""

    verdict: str
    headline: str
    reasons: tuple[str, ...]
    plan: Plan | None
    runner_up: Plan | None
    runner_up_margin: str = ""
    binding_constraint: str = ""
    tried: tuple[Plan, ...] = ()
    not_tried: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """What a report tells of one run: its calls, and its latency (ms) by percentile, each with its 95 % interval."""

    name: str
    variant_id: str | None
    calls: int
    warmup_calls: int
    latency_ms: dict[str, Estimate | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalent:
    """A year told as so many of something people know, today and with the plan (None where there is no plan)."""

    label: str
    before: Estimate
    after: Estimate | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebound:
    """What is left of the saving if demand answered it as in a published case: energy after over before."""

    title: str
    energy_ratio: Estimate
    caution: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What follows from a report's numbers, reckoned once and kept with them: the runs' percentiles, a year in things
    people know, the years ahead, after how many days at the given demand compressing has paid for itself, and how
    much more demand would eat the saving up (a share of today's)."""

    runs: tuple[RunSummary, ...] = ()
    equivalents: tuple[Equivalent, ...] = ()
    years: tuple[YearAhead, ...] = ()
    rebounds: tuple[Rebound, ...] = ()
    payback_days: float | None = None
    break_even_demand_frac: Estimate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A credited source of a number in a report."""

    id: str
    title: str
    licence: str
    as_of: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything one sizing rests on: the only thing exporters see."""

    KEY: ClassVar[str] = "id"

    id: str
    created_at: str
    version: int
    budget: Budget
    model: Model
    machine: Machine
    baseline: Measurement
    measurements: tuple[Measurement, ...]
    variants: tuple[Variant, ...]
    recommendation: Recommendation
    footprint_before: Footprint
    footprint_after: Footprint
    placements: tuple[Placement, ...] = ()
    outlook: Outlook | None = None
    placed: Placed | None = None
    sources: tuple[Source, ...] = ()
    notes: tuple[str, ...] = ()
    clippings: tuple[Clipping, ...] = ()
    operators: OperatorProfile | None = None
