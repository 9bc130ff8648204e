"""A model's and a run's numbers as the rows that tables and charts are made of."""

from collections.abc import Mapping, Sequence

import pandas as pd

from data import words
from data.estimate import Estimate, exact
from data.units import MS_PER_S, kwh_from_j
from profiler import stats
from profiler.gpus import GpuNow
from profiler.run_types import LoadTest
from profiler.types import Measurement, Model, Peaks


def samples(runs: Sequence[tuple[str, Measurement]]) -> pd.DataFrame:
    """variant, latency_ms: one row a timed call."""
    frames = [pd.DataFrame({"variant": name, "latency_ms": run.samples_ms}) for name, run in runs]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["variant", "latency_ms"])


def percentiles(run: Measurement) -> pd.DataFrame:
    """percentile, latency_ms, latency_low_ms, latency_high_ms, samples_count: what the samples allow to be told."""
    rows = []
    for percent in (50.0, 90.0, 95.0, 99.0):
        found = stats.percentile_interval(run.samples_ms, percent)
        middle = stats.percentile(run.samples_ms, percent)
        rows.append(
            {
                "percentile": f"p{percent:g}",
                "latency_ms": middle,
                "latency_low_ms": found.low if found else None,
                "latency_high_ms": found.high if found else None,
                "samples_count": len(run.samples_ms),
            }
        )
    return pd.DataFrame(rows)


def median(run: Measurement) -> Estimate:
    """The median latency (ms) with its 95 % interval."""
    low, mid, high = stats.median_interval(run.samples_ms)
    return Estimate(low=low, mid=mid, high=high, basis="measured", source=f"{len(run.samples_ms)} calls")


def answers(tests: Sequence[LoadTest]) -> pd.DataFrame:
    """variant, latency_ms: one row a request of each load test, named by its rate."""
    named = {f"{test.rate_per_s:g} a second · {test.created_at[11:19]}": test.samples_ms for test in tests}
    frames = [pd.DataFrame({"variant": name, "latency_ms": found}) for name, found in named.items()]
    return pd.concat(frames, ignore_index=True)


def tail(run: Measurement, percent: float = 95.0) -> Estimate | None:
    """A percentile (ms) of a run's calls; see `percentile_of`."""
    return percentile_of(run.samples_ms, percent)


def percentile_of(samples_ms: Sequence[float], percent: float) -> Estimate | None:
    """A percentile (ms) with its interval, or without one where the samples allow only the percentile."""
    middle = stats.percentile(samples_ms, percent)
    if middle is None:
        return None
    return stats.percentile_interval(samples_ms, percent) or exact(middle, "measured", f"{len(samples_ms)} calls")


def throughput(run: Measurement) -> Estimate:
    """Samples a second in a closed loop of one caller: batch over the median call."""
    return exact(run.workload.batch_size * MS_PER_S, "measured", "batch / median call") / median(run)


def million_kwh(energy_j: Estimate) -> float:
    """kWh of a million calls of so many joules."""
    return kwh_from_j(energy_j.mid) * 1e6


def sweep(runs: Sequence[Measurement]) -> pd.DataFrame:
    """threads, batch, median latency (ms) and samples a second with their ends: one row a setting, smallest first."""
    rows = []
    for run in runs:
        middle, rate = median(run), throughput(run)
        rows.append(
            {
                "threads": run.workload.threads,
                "batch": run.workload.batch_size,
                "median_ms": middle.mid,
                "median_low_ms": middle.low,
                "median_high_ms": middle.high,
                "samples_per_s": rate.mid,
                "samples_low_per_s": rate.low,
                "samples_high_per_s": rate.high,
                "stable": run.stable,
            }
        )
    columns = ["threads", "batch"]
    return pd.DataFrame(rows).sort_values(columns, ignore_index=True) if rows else pd.DataFrame(columns=columns)


