"""Take a file in: triage it by its bytes, keep it in the home, read it in the locked child, save what it is."""

import importlib
import json
import shutil
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from data.errors import InputError
from data.home import Home
from data.passing import remove
from data.records import from_plain
from data.text import plain
from profiler.files import copied, made_by_job
from profiler.inspect import inspect
from profiler.jobs import Desk
from profiler.refusals import remembered
from profiler.sandbox import Limits
from profiler.tasks import procedure
from profiler.triage.examine import Verdict, admitted, companions, examine, unpack
from profiler.types import Model

INSPECT_S = 60.0
EXAMPLES = ("digits", "bert")
BUILT = "built.json"


@procedure
def take_in(
    desk: Desk, *, path: str, name: str = "", shapes: Mapping[str, Sequence[int]] | None = None, move: bool = False
) -> dict[str, Any]:
    """Reads the model file at `path` and keeps it; {"sha256", "seconds"}. `move` removes the upload's
    folder afterwards; files beside it that hold its weights are kept with it. Raises InputError on what is no model."""
    file = Path(path)
    if move and not file.exists():
        raise InputError("The uploaded file is not here any more.", hint="Upload it again.")
    try:
        file, called = _there(file), name or file.name
        with remembered(desk, file, called, shapes or {}), opened(desk, file, called) as (whole, verdict):
            model = read(desk, whole, verdict, called, shapes or {})
            desk.progress(0.8, "Keeping the file")
            _kept(desk, model, whole)
    finally:
        if move:
            discard(desk.home, file)
    return {"sha256": model.sha256}


def _kept(desk: Desk, model: Model, file: Path) -> None:
    """Keeps the file and its record: both, or where either cannot be written, neither."""
    folder = desk.home.model(model.sha256)
    known = any(folder.glob("original.*"))
    try:
        keep(desk.home, model, file)
        desk.save(model)
    except BaseException:
        if not known:
            remove(folder)
        raise


@procedure
def take_example(desk: Desk, *, name: str) -> dict[str, Any]:
    """Builds an example ("digits" or "bert") the first time, and takes it in with its labelled test set, where it has
    one; {"sha256"}. Raises InputError on another name."""
    if name not in EXAMPLES:
        raise InputError(f"There is no example called '{plain(name)}'.", hint=f"Examples: {', '.join(EXAMPLES)}.")
    folder = desk.home.examples / name
    if not (folder / BUILT).exists():
        with desk.span(0.0, 0.8):
            _build(desk, name, folder)
    built = json.loads((folder / BUILT).read_text(encoding="utf-8"))
    with desk.span(0.8, 1.0):
        taken = take_in(desk, path=str(folder / built["model"]), name=built["name"])
    if built.get("data"):
        copied(folder / built["data"], data_file(desk.home, taken["sha256"]))
    if built.get("training"):
        copied(folder / built["training"], training_file(desk.home, taken["sha256"]))
    return taken


def discard(home: Home, file: Path) -> None:
    """Removes an upload with its folder; a file that lies elsewhere is the user's own and stays."""
    if file.parent.parent == home.uploads:
        remove(file.parent)


def data_file(home: Home, sha256: str) -> Path:
    """Where the inputs (and labels) that belong to a model are kept, if there are any."""
    return home.model(sha256) / "data.npz"


def training_file(home: Home, sha256: str) -> Path:
    """Where inputs to train on, apart from those the model is judged by, are kept, if there are any."""
    return home.model(sha256) / "training.npz"


def _build(desk: Desk, name: str, folder: Path) -> None:
    """Builds in a child; the folder appears whole or not at all."""
    build = importlib.import_module(f"profiler.examples.{name}").build
    with desk.folder() as made:
        told = desk.task(build, {}, folder=made)
        (made / BUILT).write_text(json.dumps(told), encoding="utf-8")
        remove(folder)
        shutil.copytree(made, folder)


def look(desk: Desk, file: Path, name: str, shapes: Mapping[str, Sequence[int]]) -> Model:
    """What the file is, without keeping it. Raises InputError on what is no model that is read here."""
    with opened(desk, file, name) as (whole, verdict):
        return read(desk, whole, verdict, name, shapes)


@contextmanager
def opened(desk: Desk, file: Path, name: str) -> Iterator[tuple[Path, Verdict]]:
    """The model file itself and the verdict on it: an archive is unpacked into a passing folder, where it is triaged
    again. Raises InputError on a trap or no model, Unavailable where this machine's sandbox is too weak for it."""
    file = _there(file)
    desk.progress(0.1, "Looking at the file")
    arguments = {"path": str(file), "name": name}
    limits = Limits(seconds=INSPECT_S)
    verdict = admitted(from_plain(Verdict, desk.task(examine, arguments, readable=[file], limits=limits)))
    if verdict.format != "onnx_bundle":
        yield file, verdict
        return
    with desk.folder() as folder:
        model = desk.task(unpack, {"path": str(file)}, folder=folder, readable=[file], limits=limits)
        with opened(desk, made_by_job(folder, model), model) as found:
            yield found


def _there(file: Path) -> Path:
    """The file itself, links followed. Raises InputError where there is none, or none that can be read."""
    try:
        file = file.expanduser().resolve()
        if stat.S_ISREG(file.stat().st_mode):
            with file.open("rb"):
                return file
        raise InputError("This path is not that of a file.", hint="Give the path of the model file itself.")
    except PermissionError as error:
        hint = "It must be readable for the user the app runs as."
        raise InputError("The file at this path may not be read.", hint=hint, details=str(error)) from error
    except (OSError, RuntimeError, ValueError) as error:
        hint = "Check the path; it is one on the machine of the app."
        raise InputError("There is no file at this path.", hint=hint, details=str(error)) from error


def read(desk: Desk, file: Path, verdict: Verdict, name: str, shapes: Mapping[str, Sequence[int]]) -> Model:
    """What an opened file is. Raises InputError where it is damaged."""
    desk.progress(0.2, "Reading the model")
    arguments = {"path": str(file), "name": name, "shapes": dict(shapes), "format_name": verdict.format}
    readable = [file, *(companions(file) if verdict.format == "onnx" else ())]
    with desk.span(0.2, 0.8):
        told = desk.task(inspect, arguments, readable=readable, limits=Limits(seconds=INSPECT_S))
    found = from_plain(Model, told)
    return replace(found, name=plain(Path(name).stem or name), notes=(*verdict.notes, *found.notes))


def at_shapes(desk: Desk, file: Path, model: Model, shapes: Mapping[str, Sequence[int]]) -> Model:
    """The model with its graph at these input shapes; read again where it was built for others."""
    if {name: tuple(shape) for name, shape in shapes.items()} == dict(model.shapes):
        return model
    arguments = {"path": str(file), "name": model.name, "shapes": dict(shapes), "format_name": model.format}
    readable = [file, *(companions(file) if model.format == "onnx" else ())]
    return from_plain(Model, desk.task(inspect, arguments, readable=readable, limits=Limits(seconds=INSPECT_S)))


def keep(home: Home, model: Model, file: Path) -> Path:
    """Copies the file, and those beside it that hold its weights, into the model's folder; the kept file. It is there
    whole or not at all; what was there before stays."""
    folder = home.model(model.sha256)
    target = folder / f"original{file.suffix.lower()[:12]}"
    if not target.exists():
        for companion in model.companions:
            copied(file.parent / companion, folder / companion)
        copied(file, target)
    return target
