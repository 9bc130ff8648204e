"""Waiting in tests: until something has happened, however busy the machine is, and not for a time to pass."""

import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")
# Nothing in a test takes this long by itself; what is really stuck or late fails all the same.
PATIENCE_S = 60.0


def until(told: Callable[[], Answer], patience_s: float = PATIENCE_S) -> Answer:
    """The first true answer; an AssertionError where none comes."""
    deadline = time.monotonic() + patience_s
    while not (answer := told()):
        assert time.monotonic() < deadline, "this did not happen in time"
        time.sleep(0.005)
    return answer
