"""After how many calls compressing has paid for itself."""

from collections.abc import Iterable

from advisor.types import Plan, Variant
from data.units import MS_PER_S
from profiler.types import Measurement


def making_s(variant: Variant, made: Iterable[Variant]) -> float | None:
    """Seconds that making this variant took, the steps before its last one included, each kept as a variant of its own
    among those `made`; None where one of them is not known. The search for it is not counted."""
    told = list(made)
    before = [variant.steps[:count] for count in range(1, len(variant.steps))]
    each = [next((one.make_s for one in told if one.steps == steps), None) for steps in before] + [variant.make_s]
    return None if None in each else sum(one for one in each if one is not None)


def calls(make_s: float | None, plan: Plan, original: Measurement) -> float | None:
    """Calls after which the joules saved exceed those that making the variant took; None where nothing is saved or
    not all is known. The machine is taken to draw, while compressing, what it draws while it serves: making took
    `make_s` seconds, one call of the original `energy_j` joules in its median time."""
    if make_s is None or original.energy_j is None or plan.energy_ratio is None or plan.energy_ratio.high >= 1.0:
        return None
    call_s = sorted(original.samples_ms)[len(original.samples_ms) // 2] / MS_PER_S
    saved_s_per_call = call_s * (1.0 - plan.energy_ratio.mid)
    return make_s / saved_s_per_call if saved_s_per_call > 0 else None
