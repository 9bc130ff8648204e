"""One SELECT typed by a user, run on a copy of the store: nothing it does can reach the store, a file or the network.

It may still take all memory and time there is (`repeat('x', 1e12)` asks no limit of DuckDB's): run it in a process
that may be killed.
"""

import math
from pathlib import Path
from typing import Any

import duckdb

from data.errors import InputError, MeasurementError
from data.store import HARDENED
from data.units import BYTES_PER_MIB

ANSWER_BYTES = 24 * BYTES_PER_MIB  # of text, so that it fits in what a job may answer
MEMORY = "1GiB"
ROWS_AT_ONCE = 256


def answer(path: Path, statement: str, row_limit: int) -> dict[str, Any]:
    """{"columns", "rows", "cut"}: the first rows, as JSON values; `cut` where there are more. Raises InputError on
    anything but one SELECT, MeasurementError where it needs more memory than it may use."""
    config = {**HARDENED, "memory_limit": MEMORY, "max_temp_directory_size": "0KB"}
    connection = duckdb.connect(str(path), read_only=True, config=config)
    try:
        parsed = connection.extract_statements(statement)
        if len(parsed) != 1 or parsed[0].type != duckdb.StatementType.SELECT:
            raise InputError("Only one SELECT can be run here.", hint="The store is read-only on this page.")
        found = connection.execute(parsed[0])
        columns = _distinct([str(column[0]) for column in found.description or ()])
        rows, cut = _first(found, row_limit)
    except (duckdb.OutOfMemoryException, MemoryError) as error:
        raise MeasurementError("This question needs more memory than it may use.", details=str(error)) from error
    except duckdb.Error as error:
        raise InputError("DuckDB could not run this statement.", details=str(error)) from error
    finally:
        connection.close()
    return {"columns": columns, "rows": rows, "cut": cut}


def _first(found: "duckdb.DuckDBPyConnection", row_limit: int) -> tuple[list[list[Any]], bool]:
    """Rows until there are enough, in number or in size; whether some were left."""
    rows: list[list[Any]] = []
    size_bytes = 0
    while chunk := found.fetchmany(ROWS_AT_ONCE):
        for row in chunk:
            size_bytes += sum(map(_size, row))
            if len(rows) == row_limit or size_bytes > ANSWER_BYTES:
                return rows, True
            rows.append([_plain(value) for value in row])
    return rows, False


def _size(value: Any) -> int:
    """About how long a value is as text."""
    if isinstance(value, str | bytes):
        return 2 * len(value) + 3
    if isinstance(value, list | tuple):
        return sum(map(_size, value)) + 2
    if isinstance(value, dict):
        return sum(_size(name) + _size(item) for name, item in value.items()) + 2
    return 24


def _plain(value: Any) -> Any:
    """The value as JSON knows it."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    return str(value)


def _distinct(names: list[str]) -> list[str]:
    """Column names, a second one of the same name with its number: a table needs them to differ."""
    found: list[str] = []
    for name in names:
        number = 2
        new = name
        while new in found:
            new, number = f"{name}_{number}", number + 1
        found.append(new)
    return found
