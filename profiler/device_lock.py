"""One measurement at a time on a device, across processes, in the order of asking.

Every waiter holds a lock (flock) on a ticket file of its own, numbered in the order of asking; whoever holds the
lowest ticket that is still held has the device. A process that dies lets go of its ticket with its last breath, so
nobody waits for the dead.
"""

import fcntl
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

POLL_S = 0.05


@contextmanager
def held(folder: Path, device: str, *, waiting: Callable[[int], None] = lambda place: None) -> Iterator[None]:
    """Holds `device` ("cpu", "cuda:0") while the body runs; tickets lie in `folder`.

    `waiting` is called about twenty times a second with the number of others ahead (1 = next); what it raises ends
    the wait.
    """
    queue = folder / re.sub(r"[^\w.-]", "-", device)
    queue.mkdir(parents=True, exist_ok=True)
    path, ticket = _draw(queue)
    try:
        while ahead := _ahead(queue, int(path.name)):
            waiting(ahead)
            time.sleep(POLL_S)
        yield
    finally:
        with suppress(FileNotFoundError):
            path.unlink()
        os.close(ticket)


def _draw(queue: Path) -> tuple[Path, int]:
    """The next ticket, already held. One drawer at a time: a ticket is never seen before it is held."""
    with _desk(queue):
        number = max(_numbers(queue), default=0) + 1
        path = queue / f"{number:012d}"
        ticket = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(ticket, fcntl.LOCK_EX)
    return path, ticket


def _ahead(queue: Path, mine: int) -> int:
    """How many lower tickets are still held; those of processes that are gone are thrown away."""
    with _desk(queue):
        return sum(1 for number in _numbers(queue) if number < mine and not _abandoned(queue / f"{number:012d}"))


def _abandoned(path: Path) -> bool:
    try:
        ticket = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(ticket, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        path.unlink(missing_ok=True)
        return True
    finally:
        os.close(ticket)


@contextmanager
def _desk(queue: Path) -> Iterator[None]:
    with (queue / "desk").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _numbers(queue: Path) -> list[int]:
    return [int(path.name) for path in queue.iterdir() if path.name.isdigit()]
