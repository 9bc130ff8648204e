"""All shipped tables together: one frame a table, joins followed, sources credited, everything checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from data import table_files
from data.errors import DataError
from data.table_files import ROOT, Header

STALE_AFTER = timedelta(days=730)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Who a table, or a row of one, is from. `id` is kind/source_id, or kind/file where a file has one source."""

    id: str
    title: str
    licence: str
    as_of: str
    url: str = ""
    notice: str = ""

    def is_stale(self, today: date | None = None) -> bool:
        """Older than two years (730 days)."""
        return (today or date.today()) - date.fromisoformat(self.as_of) > STALE_AFTER


def frame(kind: str, table: str | None = None, *, root: Path = ROOT) -> pd.DataFrame:
    """All rows of one table: `frame("grid", "zones")`; without a name, the table named like its kind.

    Changing the returned frame does not change the table. Raises DataError where the table is missing or broken
    (unreadable, a key twice, a value out of its range, a join or a source that leads nowhere)."""
    return _table(kind, table or kind, root).copy(deep=False)  # pandas copies on write


def headers(kind: str, table: str | None = None, *, root: Path = ROOT) -> tuple[Header, ...]:
    """The headers of the files that make up one table."""
    return tuple(file.header for file in _files(kind, table or kind, root))


def sources(*, root: Path = ROOT) -> list[Source]:
    """Everyone to be credited, by id: the rows of every sources.csv, and every file that neither names its sources
    row by row nor is named like one of those."""
    found: dict[str, Source] = {}
    for kind, paths in table_files.files(root).items():
        read = [table_files.read(path) for path in paths]
        for rows in (file.rows for file in read if file.header.name == "sources"):
            listed = [_source(kind, row) for row in rows.astype(object).where(rows.notna(), "").to_dict("records")]
            found |= {source.id: source for source in listed}
        for file in read:
            if file.header.name != "sources" and not {"source_id", "source_ids"} & set(file.rows.columns):
                found.setdefault(f"{kind}/{file.header.name}", _file_source(file.header))
    return [found[id] for id in sorted(found)]


def source(source_id: str, *, root: Path = ROOT) -> Source:
    """The source with this id ("grid/ember"). Raises DataError where there is none."""
    found = _sources_by_id(root).get(source_id)
    if found is None:
        raise DataError(f"No source is called {source_id}.", hint="python -m data sources lists them.")
    return found


def check(*, root: Path = ROOT) -> list[str]:
    """Everything that is wrong with the shipped tables, as sentences; empty where all is well."""
    return [fault for _, _, _, faults in examine(root=root) for fault in faults]


def examine(*, root: Path = ROOT) -> list[tuple[str, int, int, list[str]]]:
    """(kind/file, rows, checks made, faults) of every shipped file."""
    found = []
    for kind, paths in table_files.files(root).items():
        for path in paths:
            name = f"{kind}/{path.stem}"
            try:
                file = table_files.read(path)
                faults, made = _join_faults(file, root)
                shared = _key_faults(_files(kind, file.header.table, root))
                found.append((name, len(file.rows), file.checks + made + 1, [*file.faults, *faults, *shared]))
            except DataError as error:
                found.append((name, 0, 1, [error.message]))
    return found


def _source(kind: str, row: Mapping[Any, Any]) -> Source:
    words = {name: str(row.get(name, "")) for name in ("title", "licence", "as_of", "url", "notice")}
    return Source(id=f"{kind}/{row['source_id']}", **words)


def _file_source(header: Header) -> Source:
    return Source(
        id=f"{header.kind}/{header.name}",
        title=f"{header.title}: {header.source}",
        licence=header.licence,
        as_of=header.as_of,
        url=header.url,
        notice=header.notice,
    )


@cache
def _sources_by_id(root: Path) -> dict[str, Source]:
    return {found.id: found for found in sources(root=root)}


@cache
def _table(kind: str, table: str, root: Path) -> pd.DataFrame:
    files = _files(kind, table, root)
    for file in files:
        table_files.raise_first(file.faults)
        table_files.raise_first(_join_faults(file, root)[0])
    table_files.raise_first(_key_faults(files))
    return pd.concat([file.rows for file in files], ignore_index=True) if len(files) > 1 else files[0].rows


def _key_faults(files: list[table_files.File]) -> list[str]:
    """The key that more than one file of a table holds, if there is one."""
    header = files[0].header
    key = [column.strip() for column in header.key.split(",") if column.strip()]
    if len(files) == 1 or not key or not all(set(key) <= set(file.rows.columns) for file in files):
        return []
    rows = pd.concat([file.rows[key] for file in files])
    twice = rows[rows.duplicated()]
    label = f"Table {header.kind}/{header.table}"
    return [f"{label}: the key ({', '.join(map(str, twice.iloc[0]))}) is in two of its files."] if len(twice) else []


def _files(kind: str, table: str, root: Path) -> list[table_files.File]:
    paths = table_files.files(root).get(kind, ())
    found = [file for file in map(table_files.read, paths) if file.header.table == table]
    if not found:
        raise DataError(f"There is no table {kind}/{table}.", hint="python -m data check lists the tables.")
    return found


def _join_faults(file: table_files.File, root: Path) -> tuple[list[str], int]:
    """What a file's joins and sources lead to that is not there, and how many joins were followed."""
    header, faults = file.header, []
    joins = table_files.joins(header, list(file.rows.columns))
    for here, kind, table, there in joins:
        label = f"Table {header.kind}/{header.name}: {'+'.join(here)}"
        try:
            known = pd.concat([table_files.values(other.rows, there) for other in _files(kind, table, root)])
            lost = sorted(set(map(str, table_files.values(file.rows, here))) - set(map(str, known)))
        except (DataError, KeyError):
            faults.append(f"{label} leads to {kind}/{table}.{'+'.join(there)}, which does not exist.")
            continue
        if lost:
            faults.append(f"{label}: {lost[0]} is not in {kind}/{table} ({len(lost)} such).")
    return faults, len(joins)
