"""Where everything that parses, converts, compresses or runs a model happens: a locked child, and its one order."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from data.settings import settings
from profiler import levels as _levels
from profiler import lock, warm
from profiler.child import Child, Hooks, Limits
from profiler.levels import Level

__all__ = ["Hooks", "Level", "Limits", "allowed_formats", "dismiss", "levels", "prepare", "run", "switched_off"]


def run(
    task: str,
    arguments: Mapping[str, Any],
    *,
    folder: Path,
    readable: Sequence[Path] = (),
    limits: Limits | None = None,
    hooks: Hooks | None = None,
) -> Any:
    """Runs `task` ("room.module:function") in a child that may write only `folder` and read only `readable`.

    Returns the task's result as plain JSON values. Raises the task's own RightsizeError, MeasurementError when it
    exceeds a limit or dies, Cancelled when hooks.cancelled() says so. Memory that `limits` leave open is what the
    settings say, if they do.
    """
    limits, hooks, without = _as_set(limits or Limits()), hooks or Hooks(), switched_off()
    order = {
        "task": task, "arguments": dict(arguments), "folder": str(folder), "bounds": _bounds(limits, readable),
    }  # fmt: skip
    if not limits.gpu and (ready := warm.take(task, without)):
        try:
            names = ready.move_in(folder, readable)
            if names is not None:
                result = ready.child.order(order | {"arguments": warm.renamed(arguments, names)}, limits, hooks)
                return warm.renamed(result, {new: old for old, new in names.items()})
        finally:
            ready.end()
    child = Child(lock.rules(folder, readable, gpu=limits.gpu, without=without))
    try:
        return child.order(order, limits, hooks)
    finally:
        child.end()


def prepare(jobs: Path, kind: str = "onnx") -> None:
    """Readies one child in the background, so that the next file need not wait for imports; `jobs` is the folder of
    job folders, `kind` "onnx" or "torch". RIGHTSIZE_WARM=0 switches this off."""
    warm.prepare(jobs, kind, switched_off())


def dismiss() -> None:
    """Ends the child that waits, if there is one."""
    warm.dismiss()


def switched_off() -> tuple[str, ...]:
    """Layers that RIGHTSIZE_WITHOUT names ("landlock,seccomp"): a way to test and to see the others."""
    named = os.environ.get("RIGHTSIZE_WITHOUT", "").replace(" ", "").split(",")
    return tuple(layer for layer in lock.LAYERS if layer in named)


def levels() -> tuple[Level, ...]:
    """The sandbox's layers: whether each closes on this machine, with a sentence for the user. Asked once."""
    return _levels.levels(switched_off())


def allowed_formats() -> frozenset[str]:
    """Formats this machine's sandbox can hold: without Landlock or seccomp neither TorchScript nor .pt2."""
    return _levels.allowed_formats(switched_off())


def memory_bytes(limits: Limits | None = None) -> int:
    """What a child under these limits may take, with the settings applied."""
    return _as_set(limits or Limits()).memory


def _as_set(limits: Limits) -> Limits:
    return limits if limits.memory_bytes is not None else replace(limits, memory_bytes=settings().memory_bytes)


def _bounds(limits: Limits, readable: Sequence[Path]) -> dict[str, Any] | None:
    if "limits" in switched_off():
        return None
    bounds = lock.bounds(
        memory_bytes=limits.memory, seconds=limits.seconds, file_bytes=limits.file_bytes,
        readable_bytes=sum(path.stat().st_size for path in readable if path.is_file()), gpu=limits.gpu,
    )  # fmt: skip
    return asdict(bounds)
