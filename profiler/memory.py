"""Memory by arithmetic: what a model needs, where it fits and by how much, and what training it would take."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from data.errors import InputError, MeasurementError
from data.tables import frame, records
from data.units import BYTES_PER_GIB
from profiler.types import Layer, Measurement, Model

# Bytes an optimizer keeps for each parameter it trains, beside the parameter and its gradient: Adam two float32
# moments (Kingma and Ba 2015), SGD with momentum one, plain SGD none.
OPTIMIZER_BYTES = {"adam": 8, "momentum": 4, "sgd": 0}
FLOAT_BYTES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One rung of the ladder of places a model can run. Where `weights_in` is "storage" (a microcontroller's flash)
    the weights stay there and only activations take memory. What is not known is None."""

    tier_id: str
    title: str
    memory_bytes: int
    weights_in: str
    source_id: str
    device_id: str | None = None
    storage_bytes: int | None = None
    power_w: float | None = None
    notes: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """The verdict on one tier: `spare_bytes` is what is left of the tightest of its limits, below 0 what is missing;
    `limit` names it ("memory" or "storage"), `needed_bytes` and `there_bytes` are its two sides."""

    tier: Tier
    limit: str
    needed_bytes: int
    there_bytes: int

    @property
    def fits(self) -> bool:
        return self.spare_bytes >= 0

    @property
    def spare_bytes(self) -> int:
        """There less needed."""
        return self.there_bytes - self.needed_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingMemory:
    """Bytes one training step takes, part by part."""

    weight_bytes: int
    gradient_bytes: int
    optimizer_bytes: int
    activation_bytes: int

    @property
    def total_bytes(self) -> int:
        return self.weight_bytes + self.gradient_bytes + self.optimizer_bytes + self.activation_bytes


def static_bytes(model: Model) -> int | None:
    """Weights and the most activations alive at once, at the shapes the graph was built for; None without a graph."""
    if model.peak_activation_bytes is None:
        return None
    return model.weight_bytes + model.peak_activation_bytes


def check_fits(model: Model, shapes: Mapping[str, Sequence[int]], limit_bytes: int) -> None:
    """Raises MeasurementError, with the figures, where the model's weights and its live activations at these input
    shapes are already more than a job may take: said before anything is loaded, not after the child was stopped.

    Activations are taken to grow with the inputs' elements; attention's grow faster, so this is the least it needs."""
    known = sum(math.prod(shape) for shape in model.shapes.values())
    asked = sum(math.prod(shapes.get(name, shape)) for name, shape in model.shapes.items())
    activation_bytes = round((model.peak_activation_bytes or 0) * (asked / known if known else 1.0))
    needed_bytes = model.weight_bytes + activation_bytes
    if needed_bytes <= limit_bytes:
        return
    needed, weights, live, limit = (
        f"{each / BYTES_PER_GIB:.1f}" for each in (needed_bytes, model.weight_bytes, activation_bytes, limit_bytes)
    )
    raise MeasurementError(
        f"This needs at least {needed} GiB ({weights} of weights, {live} of activations), more than the {limit} GiB a "
        "job may use.",
        hint="Try a smaller batch or smaller inputs, or allow more memory in the settings (memory_mb).",
    )


def estimate_ratio(model: Model, measured: Measurement) -> float | None:
    """Measured peak over the static estimate; None where either is not known."""
    estimate = static_bytes(model)
    return measured.peak_bytes / estimate if estimate and measured.peak_bytes is not None else None


@cache
def tiers() -> tuple[Tier, ...]:
    """The ladder, smallest first."""
    return records(Tier, frame("devices", "tiers"))


def ladder(weight_bytes: int, activation_bytes: int, rungs: Sequence[Tier] | None = None) -> tuple[Fit, ...]:
    """The verdict on every tier for a model of these weights and live activations (bytes)."""
    return tuple(fit(tier, weight_bytes, activation_bytes) for tier in (rungs or tiers()))


def fit(tier: Tier, weight_bytes: int, activation_bytes: int) -> Fit:
    """The verdict on one tier: by the limit with the least left of it."""
    in_memory = activation_bytes + (weight_bytes if tier.weights_in == "memory" else 0)
    verdicts = [Fit(tier=tier, limit="memory", needed_bytes=in_memory, there_bytes=tier.memory_bytes)]
    if tier.storage_bytes is not None:
        verdicts.append(Fit(tier=tier, limit="storage", needed_bytes=weight_bytes, there_bytes=tier.storage_bytes))
    return min(verdicts, key=lambda verdict: verdict.spare_bytes)


def training_memory(
    parameter_count: int,
    activation_bytes: int,
    *,
    trained_count: int | None = None,
    optimizer: str = "adam",
) -> TrainingMemory:
    """What one float32 training step takes. `trained_count` is how many parameters learn (None: all), and
    `activation_bytes` what is kept for the backward pass.

    With Adam, all parameters and no activations it is 4 x the weights, as accelerate's table has it. Raises
    InputError for an optimizer that is not known."""
    if optimizer not in OPTIMIZER_BYTES:
        raise InputError(f"The optimizer '{optimizer}' is not known.", hint=f"Known: {', '.join(OPTIMIZER_BYTES)}.")
    trained = parameter_count if trained_count is None else trained_count
    return TrainingMemory(
        weight_bytes=parameter_count * FLOAT_BYTES,
        gradient_bytes=trained * FLOAT_BYTES,
        optimizer_bytes=trained * OPTIMIZER_BYTES[optimizer],
        activation_bytes=activation_bytes,
    )


def kept_for_backward_bytes(layers: Sequence[Layer]) -> int:
    """Bytes of every layer's output, in all turns of a loop: what a full training step keeps at most."""
    return sum(layer.written_bytes for layer in layers)


def head_of(layers: Sequence[Layer]) -> Layer | None:
    """The last layer with parameters: what head-only training trains. None where no layer has any."""
    return next((layer for layer in reversed(layers) if layer.parameter_count), None)


def training_estimates(model: Model, optimizer: str = "adam") -> dict[str, TrainingMemory]:
    """{"full", "head"}: training everything, and the last layer alone (whose input is all it keeps). The head is left
    out where the graph names none."""
    found = {"full": training_memory(model.parameter_count, kept_for_backward_bytes(model.layers), optimizer=optimizer)}
    head = head_of(model.layers)
    if head is not None:
        # Without gradients the layers before the head keep no more than a forward pass does at its peak.
        kept = max(head.read_bytes + head.written_bytes, model.peak_activation_bytes or 0)
        found["head"] = training_memory(
            model.parameter_count, kept, trained_count=head.parameter_count, optimizer=optimizer
        )
    return found
