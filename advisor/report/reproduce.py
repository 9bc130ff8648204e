"""Make a recommended variant again from its steps, and say whether it is the same file."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from advisor.apply import apply
from advisor.types import Report
from data.errors import InputError
from data.home import home
from data.records import from_plain
from profiler import intake
from profiler.files import made_by_job
from profiler.inspect import inspect
from profiler.jobs import Desk
from profiler.machine import machine
from profiler.types import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The file that came out, its hash, and whether that is the one expected (None where none was told).

    A file may differ where libraries or the machine's instructions do: `file` is then as good, but not the same."""

    file: Path
    sha256: str
    same: bool | None


def reproduce(
    source: Path,
    steps: Sequence[tuple[str, Mapping[str, Any]]],
    folder: Path,
    *,
    data: Path | None = None,
    shapes: Mapping[str, Sequence[int]] | None = None,
    source_sha256: str | None = None,
    sha256: str | None = None,
) -> Made:
    """Applies the steps (technique, option) to `source` one after the other; the last one's files lie in `folder`.

    `data` is the .npz the variant was calibrated on; training data that are kept with the model here are used as they
    were. Raises InputError where `source` is not the file with
    `source_sha256`, and what the techniques raise."""
    desk = Desk(home(), _NoKeeper(), lambda done_frac, text: None)
    model = intake.look(desk, source, source.name, dict(shapes or {}))
    if source_sha256 is not None and model.sha256 != source_sha256:
        raise InputError("This is another file than the one that was compressed.", hint="Take the one with that hash.")
    if not steps:
        return Made(file=source, sha256=model.sha256, same=model.sha256 == sha256 if sha256 else None)
    folder.mkdir(parents=True, exist_ok=True)
    given = _given(model.sha256, data)
    with tempfile.TemporaryDirectory(dir=home().jobs) as passing:
        path, here = source.resolve(), machine()
        for place, (technique, option) in enumerate(steps):
            target = Path(passing) / str(place)
            target.mkdir()
            arguments = {
                "technique": technique, "option": dict(option), "path": str(path), "model": model, "machine": here,
                **given,
            }  # fmt: skip
            readable = [path.parent, *map(Path, given.values())]
            made = desk.task(apply, arguments, folder=target, readable=readable)
            path = made_by_job(target, made["decoded"] or made["file"])
            if place + 1 < len(steps):
                asked = {"path": str(path), "name": model.name, "shapes": model.shapes}
                again = from_plain(Model, desk.task(inspect, asked, readable=[target]))
                model = replace(again, sha256=model.sha256)
        for name in (made["file"], *made["companions"], *([made["decoded"]] if made["decoded"] else [])):
            shutil.copyfile(made_by_job(target, name), folder / name)
    return Made(file=folder / made["file"], sha256=made["sha256"], same=made["sha256"] == sha256 if sha256 else None)


def _given(sha256: str, data: Path | None) -> dict[str, str]:
    """The data a technique is given: those to calibrate on, and what is kept with the model to train on."""
    training = intake.training_file(home(), sha256)
    files = {"calibration": data, "training": training if training.exists() else None}
    return {name: str(file.resolve()) for name, file in files.items() if file is not None}


def recipe(report: Report, variant_id: str | None = None) -> dict[str, Any]:
    """What `reproduce` must be told to make a variant of the report again: that with this id, else the recommended one;
    no steps where the original stays."""
    chosen = report.recommendation.plan
    wanted = variant_id or (chosen.variant_id if chosen else None)
    variant = next((one for one in report.variants if one.id == wanted), None)
    return {
        "steps": [(step.technique, dict(step.options)) for step in variant.steps] if variant else [],
        "shapes": {name: tuple(shape) for name, shape in report.baseline.workload.shapes.items()},
        "source_sha256": report.model.sha256,
        "sha256": variant.sha256 if variant else report.model.sha256,
    }


class _NoKeeper:
    """Keeps nothing: making a file again leaves no record."""

    def save(self, *records: Any) -> None:
        raise AssertionError("nothing is kept here")

    def get(self, kind: type[Any], key: str) -> None:
        return None

    def all(self, kind: type[Any], **equal: Any) -> list[Any]:
        return []
