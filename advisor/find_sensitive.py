"""The ranking of a kept model's layers as a job: sensitivity in the locked child, on the data kept with the model."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from advisor.exported import exported
from advisor.sensitivity import BITS, Ranking, sensitivity
from data.errors import InputError
from data.records import from_plain, to_plain
from profiler.intake import data_file
from profiler.jobs import Desk, Keeper, now
from profiler.kept import kept_model
from profiler.sandbox import Limits
from profiler.tasks import procedure


@procedure
def find_sensitive(
    desk: Desk, *, sha256: str, data: str | None = None, bits: int = 8, seconds: float = 60.0,
    shapes: Mapping[str, Sequence[int]] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """`sensitivity` of the kept model `sha256` (of its ONNX export, for a torch file) in the locked child, on `data`
    (None: the .npz kept with it, if any); saved, and the Ranking as plain values. Raises InputError where the model is
    gone, or cannot be quantized."""
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
    ranking = from_plain(Ranking, found)
    kept = replace(ranking, id=kept_id(sha256, bits), created_at=now(), model_sha256=sha256)
    desk.save(kept)
    plain: dict[str, Any] = to_plain(kept)
    return plain


def kept_id(sha256: str, bits: int) -> str:
    """The key of the newest ranking of a model at these bits."""
    return f"{sha256}-{bits}"


def kept_ranking(keeper: Keeper, sha256: str) -> Ranking | None:
    """The newest ranking of a model's layers that was kept: at 8 bits, else at 4."""
    found = (keeper.get(Ranking, kept_id(sha256, bits)) for bits in BITS)
    return next((one for one in found if one is not None), None)
