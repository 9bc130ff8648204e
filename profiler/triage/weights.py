"""Safetensors and GGUF: headers read byte by byte, every stated size held against the bytes that follow."""

import json
import math
import struct
from typing import Any, BinaryIO, NoReturn, TypeGuard

from data.errors import InputError
from data.text import plain
from data.units import BITS_PER_BYTE, BYTES_PER_MIB

SAFETENSORS_HEADER_BYTES = 16 * BYTES_PER_MIB  # more than a hundred thousand tensors need
SAFETENSORS_BITS = {
    "F64": 64, "F32": 32, "F16": 16, "BF16": 16, "I64": 64, "I32": 32, "I16": 16, "I8": 8, "U64": 64, "U32": 32,
    "U16": 16, "U8": 8, "BOOL": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "F6_E2M3": 6, "F6_E3M2": 6, "F4": 4, "C64": 64,
}  # fmt: skip
ELEMENTS = 1 << 50

GGUF_VERSIONS = (2, 3)
GGUF_TENSORS, GGUF_KEYS, GGUF_STRING_BYTES, GGUF_ITEMS = 1 << 17, 1 << 16, 64 * BYTES_PER_MIB, 8_000_000
GGUF_SCALAR_BYTES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
GGUF_STRING, GGUF_ARRAY = 8, 9
GGUF_DIMS, GGUF_ALIGNMENT = 4, 32
# type: (elements a block, bytes a block), by ggml's table of quantisation types
GGML_BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 40), 10: (256, 84),
    11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292), 16: (256, 66), 17: (256, 74),
    18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82), 23: (256, 136), 24: (1, 1), 25: (1, 2),
    26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66), 39: (32, 17),
    40: (64, 36), 41: (128, 18),
}  # fmt: skip


