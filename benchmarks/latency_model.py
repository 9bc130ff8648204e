"""The latency model: chips predicted without themselves, the plain roofline, this machine, the placement query."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import mean, median

import numpy as np

from advisor.latency import cpu as latency_cpu
from advisor.latency.backtest import roofline_s
from advisor.latency.cpu import Cpu
from advisor.latency.fit import Fold, chips, leave_out, measured_sets
from advisor.latency.intervals import covered, left_out
from advisor.latency.operators import from_layers
from advisor.latency.parameters import NAMES
from advisor.placement.choose import Traffic, place
from advisor.placement.options import Candidate, options
from benchmarks import Effort, Row
from benchmarks.bench_tools import folder, model, plain
from profiler import peaks
from profiler.inputs import random_feeds
from profiler.machine import machine
from tests import make_models

STEADY, HEATED = ("GA100", "GV100", "GP100"), ("TU104", "GP104")
PEAKS_EVERY = 4  # shapes: others disturb peaks too, so they are taken several times and the best counts
JUDGED = ("models", "products", "engines")


def run(effort: Effort) -> Iterator[Row]:
    """Every row of this suite."""
    sets = measured_sets()
    yield Row(what="fitted parameters", value=str(len(NAMES)), limit="at most 20", passed=len(NAMES) <= 20)
    folds = [leave_out(sets, chip) for chip in chips(sets)]
    yield from of_models(folds, sets)
    yield from of_products(folds)
    yield from of_engines(folds)
    yield from coverage(folds)
    yield from this_machine(effort)
    yield from placement(effort)


def of_models(folds: list[Fold], sets: list) -> Iterator[Row]:
    """Mean absolute error of whole models in FP32, by chip; the roofline's beside it."""
    models = next(one for one in sets if one.kind == "models")
    roofs = roofline_s(models) / models.seconds - 1
    errors = {}
    for fold in folds:
        mask = fold.kind == "models"
        if not mask.any():
            continue
        errors[fold.chip] = np.abs(fold.predicted_s[mask] / fold.measured_s[mask] - 1)
        limit = 0.12 if fold.chip in STEADY else 0.18
        roof = np.abs(roofs[models.chip == fold.chip]).mean()
        yield Row(
            what=f"{fold.device_id[mask][0]}: {mask.sum()} models, mean error", value=f"{errors[fold.chip].mean():.1%}",
            limit=f"{limit:.0%}", passed=bool(errors[fold.chip].mean() <= limit), note=f"plain roofline {roof:.0%}",
        )  # fmt: skip
    whole = float(np.concatenate([errors[chip] for chip in STEADY]).mean())
    yield Row(what="A100, V100 and P100 together", value=f"{whole:.1%}", limit="8 %", passed=whole <= 0.08)


def of_products(folds: list[Fold]) -> Iterator[Row]:
    """Median absolute error of matrix products, by dtype."""
    for dtype in ("bf16", "fp8"):
        errors = np.concatenate([
            np.abs(fold.predicted_s[mask] / fold.measured_s[mask] - 1)
            for fold in folds
            if (mask := (fold.kind == "products") & (fold.label == dtype)).any()
        ])  # fmt: skip
        middle = float(np.median(errors))
        yield Row(what=f"{len(errors)} products in {dtype}, median error", value=f"{middle:.1%}", limit="15 %",
                  passed=middle <= 0.15)  # fmt: skip


def of_engines(folds: list[Fold]) -> Iterator[Row]:
    """Mean absolute error of MLPerf's offline results, by benchmark."""
    for name in ("resnet50", "bert-99", "bert-99.9"):
        errors = np.concatenate([
            np.abs(fold.predicted_s[mask] / fold.measured_s[mask] - 1)
            for fold in folds
            if (mask := (fold.kind == "engines") & (fold.label == name)).any()
        ])  # fmt: skip
        yield Row(what=f"MLPerf {name}, {len(errors)} GPUs, mean error", value=f"{errors.mean():.1%}")


def coverage(folds: list[Fold]) -> Iterator[Row]:
    """Share of left-out rows inside the interval that the other chips give."""
    inside = total = 0
    for kind in JUDGED:
        some, count = covered(left_out(folds, kind))
        inside, total = inside + some, total + count
        yield Row(what=f"coverage of the 90 % interval, {kind} ({count} rows)", value=f"{some / count:.1%}")
    share = inside / total
    yield Row(what="coverage of all together", value=f"{share:.1%}", limit="85 to 95 %", passed=0.85 <= share <= 0.95)


