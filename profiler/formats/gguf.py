"""GGUF: header and tensor table, with every type's true bits. Weights that llama.cpp runs, not this product.

A small reader of our own: the library's takes half a minute over a vocabulary of 128,000 words. The types and their
block sizes are the library's.
"""

import math
import struct
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from data.errors import InputError
from data.text import plain
from data.units import BITS_PER_BYTE
from profiler.types import Model, WeightTensor
from profiler.weight_table import of_weights, zero_frac

MAGIC = b"GGUF"
VERSIONS = (2, 3)
NEEDS_ARCHITECTURE = "Latency needs the architecture: a GGUF file holds weights for llama.cpp, which is not run here."
# Kinds of metadata values: struct codes by their number in the file.
SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
STRING, ARRAY = 8, 9
ALIGNMENT = 32
LONGEST, MOST_AXES = 1 << 26, 8  # bytes of a text, axes of a tensor
FEW = 1024  # arrays up to this length are kept: heads by layer, not vocabularies
PLAIN = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I8": "int8", "I16": "int16",
    "I32": "int32", "I64": "int64",
}  # fmt: skip
TOLD = ("block_count", "context_length", "embedding_length", "expert_count")


class Gguf:
    """One .gguf file."""

    NAME = "gguf"
    SUFFIXES = (".gguf",)

    def sniff(self, head: bytes, path: Path) -> bool:
        return head.startswith(MAGIC)

    def read(self, path: Path, shapes: Mapping[str, tuple[int, ...]]) -> Model:
        """Parameters by type, the table of tensors, bits per weight; `shapes` has no use here."""
        metadata, tensors = _read(path, True)
        if any(tensor.stored_bytes > path.stat().st_size for tensor in tensors):
            raise InputError("This GGUF file is shorter than its table of tensors says: it was cut off.")
        family = plain(metadata.get("general.architecture", "unknown architecture"), 40)
        found = [(key, metadata.get(f"{family}.{key}")) for key in TOLD]
        notes = [f"{key.replace('_', ' ')}: {plain(value, 20)}" for key, value in found if value is not None]
        model = of_weights(path, self.NAME, tensors, producer=f"GGUF, {family}", cannot_run=NEEDS_ARCHITECTURE)
        if model.parameter_count:
            bits = model.weight_bytes * BITS_PER_BYTE / model.parameter_count
            notes.append(f"{bits:.2f} bits a weight on average, scales included.")
        return replace(model, notes=(*model.notes, *notes))


def header(path: Path) -> tuple[dict[str, Any], list[WeightTensor]]:
    """Metadata and the table of tensors from the header alone, their numbers unread. Raises InputError."""
    return _read(path, False)


def _read(path: Path, whole: bool) -> tuple[dict[str, Any], list[WeightTensor]]:
    """Metadata and tensors; `whole` counts the zeros of plain types. Raises InputError on a damaged file."""
    try:
        with path.open("rb") as file:
            return _contents(file, path, whole)
    except (struct.error, ValueError, OverflowError, MemoryError, KeyError, RecursionError, OSError) as error:
        raise InputError("This GGUF file is damaged or cut off.", details=f"{error!r}") from None


def _contents(file: BinaryIO, path: Path, whole: bool) -> tuple[dict[str, Any], list[WeightTensor]]:
    file.seek(len(MAGIC))
    (version,) = struct.unpack("<I", file.read(4))
    if version not in VERSIONS:
        raise InputError(f"This GGUF file has version {version}; {VERSIONS[0]} and {VERSIONS[1]} are read.")
    tensor_count, key_count = struct.unpack("<QQ", file.read(16))
    metadata = {}
    for _ in range(key_count):
        name = _text(file)
        metadata[name] = _value(file, *struct.unpack("<I", file.read(4)))
    table = [_entry(file) for _ in range(tensor_count)]
    alignment = int(metadata.get("general.alignment") or ALIGNMENT)
    start = -(-file.tell() // alignment) * alignment
    return metadata, [_tensor(path, start, whole, *entry) for entry in table]


def _text(file: BinaryIO) -> str:
    (length,) = struct.unpack("<Q", file.read(8))
    if length > LONGEST:
        raise ValueError(f"a text of {length} bytes")
    return file.read(length).decode("utf-8", "replace")


def _value(file: BinaryIO, kind: int) -> Any:
    """One metadata value; of an array only its length is of interest, but for short ones of numbers (one a layer)."""
    if kind == STRING:
        return _text(file)
    if kind == ARRAY:
        inner, count = struct.unpack("<IQ", file.read(12))
        if inner in SCALARS and count <= FEW:
            return [_value(file, inner) for _ in range(count)]
        if inner in SCALARS:
            file.seek(struct.calcsize(SCALARS[inner]) * count, 1)
        else:
            for _ in range(count):
                _value(file, inner)
        return f"{count:,} values"
    code = SCALARS[kind]
    return struct.unpack(f"<{code}", file.read(struct.calcsize(code)))[0]


def _entry(file: BinaryIO) -> tuple[str, tuple[int, ...], int, int]:
    """Name, shape (outermost axis first, as torch has it), type and offset of one tensor."""
    name = _text(file)
    (rank,) = struct.unpack("<I", file.read(4))
    if rank > MOST_AXES:
        raise ValueError(f"a tensor of {rank} axes")
    shape = struct.unpack(f"<{rank}Q", file.read(8 * rank))
    kind, offset = struct.unpack("<IQ", file.read(12))
    return name, tuple(reversed(shape)), kind, offset


def _tensor(
    path: Path, start: int, whole: bool, name: str, shape: tuple[int, ...], kind: int, offset: int
) -> WeightTensor:
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

    try:
        known = GGMLQuantizationType(kind)
    except ValueError:
        raise InputError(f"This GGUF file holds a tensor of the unknown type {kind}.") from None
    block, block_bytes = GGML_QUANT_SIZES[known]
    size = math.prod(shape) // block * block_bytes
    dtype = PLAIN.get(known.name, known.name.lower())
    frac = zero_frac(path, start + offset, size, dtype) if whole and known.name in PLAIN else None
    return WeightTensor(name=name, dtype=dtype, shape=shape, stored_bytes=size, zero_frac=frac)


FORMAT = Gguf()
