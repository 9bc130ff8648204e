"""Data kept with a model: inputs to judge it by, and others to train on. No sample is in both."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import InputError
from data.records import from_plain
from profiler.files import copied
from profiler.inputs import LABELS, load_npz
from profiler.intake import data_file, discard, training_file
from profiler.jobs import Desk
from profiler.kept import kept_model
from profiler.tasks import ChildDesk, procedure, task
from profiler.triage.data import triage_data
from profiler.types import Model

if TYPE_CHECKING:
    from numpy import ndarray

JUDGED, TRAINED = "judged.npz", "trained.npz"
FEWEST_TO_SPLIT = 64


@procedure
def take_data(desk: Desk, *, sha256: str, path: str, move: bool = False, split: bool = False) -> dict[str, Any]:
    """Keeps an .npz of inputs (and "labels") for a model once it is known to fit; what `check_data` found in it.
    `split` keeps half of the labelled samples to train on instead, and judges by the other half alone. Raises
    InputError where it does not fit, or holds samples that are trained on."""
    model, _ = kept_model(desk, sha256)
    file, target, training = Path(path), data_file(desk.home, sha256), training_file(desk.home, sha256)
    try:
        if split:
            with desk.folder() as folder:
                found: dict[str, Any] = desk.task(
                    split_data, {"path": str(file), "model": model}, folder=folder, readable=[file]
                )
                copied(folder / TRAINED, training)
                copied(folder / JUDGED, target)
        else:
            found = _checked(desk, model, file, training)
            copied(file, target)
    finally:
        if move:
            discard(desk.home, file)
    return {"sha256": sha256, **found}


@procedure
def take_training(desk: Desk, *, sha256: str, path: str, move: bool = False) -> dict[str, Any]:
    """Keeps an .npz of inputs (and "labels") that techniques may train on; what `check_data` found in it. Raises
    InputError where it does not fit, or holds samples that the model is judged by."""
    model, _ = kept_model(desk, sha256)
    file = Path(path)
    try:
        found = _checked(desk, model, file, data_file(desk.home, sha256))
        copied(file, training_file(desk.home, sha256))
    finally:
        if move:
            discard(desk.home, file)
    return {"sha256": sha256, **found}


def check_apart(desk: Desk, model: Model, judged: Path) -> int:
    """How many samples are kept to train on (0 where none are). Raises InputError where the data a model is to be
    judged by holds some of them."""
    training = training_file(desk.home, model.sha256)
    if not training.exists():
        return 0
    return int(_checked(desk, model, training, judged)["samples"])


def _checked(desk: Desk, model: Model, file: Path, other: Path) -> dict[str, Any]:
    arguments = {"path": str(file), "model": model, "apart_from": str(other) if other.exists() else None}
    found: dict[str, Any] = desk.task(check_data, arguments, readable=[file, *([other] if other.exists() else [])])
    return found


@task
def check_data(
    desk: ChildDesk, *, path: str, model: Mapping[str, Any], apart_from: str | None = None
) -> dict[str, Any]:
    """{"samples", "labels"}: how many samples the arrays hold and whether they are labelled. Raises InputError where
    they do not fit the model, or where samples of `apart_from` are among them."""
    desk.progress(0.1, "Checking the data")
    what = from_plain(Model, dict(model))
    triage_data(Path(path), Path(path).name)
    feeds, labels = load_npz(Path(path), what)
    if apart_from is not None and (shared := len(_rows(feeds) & _rows(load_npz(Path(apart_from), what)[0]))):
        raise InputError(
            f"{shared} samples are in both the training data and the data the model is judged by: accuracy would be "
            "flattered.",
            hint="Give samples that are in one of them only, or have one file split.",
        )
    return {"samples": len(next(iter(feeds.values()))), "labels": labels is not None}


@task
def split_data(desk: ChildDesk, *, path: str, model: Mapping[str, Any]) -> dict[str, Any]:
    """Writes two halves of a labelled .npz, each with every second sample of each class: judged.npz and trained.npz;
    {"samples" to judge by, "labels", "trained"}. Raises InputError where it does not fit, has no labels, or too few."""
    import numpy as np

    desk.progress(0.1, "Splitting the data")
    triage_data(Path(path), Path(path).name)
    feeds, labels = load_npz(Path(path), from_plain(Model, dict(model)))
    if labels is None:
        raise InputError("Only labelled samples are split.", hint="Add an array 'labels' to the .npz.")
    if len(labels) < FEWEST_TO_SPLIT:
        raise InputError(f"{len(labels)} samples are too few to be split: it takes {FEWEST_TO_SPLIT}.")
    by_class = np.argsort(labels, kind="stable")
    halves = {JUDGED: np.sort(by_class[::2]), TRAINED: np.sort(by_class[1::2])}
    for name, places in halves.items():
        kept: dict[str, Any] = {key: values[places] for key, values in (*feeds.items(), (LABELS, labels))}
        np.savez_compressed(desk.folder / name, **kept)
    return {"samples": len(halves[JUDGED]), "labels": True, "trained": len(halves[TRAINED])}


def _rows(feeds: "Mapping[str, ndarray]") -> set[bytes]:
    """Every sample as its bytes, over all inputs."""
    count = len(next(iter(feeds.values())))
    return {b"".join(values[place].tobytes() for values in feeds.values()) for place in range(count)}
