"""The whole way as one job: measure the original, search, recommend, footprint, report."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from advisor.exported import EXPORTS, exported
from advisor.make_time import default_seconds
from advisor.placement import placed
from advisor.reported import reported
from advisor.search import Search
from advisor.site import Site, site
from advisor.trials import Question
from advisor.types import Budget
from data.errors import InputError
from data.records import from_plain
from data.settings import settings
from profiler.inputs import filled_shapes
from profiler.intake import data_file
from profiler.jobs import Desk
from profiler.kept import kept_model, runtime_for
from profiler.kept_data import check_apart
from profiler.machine import machine
from profiler.memory import check_fits
from profiler.sandbox import memory_bytes
from profiler.tasks import procedure
from profiler.types import Model

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
    usual = default_seconds(model) + (TORCH_S if export else 0.0)
    question = Question(
        model=model, source=source, machine=machine(), budget=wanted, data=inputs, shapes=called,
        batch_size=batch_size, threads=threads, seconds=asked or usual, only=tuple(only),
        runtime=runtime_for(model.format), exported=export,
    )  # fmt: skip
    return _answered(desk, question, place)


def _answered(desk: Desk, question: Question, place: Site) -> dict[str, Any]:
    """The question searched and its report saved; {"report": its id, "verdict"}."""
    trained = check_apart(desk, question.model, question.data) if question.data else 0
    with desk.span(0.05, 0.97):
        answer = Search(desk, question).run()
    desk.progress(0.98, "Writing the report")
    report = reported(question, answer, place, desk)
    report = replace(report, notes=(*report.notes, TRAINED.format(trained))) if trained else report
    with desk.span(0.985, 1.0):
        desk.progress(0.0, "Placing it")
        report = placed.place_found(desk, report, question.budget.zone)
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
