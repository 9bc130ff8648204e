"""Records that were read from the store, kept until something is written: a report is decoded once, not each time."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar, cast

Record = TypeVar("Record")
KEPT = 6  # a page asks for its model, its report and its jobs


class Remembered:
    """The last few records read, for all threads. Records are frozen: one may be given to many."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._written = 0
        self._kept: OrderedDict[tuple[type, str], object] = OrderedDict()

    def record(self, kind: type[Record], key: str, read: Callable[[], Record | None]) -> Record | None:
        """What is kept of this kind and key, else what `read` gives; that is kept unless something was written
        meanwhile."""
        place = (kind, key)
        with self._lock:
            if place in self._kept:
                self._kept.move_to_end(place)
                return cast(Record, self._kept[place])
            before = self._written
        found = read()
        with self._lock:
            if found is not None and before == self._written:
                self._kept[place] = found
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
        return found

    def forget(self, stale: Callable[[type], bool]) -> None:
        """Something was written: drop the kinds that are stale by it."""
        with self._lock:
            self._written += 1
            for place in [place for place in self._kept if stale(place[0])]:
                del self._kept[place]
