"""The nouns of measuring. Standard library only (and `data`)."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from data.estimate import Estimate

# Names of dtypes are numpy's ("float32", "int64"), and "bfloat16", "float8_e4m3", "int4", "uint4" beside them.
Axis = int | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """An input or output. An axis is a length, the name of a dynamic axis, or None where it has no name.

    `upper_bound` is set for inputs that index a table (token ids): values are drawn below it.
    """

    name: str
    dtype: str
    shape: tuple[Axis, ...]
    upper_bound: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One operator of the graph. `flop` counts 2 per multiply-add of convolution, matrix multiplication,
    attention and recurrent layers; everything else is `other_flop`. Bytes are those of one pass at the shapes
    the graph was built for: weights, tensors read (weights not counted) and tensors written.

    `dims` gives a matrix multiplication as batch, m, n, k; a convolution as batch, in_channels, out_channels,
    groups, out_positions, kernel_positions; attention as batch, heads, query, key, head_size; a recurrent layer
    as batch, steps, input_size, hidden_size, gates, directions; any other operator as elements (written).
    `inputs` and `outputs` are tensor names, so that the order of life of an activation can be followed. Inside a
    loop, flop and bytes hold for all its `repeat` turns. Of a table (embedding) only the rows looked up count as
    `weight_bytes`; `parameter_count` holds the parameters first used here.
    """

    name: str
    op: str
    flop: int
    other_flop: int = 0
    weight_bytes: int = 0
    read_bytes: int = 0
    written_bytes: int = 0
    parameter_count: int = 0
    dtype: str = "float32"
    dims: dict[str, int] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    repeat: int = 1
    notes: tuple[str, ...] = ()

    @property
    def intensity(self) -> float | None:
        """FLOP per byte moved (weights included); None where nothing is moved."""
        moved = self.weight_bytes + self.read_bytes + self.written_bytes
        return (self.flop + self.other_flop) / moved if moved else None


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightTensor:
    """One stored tensor of a file that has weights but no architecture."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    stored_bytes: int
    zero_frac: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What a file is, before anything has run. `flop` and the layers hold for `shapes`; None where the graph
    could not be built (the reason is in `notes`). `cannot_run` says in one sentence why latency cannot be
    measured (weights without an architecture); None where it can. `companions` are the names of the files beside it
    that hold its weights; `file_bytes` counts them."""

    KEY: ClassVar[str] = "sha256"

    sha256: str
    name: str
    format: str
    file_bytes: int
    companions: tuple[str, ...] = ()
    parameter_count: int
    parameters_by_dtype: dict[str, int]
    weight_bytes: int
    producer: str = ""
    opset: int | None = None
    operators: dict[str, int] = field(default_factory=dict)
    inputs: tuple[Tensor, ...] = ()
    outputs: tuple[Tensor, ...] = ()
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    layers: tuple[Layer, ...] = ()
    flop: int | None = None
    other_flop: int | None = None
    peak_activation_bytes: int | None = None
    tensors: tuple[WeightTensor, ...] = ()
    cannot_run: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """One GPU of this machine, as NVML names it."""

    index: int
    name: str
    memory_bytes: int
    power_limit_w: float | None = None
    driver: str = ""
    mig: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """This machine. `fingerprint` is the same as long as hardware and library versions are."""

    KEY: ClassVar[str] = "fingerprint"

    fingerprint: str
    cpu: str
    isa: tuple[str, ...]
    physical_cores: int
    logical_cores: int
    memory_bytes: int
    caches_bytes: dict[str, int] = field(default_factory=dict)
    gpus: tuple[Gpu, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    system: str = ""
    virtual: bool | None = None
    governor: str | None = None

    @property
    def has_vnni(self) -> bool:
        """INT8 dot products in one instruction: AVX512-VNNI, AVX-VNNI or AMX."""
        return bool({"avx512_vnni", "avx_vnni", "amx_int8"} & set(self.isa))

    @property
    def has_bf16(self) -> bool:
        """bfloat16 arithmetic in hardware: AVX512-BF16 or AMX."""
        return bool({"avx512_bf16", "amx_bf16"} & set(self.isa))


@dataclass(frozen=True, slots=True, kw_only=True)
class Peaks:
    """The best this machine was seen to do on so many threads: matrix products by dtype (FLOP or integer operations
    a second, 2 per multiply-add) and streams (bytes read and written a second). None where it cannot."""

    KEY: ClassVar[str] = "id"

    id: str
    fingerprint: str
    device: str
    threads: int
    created_at: str
    fp32_flop_per_s: Estimate | None = None
    fp16_flop_per_s: Estimate | None = None
    bf16_flop_per_s: Estimate | None = None
    int8_op_per_s: Estimate | None = None
    memory_bytes_per_s: Estimate | None = None
    cache_bytes_per_s: Estimate | None = None
    cpu_pressure_frac: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How busy the machine is: 1-minute load average, the kernel's CPU pressure (share of the last 10 s in which some
    runnable task waited), and of a watched window the share of our cores that other processes (and a hypervisor's
    other guests) kept busy; None where the system does not tell."""

    load_1m: float | None = None
    cpu_pressure_frac: float | None = None
    others_frac: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What was run: one call's batch and input shapes, on how many threads."""

    batch_size: int = 1
    threads: int = 1
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    scenario: str = "single stream"
    inputs: str = "random"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One timed run of one file. Raw samples are kept; statistics are computed from them later.

    `provider` is what really ran, never what was asked for. Every sample is one call. Runs interleaved in one child
    share `group_id` and take turns in rounds of `calls_per_round` successive calls: sample i belongs to round
    i // calls_per_round, and `cpu_samples_ms` holds the process CPU time of one call of each round: paired ratios
    come from the rounds (`profiler.stats.paired_ratio`). A group may have been loaded several times, each time in a
    child of its own: `rounds_per_load` counts the rounds of each load, in order (empty: one load), and `load_ms` is
    the median of the loads. `energy_j` is per call, `power_w` the mean while calls followed each other: energy over
    power is the mean time of a call. `peak_bytes` is the child's
    resident memory beyond `baseline_bytes`, `gpu_peak_bytes` the GPU's. `model_sha256` is the original's,
    `variant_id` the compressed variant's (None for the original itself). Times are UTC, ISO 8601."""

    KEY: ClassVar[str] = "id"

    id: str
    group_id: str
    created_at: str
    model_sha256: str
    variant_id: str | None = None
    machine: Machine
    runtime: str
    provider: str
    options: dict[str, str]
    workload: Workload
    samples_ms: tuple[float, ...]
    cpu_samples_ms: tuple[float, ...]
    warmup_ms: tuple[float, ...]
    load_ms: float
    stable: bool
    calls_per_round: int = 1
    rounds_per_load: tuple[int, ...] = ()
    energy_j: Estimate | None = None
    power_w: Estimate | None = None
    idle_w: Estimate | None = None
    peak_bytes: int | None = None
    baseline_bytes: int | None = None
    gpu_peak_bytes: int | None = None
    load_before: Load = field(default_factory=Load)
    load_after: Load = field(default_factory=Load)
    notes: tuple[str, ...] = ()


JOB_STATES = ("queued", "running", "done", "failed", "cancelled", "interrupted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work asked for: a procedure by name with its arguments, so that it can be repeated; its state (one of
    JOB_STATES), how far it is, and what came of it. Jobs of one lane run one after the other."""

    KEY: ClassVar[str] = "id"

    id: str
    title: str
    procedure: str
    arguments: dict[str, Any]
    lane: str
    state: str
    created_at: str
    started_at: str | None = None
    finished_at: str | None = None
    done_frac: float = 0.0
    text: str = ""
    result: dict[str, Any] | None = None
    error: str | None = None
    hint: str | None = None
    details: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What a file was refused with. `key` is the hash of all that the verdict rests on (`profiler.refusals`)."""

    KEY: ClassVar[str] = "key"

    key: str
    created_at: str
    message: str
    hint: str = ""
    details: str = ""
