"""What a file is: the task that reads it in the locked child."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from data.errors import InputError
from data.text import plain
from profiler.formats import Format, formats
from profiler.tasks import ChildDesk, task
from profiler.types import Model

HEAD_BYTES = 1 << 16


@task
def inspect(desk: ChildDesk, *, path: str, name: str, shapes: dict[str, Sequence[int]], format_name: str = "") -> Model:
    """Reads the file at `path` and shows it as `name`; `shapes` fills dynamic inputs (input name -> lengths);
    `format_name` is the triage's verdict, where there is one.

    Raises InputError where the file is of no format read here, damaged, or not what it seems.
    """
    file = Path(path)
    desk.progress(0.0, "Reading the model")
    reader = formats().get(format_name) or recognise(file)
    model = reader.read(file, {key: tuple(int(axis) for axis in shape) for key, shape in shapes.items()})
    return replace(model, name=plain(name))


def recognise(path: Path) -> Format:
    """The format of a file, by its content. Raises InputError where it is none of those read here."""
    if not path.is_file():
        raise InputError("There is no such file.", hint="Check the name, and that it is a file and not a folder.")
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        raise InputError("This file is empty (0 bytes).", hint="Export or upload it again.")
    for candidate in formats().values():
        if candidate.sniff(head, path):
            return candidate
    known = ", ".join(formats())
    raise InputError("This file is of no format read here.", hint=f"Formats: {known}. ONNX tells most.")
