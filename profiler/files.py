"""What a file is, byte by byte: its hash, streamed; and what a folder takes."""

import hashlib
import os
import shutil
import stat
import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from data.errors import MeasurementError


def sha256_of(path: Path, companions: Sequence[Path] = ()) -> str:
    """The SHA-256 of a file; with companions (weights kept outside), of all their hashes in order of name."""
    digests = [_digest(path), *(_digest(other) for other in sorted(companions))]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def bytes_on_disk(path: Path, companions: Sequence[Path] = ()) -> int:
    """Bytes of a file and its companions."""
    return sum(file.stat().st_size for file in (path, *companions))


def copied(source: Path, target: Path) -> None:
    """Copies a file; the target is there whole or not at all."""
    passing = target.with_name(f".{uuid.uuid4().hex}.part")
    try:
        shutil.copyfile(source, passing)
        passing.replace(target)
    finally:
        passing.unlink(missing_ok=True)


def made_by_job(folder: Path, name: object) -> Path:
    """The file a job says it made in its folder. Raises MeasurementError where that is no plain name, or no file of
    its own there: a job that was taken over may say anything."""
    path = folder / str(name)
    if not isinstance(name, str) or path.name != name or path.parent != folder or not _own(path):
        raise MeasurementError("The job's answer names a file that it did not make.", details=repr(name))
    return path


def _own(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except (OSError, ValueError):
        return False


def space_taken(folder: Path, most: int) -> tuple[int, int]:
    """Bytes on disk and entries in a folder, as far as it can be read; no further than `most` entries."""
    size_bytes = entries = 0
    waiting = [str(folder)]
    while waiting and entries < most:
        with suppress(OSError), os.scandir(waiting.pop()) as found:
            for each in found:
                entries += 1
                size_bytes += each.stat(follow_symlinks=False).st_blocks * 512
                if each.is_dir(follow_symlinks=False):
                    waiting.append(each.path)
    return size_bytes, entries


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
