"""Variants as candidates: the graph of each file, read in the locked child, and what it took where it ran."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from advisor import model_frames
from advisor.compress import runnable_file
from advisor.latency.operators import OWN
from advisor.placement.inputs import built_batch
from advisor.placement.options import Candidate
from advisor.placement.types import ORIGINAL
from advisor.recommend import title
from advisor.types import Graph, Report, Variant
from data.errors import InputError
from data.records import from_plain
from profiler.inputs import filled_shapes
from profiler.jobs import Desk
from profiler.tasks import ChildDesk, task
from profiler.types import Layer, Measurement, Model

OPENVINO, IR = "openvino", ".xml"
# What OpenVINO's own techniques make of the original's products: (the dtype they compute in, activations over before).
INT8, BF16, AS_IT_WAS = ("int8", 0.25), ("bfloat16", 0.5), ("float32", 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What can be placed: the candidates, their titles by id, and what cannot be placed and why."""

    candidates: tuple[Candidate, ...]
    titles: dict[str, str]
    not_placed: tuple[str, ...] = ()


@task
def read_graphs(desk: ChildDesk, *, files: list[Mapping[str, str]], shapes: Mapping[str, Sequence[int]]) -> list[Any]:
    """For each {"sha256", "path"}: the file's layers at these shapes, its weights and live activations in bytes."""
    from profiler.inspect import recognise

    found = []
    for place, one in enumerate(files):
        desk.progress(place / len(files), "Reading the variants' graphs")
        file = Path(one["path"])
        model = recognise(file).read(file, {name: tuple(shape) for name, shape in shapes.items()})
        found.append({
            "sha256": one["sha256"], "layers": model.layers, "weight_bytes": model.weight_bytes,
            "activation_bytes": model.peak_activation_bytes or 0,
        })  # fmt: skip
    return found


def graphs(desk: Desk, model: Model, variants: Sequence[Variant], batch: int = 1) -> dict[str, Graph]:
    """The graphs of these variants by the hash of their file: those kept, else read now and kept. OpenVINO's own files
    are not read: their graph is told from the original's (`candidate`)."""
    kept = {one.sha256: one for one in desk.all(Graph, parent_sha256=model.sha256)}
    wanted = {one.sha256: one for one in variants if _has_graph(one) and one.sha256 not in kept}
    if not wanted:
        return kept
    paths = {sha256: runnable_file(desk.home, one) for sha256, one in wanted.items()}
    there = {sha256: path for sha256, path in paths.items() if path.exists()}
    files = [{"sha256": sha256, "path": str(path)} for sha256, path in there.items()]
    shapes = filled_shapes(model.inputs, dict(model.shapes), batch)
    readable = [path.parent for path in there.values()]
    told = desk.task(read_graphs, {"files": files, "shapes": shapes}, readable=readable) if files else []
    found = [from_plain(Graph, {**one, "parent_sha256": model.sha256, "batch": batch}) for one in told]
    desk.save(*found)
    return kept | {one.sha256: one for one in found}


def of_report(report: Report, known: Mapping[str, Graph], ids: Sequence[str] | None = None) -> Choice:
    """The original and the report's variants as candidates: those it recommends and its runner-up, or those of `ids`.

    What ran here has its measured latency. Raises InputError where the model has no graph."""
    candidates = [original(report.model, _measured(report.baseline))]
    titles, missing = {ORIGINAL: "Original"}, []
    runs = {run.variant_id: run for run in report.measurements}
    for one in chosen(report, ids):
        found = candidate(one, report.model, known.get(one.sha256), _measured(runs.get(one.id)))
        if found is None:
            missing.append(f"{title(one)}: its graph was not read")
            continue
        titles[one.id] = title(one)
        candidates.append(replace(found, title=titles[one.id]))
    return Choice(candidates=tuple(candidates), titles=titles, not_placed=tuple(missing))


def chosen(report: Report, ids: Sequence[str] | None = None) -> list[Variant]:
    """The report's variants with these ids; without ids the recommended one and the runner-up, where they keep what
    the budget asks of quality."""
    plans = (report.recommendation.plan, report.recommendation.runner_up)
    usual = [plan.variant_id for plan in plans if plan is not None and plan.ruled_out is None]
    wanted = usual if ids is None else ids
    return [one for one in report.variants if one.id in wanted and one.failed is None]


def placeable(report: Report) -> dict[str, str]:
    """The titles by id of every variant that keeps what the budget asks and can be run, best first."""
    kept = {one.id: one for one in report.variants if one.failed is None}
    plans = [plan for plan in report.recommendation.tried if plan.ruled_out is None]
    return {plan.variant_id: title(kept[plan.variant_id]) for plan in plans if plan.variant_id in kept}


def original(model: Model, measured: Any = None) -> Candidate:
    """The model itself, each layer in the dtype its file stores. Raises InputError where it has no graph."""
    if not model.layers:
        reason = model.cannot_run or (model.notes or ("it has no graph",))[0]
        raise InputError("Where to run this model cannot be predicted.", hint=reason)
    batch = built_batch(model)
    return Candidate(
        variant_id=ORIGINAL, layers=model.layers, dtype=OWN, layers_batch=batch, weight_bytes=model.weight_bytes,
        activation_bytes=(model.peak_activation_bytes or 0) // batch, measured_ms=measured, title="The original",
    )  # fmt: skip


def candidate(variant: Variant, model: Model, graph: Graph | None, measured: Any = None) -> Candidate | None:
    """A variant with its own graph; None where that is not known. OpenVINO runs on CPUs alone."""
    if variant.runtime == OPENVINO and variant.file.endswith(IR):
        layers = openvino_layers(variant, model)
        base = original(model, measured) if layers else None
        weights = variant.weight_bytes or 0
        return base and replace(base, variant_id=variant.id, layers=layers, weight_bytes=weights, kinds=("cpu",))
    if graph is None or not graph.layers:
        return None
    return Candidate(
        variant_id=variant.id, layers=graph.layers, dtype=OWN, layers_batch=graph.batch,
        weight_bytes=graph.weight_bytes, activation_bytes=graph.activation_bytes // graph.batch, measured_ms=measured,
        kinds=("cpu",) if variant.runtime == OPENVINO else (),
    )  # fmt: skip


def openvino_layers(variant: Variant, model: Model) -> tuple[Layer, ...]:
    """The original's layers with what OpenVINO's technique changes in its products; empty after other steps."""
    if len(variant.steps) != 1:
        return ()
    bf16 = variant.runtime_options.get("precision") == "bf16"
    dtype, ratio = INT8 if variant.steps[0].technique == "int8_openvino" else BF16 if bf16 else AS_IT_WAS
    stored = (variant.weight_bytes or model.weight_bytes) / max(model.weight_bytes, 1)
    return tuple(
        replace(
            layer, dtype=dtype, weight_bytes=round(layer.weight_bytes * stored),
            read_bytes=round(layer.read_bytes * ratio), written_bytes=round(layer.written_bytes * ratio),
        )
        if layer.flop
        else layer
        for layer in model.layers
    )  # fmt: skip


def _has_graph(variant: Variant) -> bool:
    return variant.failed is None and bool(variant.sha256) and not variant.file.endswith(IR)


def _measured(run: Measurement | None) -> Any:
    """The median of a run of one sample a call; None of other runs."""
    return model_frames.median(run) if run is not None and run.workload.batch_size == 1 else None