def this_machine(effort: Effort) -> Iterator[Row]:
    """The nine shapes on one thread, from this machine's peaks and the graph alone; in CPU time."""
    rounds, timed = [], {}
    for number, name in enumerate(make_models.SHAPES):
        if number % PEAKS_EVERY == 0:
            rounds.append(peaks_here(effort))
        path, found = model(name)
        feeds = folder() / f"{name}.npz"
        np.savez(feeds, **random_feeds(found, {}, 1, 0))
        timed[name] = cpu_ms(path, feeds, effort)
    on = best_of(rounds)
    yield Row(what="peaks here: products, cache, memory", value=(
        f"{on.product_flop_per_s / 1e9:.0f} GFLOP/s, {on.cache_bytes_per_s / 1e9:.0f} and "
        f"{on.memory_bytes_per_s / 1e9:.0f} GB/s"
    ))  # fmt: skip
    errors, roofs = [], []
    for name, measured_ms in timed.items():
        told_ms, roof_ms = predicted_ms(model(name)[1].layers, on)
        errors.append(abs(told_ms / measured_ms - 1))
        roofs.append(abs(roof_ms / measured_ms - 1))
        yield Row(
            what=f"{name} here: predicted over measured ({measured_ms:.3g} ms)", value=f"x{told_ms / measured_ms:.2f}",
            note=f"plain roofline x{roof_ms / measured_ms:.2f}",
        )  # fmt: skip
    yield Row(what="the nine shapes here, mean error", value=f"{mean(errors):.0%}", limit="20 %",
              passed=mean(errors) < 0.20, note=f"plain roofline {mean(roofs):.0%}")  # fmt: skip


def best_of(rounds: Iterable[Cpu]) -> Cpu:
    """The highest of each rate: a peak is what a machine reaches when nobody is in its way."""
    found = list(rounds)
    rates = ("product_flop_per_s", "vector_flop_per_s", "memory_bytes_per_s", "cache_bytes_per_s")
    return replace(found[0], **{name: max(getattr(one, name) for one in found) for name in rates})


def peaks_here(effort: Effort) -> Cpu:
    """This machine's peaks as the product measures them, told in CPU time."""
    place = folder() / "peaks"
    place.mkdir(exist_ok=True)
    options = {"threads": "1", "device": "cpu"}
    peaks.product(place, "fp32_flop_per_s", options)
    cached = peaks.cached_bytes(machine())
    for size_bytes in (cached, peaks.MEMORY_BYTES):
        peaks.stream(place, size_bytes, options)
    rate = 0.0
    for size in peaks.SIZES:
        feeds = place / f"{size}.npz"
        np.savez(feeds, x=np.random.default_rng(0).random((size, size), np.float32))
        rate = max(rate, 2.0 * size**3 / (cpu_ms(place / f"fp32-{size}.onnx", feeds, effort) * 1e-3))
    streams = []
    for size_bytes in (cached, peaks.MEMORY_BYTES):
        length = size_bytes // peaks.FLOAT_BYTES
        feeds = place / f"{length}.npz"
        np.savez(feeds, x=np.ones(length, np.float32))
        moved = (2 * peaks.CHAIN + 1) * size_bytes
        streams.append(moved / (cpu_ms(place / f"stream-{length}.onnx", feeds, effort) * 1e-3))
    return Cpu(
        product_flop_per_s=rate, vector_flop_per_s=rate, memory_bytes_per_s=streams[1], cache_bytes_per_s=streams[0],
        cache_bytes=machine().caches_bytes.get("L3", 32 << 20),
    )  # fmt: skip


def cpu_ms(path: Path, feeds: Path, effort: Effort) -> float:
    """CPU time of one call on one thread."""
    return float(plain(path, feeds, 1, 3.0 * effort.time_factor)["cpu_ms"])


def predicted_ms(layers: tuple, on: Cpu) -> tuple[float, float]:
    """The model's and the plain roofline's time of one call."""
    ops = from_layers(layers, "fp32", folds=True)
    times = latency_cpu.seconds(ops, on)
    told = float((times.kernel + times.launch) @ ops.repeat) + latency_cpu.CALL_S
    roof = max(
        float(ops.flop @ ops.repeat) / on.product_flop_per_s,
        float(ops.moved_bytes @ ops.repeat) / on.memory_bytes_per_s,
    )
    return told * 1e3, roof * 1e3


def placement(effort: Effort) -> Iterator[Row]:
    """A million candidates and more, judged and ranked."""
    layers = model("bert_base")[1].layers
    candidates = [Candidate(variant_id=dtype, layers=layers, dtype=dtype) for dtype in ("fp32", "fp16", "bf16", "int8")]
    started = time.perf_counter()
    found = options(candidates, None)
    prepared = time.perf_counter() - started
    traffic = Traffic(requests_per_day=5e6, budget_ms=150.0, users_at=("DE",))
    place(candidates, traffic, found=found)
    took, cpu, count = [], [], 0
    for objective in ("energy", "carbon", "cost") * max(effort.pairs // 2, 1):
        started, spent = time.perf_counter(), time.process_time()
        count = place(candidates, traffic, objective=objective, found=found).considered_count
        took.append(time.perf_counter() - started)
        cpu.append(time.process_time() - spent)
    million = median(took) / count * 1e6
    yield Row(
        what=f"placement of {count:,} candidates", value=f"{median(took):.2f} s, {million:.2f} s a million",
        limit="0.5 s a million", passed=million < 0.5,
        note=f"CPU time {median(cpu):.2f} s; predicting {len(found):,} options took {prepared:.1f} s, once",
    )  # fmt: skip


SUITE = run