def triage_safetensors(file: BinaryIO, size_bytes: int) -> None:
    """Raises InputError unless the header is sound and its tensors fill the file without gap or overlap."""
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    if length > SAFETENSORS_HEADER_BYTES:
        _bad_safetensors(f"its header says it is {length:.1e} bytes long, too large to be true")
    if 8 + length > size_bytes:
        _bad_safetensors("its header is longer than the file: it is cut short, or damaged")
    try:
        header = json.loads(file.read(length), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        _bad_safetensors("its header is not valid JSON")
    if not isinstance(header, dict):
        _bad_safetensors("its header is not a table of tensors")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        _bad_safetensors("its metadata is not text")
    end = 0
    for start, stop, shown in sorted(_tensor_range(name, entry) for name, entry in header.items()):
        if start != end:
            _bad_safetensors(f'the offsets of "{shown}" overlap another tensor, or leave a gap')
        end = stop
    if 8 + length + end != size_bytes:
        what = "the file is cut short: incomplete" if 8 + length + end > size_bytes else "it has data after its end"
        _bad_safetensors(f"its offsets do not match the file's size; {what}")


def _tensor_range(name: str, entry: Any) -> tuple[int, int, str]:
    shown = plain(name, 40)
    if not isinstance(entry, dict):
        _bad_safetensors(f'the header of "{shown}" is not a table')
    bits = SAFETENSORS_BITS.get(str(entry.get("dtype")))
    if bits is None:
        _bad_safetensors(f'"{shown}" has the unknown dtype "{plain(entry.get("dtype"), 20)}"')
    shape, offsets = entry.get("shape"), entry.get("data_offsets")
    if not _whole(shape) or not _whole(offsets) or len(offsets) != 2:
        _bad_safetensors(f'the shape or the offsets of "{shown}" are not whole numbers')
    start, stop = offsets
    count = math.prod(shape)
    if count > ELEMENTS or stop < start or (stop - start) * BITS_PER_BYTE != count * bits:
        _bad_safetensors(f'the shape of "{shown}" does not match its offsets')
    return start, stop, shown


def _whole(values: Any) -> TypeGuard[list[int]]:
    return (
        isinstance(values, list)
        and len(values) <= 32
        and all(isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63 for value in values)
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        _bad_safetensors("a name stands twice in its header (a duplicate)")
    return found


class _Reader:
    """Little-endian numbers and strings from a file, never past its end."""

    def __init__(self, file: BinaryIO, size_bytes: int) -> None:
        self._file, self.size_bytes, self.place = file, size_bytes, 0
        file.seek(0)

    def skip(self, count: int) -> None:
        self._need(count)
        self._file.seek(count, 1)
        self.place += count

    def number(self, form: str) -> int:
        count = struct.calcsize(form)
        self._need(count)
        self.place += count
        return int(struct.unpack("<" + form, self._file.read(count))[0])

    def text(self) -> str:
        length = self.number("Q")
        if length > GGUF_STRING_BYTES:
            _bad_gguf(f"a string in it claims a length of {length:.1e} bytes, too large to be true")
        self._need(length)
        self.place += length
        return self._file.read(length).decode("utf-8", "replace")

    def _need(self, count: int) -> None:
        if count > self.size_bytes - self.place:
            _bad_gguf("it ends in the middle of its header: it was cut short (truncated), or damaged")


def triage_gguf(file: BinaryIO, size_bytes: int) -> None:
    """Raises InputError unless header, keys and tensors are sound and all data lies inside the file."""
    reader = _Reader(file, size_bytes)
    reader.skip(4)
    version = reader.number("I")
    if version not in GGUF_VERSIONS:
        _bad_gguf(f"it has version {version}; 2 and 3 are read here")
    tensors, keys = reader.number("Q"), reader.number("Q")
    if tensors > GGUF_TENSORS:
        _bad_gguf(f"its count of tensors is {tensors:.1e}, too large to be true")
    if keys > GGUF_KEYS:
        _bad_gguf(f"its count of keys is {keys:.1e}, too large to be true")
    alignment = GGUF_ALIGNMENT
    for _ in range(keys):
        name, value = reader.text(), _value(reader, reader.number("I"), 0)
        if name == "general.alignment":
            alignment = value or 0
    if not 8 <= alignment <= 1 << 16 or alignment & (alignment - 1):
        _bad_gguf(f"its alignment of {alignment} is invalid")
    ends = [_tensor_end(reader, alignment) for _ in range(tensors)]
    data = -(-reader.place // alignment) * alignment
    if ends and data + max(ends) > size_bytes:
        _bad_gguf("the offset of a tensor lies past its end: it was cut short (truncated), or damaged")


def _value(reader: _Reader, kind: int, depth: int) -> int | None:
    """Passes over one value; its number where it is a whole one."""
    if kind == GGUF_STRING:
        reader.text()
    elif kind == GGUF_ARRAY and depth < 2:
        inner, count = reader.number("I"), reader.number("Q")
        if inner in GGUF_SCALAR_BYTES:
            reader.skip(count * GGUF_SCALAR_BYTES[inner])
            return None
        if count > GGUF_ITEMS:
            _bad_gguf(f"an array in it claims a length of {count:.1e}, too large to be true")
        for _ in range(count):
            _value(reader, inner, depth + 1)
    elif kind in (4, 5):
        return reader.number("I")
    elif kind in GGUF_SCALAR_BYTES:
        reader.skip(GGUF_SCALAR_BYTES[kind])
    else:
        _bad_gguf(f"it holds a value of the unknown type {kind}")
    return None


def _tensor_end(reader: _Reader, alignment: int) -> int:
    """Where the data of the next tensor ends, counted from the start of all data."""
    shown = plain(reader.text(), 40)
    count = reader.number("I")
    if count > GGUF_DIMS:
        _bad_gguf(f'"{shown}" claims {count:,} dims; {GGUF_DIMS} is the most there can be')
    dims = [reader.number("Q") for _ in range(count)]
    kind, offset = reader.number("I"), reader.number("Q")
    if kind not in GGML_BLOCKS:
        _bad_gguf(f'"{shown}" is of the unknown type {kind}')
    elements, block_bytes = GGML_BLOCKS[kind]
    total = math.prod(dims)
    if total > ELEMENTS or (dims and dims[0] % elements):
        _bad_gguf(f'the dims of "{shown}" are invalid for its type')
    if offset % alignment:
        _bad_gguf(f'the offset of "{shown}" does not keep to the alignment')
    return offset + total // elements * block_bytes


def _bad_safetensors(what: str) -> NoReturn:
    raise InputError(f"This safetensors file is invalid: {what}.", hint="Download or save the file again.")


def _bad_gguf(what: str) -> NoReturn:
    raise InputError(f"This GGUF file is invalid: {what}.", hint="Download or convert the file again.")
