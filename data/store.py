"""Frozen records to DuckDB rows and back, and named questions. The only opener of the file.

A record class is stored in the table of its own name; a field is a column. An `Estimate` field is five columns
(`_low _mid _high _basis _source`), numbers and texts in tuples are list columns, a record that has a KEY of its own
is stored in its own table and referred to by key (a tuple of them by a list of keys), and whatever is nested deeper
is JSON text. Record classes say
which field is their key: `KEY: ClassVar[str]`. The store knows no record class by name.
"""

import dataclasses
import json
import shutil
import threading
import typing
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import duckdb
import pandas as pd

from data.errors import DISK_FULL, DataError, InputError, RightsizeError, Unavailable
from data.estimate import Estimate
from data.records import from_plain, hints, optional, to_plain
from data.remembered import Remembered

Record = TypeVar("Record")
SQL = Path(__file__).parent / "sql"
# No file, no network, no extension and no Python variable can be reached from SQL, and none of this can be undone.
HARDENED = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    "lock_configuration": "true",
}
DAMAGED = ("not a valid duckdb", "corrupt", "could not read enough bytes", "checksum")
PARTS = ("low", "mid", "high", "basis", "source")


class Store:
    """One open database. Every call takes a cursor of its own: a connection shared by threads mixes up rows."""

    def __init__(self, path: Path | None = None) -> None:
        """Opens (and migrates) the file, or a database in memory where `path` is None.

        Raises Unavailable where another process holds the file or the folder cannot be written, DataError where
        the file is damaged or of a newer version.
        """
        self.path = path
        self._writing = threading.Lock()
        self._remembered = Remembered()
        self._connection = _connect(path)
        self._migrate()

    def save(self, *records: Any) -> None:
        """Stores the records and those they refer to, in one transaction; a record of the same key is replaced.
        Raises DataError where the disk is full or the store cannot be written."""
        saved = list(_with_references(records))
        with self._writing:
            cursor = self._connection.cursor()
            try:
                cursor.begin()
                for record in saved:
                    row = encode(record)
                    cursor.execute(_upsert(cast(Any, type(record)), tuple(row)), list(row.values()))
                cursor.commit()
            except duckdb.Error as error:
                _rollback(cursor)
                raise _could_not_write(error) from error
            finally:
                self._forget({type(record) for record in saved})

    def get(self, kind: type[Record], key: str) -> Record | None:
        """The record of this class with this key, or None."""
        found = self.all(kind, **{_key(kind): key})
        return found[0] if found else None

    def remembered(self, kind: type[Record], key: str) -> Record | None:
        """The same, read once for as long as nothing it is made of is saved or deleted: for what is asked for often."""
        return self._remembered.record(kind, key, lambda: self.get(kind, key))

    def all(self, kind: type[Record], **equal: Any) -> list[Record]:
        """Records of this class whose columns equal the given values, oldest first."""
        known = set(hints(kind))
        if not set(equal) <= known:
            raise ValueError(f"{kind.__name__} has no field {', '.join(sorted(set(equal) - known))}")
        where = " AND ".join(f'"{name}" = ?' for name in equal) or "TRUE"
        cursor = self._connection.cursor()
        with _reading():
            cursor.execute(f'SELECT * FROM "{kind.__name__}" WHERE {where} ORDER BY seq', list(equal.values()))
            names = [column[0] for column in cursor.description or ()]
            rows = cursor.fetchall()
        return [self._decode(kind, dict(zip(names, row, strict=True))) for row in rows]

    def delete(self, kind: type[Any], **equal: Any) -> int:
        """Removes the records whose columns equal the given values; how many there were. At least one is needed."""
        if not equal or not set(equal) <= set(hints(kind)):
            raise ValueError("name the fields that say what to delete")
        where = " AND ".join(f'"{name}" = ?' for name in equal)
        with self._writing:
            cursor = self._connection.cursor()
            try:
                rows = cursor.execute(f'DELETE FROM "{kind.__name__}" WHERE {where}', list(equal.values())).fetchone()
            except duckdb.Error as error:
                raise _could_not_write(error) from error
            finally:
                self._forget({kind})
        return int(rows[0]) if rows else 0

    def ask(self, question: str, /, **values: Any) -> pd.DataFrame:
        """Rows of sql/<question>.sql with its $parameters filled in."""
        with _reading():
            rows: pd.DataFrame = self._connection.cursor().execute(_sql(question), values or None).df()
        return rows

    def copy_to(self, target: Path) -> None:
        """Copies the whole store, as it is between two savings. Raises Unavailable where it is only in memory,
        DataError where it cannot be copied."""
        if self.path is None:
            raise Unavailable("The store is only in memory now and cannot be asked.", hint="See the warning beside.")
        with self._writing:
            try:
                self._connection.cursor().execute("CHECKPOINT")
                shutil.copyfile(self.path, target)
            except (duckdb.Error, OSError) as error:
                raise _could_not_write(error) from error

    def close(self) -> None:
        self._connection.close()

    def _forget(self, written: set[type]) -> None:
        self._remembered.forget(lambda kind: not written.isdisjoint(_made_of(kind)))

    def _decode(self, kind: type[Record], row: Mapping[str, Any]) -> Record:
        fields: dict[str, Any] = {}
        for name, hint in hints(kind).items():
            inner, _ = optional(hint)
            if inner is Estimate:
                parts = {part: row[f"{name}_{part}"] for part in PARTS}
                fields[name] = None if parts["mid"] is None else parts
            elif _refers(inner):
                fields[name] = None if row[name] is None else self.get(inner, row[name])
            elif item := _refers_to_many(inner):
                fields[name] = [self.get(item, key) for key in row[name] or ()]
            elif _is_json(inner) and row[name] is not None:
                fields[name] = json.loads(row[name])
            else:
                fields[name] = row[name]
        return from_plain(kind, fields)

    def _migrate(self) -> None:
        cursor = self._connection.cursor()
        try:
            cursor.execute("CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, name VARCHAR)")
            rows = cursor.execute("SELECT number FROM migration").fetchall()
            done = {row[0] for row in rows}
            files = {int(file.name[:3]): file for file in sorted((SQL / "migrations").glob("[0-9]*.sql"))}
            if done - set(files):
                raise DataError("The store was written by a newer version of Rightsize.", hint="Update Rightsize.")
            for number in sorted(set(files) - done):
                cursor.begin()
                for statement in cursor.extract_statements(files[number].read_text(encoding="utf-8")):
                    cursor.execute(statement)
                cursor.execute("INSERT INTO migration VALUES (?, ?)", [number, files[number].stem])
                cursor.commit()
            if set(files) - done and self.path is not None:
                cursor.execute("CHECKPOINT")
        except duckdb.Error as error:
            raise _could_not_write(error) from error


