"""Make a variant: apply a technique in the locked child, keep the file it made, say what it is."""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from advisor.apply import apply
from advisor.techniques import techniques
from advisor.types import Step, Variant
from data import words
from data.errors import Cancelled, RightsizeError
from data.home import Home, hashed
from profiler.files import made_by_job
from profiler.intake import training_file
from profiler.jobs import Desk
from profiler.sandbox import Limits
from profiler.types import Machine, Model


def variant_file(home: Home, variant: Variant) -> Path:
    """Where a variant's file lies."""
    return home.variants(variant.parent_sha256) / variant.file


def runnable_file(home: Home, variant: Variant) -> Path:
    """The file that runs: the variant's own, or what a storage-only file decodes to."""
    return home.variants(variant.parent_sha256) / (variant.decoded or variant.file)


def make(
    desk: Desk,
    model: Model,
    machine: Machine,
    source: Path,
    step: Step,
    *,
    before: Sequence[Step] = (),
    data: Path | None = None,
    limits: Limits | None = None,
) -> Variant:
    """The variant that `step` makes of `source` (the original, or the variant that the steps `before` made).

    A technique that refuses or fails gives a variant with the reason in `failed` and no file. Raises Cancelled.
    """
    steps = (*before, step)
    training = training_file(desk.home, model.sha256)
    given = [file for file in (data, training) if file and file.exists()]
    arguments = {
        "technique": step.technique, "option": step.options, "path": str(source), "model": model, "machine": machine,
        "calibration": str(data) if data else None, "training": str(training) if training.exists() else None,
    }  # fmt: skip
    with desk.folder() as folder:
        try:
            made = desk.task(apply, arguments, folder=folder, readable=[source.parent, *given], limits=limits)
        except Cancelled:
            raise
        except RightsizeError as error:
            return failed(model, steps, error.message)
        return _kept(desk.home, model, steps, made, folder)


def failed(model: Model, steps: Sequence[Step], reason: str) -> Variant:
    """A variant that could not be made, and why."""
    return Variant(id=_id("", {}, steps), sha256="", parent_sha256=model.sha256, steps=tuple(steps), failed=reason)


def titled(technique: str, options: Mapping[str, Any]) -> Step:
    """The step with the words people know it by: "INT8, static (matrix products, entropy)"."""
    title = techniques()[technique].TITLE
    said = ", ".join(filter(None, (_word(name, value) for name, value in options.items())))
    return Step(technique=technique, options=dict(options), title=f"{title} ({said})" if said else title)


# An option as people say it: by its value, or by its name with the value in it. Empty is not worth saying.
OPTIONS = {
    "removed_frac": "{} removed", "sparsity_frac": "{} zeros", "kept_frac": "{} kept",
    "energy_frac": "{} of the energy", "bits": "{} bits", "group_size": "groups of {}", "max_loss": "loss up to {}",
    "compute": "{} arithmetic", "form": "", "exclude": "{} layers left out",
    ("operators", "all"): "all operators", ("calibration", "minmax"): "", ("compute", "int8"): "",
    ("scope", "layer"): "in each layer", ("scope", "global"): "over all layers", ("compensation", "none"): "",
    ("compensation", "bias"): "bias corrected",
    ("criterion", "activation"): "by activations", ("criterion", "magnitude"): "by magnitude",
}  # fmt: skip


def _word(name: str, value: Any) -> str:
    if value is None or value is False or (isinstance(value, list | tuple) and not value):
        return ""
    plain, told = name.replace("_", " "), str(value)
    usual = plain if value is True else told
    if isinstance(value, list | tuple):
        value, told, usual = None, str(len(value)), f"{len(value)} {plain}"
    elif isinstance(value, int | float) and value is not True:
        told = words.percent(value) if name.endswith("_frac") else f"{value:g}"
        usual = f"{plain} {told}"
    return OPTIONS.get((name, value), OPTIONS.get(name, usual)).format(told)


def _kept(home: Home, model: Model, steps: Sequence[Step], made: Mapping[str, Any], folder: Path) -> Variant:
    """Moves the files out of the job folder, under the hash of what was made; companions keep their names."""
    names = [made["file"], *made["companions"], *([made["decoded"]] if made["decoded"] else [])]
    files = [made_by_job(folder, name) for name in names]
    place = Path(hashed(made["sha256"])[:20])
    target = home.variants(model.sha256) / place
    target.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.move(file, target / file.name)
    calibrates = techniques()[steps[-1].technique].CALIBRATES
    return Variant(
        id=_id(made["sha256"], {"runtime": made["runtime"], **made["runtime_options"]}, steps),
        sha256=made["sha256"], parent_sha256=model.sha256, steps=tuple(steps), file=str(place / made["file"]),
        companions=tuple(str(place / name) for name in made["companions"]),
        decoded=str(place / made["decoded"]) if made["decoded"] else None,
        file_bytes=made["file_bytes"], weight_bytes=made["weight_bytes"], runtime=made["runtime"],
        runtime_options=made["runtime_options"], calibrated_on=made["calibrated_on"] if calibrates else "",
        make_s=made["make_s"], notes=tuple(made["notes"]),
    )  # fmt: skip


def _id(sha256: str, options: Mapping[str, str], steps: Sequence[Step]) -> str:
    chain = [(step.technique, dict(step.options)) for step in steps]
    text = json.dumps([sha256, dict(options), chain], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
