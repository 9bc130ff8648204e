"""A user's own SELECT over the store: answered in the locked child, from a copy, within a time and a memory limit."""

from pathlib import Path
from typing import Any

import pandas as pd

from data.errors import InputError
from data.home import Home
from data.one_select import answer
from data.store import Store
from data.units import BYTES_PER_GIB
from profiler.jobs import Desk
from profiler.sandbox import Limits
from profiler.tasks import ChildDesk, task

ROWS = 10_000
LIMITS = Limits(seconds=20.0, memory_bytes=2 * BYTES_PER_GIB)
STATEMENT_LENGTH = 20_000
COPY = "copy.duckdb"


def select(home: Home, store: Store, statement: str, row_limit: int = ROWS) -> tuple[pd.DataFrame, bool]:
    """The rows of one SELECT, and whether there are more than were fetched. Raises InputError on anything else, and
    MeasurementError where it takes too long or too much memory."""
    if len(statement) > STATEMENT_LENGTH:
        raise InputError("This statement is too long to be a question.")
    desk = Desk(home, store, lambda done_frac, text: None)
    with desk.folder() as folder:
        store.copy_to(folder / COPY)
        arguments = {"statement": statement, "row_limit": row_limit}
        found = desk.task(ask, arguments, folder=folder, limits=LIMITS)
    return pd.DataFrame(found["rows"], columns=found["columns"]), bool(found["cut"])


@task
def ask(desk: ChildDesk, *, statement: str, row_limit: int) -> dict[str, Any]:
    """Runs the statement on the copy in the job's folder."""
    return answer(Path(desk.folder) / COPY, statement, row_limit)
