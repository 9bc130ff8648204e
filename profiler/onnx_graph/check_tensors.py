"""What stored tensors of an ONNX model claim about themselves, against the bytes that are there."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from data.errors import InputError
from data.text import plain
from profiler.dtypes import BITS, bytes_of, onnx_dtype_name

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto, TensorProto

ELEMENTS = 1 << 40
EXTERNAL_KEYS = ("location", "offset", "length", "checksum")
PLACES = ("raw_data", "float_data", "int32_data", "string_data", "int64_data", "double_data", "uint64_data")


def check_tensors(nodes: "Iterable[NodeProto]", graphs: "Iterable[GraphProto]", folder: Path) -> None:
    """Raises InputError where a tensor's dims, type, bytes or external file do not agree."""
    for tensor in _tensors(nodes, graphs):
        shown = plain(tensor.name, 40) or "without a name"
        count = _count(tensor, shown)
        needed = bytes_of(_dtype(tensor, shown), count)
        if tensor.data_location == tensor.EXTERNAL or tensor.external_data:
            _check_external(tensor, shown, needed, folder)
        else:
            _check_inside(tensor, shown, count, needed)


def _tensors(nodes: "Iterable[NodeProto]", graphs: "Iterable[GraphProto]") -> "Iterator[TensorProto]":
    for graph in graphs:
        yield from graph.initializer
        for sparse in graph.sparse_initializer:
            yield from (sparse.values, sparse.indices)
    for node in nodes:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            if attribute.HasField("sparse_tensor"):
                yield from (attribute.sparse_tensor.values, attribute.sparse_tensor.indices)


def _count(tensor: "TensorProto", shown: str) -> int:
    count = 1
    for length in tensor.dims:
        if length < 0:
            _refuse(f'The tensor "{shown}" has a negative dimension: its shape is invalid.')
        count *= length
    if count > ELEMENTS:
        _refuse(f'The tensor "{shown}" claims a shape of {count:.1e} elements: too large to be true.')
    return count


def _dtype(tensor: "TensorProto", shown: str) -> str:
    try:
        name = onnx_dtype_name(tensor.data_type)
    except ValueError:
        name = ""
    if name not in BITS:
        _refuse(f'The tensor "{shown}" is of an unknown type ({tensor.data_type}): the file is damaged.')
    return name


def _check_inside(tensor: "TensorProto", shown: str, count: int, needed: int) -> None:
    if tensor.HasField("raw_data"):
        there = len(tensor.raw_data)
        if there != needed:
            _refuse(f'The shape of tensor "{shown}" needs {needed:,} bytes of data, and {there:,} are there.')
        return
    entries = sum(len(getattr(tensor, place)) for place in PLACES[1:])
    packed = -(-count // 2) if needed < count else count  # numbers below 8 bits lie two or more to an entry
    if entries not in (count, packed, -(-count // 4), 2 * count) or (count and not entries):
        _refuse(f'The shape of tensor "{shown}" needs {count:,} numbers of data, and {entries:,} are there.')


def _check_external(tensor: "TensorProto", shown: str, needed: int, folder: Path) -> None:
    entries = {entry.key: entry.value for entry in tensor.external_data}
    strange = next((key for key in entries if key not in EXTERNAL_KEYS), None)
    if strange is not None:
        _refuse(f'The external data of "{shown}" has an unknown key, "{plain(strange, 30)}".')
    name = entries.get("location", "")
    if not name or name in (".", "..") or any(mark in name for mark in "/\\\0:"):
        _refuse(f'The external data of "{shown}" lies outside the model\'s folder: a plain file name is needed.')
    file = folder / name
    if file.is_symlink() or not file.is_file():
        raise InputError(
            f'The external data file "{plain(name, 60)}" is missing.',
            hint="Put both files into one folder, or upload them as one zip.",
        )
    offset, length = (_number(entries.get(key), key, shown) for key in ("offset", "length"))
    if length is not None and length != needed:
        _refuse(f'The external data of "{shown}" has a length of {length:,} bytes; its shape needs {needed:,}.')
    if (offset or 0) + needed > file.stat().st_size:
        _refuse(f'The external data of "{shown}" ends outside its file: the range is invalid, or the file cut short.')


def _number(text: str | None, key: str, shown: str) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        _refuse(f'The external data of "{shown}" has an invalid {key}.')
    return int(text)


def _refuse(message: str) -> NoReturn:
    raise InputError(message, hint="Export the model again, and check it with onnx.checker.")
