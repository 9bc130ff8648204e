"""A torch file's way into the techniques: its ONNX export, kept as a variant of it, and what the export alone gains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from advisor import compress
from advisor.paired import paired_latency
from advisor.types import Plan, Recommendation, Variant
from data import words
from data.errors import InputError
from data.estimate import Estimate, exact
from data.records import from_plain
from profiler.convert import FORMATS
from profiler.inspect import inspect
from profiler.jobs import Desk
from profiler.machine import machine
from profiler.sandbox import Limits
from profiler.types import Measurement, Model

EXPORT_S = 300.0
EXPORTS = ("onnx", *FORMATS)  # what techniques can work on, these by way of ONNX


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """The ONNX file of a torch model: the variant it is kept as, where it lies, and what it is. `model` bears the
    original's hash, so that what is made of it belongs to the original."""

    variant: Variant
    file: Path
    model: Model


def exported(desk: Desk, model: Model, source: Path, shapes: Mapping[str, Sequence[int]]) -> Exported | None:
    """The ONNX export of a TorchScript or .pt2 file at these shapes, made in the locked child and kept with its own
    hash; None for a file that is ONNX itself. Raises InputError where it cannot be exported or answers otherwise."""
    if model.format not in FORMATS:
        return None
    at = replace(model, shapes={name: tuple(shape) for name, shape in (shapes or model.shapes).items()})
    step = compress.titled("to_onnx", {})
    variant = compress.make(desk, at, machine(), source, step, limits=Limits(seconds=EXPORT_S))
    if variant.failed is not None:
        raise InputError(variant.failed, hint="Export the model to ONNX where it was made.")
    file = compress.runnable_file(desk.home, variant)
    arguments = {"path": str(file), "name": model.name, "shapes": at.shapes}
    found = from_plain(Model, desk.task(inspect, arguments, readable=[file.parent]))
    return Exported(variant=variant, file=file, model=replace(found, sha256=model.sha256))


def compared(found: Recommendation, runs: Sequence[Measurement], export: Variant) -> Recommendation:
    """The verdict with every plan's latency beside that of the export alone, where both ran in one group, and with a
    sentence that says what "the original" is: the file as given, run by PyTorch."""
    alone = {run.group_id: run for run in runs if run.variant_id == export.id}
    ratios = {run.variant_id: _ratio(run, alone) for run in runs if run.variant_id not in (None, export.id)}
    ratios[export.id] = exact(1.0, "measured", "the export itself")

    def beside(plan: Plan | None) -> Plan | None:
        return None if plan is None else replace(plan, export_ratio=ratios.get(plan.variant_id))

    tried = tuple(replace(plan, export_ratio=ratios.get(plan.variant_id)) for plan in found.tried)
    said = _said(next((plan for plan in tried if plan.variant_id == export.id), None), beside(found.plan), export)
    reasons = (*found.reasons[:1], said, *found.reasons[1:])
    return replace(
        found, plan=beside(found.plan), runner_up=beside(found.runner_up), tried=tried, reasons=reasons
    )  # fmt: skip


def _ratio(run: Measurement, alone: Mapping[str, Measurement]) -> Estimate | None:
    beside = alone.get(run.group_id)
    return None if beside is None else paired_latency(run, beside)[0]


def _said(alone: Plan | None, chosen: Plan | None, export: Variant) -> str:
    text = "The original is the file as given, run by PyTorch (eager)."
    if alone is not None and alone.latency_ratio is not None:
        text += f" Exporting it to ONNX alone takes {words.times_of(alone.latency_ratio)} of its time."
    if chosen is not None and chosen.variant_id != export.id and chosen.export_ratio is not None:
        text += f" The plan takes {words.times_of(chosen.export_ratio)} of the ONNX export's."
    return text
