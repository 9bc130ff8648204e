"""A desk for a command: over the store, or over the inbox while the app holds the store."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from data import console, passing
from data.home import home
from data.inbox import open_headless
from profiler.jobs import Desk


@contextmanager
def headless(told: Callable[[float, str], None] | None = None) -> Iterator[Desk]:
    """Inside, records are kept as the app would keep them; `told` shows progress (None: as a line on stderr). What a
    killed process left half-made is cleared away first: it may be as large as the models were."""
    place = home()
    keeper = open_headless(place)
    passing.clear(place.all_jobs)
    try:
        yield Desk(place, keeper, told or console.Progress())
    finally:
        keeper.close()