@cache
def _upsert(kind: Any, names: tuple[str, ...]) -> str:
    """The statement that stores one record: the next place in the order of saving, or in place of one of its key."""
    columns = ", ".join(f'"{name}"' for name in names)
    marks = ", ".join("?" for _ in names)
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in names if name != _key(kind))
    return (
        f"INSERT INTO \"{kind.__name__}\" (seq, {columns}) VALUES (nextval('saved'), {marks}) "
        f'ON CONFLICT ("{_key(kind)}") DO UPDATE SET {changes}'
    )


def encode(record: Any) -> dict[str, Any]:
    """The record's columns and their values."""
    row: dict[str, Any] = {}
    for name, hint in hints(type(record)).items():
        inner, _ = optional(hint)
        value = getattr(record, name)
        if inner is Estimate:
            row |= {f"{name}_{part}": None if value is None else getattr(value, part) for part in PARTS}
        elif _refers(inner):
            row[name] = None if value is None else getattr(value, inner.KEY)
        elif item := _refers_to_many(inner):
            row[name] = [getattr(one, item.KEY) for one in value]
        elif _is_json(inner):
            row[name] = None if value is None else json.dumps(to_plain(value), allow_nan=False)
        else:
            row[name] = list(value) if isinstance(value, tuple) else value
    return row


