"""Named SQL over data frames: a question asked of facts and predictions, without a store."""

import threading
from collections.abc import Mapping
from typing import Any

import duckdb
import pandas as pd

from data.errors import DataError
from data.store import HARDENED, SQL

_local = threading.local()


def ask_frames(question: str, frames: Mapping[str, pd.DataFrame], /, **values: Any) -> pd.DataFrame:
    """Rows of sql/<question>.sql over these frames (table name -> rows), with its $parameters filled in.

    Every thread has a database in memory of its own. Raises DataError where the statement does not run."""
    if not question.replace("_", "").isalnum():
        raise ValueError(f"no question is called {question!r}")
    statement = (SQL / f"{question}.sql").read_text(encoding="utf-8")
    connection = getattr(_local, "connection", None)
    if connection is None:
        connection = _local.connection = duckdb.connect(":memory:", config=dict(HARDENED))
    try:
        for name, rows in frames.items():
            connection.register(name, rows)
        found: pd.DataFrame = connection.execute(statement, values or None).df()
    except duckdb.Error as error:
        raise DataError(f"The question {question} could not be answered.", details=str(error)) from error
    finally:
        for name in frames:
            connection.unregister(name)
    return found
