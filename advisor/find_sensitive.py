"""The ranking of a kept model's layers as a job: sensitivity in the locked child, on the data kept with the model."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from advisor.exported import exported
from advisor.sensitivity import sensitivity
from data.errors import InputError
from data.records import to_plain
from profiler.intake import data_file
from profiler.jobs import Desk
from profiler.kept import kept_model
from profiler.sandbox import Limits
from profiler.tasks import procedure


@procedure
def find_sensitive(
    desk: Desk, *, sha256: str, data: str | None = None, bits: int = 8, seconds: float = 60.0,
    shapes: Mapping[str, Sequence[int]] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """`sensitivity` of the kept model `sha256` (of its ONNX export, for a torch file) in the locked child, on `data`
    (None: the .npz kept with it, if any); the Ranking as plain values. Raises InputError where the model is gone, or
    cannot be quantized."""
    model, source = kept_model(desk, sha256)
    if model.cannot_run:
        raise InputError(model.cannot_run)
    with desk.span(0.0, 0.1):
        export = exported(desk, model, source, shapes or {})
    if export is not None:
        model, source = export.model, export.file
    own = data_file(desk.home, sha256)
    inputs = data or (str(own) if own.exists() else None)
    arguments = {
        "path": str(source), "model": to_plain(model), "data": inputs, "bits": bits, "seconds": seconds,
    }  # fmt: skip
    readable = [source.parent, *([Path(inputs)] if inputs else [])]
    with desk.span(0.1, 1.0):
        found: dict[str, Any] = desk.task(
            sensitivity, arguments, readable=readable, limits=Limits(seconds=10 * seconds)
        )
    return found
