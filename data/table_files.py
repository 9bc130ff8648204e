"""Shipped table files: the header says what a file is, where it is from and what must hold; reading proves it.

A file is `tables/<kind>/<name>.csv`, its first lines `# word: text`; or `<name>.parquet` with those lines beside it
in `<name>.header`. The words:

    title, source, licence, as_of (YYYY-MM-DD)   always
    url, notice                                  where there is one
    table    the table the rows belong to, where several files make up one (default: the file's name)
    key      columns that name a row:  zone_id, year
    joins    where values must exist:  zone_id -> grid/zones.zone_id; provider+id -> regions/regions.provider+region_id

Ranges follow from the units in the column names (LIMITS). `*_id` and `*_ids` (separated by ;) are text. Every
`source_id` or `source_ids` must be a row of the kind's `sources.csv`, and `unverified_fields` must name columns.
"""

import csv
import math
import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import pandas as pd

from data.errors import DataError

ROOT = Path(__file__).parent / "tables"
WORDS = ("title", "source", "licence", "as_of", "url", "notice", "table", "key", "joins")
REQUIRED_WORDS = ("title", "source", "licence", "as_of")
_WORD = re.compile(r"#\s*(\w+):\s*(.*\S)\s*$")
_JOIN = re.compile(r"^([\w+]+) -> (\w+)/(\w+)\.([\w+]+)$")

# Column name, or the end of one -> smallest and largest value a fact can have. The longest match counts.
LIMITS: dict[str, tuple[float, float]] = {
    "_frac": (0.0, 1.0),
    "_g_per_kwh": (0.0, 2_500.0),
    "pue": (1.0, 3.0),
    "latitude": (-90.0, 90.0),
    "longitude": (-180.0, 180.0),
    "year": (1900.0, 2100.0),
    "month": (0.0, 12.0),
    "hour_local": (0.0, 23.0),
    **dict.fromkeys(
        (
            "_bytes", "_flop", "_per_s", "_per_j", "_per_w", "_per_h", "_w", "_j", "_kwh", "_mwh", "_pj", "_g_co2e",
            "_kg_co2e", "_usd", "_h", "_s", "_ms", "_km", "_hz", "_nm", "_um2", "_count", "parameters", "_l_per_kwh",
        ),
        (0.0, float("inf")),
    ),
}  # fmt: skip
_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the first lines of a table file say."""

    kind: str
    name: str
    title: str
    source: str
    licence: str
    as_of: str
    url: str = ""
    notice: str = ""
    table: str = ""
    key: str = ""
    joins: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file, read and checked in itself. `faults` are sentences; `checks` counts what was looked at."""

    header: Header
    rows: pd.DataFrame
    checks: int
    faults: tuple[str, ...]


@cache
def files(root: Path = ROOT) -> dict[str, tuple[Path, ...]]:
    """kind -> its table files, by name."""
    if not root.is_dir():
        raise DataError("The shipped tables are missing.", hint="Install Rightsize again, with its data folder.")
    kinds = sorted(folder for folder in root.iterdir() if folder.is_dir())
    return {
        kind.name: tuple(sorted(path for path in kind.iterdir() if path.suffix in (".csv", ".parquet")))
        for kind in kinds
    }


