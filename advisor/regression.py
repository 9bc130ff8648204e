"""Is a build's model worse than the last one that passed: larger, less right, or slower when run beside it."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from advisor.paired import paired_latency
from advisor.quality import compare
from advisor.types import Quality
from data.errors import InputError
from data.estimate import Estimate
from data.records import from_plain
from profiler import loads
from profiler.inputs import filled_shapes
from profiler.jobs import Desk, now
from profiler.kept import kept_file, kept_model, runtime_for
from profiler.measure import Feed
from profiler.profile import Subject, Wish
from profiler.sandbox import Limits
from profiler.timing import Settings
from profiler.types import Measurement, Model

NEW, REFERENCE = "new", "reference"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """How much worse a model may be than the last one that passed: its size and latency as ratios, and its drop in
    accuracy (a share; without labels nothing is held against it)."""

    size_ratio: float = 1.05
    latency_ratio: float = 1.05
    loss: float = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One model of a series (`name`) held against the last one that passed; the first of a series has none.

    `latency_ratio` is new over reference, of paired rounds in one process; `regressions` is empty where it passed."""

    KEY: ClassVar[str] = "id"

    id: str
    name: str
    created_at: str
    model_sha256: str
    file_bytes: int
    passed: bool
    reference_sha256: str | None = None
    size_ratio: float | None = None
    latency_ratio: Estimate | None = None
    quality: Quality | None = None
    regressions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How the two are run: an .npz of inputs (and labels), filled shapes, batch, threads, seconds for both."""

    data: Path | None = None
    shapes: Mapping[str, Sequence[int]] | None = None
    batch_size: int = 1
    threads: int | None = None
    seconds: float = 20.0


def check(desk: Desk, sha256: str, name: str, allowed: Allowed, asked: Asked) -> Check:
    """Holds the kept model `sha256` against the series `name` and keeps the answer.

    Raises InputError where the inputs of the two differ, and what measuring raises."""
    model, file = kept_model(desk, sha256)
    reference = last_passed(desk, name)
    found = Check(
        id=uuid.uuid4().hex[:12], name=name, created_at=now(), model_sha256=sha256, file_bytes=model.file_bytes,
        passed=True,
    )  # fmt: skip
    if reference is None:
        found = replace(found, notes=("The first of its series: nothing to hold it against.",))
    elif reference.sha256 == sha256:
        found = replace(
            found, reference_sha256=sha256, size_ratio=1.0, notes=("The very file that passed last time.",)
        )  # fmt: skip
    else:
        found = _held(desk, found, (model, file), reference, allowed, asked)
    desk.save(found)
    return found


def last_passed(desk: Desk, name: str) -> Model | None:
    """The model of the newest check of this series that passed and whose file is still kept."""
    for one in reversed(desk.all(Check, name=name)):
        if one.passed and kept_file(desk.home, one.model_sha256) is not None:
            return desk.get(Model, one.model_sha256)
    return None


def regressions(found: Check, allowed: Allowed) -> tuple[str, ...]:
    """One sentence for everything in which the model is worse than is allowed; pure."""
    worse = []
    if found.size_ratio is not None and found.size_ratio > allowed.size_ratio:
        worse.append(f"The file is {found.size_ratio:.3f} times as large; {allowed.size_ratio:g} is allowed.")
    ratio = found.latency_ratio
    if ratio is not None and ratio.low > allowed.latency_ratio:
        told = f"{ratio.mid:.2f} ({ratio.low:.2f} to {ratio.high:.2f}) times the latency"
        worse.append(f"It takes {told}; {allowed.latency_ratio:g} is allowed.")
    quality = found.quality
    if quality is not None and quality.kind == "accuracy" and (quality.loss or 0.0) > allowed.loss:
        told = f"from {quality.accuracy_before:.4f} to {quality.accuracy_after:.4f}"
        worse.append(f"Accuracy falls {told}; a drop of {allowed.loss:g} is allowed.")
    return tuple(worse)


def _held(desk: Desk, found: Check, new: tuple[Model, Path], reference: Model, allowed: Allowed, asked: Asked) -> Check:
    model, file = new
    _, before = kept_model(desk, reference.sha256)
    if [(one.name, one.dtype) for one in model.inputs] != [(one.name, one.dtype) for one in reference.inputs]:
        raise InputError(
            "The model has other inputs than the last one that passed: they cannot be run side by side.",
            hint="Start a new series with another --name.",
        )
    with desk.span(0.0, 0.6):
        ran, ran_before = _timed(desk, (model, file), (reference, before), asked)
    ratio, basis = paired_latency(ran, ran_before)
    with desk.span(0.6, 1.0):
        quality = _quality(desk, (model, file), (reference, before), asked)
    notes = [f"Latency is the ratio of paired rounds ({basis}), {len(ran.samples_ms)} calls each."]
    if quality is None or quality.kind != "accuracy":
        notes.append("No labels were given, so nothing is said of its quality: give --data with 'labels'.")
    held = replace(
        found, reference_sha256=reference.sha256, size_ratio=model.file_bytes / reference.file_bytes,
        latency_ratio=ratio, quality=quality, notes=tuple(notes),
    )  # fmt: skip
    worse = regressions(held, allowed)
    return replace(held, regressions=worse, passed=not worse)


def _timed(
    desk: Desk, new: tuple[Model, Path], reference: tuple[Model, Path], asked: Asked
) -> tuple[Measurement, Measurement]:
    """Both, interleaved on the same inputs, over several loads; their runs are kept."""
    model = new[0]
    shapes = filled_shapes(model.inputs, dict(asked.shapes or model.shapes), asked.batch_size)
    feed = Feed(
        model=model, shapes=shapes, batch_size=asked.batch_size, data=str(asked.data) if asked.data else None
    )  # fmt: skip
    subjects = [
        Subject(
            path=file, model_sha256=one.sha256, variant_id=label, runtime=runtime_for(one.format),
            readable=(file.parent,),
        )
        for label, (one, file) in ((REFERENCE, reference), (NEW, new))
    ]  # fmt: skip
    settings = Settings(budget_s=asked.seconds / 2 / loads.FEWEST, warmup_s=0.1)
    runs = loads.measure(
        desk, subjects, feed, Wish(threads=asked.threads, settings=settings, memory=False), seconds=asked.seconds
    )
    before, after = (replace(run, variant_id=None) for run in runs)
    desk.save(before, after)
    return after, before


def _quality(desk: Desk, new: tuple[Model, Path], reference: tuple[Model, Path], asked: Asked) -> Quality | None:
    """The new model's answers against the reference's: accuracy where there are labels. None without data."""
    if asked.data is None:
        return None
    entries = [
        {"label": label, "path": str(file), "runtime": runtime_for(one.format)}
        for label, (one, file) in ((REFERENCE, reference), (NEW, new))
    ]
    arguments: dict[str, Any] = {
        "original": entries[0], "variants": entries[1:], "model": reference[0], "data": str(asked.data),
        "seconds": asked.seconds,
    }  # fmt: skip
    readable = [reference[1].parent, new[1].parent, asked.data]
    found = desk.task(compare, arguments, readable=readable, limits=Limits(seconds=60.0 + 10 * asked.seconds))[NEW]
    if "error" in found:
        raise InputError(str(found["error"]), hint=str(found.get("hint", "")))
    return from_plain(Quality, found)
