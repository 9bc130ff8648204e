"""A user's own measurements in the backtest: those of this machine, and those brought from others, as far as their
peaks are kept or their device is in the table."""

from typing import Any

import pandas as pd

from advisor.latency.backtest import COLUMNS, judged
from advisor.latency.cpu import CACHE_BYTES_PER_CORE, cpu_here
from advisor.latency.operators import Ops, from_layers
from advisor.latency.predict import Prediction, predict_here, predict_ops
from data.errors import InputError
from data.tables import Device, device_called
from data.units import MS_PER_S
from profiler import stats
from profiler.jobs import Keeper
from profiler.types import Machine, Measurement, Model, Peaks

MOST = 300  # the newest runs that join
CPU = "cpu"


def own_rows(keeper: Keeper) -> pd.DataFrame:
    """Rows of the backtest for the kept runs of original models whose graph is known and that differ from it in the
    batch alone; a run on a machine without kept peaks is predicted from the table's device, where it is known."""
    models = {one.sha256: one for one in keeper.all(Model) if one.layers}
    peaks = {(one.fingerprint, one.threads): one for one in keeper.all(Peaks) if one.device == CPU}
    runs = [run for run in keeper.all(Measurement) if run.variant_id is None and run.model_sha256 in models]
    told = [
        found
        for run in runs[-MOST:]
        if (found := row(models[run.model_sha256], run, peaks.get(_setting(run)))) is not None
    ]
    return judged(pd.DataFrame(told)) if told else pd.DataFrame(columns=list(COLUMNS))


def row(model: Model, run: Measurement, peaks: Peaks | None) -> dict[str, Any] | None:
    """One run beside its prediction; None where neither the peaks nor the device of its machine are known."""
    ratio = _batch_ratio(model, run)
    if ratio is None or not run.samples_ms:
        return None
    ops = from_layers(model.layers, "fp32", folds=True).at_batch(ratio)
    try:
        found = _predicted(ops, run, peaks)
    except InputError:  # peaks or table say nothing of what it needs: there is nothing to hold the run against
        return None
    if found is None:
        return None
    prediction, name, kind, flop_per_s, bytes_per_s = found
    flop, moved = float(ops.flop @ ops.repeat), float(ops.moved_bytes @ ops.repeat)
    latency = prediction.latency_ms
    return {
        "kind": kind, "chip": name, "device_id": name, "label": f"{model.name}, batch {run.workload.batch_size}",
        "measured_ms": stats.median_interval(run.samples_ms)[1], "predicted_ms": latency.mid, "low_ms": latency.low,
        "high_ms": latency.high, "roofline_ms": max(flop / flop_per_s, moved / bytes_per_s) * MS_PER_S,
    }  # fmt: skip


def _predicted(ops: Ops, run: Measurement, peaks: Peaks | None) -> tuple[Prediction, str, str, float, float] | None:
    machine, batch = run.machine, run.workload.batch_size
    on_cpu = "cpu" in run.provider.lower()
    if on_cpu and peaks is not None:
        cores = max(machine.physical_cores, 1)
        on = cpu_here(peaks, "fp32", machine.caches_bytes.get("L3", CACHE_BYTES_PER_CORE * cores))
        told = predict_here(ops, on, machine.cpu, dtype="fp32", batch=batch)
        return told, machine.cpu, "here", on.product_flop_per_s, on.memory_bytes_per_s
    device = _device(machine, on_cpu)
    if device is None or not device.fp32_flop_per_s or not device.memory_bytes_per_s:
        return None
    cores_used = float(_setting(run)[1]) if on_cpu else None
    told = predict_ops(ops, device, dtype="fp32", batch=batch, cores=cores_used)
    share = min((cores_used or 1.0) / (device.cores or 1), 1.0) if on_cpu else 1.0
    return told, device.device_id, "elsewhere", device.fp32_flop_per_s * share, device.memory_bytes_per_s


def _device(machine: Machine, on_cpu: bool) -> Device | None:
    if on_cpu:
        return device_called(machine.cpu)
    return device_called(machine.gpus[0].name) if machine.gpus else None


def _setting(run: Measurement) -> tuple[str, int]:
    """The fingerprint of the run's machine and its threads."""
    return run.machine.fingerprint, run.workload.threads or run.machine.physical_cores


def _batch_ratio(model: Model, run: Measurement) -> float | None:
    """The run's batch over the graph's; None where another axis differs as well."""
    ratios = {1.0}
    for name, built in model.shapes.items():
        ran = run.workload.shapes.get(name, built)
        if len(ran) != len(built) or tuple(ran[1:]) != tuple(built[1:]):
            return None
        if built and built[0]:
            ratios.add(ran[0] / built[0])
    ratios = ratios - {1.0} or ratios
    return ratios.pop() if len(ratios) == 1 else None
