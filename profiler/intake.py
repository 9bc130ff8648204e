"""Take a file in: triage it by its bytes, keep it in the home, read it in the locked child, save what it is."""

import importlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from data.errors import InputError
from data.home import Home
from data.records import from_plain
from data.text import plain
from profiler.inspect import inspect
from profiler.jobs import Desk
from profiler.sandbox import Limits
from profiler.tasks import procedure
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
    file = Path(path).expanduser()
    try:
        model = look(desk, file, name or file.name, shapes or {})
        desk.progress(0.8, "Keeping the file")
        keep(desk.home, model, file)
    finally:
        if move and file.parent.parent == desk.home.jobs:
            shutil.rmtree(file.parent, ignore_errors=True)
    desk.save(model)
    return {"sha256": model.sha256}


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
        shutil.copyfile(folder / built["data"], data_file(desk.home, taken["sha256"]))
    return taken


def data_file(home: Home, sha256: str) -> Path:
    """Where the inputs (and labels) that belong to a model are kept, if there are any."""
    return home.model(sha256) / "data.npz"


def _build(desk: Desk, name: str, folder: Path) -> None:
    """Builds in a child; the folder appears whole or not at all."""
    build = importlib.import_module(f"profiler.examples.{name}").build
    with desk.folder() as made:
        told = desk.task(build, {}, folder=made)
        (made / BUILT).write_text(json.dumps(told), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(made, folder)


def look(desk: Desk, file: Path, name: str, shapes: Mapping[str, Sequence[int]]) -> Model:
    """What the file is, without keeping it. Raises InputError on what is no model that is read here."""
    if not file.is_file():
        raise InputError("There is no file at this path.", hint="Check the path; it is one on the machine of the app.")
    desk.progress(0.2, "Reading the model")
    arguments = {"path": str(file.resolve()), "name": name, "shapes": dict(shapes)}
    found = desk.task(inspect, arguments, readable=[file.resolve().parent], limits=Limits(seconds=INSPECT_S))
    return replace(from_plain(Model, found), name=plain(Path(name).stem or name))


def keep(home: Home, model: Model, file: Path) -> Path:
    """Copies the file, and those beside it that hold its weights, into the model's folder; the kept file."""
    folder = home.model(model.sha256)
    target = folder / f"original{file.suffix.lower()[:12]}"
    if not target.exists():
        for companion in model.companions:
            shutil.copyfile(file.parent / companion, folder / companion)
        shutil.copyfile(file, target)
    return target
