"""ONNX has no magic number: its outermost fields are read, as numbers and lengths, and nothing inside them."""

from typing import BinaryIO, NoReturn

from data.errors import InputError

# Field numbers of ModelProto (onnx.proto) and whether each is a length-delimited field or a plain number.
NUMBERS = {1, 5}  # ir_version, model_version
BLOCKS = {2, 3, 4, 6, 7, 8, 14, 20, 25, 26}  # producer, domain, doc, graph, opsets, metadata, training, functions
GRAPH, OPSETS, FIRST_TAG = 7, 8, 0x08
FIELDS = 2_000_000


def seems_onnx(head: bytes) -> bool:
    """Whether a file that starts so may be an ONNX model, whole or not: a version number and a known field."""
    if len(head) < 2:
        return False
    if head[0] == FIRST_TAG:
        place = 1
        while place < len(head) and head[place] & 0x80 and place < 10:
            place += 1
        following = head[place + 1 : place + 2]
        return not following or _known(following[0])
    return _known(head[0]) and head[0] & 7 == 2


def triage_onnx(file: BinaryIO, size_bytes: int) -> bool:
    """True where the outermost fields are those of a model and fill the file; False where it is something else.
    Raises InputError where it begins as a model and is cut short or damaged."""
    file.seek(0)
    begins = file.read(1) == bytes([FIRST_TAG])
    file.seek(0)
    seen: set[int] = set()
    place = 0
    for _ in range(FIELDS):
        if place >= size_bytes:
            break
        tag, place = _varint(file, place)
        field, wire = (tag or 0) >> 3, (tag or 0) & 7
        if tag is None or not ((wire == 0 and field in NUMBERS) or (wire == 2 and field in BLOCKS)):
            return _no(begins and bool(seen), "damaged")
        value, place = _varint(file, place)
        if value is None:
            return _no(begins, "damaged, or cut short")
        if wire == 2:
            place += value
            if place > size_bytes:
                return _no(begins, "incomplete: it was cut short")
            file.seek(place)
        seen.add(field)
    if GRAPH not in seen:
        return _no(begins, "incomplete: it holds no graph")
    if OPSETS not in seen:
        _refuse("incomplete: it does not say which opset it uses")
    return True


def _known(tag: int) -> bool:
    return (tag & 7 == 0 and tag >> 3 in NUMBERS) or (tag & 7 == 2 and tag >> 3 in {2, 3, 4, 6, 7, 8, 14})


def _varint(file: BinaryIO, place: int) -> tuple[int | None, int]:
    """A number of up to ten bytes of seven bits each, least significant first; None where the file ends in it."""
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            return None, place
        place += 1
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value, place
    return None, place


def _no(begins: bool, what: str) -> bool:
    if begins:
        _refuse(what)
    return False


def _refuse(what: str) -> NoReturn:
    raise InputError(f"This ONNX file is {what}.", hint="Export or upload it again.")
