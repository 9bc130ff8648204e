"""Work on a model that is kept: measure it, and take in the data that belongs to it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from data.errors import InputError, Unavailable
from data.home import Home
from data.records import from_plain
from data.settings import settings
from profiler import profile
from profiler.files import copied
from profiler.inputs import filled_shapes, load_npz
from profiler.intake import at_shapes, data_file, discard
from profiler.jobs import Desk
from profiler.measure import Feed
from profiler.runtimes import runtimes
from profiler.tasks import ChildDesk, procedure, task
from profiler.timing import Settings
from profiler.triage.data import triage_data
from profiler.types import Model


@procedure
def measure_kept(
    desk: Desk,
    *,
    sha256: str,
    shapes: Mapping[str, Sequence[int]] | None = None,
    batch_size: int = 1,
    threads: int | None = None,
    runtime: str | None = None,
    options: Mapping[str, str] | None = None,
    device: str = "cpu",
    seconds: float | None = None,
) -> dict[str, Any]:
    """Latency, memory and energy of a kept model on this machine; {"measurement": its id}. Runs on the model's own
    data where it was given. Raises InputError where the model is not kept or cannot run, and what measuring raises."""
    model, file = kept_model(desk, sha256)
    if model.cannot_run:
        raise InputError(model.cannot_run)
    data = data_file(desk.home, sha256)
    filled = filled_shapes(model.inputs, dict(shapes or model.shapes), batch_size)
    feed = Feed(model=model, shapes=filled, batch_size=batch_size, data=str(data) if data.exists() else None)
    subject = profile.Subject(
        path=file, model_sha256=sha256, runtime=runtime or runtime_for(model.format), options=dict(options or {}),
        readable=(file.parent,),
    )  # fmt: skip
    timed = Settings(budget_s=seconds or settings().measure_seconds)
    wish = profile.Wish(device=device, threads=threads, settings=timed)
    measured = profile.measure(desk, [subject], feed, wish)[0]
    desk.save(measured)
    return {"measurement": measured.id, "sha256": sha256}


@procedure
def read_at(desk: Desk, *, sha256: str, shapes: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    """Reads a kept model again at these input shapes, so that its layers are those of them, and keeps what it is now;
    {"sha256"}. Raises InputError where they do not fit."""
    model, file = kept_model(desk, sha256)
    desk.progress(0.1, "Reading the model at these shapes")
    found = at_shapes(desk, file, model, shapes)
    desk.save(found)
    return {"sha256": found.sha256}


@procedure
def take_data(desk: Desk, *, sha256: str, path: str, move: bool = False) -> dict[str, Any]:
    """Keeps an .npz of inputs (and "labels") for a model once it is known to fit; what `check_data` found in it."""
    model, _ = kept_model(desk, sha256)
    file = Path(path)
    try:
        found = desk.task(check_data, {"path": str(file), "model": model}, readable=[file])
        copied(file, data_file(desk.home, sha256))
    finally:
        if move:
            discard(desk.home, file)
    return {"sha256": sha256, **found}


@task
def check_data(desk: ChildDesk, *, path: str, model: Mapping[str, Any]) -> dict[str, Any]:
    """{"samples", "labels"}: how many samples the arrays hold and whether they are labelled. Raises InputError where
    they do not fit the model."""
    desk.progress(0.1, "Checking the data")
    triage_data(Path(path), Path(path).name)
    feeds, labels = load_npz(Path(path), from_plain(Model, dict(model)))
    return {"samples": len(next(iter(feeds.values()))), "labels": labels is not None}


def kept_file(home: Home, sha256: str) -> Path | None:
    """The kept file of a model, or None where it was deleted."""
    return next(iter(sorted(home.model(sha256).glob("original.*"))), None)


def kept_model(desk: Desk, sha256: str) -> tuple[Model, Path]:
    """The kept record and file of a model. Raises InputError where there is none."""
    model, file = desk.get(Model, sha256), kept_file(desk.home, sha256)
    if model is None or file is None:
        raise InputError("This model is not kept here any more.", hint="Add the file again.")
    return model, file


def runtime_for(format_name: str) -> str:
    """The runtime to measure this format with: ONNX Runtime where it can, else the first that can. Raises Unavailable
    where none is installed."""
    able = [runtime for runtime in runtimes().values() if format_name in runtime.FORMATS]
    for runtime in sorted(able, key=lambda runtime: runtime.NAME != "onnxruntime"):
        if runtime.missing() is None:
            return runtime.NAME
    reasons = [str(runtime.missing()) for runtime in able]
    raise Unavailable(reasons[0] if reasons else f"No runtime here runs the format {format_name}.")
