"""What the commands of this room print: a measurement and a model in lines, and as the headless contract has them."""

from collections.abc import Sequence
from typing import Any

from data.records import to_plain
from data.units import BYTES_PER_MIB, MS_PER_S
from data.words import size
from profiler import stats
from profiler.memory import Fit, TrainingMemory
from profiler.run_types import TrainingStep
from profiler.types import Measurement, Model


def shown(measured: Measurement) -> dict[str, Any]:
    """The measurement as the headless contract has it: statistics beside the raw samples, and all that was kept."""
    summary = stats.summary(measured.samples_ms)
    found: dict[str, Any] = to_plain(measured)
    return found | {
        "p50_ms": summary.p50_ms, "p90_ms": summary.p90_ms, "p95_ms": summary.p95_ms, "p99_ms": summary.p99_ms,
        "mean_ms": summary.mean_ms, "std_ms": summary.std_ms,
        "median_interval_ms": [summary.median_low_ms, summary.median_high_ms],
        "cpu_p50_ms": stats.percentile(measured.cpu_samples_ms, 50),
        "throughput_per_s": measured.workload.batch_size * MS_PER_S / summary.mean_ms,
    }  # fmt: skip


def lines(measured: Measurement) -> str:
    found = shown(measured)
    known = [name for name in ("p50", "p90", "p95", "p99") if found[f"{name}_ms"] is not None]
    latency = ", ".join(f"{name} {found[f'{name}_ms']:.3g} ms" for name in known)
    options = ", ".join(f"{name} {value}" for name, value in measured.options.items())
    energy, peak = measured.energy_j, measured.peak_bytes
    power, idle = measured.power_w, measured.idle_w
    return "\n".join([
        f"{measured.runtime} on {measured.provider}: {options}, batch {measured.workload.batch_size}",
        f"latency   {latency} ({len(measured.samples_ms)} calls, {'stable' if measured.stable else 'noisy'})",
        f"CPU time  {found['cpu_p50_ms'] or found['mean_ms']:.3g} ms a call; loading {measured.load_ms:.3g} ms",
        f"rate      {found['throughput_per_s']:.4g} samples/s",
        "memory    " + ("unknown" if peak is None else f"{peak / BYTES_PER_MIB:.1f} MiB beyond the runtime's own"),
        "energy    " + (f"{energy.low:.3g} to {energy.high:.3g} J a call, {energy.basis}" if energy else "unknown"),
        *([f"power     {power.low:.3g} to {power.high:.3g} W while it runs"] if power else []),
        *([f"idle      {idle.mid:.3g} W, not subtracted"] if idle else []),
        *(f"note      {note}" for note in measured.notes),
    ])  # fmt: skip


def about(model: Model) -> str:
    inputs = ", ".join(f"{tensor.name} {tensor.dtype}{list(tensor.shape)}" for tensor in model.inputs)
    lines = [
        f"{model.name}: {model.format}, {model.file_bytes / BYTES_PER_MIB:.1f} MiB, sha256 {model.sha256}",
        f"parameters {model.parameter_count:,} ({model.weight_bytes / BYTES_PER_MIB:.1f} MiB of weights)",
        f"inputs     {inputs or 'none'}",
        f"FLOP       {model.flop:,}" if model.flop is not None else "FLOP       unknown",
    ]
    return "\n".join([*lines, *(f"note       {note}" for note in model.notes)])


def memory(
    model: Model, needed_bytes: int | None, fits: Sequence[Fit], training: dict[str, TrainingMemory],
    steps: Sequence[TrainingStep],
) -> dict[str, Any]:  # fmt: skip
    """A model's memory by arithmetic, where it fits, and what training takes, as the contract has it."""
    return {
        "sha256": model.sha256, "weight_bytes": model.weight_bytes,
        "peak_activation_bytes": model.peak_activation_bytes, "static_bytes": needed_bytes,
        "fits": [{"target": fit.tier.tier_id, "title": fit.tier.title, "fits": fit.fits, "limit": fit.limit,
                  "needed_bytes": fit.needed_bytes, "there_bytes": fit.there_bytes, "spare_bytes": fit.spare_bytes}
                 for fit in fits],
        "training": {mode: to_plain(found) | {"total_bytes": found.total_bytes} for mode, found in training.items()},
        "steps": to_plain(steps),
    }  # fmt: skip


def memory_lines(found: dict[str, Any]) -> str:
    """The same in lines."""
    made_of = f"weights {size(found['weight_bytes'])}, activations {size(found['peak_activation_bytes'])}"
    lines = [f"running    {size(found['static_bytes'])} by arithmetic: {made_of}"]
    for fit in found["fits"]:
        verdict = "fits" if fit["fits"] else "does not fit"
        left = f"{size(abs(fit['spare_bytes']))} {'spare' if fit['fits'] else 'missing'}"
        lines.append(f"{verdict:12} {fit['title']}: {left} ({fit['limit']})")
    for mode, part in found["training"].items():
        lines.append(f"training   {mode}: {size(part['total_bytes'])} by arithmetic")
    lines += [f"measured   {step['mode']}: {size(step['peak_bytes'])}, {step['trained_count']:,} parameters learned"
              for step in found["steps"]]  # fmt: skip
    return "\n".join(lines)
