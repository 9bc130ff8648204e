"""A variant's numbers against the original's, from stored samples alone; ratios hold what two loads differ by."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from advisor.types import Plan, Variant
from data import words
from data.estimate import Estimate
from profiler import loads, stats
from profiler.types import Measurement

# Two loads of one and the same file differ by up to this much (memory layout, thread placement). A run of one load
# cannot know its own error: its intervals are widened by it. And it is the least gain that is worth another model: a
# verdict asks that the whole interval, which over several loads holds their spread, lies beyond it.
# benchmarks/timing.py measures it anew (original against itself).
SAME_FRAC = 0.05
# On a busy machine others take a share of the caches too, which favours the smaller file: CPU time does not show that.
NOISY_SAME_FRAC = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A variant with its run, the original's run of the same group, and what the original's file weighs."""

    variant: Variant
    measured: Measurement | None
    original: Measurement | None
    original_file_bytes: int


def candidate_plan(candidate: Candidate, percentile: float) -> Plan:
    """The candidate's numbers as a plan, not yet judged. Ratios are None where it was not measured."""
    variant, measured, original = candidate.variant, candidate.measured, candidate.original
    plan = Plan(
        steps=variant.steps, variant_id=variant.id, file=variant.file, file_bytes=variant.file_bytes,
        size_ratio=None if variant.file_bytes is None else variant.file_bytes / candidate.original_file_bytes,
        quality=variant.quality, calibrated_on=variant.calibrated_on,
        loss=variant.quality.loss if variant.quality else None,
    )  # fmt: skip
    if measured is None or original is None:
        return plan
    latency_ratio, basis = paired_latency(measured, original)
    cpu = _with_loads(loads.cpu_ratio(measured, original), measured)
    return replace(
        plan, latency_ratio=latency_ratio, latency_basis=basis,
        energy_ratio=_energy_ratio(measured, original, cpu), energy_j=measured.energy_j,
        peak_bytes=measured.peak_bytes, latency_ms=percentiles(measured.samples_ms, percentile),
    )  # fmt: skip


def paired_latency(measured: Measurement, original: Measurement) -> tuple[Estimate, str]:
    """Latency of the first over the second, of paired rounds over their loads, and what was paired: "wall" times, or
    "CPU time" where either run was noisy on a CPU. Raises ValueError where they share no round."""
    on_gpu = measured.options.get("device", "cpu") != "cpu"  # there the process's CPU time says nothing of the work
    if on_gpu or (measured.stable and original.stable):
        return _with_loads(loads.wall_ratio(measured, original), measured), "wall"
    return _with_loads(loads.cpu_ratio(measured, original), measured), "CPU time"


def _with_loads(ratio: Estimate, measured: Measurement) -> Estimate:
    """The ratio with what other loads of the same files may add, where there was one load."""
    if len(measured.rounds_per_load) > 1:
        return ratio
    return replace(
        ratio, low=ratio.low / (1 + SAME_FRAC), high=ratio.high * (1 + SAME_FRAC),
        source=f"{ratio.source}, one load: another may lie {words.percent(SAME_FRAC)} off",
    )  # fmt: skip


def percentiles(samples_ms: Sequence[float], also: float = 95.0) -> dict[str, float | None]:
    """p50, p90, p95, p99 and the one asked for (ms), each None where the samples are too few for it."""
    wanted = sorted({50.0, 90.0, 95.0, 99.0, also})
    return {f"p{percent:g}": stats.percentile(samples_ms, percent) for percent in wanted}


def _energy_ratio(measured: Measurement, original: Measurement, cpu: Estimate) -> Estimate | None:
    """From counters where both have one; otherwise modelled energy, which follows CPU time on one machine."""
    if measured.energy_j is None or original.energy_j is None:
        return None
    if measured.energy_j.basis == original.energy_j.basis == "measured":
        return measured.energy_j / original.energy_j
    return replace(cpu, basis="modelled", source=f"{cpu.source}, x watts per core")
