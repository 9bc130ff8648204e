"""Calibration and test data (.npy, .npz, .csv), looked at before numpy or pandas read it."""

import ast
import math
import re
import struct
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from data.errors import InputError
from data.text import plain
from data.units import BYTES_PER_GIB, BYTES_PER_MIB
from profiler.triage.zip import Archive

NPY_MAGIC = b"\x93NUMPY"
NPY_HEADER_BYTES = 10_000  # numpy's own limit (numpy/lib/format.py)
ARRAYS = 1_000
DATA_BYTES = 4 * BYTES_PER_GIB
CSV_BYTES, CSV_LINE_BYTES, CSV_COLUMNS = 512 * BYTES_PER_MIB, BYTES_PER_MIB, 10_000
DTYPE = re.compile(r"[<>|=]?([biufc])(\d{1,2})|[<>|=]?[US]\d{1,4}")


def triage_data(path: Path, name: str) -> str:
    """The kind, "npy", "npz" or "csv", by content. Raises InputError, one line naming the cause, where the file is a
    trap, damaged, or none of these; `name` is the file's name as the user knows it."""
    size_bytes = path.stat().st_size
    if not size_bytes:
        _refuse("This data file is empty (0 bytes).")
    with path.open("rb") as file:
        head = file.read(8)
        if head.startswith(NPY_MAGIC):
            check_array(file, size_bytes)
            return "npy"
        if head.startswith(b"PK"):
            _check_arrays(Archive(file, size_bytes))
            return "npz"
        if head[:1] == b"\x80" or name.casefold().endswith((".pkl", ".pickle")):
            _refuse("This data file is a pickle, which can hold code: unsafe, not allowed.")
        _check_csv(file, size_bytes)
    return "csv"


def check_array(file: BinaryIO, size_bytes: int) -> None:
    """Raises InputError unless this is one .npy array whose stated shape and type fill the file."""
    file.seek(0)
    start = file.read(8)
    form = "<H" if start[6:7] == b"\x01" else "<I"
    raw = file.read(struct.calcsize(form))
    length = struct.unpack(form, raw)[0] if len(raw) == struct.calcsize(form) else 0
    if not start.startswith(NPY_MAGIC) or start[6:7] not in (b"\x01", b"\x02", b"\x03") or length > NPY_HEADER_BYTES:
        _refuse("This array is damaged: its npy header is invalid.")
    header = _header(file.read(length))
    kind = header.get("descr")
    if not isinstance(kind, str) or not DTYPE.fullmatch(kind):
        if isinstance(kind, str) and kind.endswith("O"):
            _refuse("This array holds pickled Python objects, which can be code: unsafe, not allowed.")
        _refuse("This array is of a type that is not read here: plain numbers are needed in its data.")
    shape = header.get("shape")
    if not isinstance(shape, tuple) or not all(isinstance(axis, int) and 0 <= axis < 1 << 48 for axis in shape):
        _refuse("This array is damaged: its shape is invalid.")
    needed, there = math.prod(shape) * _item_bytes(kind), size_bytes - file.tell()
    if needed != there:
        _refuse(f"The shape of this array needs {needed:,} bytes of data, and {there:,} are there: it is damaged.")


def _header(raw: bytes) -> dict[str, Any]:
    """The header is a Python dictionary of literals; anything else in it is refused, never evaluated."""
    try:
        found = ast.literal_eval(raw.decode("latin-1").strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        _refuse("This array is damaged: its npy header holds something other than a description of data.")
    if not isinstance(found, dict):
        _refuse("This array is damaged: its npy header is invalid.")
    return found


def _item_bytes(kind: str) -> int:
    digits = int(re.sub(r"\D", "", kind))
    return 4 * digits if "U" in kind else digits


def _check_arrays(archive: Archive) -> None:
    import io

    if len(archive.entries) > ARRAYS or sum(entry.size_bytes for entry in archive.entries.values()) > DATA_BYTES:
        _refuse("This archive of arrays is too large.")
    for name, entry in archive.entries.items():
        if not name.endswith(".npy"):
            _refuse(f'This archive holds "{plain(name, 60)}", which is not an array: not valid calibration data.')
        head = archive.head(name, NPY_HEADER_BYTES + 12)
        check_array(io.BytesIO(head), entry.size_bytes)


def _check_csv(file: BinaryIO, size_bytes: int) -> None:
    if size_bytes > CSV_BYTES:
        _refuse(f"This CSV file is too large: {CSV_BYTES // BYTES_PER_MIB} MiB is the limit.")
    file.seek(0)
    first = file.readline(CSV_LINE_BYTES + 1)
    if len(first) > CSV_LINE_BYTES or max(first.count(mark) for mark in (b",", b";", b"\t")) > CSV_COLUMNS:
        _refuse(f"This CSV file has a row that is too long: {CSV_COLUMNS:,} columns is the limit.")
    file.seek(0)
    sample = file.read(BYTES_PER_MIB)
    if b"\0" in sample:
        _refuse("This data file is neither an array (.npy, .npz) nor a CSV table.")
    try:
        sample[:-4].decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            "This CSV file is not text in UTF-8.", hint="Save the table as CSV (UTF-8).", details=f"{error}"
        ) from None


def _refuse(message: str) -> NoReturn:
    raise InputError(message, hint="Save plain numbers: numpy.save(path, array), or a CSV table.")
