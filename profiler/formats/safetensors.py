"""safetensors: the header's table of tensors, and how many of their numbers are zero. Weights without architecture."""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from data.errors import InputError
from data.text import plain
from profiler.types import Model, WeightTensor
from profiler.weight_table import of_weights, zero_frac

DTYPES = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64", "I32": "int32",
    "I16": "int16", "I8": "int8", "U64": "uint64", "U32": "uint32", "U16": "uint16", "U8": "uint8", "BOOL": "bool",
    "F8_E4M3": "float8_e4m3", "F8_E5M2": "float8_e5m2", "F8_E8M0": "float8_e8m0", "F4": "float4_e2m1",
    "C64": "complex64",
}  # fmt: skip

HEADER_LIMIT_BYTES = 100_000_000  # the library's own limit


class Safetensors:
    """One .safetensors file."""

    NAME = "safetensors"
    SUFFIXES = (".safetensors",)

    def sniff(self, head: bytes, path: Path) -> bool:
        """Eight bytes of length, then a JSON object of about that length."""
        return head[8:9] == b"{" and int.from_bytes(head[:8], "little") < path.stat().st_size

    def read(self, path: Path, shapes: Mapping[str, tuple[int, ...]]) -> Model:
        """Parameters by type and the table of tensors; `shapes` has no use here."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(str(path), framework="numpy") as checked:  # the library holds the header against the file
                metadata = checked.metadata() or {}
        except (SafetensorError, OSError) as error:
            raise InputError("This safetensors file is damaged or cut off.", details=str(error)) from None
        entries, start = _entries(path)
        tensors = [_tensor(path, start, name, entry) for name, entry in entries.items()]
        made_by = plain(metadata.get("format", ""), 20)
        return of_weights(path, self.NAME, tensors, producer=f"safetensors ({made_by})" if made_by else "safetensors")


def header(path: Path) -> list[WeightTensor]:
    """The table of tensors from the header alone, their numbers unread. Raises InputError on a damaged header."""
    try:
        entries, _ = _entries(path)
        return [_listed(name, entry) for name, entry in entries.items()]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise InputError("This safetensors header is damaged or cut off.", details=str(error)) from None


def _entries(path: Path) -> tuple[dict[str, Any], int]:
    """The header without its metadata, and where the numbers begin."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 0 < length <= HEADER_LIMIT_BYTES:
            raise ValueError(f"a header of {length} bytes")
        found = file.read(length)
        if len(found) < length:
            raise ValueError(f"{len(found)} of {length} bytes of header")
        entries = json.loads(found)
    entries.pop("__metadata__", None)
    return entries, 8 + length


def _listed(name: str, entry: Mapping[str, Any], frac: float | None = None) -> WeightTensor:
    dtype = DTYPES.get(entry["dtype"], entry["dtype"].lower())
    begin, end = entry["data_offsets"]
    shape = tuple(int(size) for size in entry["shape"])
    if end < begin or any(size < 0 for size in shape):
        raise ValueError(f"tensor {plain(name, 40)} has an impossible shape")
    return WeightTensor(name=name, dtype=dtype, shape=shape, stored_bytes=end - begin, zero_frac=frac)


def _tensor(path: Path, start: int, name: str, entry: Mapping[str, Any]) -> WeightTensor:
    found = _listed(name, entry)
    begin = start + entry["data_offsets"][0]
    frac = zero_frac(path, begin, found.stored_bytes, found.dtype) if math.prod(found.shape) else None
    return replace(found, zero_frac=frac)


FORMAT = Safetensors()
