"""Folders that live as long as their process: held by a lock (flock), so that the next to start knows whose are gone.

A process that dies lets go of its folder with its last breath, whatever its number or the clock say later.
"""

import atexit
import fcntl
import os
import shutil
import tempfile
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from data.errors import of_disk

_guard = threading.Lock()
_held: dict[Path, tuple[Path, int]] = {}  # the folder of folders: this process's own in it, and what holds it


def own(parent: Path) -> Path:
    """This process's folder in `parent`: made when it is first asked for, removed when the process ends."""
    with _guard:
        found = _held.get(parent)
        if found is None or not found[0].is_dir():
            found = _held[parent] = _hold(parent)
    return found[0]


def clear(parent: Path) -> None:
    """Removes what lies in `parent` and belongs to no living process."""
    mine = _held.get(parent, (None,))[0]
    with _desk(parent):
        for each in parent.iterdir():
            if each != mine and not _is_held(each):
                remove(each)


def let_go() -> None:
    """Removes every folder of this process, and what holds it."""
    with _guard:
        for folder, descriptor in _held.values():
            remove(folder)
            with suppress(OSError):
                os.close(descriptor)
        _held.clear()


def passing_home(locks: Path) -> Path:
    """A data folder that goes with this process, for when the real one cannot be used; devices are still queued for
    in the real one's `locks`, where that is there."""
    root = own(Path(tempfile.gettempdir()))
    if os.access(locks, os.W_OK):
        with suppress(FileExistsError):
            (root / "locks").symlink_to(locks)
    return root


def remove(folder: Path) -> None:
    """Removes a folder with all that is in it, however deep or closed its folders are: a job may have written it.

    Folders are hoisted to the top before they are emptied: no path grows long, and no link is followed."""
    if folder.is_symlink() or folder.is_file():
        folder.unlink(missing_ok=True)
        return
    while _emptied_by_one(folder):
        pass
    shutil.rmtree(folder, ignore_errors=True)


def _emptied_by_one(folder: Path) -> bool:
    """One round: files go, what is inside folders is hoisted. Whether a folder went, so that another round is due."""
    went = False
    with suppress(OSError):
        folder.chmod(0o700)
        for each in list(os.scandir(folder)):
            if not each.is_dir(follow_symlinks=False):
                Path(each).unlink(missing_ok=True)
                continue
            Path(each).chmod(0o700)
            for inner in list(os.scandir(each)):
                if inner.is_dir(follow_symlinks=False):
                    Path(inner).chmod(0o700)  # it cannot be moved while it is closed
                    Path(inner).rename(folder / uuid.uuid4().hex)
                else:
                    Path(inner).unlink(missing_ok=True)
            Path(each).rmdir()
            went = True
    return went


def _hold(parent: Path) -> tuple[Path, int]:
    """A new folder, held before anyone can take it for abandoned."""
    try:
        parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _desk(parent):
            folder = Path(tempfile.mkdtemp(prefix="rightsize-", dir=parent))
            descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        raise of_disk(error) from error
    return folder, descriptor


def _is_held(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def _desk(parent: Path) -> Iterator[None]:
    """One at a time in this folder of folders."""
    descriptor = os.open(parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # a file system without locks on folders
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


atexit.register(let_go)