PRODUCTS = {
    "fp32_flop_per_s": "float32", "fp16_flop_per_s": "float16", "bf16_flop_per_s": "bfloat16", "int8_op_per_s": "int8",
}  # fmt: skip
STREAMS = {"memory_bytes_per_s": "from memory", "cache_bytes_per_s": "from the cache"}


def arithmetic(found: Sequence[Peaks]) -> pd.DataFrame:
    """name, value (operations a second), low, high, basis: matrix products by number type and threads."""
    return _peaks(found, PRODUCTS)


def streams(found: Sequence[Peaks]) -> pd.DataFrame:
    """name, value (bytes a second), low, high, basis: reading and writing, by threads."""
    return _peaks(found, STREAMS)


def _peaks(found: Sequence[Peaks], names: Mapping[str, str]) -> pd.DataFrame:
    rows = []
    for one in found:
        where = f"{one.threads} thread{'s' if one.threads > 1 else ''}" if one.device == "cpu" else one.device
        for field, title in names.items():
            rate: Estimate | None = getattr(one, field)
            if rate is not None:
                rows.append({"name": f"{title}, {where}", "value": rate.mid, "low": rate.low, "high": rate.high,
                             "basis": rate.basis})  # fmt: skip
    return pd.DataFrame(rows, columns=["name", "value", "low", "high", "basis"])


def gpu_facts(now: GpuNow) -> dict[str, str]:
    """What a GPU does at this moment, in words."""
    gpu = now.gpu
    return {
        "GPU": f"{gpu.index}: {gpu.name}",
        "Power": f"{words.number(now.power_w)} of {words.number(gpu.power_limit_w)} W",
        "Busy": words.percent(now.utilisation_frac),
        "Memory": f"{words.size(now.memory_used_bytes)} of {words.size(gpu.memory_bytes)}",
        "Temperature": words.NOT_KNOWN if now.temperature_c is None else f"{now.temperature_c:g} °C",
        "Clock": words.scaled(now.clock_hz, words.HERTZ),
        "Processes": str(len(now.processes)),
    }


def settings(run: Measurement) -> str:
    """How a run was made, in short: "onnxruntime, 2 threads, batch 1"."""
    batch, threads = run.workload.batch_size, run.workload.threads
    return f"{run.runtime}, {threads} thread{'s' if threads > 1 else ''}, batch {batch}"


def call(run: Measurement) -> str:
    """The call of a run in short: "2 threads, batch 1"."""
    return settings(run).split(", ", 1)[1]


def when(run: Measurement) -> str:
    """When a run was made: "2026-03-01 14:03 UTC"."""
    return f"{run.created_at[:16].replace('T', ' ')} UTC"


def facts(model: Model) -> dict[str, str]:
    """What a file is, in words, for a card."""
    dtypes = ", ".join(f"{words.count(count)} {name}" for name, count in model.parameters_by_dtype.items())
    opset = f", opset {model.opset}" if model.opset else ""
    known = {
        "Format": f"{model.format}{opset}",
        "Made by": model.producer,
        "File": words.size(model.file_bytes),
        "Parameters": f"{words.count(model.parameter_count)} ({dtypes})"
        if dtypes
        else words.count(model.parameter_count),
        "Weights": words.size(model.weight_bytes),
        "Computation": f"{words.flop(model.flop)} a call" if model.flop is not None else words.NOT_KNOWN,
        "Live activations": words.size(model.peak_activation_bytes),
        "Inputs": "; ".join(f"{one.name} {one.dtype} {shape(one.shape)}" for one in model.inputs),
        "Outputs": "; ".join(f"{one.name} {one.dtype} {shape(one.shape)}" for one in model.outputs),
        "SHA-256": model.sha256,
    }
    return {name: text for name, text in known.items() if text}


def shape(axes: Sequence[object]) -> str:
    """ "batch × 3 × 224 × 224"."""
    return " × ".join("?" if axis is None else str(axis) for axis in axes) or "scalar"
