"""Take a file in: triage it by its bytes, keep it in the home, read it in the locked child, save what it is."""

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
from profiler.triage import triage
from profiler.types import Model

INSPECT_S = 60.0


@procedure
def take_in(
    desk: Desk, *, path: str, name: str = "", shapes: Mapping[str, Sequence[int]] | None = None, move: bool = False
) -> dict[str, Any]:
    """Reads the model file at `path` and keeps it; {"sha256", "seconds"}. `move` gives the file away (an upload),
    else it is copied with the files beside it that hold its weights. Raises InputError on what is no model."""
    file = Path(path).expanduser()
    try:
        model = look(desk, file, name or file.name, shapes or {})
        desk.progress(0.8, "Keeping the file")
        keep(desk.home, model, file)
    finally:
        if move:
            file.unlink(missing_ok=True)
    desk.save(model)
    return {"sha256": model.sha256}


def look(desk: Desk, file: Path, name: str, shapes: Mapping[str, Sequence[int]]) -> Model:
    """What the file is, without keeping it. Raises InputError on what is no model that is read here."""
    if not file.is_file():
        raise InputError("There is no file at this path.", hint="Check the path; it is one on the machine of the app.")
    desk.progress(0.05, "Checking the bytes")
    triage(file, name)
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
