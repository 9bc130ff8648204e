"""Named SQL over data frames: a question asked of facts and predictions, without a store."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import duckdb
import pandas as pd

from data.errors import DataError
from data.store import HARDENED, SQL


def ask_frames(question: str, frames: Mapping[str, pd.DataFrame], /, **values: Any) -> pd.DataFrame:
    """Rows of sql/<question>.sql over these frames (table name -> rows), with its $parameters filled in.

    Every call has a cursor of its own on one database in memory. Raises DataError where the statement does not run."""
    if not question.replace("_", "").isalnum():
        raise ValueError(f"no question is called {question!r}")
    statement = _statement(question)
    cursor = _database().cursor()
    try:
        for name, rows in frames.items():
            cursor.register(name, rows)
        found: pd.DataFrame = cursor.execute(statement, values or None).df()
    except duckdb.Error as error:
        raise DataError(f"The question {question} could not be answered.", details=str(error)) from error
    finally:
        cursor.close()
    return found


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """Opened once: a page's script runs in a new thread each time, and would open one each time."""
    return duckdb.connect(":memory:", config=dict(HARDENED))


@cache
def _statement(question: str) -> str:
    return (SQL / f"{question}.sql").read_text(encoding="utf-8")
