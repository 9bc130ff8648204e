"""The same file twice gets the same answer at once: what was refused is known by its hash, under the rules it was
judged by and on the machine it was judged on.

What the machine or the moment is to blame for (no memory, too slow, a sandbox too weak) is not remembered.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from data.errors import InputError, RightsizeError
from data.units import BYTES_PER_GIB
from profiler.files import sha256_of
from profiler.jobs import Desk, now
from profiler.machine import machine
from profiler.triage.examine import companions
from profiler.types import Refusal
from profiler.worker import NOT_PROCESSED

ROOM = Path(__file__).parent
LARGEST_BYTES = BYTES_PER_GIB
RULES = ("triage", "formats", "onnx_graph", "torch_graph", "inspect.py", "intake.py", "inputs.py")


@contextmanager
def remembered(desk: Desk, file: Path, name: str, shapes: Mapping[str, Sequence[int]]) -> Iterator[None]:
    """Inside, the file is judged. Raises what it was refused with before, at once; what it is refused with now is
    kept for the next time."""
    key = key_of(file, name, shapes)
    if key is None:
        yield
        return
    known = desk.get(Refusal, key)
    if known is not None:
        raise InputError(known.message, hint=known.hint, details=known.details)
    try:
        yield
    except InputError as error:
        if error.message != NOT_PROCESSED:  # a library's own error may have been one of the moment
            with suppress(RightsizeError):  # the refusal matters more than that it is remembered
                desk.save(_refusal(key, error))
        raise


def key_of(file: Path, name: str, shapes: Mapping[str, Sequence[int]]) -> str | None:
    """The hash of all that a verdict rests on: the file and those beside it that it names, what it is called, the
    shapes asked for, the rules, and this machine with its libraries. None where hashing takes longer than judging, or
    the file has no size (those of the system's own folders have none, and no end)."""
    try:
        if not 0 < file.stat().st_size <= LARGEST_BYTES:
            return None
        contents = [(each.name, sha256_of(each)) for each in companions(file)]
        whole = sha256_of(file)
    except OSError:
        return None
    parts = [
        whole, contents, name,
        sorted((name, list(shape)) for name, shape in shapes.items()), rules(), machine().fingerprint,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@cache
def rules() -> str:
    """The hash of the code that judges files: with another version of it, every file is judged anew."""
    folders = [ROOM / part for part in RULES]
    sources = [path for each in folders for path in ([each] if each.suffix else each.rglob("*.py"))]
    digest = hashlib.sha256()
    for source in sorted(sources):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def _refusal(key: str, error: InputError) -> Refusal:
    return Refusal(key=key, created_at=now(), message=error.message, hint=error.hint, details=error.details)