@cache
def read(path: Path) -> File:
    """The file with its header, its rows and what is wrong with them. Raises DataError where it cannot be read."""
    try:
        lines, skip = _header_lines(path)
        rows = pd.read_parquet(path) if path.suffix == ".parquet" else _csv(path, skip)
    except (OSError, ValueError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise _broken(f"Table {_label(path)} cannot be read.", details=str(error)) from error
    header, faults = _header(path, lines)
    found, checks = _faults(header, rows)
    return File(header=header, rows=rows, checks=checks + len(REQUIRED_WORDS), faults=(*faults, *found))


def raise_first(faults: tuple[str, ...] | list[str]) -> None:
    """Raises DataError with the first of these, if there is one."""
    if faults:
        raise _broken(faults[0], details="; ".join(faults[1:20]))


def values(rows: pd.DataFrame, columns: list[str]) -> pd.Series:
    """The values of one column, or the tuples of several; `*_ids` are split at ; and empty ones left out."""
    if len(columns) > 1:
        return pd.Series(list(rows[columns].dropna().itertuples(index=False, name=None)), dtype=object)
    column = rows[columns[0]].dropna()
    if columns[0].endswith("_ids"):
        column = column.str.split(";").explode().str.strip()
    return column


def joins(header: Header, columns: list[str]) -> list[tuple[list[str], str, str, list[str]]]:
    """(columns here, kind, table, columns there) of every join a file states or its source columns imply."""
    found = []
    for part in filter(None, (part.strip() for part in header.joins.split(";"))):
        match = _JOIN.match(part)
        if match is None:
            raise _broken(f"Table {header.kind}/{header.name}: the join {part!r} is not 'a -> kind/table.b'.")
        here, kind, table, there = match.groups()
        found.append((here.split("+"), kind, table, there.split("+")))
    if header.name != "sources":
        sources = [column for column in columns if column == "source_ids" or column.endswith("source_id")]
        found += [([column], header.kind, "sources", ["source_id"]) for column in sources]
    return found


def range_fault(column: str, value: float) -> str:
    """What is wrong with a value in a column of this name, by LIMITS; empty where nothing is."""
    limits = _limits(column)
    if not math.isfinite(value):
        return "is not a finite number."
    if limits is None or limits[0] <= value <= limits[1]:
        return ""
    return f"is {value:g}, outside {limits[0]:g} to {limits[1]:g}."


def _header_lines(path: Path) -> tuple[list[str], int]:
    beside = path.with_suffix(".header")
    lines = (beside if path.suffix == ".parquet" else path).read_text(encoding="utf-8").splitlines()
    count = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return lines[:count], count


def _csv(path: Path, skip: int) -> pd.DataFrame:
    with path.open(encoding="utf-8", newline="") as file:
        for _ in range(skip):
            next(file)
        columns = next(csv.reader(file), [])
    text = {column: str for column in columns if column.endswith(("_id", "_ids"))}
    # Zone NA is Namibia; and only whole first lines are comments: a cell may hold a #.
    return pd.read_csv(
        path, skiprows=skip, keep_default_na=False, na_values=[""], dtype=text, low_memory=False, encoding="utf-8"
    )


def _header(path: Path, lines: list[str]) -> tuple[Header, list[str]]:
    words, faults = {}, []
    for line in lines:
        match = _WORD.match(line)
        if match is None or match.group(1) not in WORDS:
            faults.append(f"Table {_label(path)}: the header line {line[:60]!r} is not one of {', '.join(WORDS)}.")
        else:
            words[match.group(1)] = match.group(2)
    faults += [f"Table {_label(path)}: its header has no {word}." for word in REQUIRED_WORDS if not words.get(word)]
    if not _is_date(words.get("as_of", "2000-01-01")):
        faults.append(f"Table {_label(path)}: as_of is {words['as_of']!r}, not a date (YYYY-MM-DD).")
    for word in REQUIRED_WORDS:
        words.setdefault(word, "")
    words.setdefault("table", path.stem)
    return Header(kind=path.parent.name, name=path.stem, **words), faults


def _faults(header: Header, rows: pd.DataFrame) -> tuple[list[str], int]:
    label, checks = f"Table {header.kind}/{header.name}", 2
    faults = [f"{label} has no rows."] if rows.empty else []
    key = [column.strip() for column in header.key.split(",") if column.strip()]
    unknown = [column for column in key if column not in rows]
    if unknown:
        return [*faults, f"{label}: its key names {', '.join(unknown)}, which it does not have."], checks
    if key and (empty := int(rows[key].isna().any(axis=1).sum())):
        faults.append(f"{label}: {empty} rows have an empty key ({', '.join(key)}).")
    if key and rows.duplicated(key).any():
        twice = ", ".join(map(str, rows.loc[rows.duplicated(key), key].iloc[0]))
        faults.append(f"{label}: the key ({twice}) is there twice.")
    for column in rows.columns:
        fault, looked = _column_fault(column, rows)
        checks += looked
        if fault:
            faults.append(f"{label}: column {column}: {fault}")
    return faults, checks


def _column_fault(column: str, rows: pd.DataFrame) -> tuple[str, int]:
    limits = _limits(column)
    cells = rows[column].dropna()
    if limits is not None:
        if not pd.api.types.is_numeric_dtype(rows[column]) and len(cells):
            return "holds text where numbers belong.", 1
        outside = cells[~cells.between(*limits)] if len(cells) else cells
        if len(outside):
            return f"{outside.iloc[0]} (row {outside.index[0] + 1}) is outside {limits[0]:g} to {limits[1]:g}.", 1
        return "", 1
    if column == "as_of" or column.endswith("_date"):
        wrong = [cell for cell in cells if not _is_date(str(cell))]
        return (f"{wrong[0]!r} is not a date (YYYY-MM-DD)." if wrong else ""), 1
    if column == "source_ids" or column.endswith("source_id"):
        empty = int(rows[column].isna().sum())
        return (f"{empty} rows name no source." if empty and column in ("source_id", "source_ids") else ""), 1
    if column == "unverified_fields":
        unknown = sorted({name.strip() for cell in cells for name in cell.split(";")} - set(rows.columns))
        return (f"names {', '.join(unknown)}, which the table does not have." if unknown else ""), 1
    return "", 0


@cache
def _limits(column: str) -> tuple[float, float] | None:
    ends = [end for end in LIMITS if column == end or column.endswith(end if end[0] == "_" else "_" + end)]
    return LIMITS[max(ends, key=len)] if ends else None


def _is_date(text: str) -> bool:
    if not _DATE.match(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _label(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def _broken(message: str, details: str = "") -> DataError:
    hint = "A shipped table is damaged: install Rightsize again, or undo the edit."
    return DataError(message, hint=hint, details=details)
