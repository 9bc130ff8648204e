"""The whole way as one job: measure the original, search, recommend, footprint, report."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from advisor import footprint, payback
from advisor.exported import EXPORTS, compared, exported
from advisor.placement import placed
from advisor.recommend import variant_title
from advisor.report import outlook
from advisor.report.credits import credited
from advisor.search import Answer, Search, default_seconds
from advisor.site import Site, site
from advisor.trials import Question
from advisor.types import Budget, Footprint, Plan, Report
from data.errors import InputError
from data.estimate import Estimate
from data.records import from_plain
from data.settings import settings
from profiler.inputs import filled_shapes
from profiler.intake import data_file
from profiler.jobs import Desk, now
from profiler.kept import kept_model, runtime_for
from profiler.kept_data import check_apart
from profiler.machine import machine
from profiler.memory import check_fits
from profiler.sandbox import memory_bytes
from profiler.tasks import procedure
from profiler.types import Measurement, Model

REPORT_VERSION = 1
TRAINED = "Techniques train and calibrate on {} samples of their own; quality is measured on others alone."
TORCH_S = 16.0  # what starting PyTorch in each child adds to a search


@procedure
def plan(
    desk: Desk,
    *,
    sha256: str,
    budget: Mapping[str, Any],
    data: str | None = None,
    shapes: Mapping[str, Sequence[int]] | None = None,
    batch_size: int = 1,
    threads: int | None = None,
    seconds: float | None = None,
    only: Sequence[str] = (),
) -> dict[str, Any]:
    """Compresses the kept model `sha256` really, measures each variant against it, and saves the report;
    {"report": its id, "verdict"}. `budget` is a Budget as plain values, `data` an .npz (None: the one kept with the
    model, if any), `seconds` what the search may take (None: by the model's size), `only` the techniques to try
    (none: all). Raises InputError where the model cannot run."""
    wanted = checked(from_plain(Budget, dict(budget)))
    place, asked = site(wanted.zone, desk), seconds or settings().search_seconds
    model, source = sizable(desk, sha256)
    own = data_file(desk.home, sha256)
    inputs = Path(data) if data else own if own.exists() else None
    called = filled_shapes(model.inputs, dict(shapes or model.shapes), batch_size)
    check_fits(model, called, memory_bytes())
    with desk.span(0.0, 0.05):
        export = exported(desk, model, source, called)
    trained = check_apart(desk, model, inputs) if inputs else 0
    usual = default_seconds(model) + (TORCH_S if export else 0.0)
    question = Question(
        model=model, source=source, machine=machine(), budget=wanted, data=inputs, shapes=called,
        batch_size=batch_size, threads=threads, seconds=asked or usual, only=tuple(only),
        runtime=runtime_for(model.format), exported=export,
    )  # fmt: skip
    with desk.span(0.05, 0.97):
        answer = Search(desk, question).run()
    desk.progress(0.98, "Writing the report")
    report = reported(question, answer, place)
    report = replace(report, notes=(*report.notes, TRAINED.format(trained))) if trained else report
    desk.progress(0.985, "Placing it")
    report = placed.place_found(desk, report, wanted.zone)
    desk.save(report)
    return {"report": report.id, "verdict": report.recommendation.verdict}


def sizable(desk: Desk, sha256: str) -> tuple[Model, Path]:
    """The kept record and file of a model that techniques can work on. Raises InputError where there is none."""
    model, source = kept_model(desk, sha256)
    if model.cannot_run:
        raise InputError(model.cannot_run)
    if model.format not in EXPORTS:
        raise InputError(
            f"Techniques work on ONNX, TorchScript and .pt2 files; this one is {model.format}.",
            hint="Export it to ONNX where it was made.",
        )
    return model, source


def checked(budget: Budget) -> Budget:
    """The budget, if its values make sense. Raises InputError naming the one that does not."""
    if budget.latency_ms is not None and budget.latency_ms <= 0:
        raise InputError("A latency budget must be longer than 0 ms.")
    if not 0 <= budget.max_loss <= 1:
        raise InputError("The allowed loss lies between 0 and 1.", hint="0.01 allows one point of accuracy.")
    if budget.requests_per_day < 0:
        raise InputError("Requests per day cannot be negative.")
    if not 0 < budget.percentile < 100:
        raise InputError("The percentile lies between 0 and 100.", hint="95 is usual.")
    return budget


def reported(question: Question, answer: Answer, place: Site) -> Report:
    """The report of a finished search: footprints a year before and after, pay-back, sources."""
    budget, found, baseline = question.budget, answer.recommendation, answer.baseline
    before = yearly(baseline.energy_j, budget, place)
    after = before if found.plan is None else yearly(planned_j(found.plan, baseline), budget, place)
    spent_s = {variant.id: variant.make_s for variant in answer.variants}

    def finished(one: Plan | None) -> Plan | None:
        if one is None:
            return None
        return replace(
            one, footprint=yearly(planned_j(one, baseline), budget, place),
            payback_calls=payback.calls(spent_s.get(one.variant_id), one, baseline),
        )  # fmt: skip

    if question.exported is not None:
        found = compared(found, answer.finals, question.exported.variant)
    recommendation = replace(found, plan=finished(found.plan), runner_up=finished(found.runner_up))
    runs, names = answer.finals, {one.id: variant_title(one) for one in answer.variants}
    ahead = outlook.outlook(runs, names, budget, before, after, recommendation.plan)
    return Report(
        id=uuid.uuid4().hex[:12], created_at=now(), version=REPORT_VERSION, budget=budget, model=question.model,
        machine=baseline.machine, baseline=baseline, measurements=runs, variants=answer.variants,
        recommendation=recommendation, footprint_before=before, footprint_after=after,
        outlook=ahead, sources=credited(before, after, recommendation, ahead),
    )  # fmt: skip


def planned_j(plan: Plan, original: Measurement) -> Estimate | None:
    """Joules of a call with the plan. Where energy is modelled it follows CPU time, of which the paired ratio knows
    most: then it is the original's times that ratio, and before, after and the change agree."""
    if plan.energy_j is None or original.energy_j is None or plan.energy_ratio is None:
        return plan.energy_j
    return plan.energy_j if plan.energy_j.basis == "measured" else original.energy_j * plan.energy_ratio


def yearly(energy_j: Estimate | None, budget: Budget, place: Site) -> Footprint:
    """The footprint a year of a call's joules at this place; empty where they are not known."""
    if energy_j is None:
        return Footprint()
    return footprint.yearly(energy_j, budget.requests_per_day, place.g_per_kwh, usd_per_kwh=place.usd_per_kwh)
