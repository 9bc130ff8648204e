"""What a placement starts from: a model as candidates by the dtype it computes in, and this machine."""

from collections.abc import Sequence

from advisor import device_energy
from advisor.placement.options import Candidate, Here
from data.energy import rated_w
from data.errors import InputError
from data.estimate import Estimate
from data.own import Yours
from profiler.inputs import is_batch
from profiler.types import Machine, Model

WEIGHT_BYTES = {"fp32": 4, "fp16": 2, "bf16": 2, "fp8": 1, "int8": 1}
STORED_AS = {"float32": "fp32", "float16": "fp16", "bfloat16": "bf16", "int8": "int8", "uint8": "int8"}


def stored_as(model: Model) -> str:
    """The dtype most of the parameters are stored in; fp32 where it is another one."""
    counts = model.parameters_by_dtype
    return STORED_AS.get(max(counts, key=lambda name: counts[name]), "fp32") if counts else "fp32"


def candidates(model: Model, dtypes: Sequence[str], measured_ms: Estimate | None = None) -> tuple[Candidate, ...]:
    """The model's own graph once for each dtype; `measured_ms` (batch 1, on this machine) belongs to the stored one.

    Raises InputError where the file has no graph."""
    if not model.layers:
        reason = model.cannot_run or (model.notes or ("it has no graph",))[0]
        raise InputError("Where to run this model cannot be predicted.", hint=reason)
    own = stored_as(model)
    return tuple(
        Candidate(
            variant_id=dtype, layers=model.layers, dtype=dtype, layers_batch=built_batch(model),
            weight_bytes=model.weight_bytes if dtype == own else model.parameter_count * WEIGHT_BYTES[dtype],
            activation_bytes=(model.peak_activation_bytes or 0) // built_batch(model),
            measured_ms=measured_ms if dtype == own else None,
        )
        for dtype in dtypes
    )  # fmt: skip


def this_machine(found: Machine, zone_id: str | None, pue: float = 1.0, yours: Yours | None = None) -> Here:
    """This machine as a place to serve; without watts where the rated power of its CPU is not known. `yours` is what
    the user added."""
    rated = rated_w(found.cpu, found.physical_cores)
    idle, busy = (None, None) if rated is None else device_energy.cpu_idle_busy_w(rated)
    return Here(
        name="this machine",
        zone_id=zone_id,
        memory_bytes=found.memory_bytes,
        pue=pue,
        idle_w=idle,
        busy_w=busy,
        yours=yours or Yours(),
    )


def built_batch(model: Model) -> int:
    """The batch the model's graph was built for: its first input's first axis, or 1 where that is no batch."""
    first = next(iter(model.inputs), None)
    lengths = model.shapes.get(first.name, ()) if first else ()
    if first is None or not lengths or not first.shape:
        return 1
    return max(int(lengths[0]), 1) if isinstance(first.shape[0], int) or is_batch(first.shape[0], 0) else 1
