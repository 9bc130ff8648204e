"""Records of headless runs while the app holds the store: JSON lines the app takes in when it next looks."""

import fcntl
import json
import os
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from data.errors import RightsizeError, Unavailable, of_disk
from data.home import Home
from data.records import from_plain, to_plain
from data.store import Store
from data.text import plain

Record = TypeVar("Record")


class Inbox:
    """Stands in for the store in a headless run: it keeps what this run saves, and knows no earlier record."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / f"{uuid.uuid4().hex}.jsonl").open("a", encoding="utf-8")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._records: dict[tuple[type, str], Any] = {}

    def save(self, *records: Any) -> None:
        """Appends the records and forces them to disk. Raises DataError where that is full, Unavailable otherwise."""
        self._records |= {(type(record), getattr(record, record.KEY)): record for record in records}
        lines = [json.dumps({"type": type(record).__name__, "record": to_plain(record)}) for record in records]
        try:
            self._file.write("".join(line + "\n" for line in lines))
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise of_disk(error) from error

    def get(self, kind: type[Record], key: str) -> Record | None:
        """The record, where this run saved it; what the app's store holds is not seen from here."""
        return self._records.get((kind, key))

    def all(self, kind: type[Record], **equal: Any) -> list[Record]:
        """The records of this run with these values, in the order of saving."""
        mine = [record for (of, _), record in self._records.items() if of is kind]
        return [record for record in mine if all(getattr(record, name) == value for name, value in equal.items())]

    def close(self) -> None:
        """Lets go of the file: from now on the app takes it in."""
        self._file.close()


def open_headless(home: Home) -> Store | Inbox:
    """The store where no app holds it, else an inbox the app will read."""
    try:
        return Store(home.store)
    except Unavailable:
        return Inbox(home.inbox)


def take_in(store: Store, home: Home, kinds: Mapping[str, type[Any]], report: Callable[[str], None]) -> int:
    """Moves the records of finished headless runs into the store; how many. A file that cannot be read is reported
    and kept under the name *.unread; one that is still being written waits for the next call."""
    count = 0
    for path in sorted(home.inbox.glob("*.jsonl")):
        with path.open(encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                lines = [json.loads(line) for line in file if line.strip()]
                records = [from_plain(kinds[line["type"]], line["record"]) for line in lines]
            except BlockingIOError:
                continue
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError, RightsizeError) as error:
                report(f"A headless run left records that cannot be read: {plain(error)}")
                path.rename(path.with_suffix(".unread"))
                continue
            store.save(*records)
            count += len(records)
            path.unlink()
    return count
