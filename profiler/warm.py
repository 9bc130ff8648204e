"""One child made ready before it is needed: locked first, then its imports done, then waiting for its one order.

What it may read must be known before the model is, and no lock can be narrowed once threads run. So it is locked to
two folders of its own, one to read and one to write. When the order comes, the files it is about are hard-linked into
the first, and the second is renamed to the order's (empty) folder: Landlock goes by the folder itself, not its name.
Where that cannot be done - other file system, other owner, a folder in use - a child is started cold, as ever.
"""

import atexit
import os
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data.errors import RightsizeError
from data.passing import remove
from profiler import lock
from profiler.child import Child

IMPORTS = {"onnx": ("numpy", "onnx", "onnxruntime"), "torch": ("numpy", "torch")}
# tasks that a waiting child may be given, and kinds that help
KINDS = {"profiler.inspect:inspect": ("onnx", "torch"), "profiler.language:of_config": ("torch",)}
IDLE_S = 600.0
SWITCH = "RIGHTSIZE_WARM"


@dataclass(eq=False)
class Waiting:
    """A child that is ready, and its folders. `over` is set when it has been ended."""

    child: Child
    kind: str
    place: Path
    without: tuple[str, ...]
    over: threading.Event = field(default_factory=threading.Event)

    def move_in(self, folder: Path, readable: Sequence[Path]) -> dict[str, str] | None:
        """Gives the child the order's folder and files; {path as ordered: path as the child knows it}, or None where
        that cannot be done."""
        told: dict[str, str] = {}
        places = {parent: self.place / "read" / str(number) for number, parent in enumerate(_parents(readable))}
        try:
            if not self.child.closed():  # until then its rules go by name
                return None
            for inside in places.values():
                inside.mkdir(mode=0o700)
            for path in readable:
                target = places[path.parent] / path.name
                target.hardlink_to(path.resolve(strict=True))
                told[str(path)] = str(target)
            (self.place / "write").rename(folder)
        except (OSError, RightsizeError):
            return None
        return told

    def end(self) -> None:
        """Ends the child and removes what was linked for it."""
        self.child.end()
        remove(self.place)
        self.over.set()


_guard = threading.Lock()
_waiting: Waiting | None = None


def prepare(jobs: Path, kind: str = "onnx", without: tuple[str, ...] = ()) -> None:
    """Starts a child of this kind in the background, unless one is waiting; its folders lie in `jobs`."""
    if os.environ.get(SWITCH, "1") == "0":
        return
    threading.Thread(target=_keep, args=(jobs, kind, without), name="sandbox-warm", daemon=True).start()


def take(task: str, without: tuple[str, ...]) -> Waiting | None:
    """The waiting child, if there is one that suits this task; whoever takes it ends it."""
    global _waiting
    with _guard:
        found = _waiting
        suits = found and found.kind in KINDS.get(task, ()) and found.without == without and found.child.alive
        if not suits:
            return None
        _waiting = None
    return found


def dismiss() -> None:
    """Ends the waiting child, if there is one."""
    global _waiting
    with _guard:
        found, _waiting = _waiting, None
    if found:
        found.end()


def _keep(jobs: Path, kind: str, without: tuple[str, ...]) -> None:
    """Starts a child and outlives it: the child is told to die with the thread that started it."""
    global _waiting
    with _guard:
        if _waiting and _waiting.child.alive:
            return
        place = Path(tempfile.mkdtemp(prefix="warm-", dir=jobs))
        for name in ("read", "write"):
            (place / name).mkdir(mode=0o700)
        rules = lock.rules(place / "write", [place / "read"], without=without)
        found = _waiting = Waiting(Child(rules, IMPORTS[kind]), kind, place, without)
    if not found.over.wait(IDLE_S):
        with _guard:
            idle = _waiting is found
            if idle:
                _waiting = None
        if idle:
            found.end()
    found.over.wait()


def renamed(value: Any, names: dict[str, str]) -> Any:
    """A JSON value with every string that is one of `names` replaced."""
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, dict):
        return {key: renamed(item, names) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [renamed(item, names) for item in value]
    return value


def _parents(paths: Sequence[Path]) -> list[Path]:
    return list(dict.fromkeys(path.parent for path in paths))


@atexit.register
def _at_exit() -> None:
    with suppress(RightsizeError, OSError):
        dismiss()