def _with_references(records: Iterable[Any]) -> Iterable[Any]:
    for record in records:
        inner = [getattr(record, field.name) for field in dataclasses.fields(record)]
        yield from _with_references(value for value in inner if _refers(type(value)))
        for value in inner:
            if isinstance(value, tuple) and value and _refers(type(value[0])):
                yield from _with_references(value)
        yield record


def _key(kind: type) -> str:
    return str(kind.KEY)  # type: ignore[attr-defined]


def _refers(hint: Any) -> bool:
    return isinstance(hint, type) and dataclasses.is_dataclass(hint) and hasattr(hint, "KEY")


def _refers_to_many(hint: Any) -> Any:
    """The record class in `tuple[Record, ...]` where it has a KEY, else None."""
    inside = typing.get_args(hint)[0] if typing.get_origin(hint) is tuple else None
    return inside if _refers(inside) else None


@cache
def _made_of(kind: type) -> frozenset[type]:
    """The record classes that a record of this class is read from: its own, and those it refers to, however deep."""
    inner = (_refers_to_many(part) or part for part in (optional(hint)[0] for hint in hints(kind).values()))
    return frozenset({kind}).union(*(_made_of(part) for part in inner if _refers(part)))


def _is_json(hint: Any) -> bool:
    """Whether a field of this type is JSON text: not a scalar, not a tuple of scalars."""
    if hint in (str, int, float, bool):
        return False
    return not (typing.get_origin(hint) is tuple and typing.get_args(hint)[0] in (str, int, float))


def _sql(question: str) -> str:
    if not question.replace("_", "").isalnum():
        raise ValueError(f"no question is called {question!r}")
    return (SQL / f"{question}.sql").read_text(encoding="utf-8")


def _connect(path: Path | None) -> "duckdb.DuckDBPyConnection":
    try:
        return duckdb.connect(":memory:" if path is None else str(path), config=dict(HARDENED))
    except duckdb.IOException as error:
        text = str(error)
        if "conflicting lock" in text.lower():
            raise Unavailable(
                "Another running Rightsize holds the measurement store.",
                hint="Stop the other one, or start this one with its own RIGHTSIZE_HOME.",
            ) from error
        if any(sign in text.lower() for sign in DAMAGED):
            raise _damaged(text) from error
        raise Unavailable(
            "The measurement store cannot be opened for writing.",
            hint="Check the rights and the free space of the folder RIGHTSIZE_HOME names.", details=text,
        ) from error  # fmt: skip
    except duckdb.Error as error:
        raise _damaged(str(error)) from error


@contextmanager
def _reading() -> Iterator[None]:
    """Where a question of our own cannot be answered, the file has come to harm."""
    try:
        yield
    except duckdb.Error as error:
        raise _damaged(str(error)) from error


def _damaged(details: str) -> DataError:
    return DataError(
        "The measurement store is damaged.",
        hint="Move store.duckdb out of the folder RIGHTSIZE_HOME names and start again, or restore your backup.",
        details=details,
    )


def _rollback(cursor: "duckdb.DuckDBPyConnection") -> None:
    try:
        cursor.rollback()
    except duckdb.Error:
        cursor.close()  # the transaction was already given up by the database


def _could_not_write(error: Exception) -> RightsizeError:
    text = str(error)
    if isinstance(error, duckdb.DataError):
        return InputError("A number in this record is too large to be kept.", details=text)
    if "space" in text.lower():
        return DataError(DISK_FULL, hint="Free some space and run it again.", details=text)
    return DataError("The measurement store cannot be written.", hint="Check the folder's rights.", details=text)
