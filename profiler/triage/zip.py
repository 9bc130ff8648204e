"""Zip archives, believed only where every statement agrees: names, places, sizes. Nothing is unpacked to look."""

import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, NoReturn

from data.errors import InputError, Unavailable
from data.text import plain
from data.units import BYTES_PER_GIB, BYTES_PER_MIB

LOCAL, END, END64, LOCATOR64 = b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
END_BYTES, LOCATOR_BYTES, END64_BYTES, LOCAL_BYTES = 22, 20, 56, 30
DIRECTORY_BYTES = 16 * BYTES_PER_MIB
NAME_BYTES = 512
RATIO, RATIO_FROM_BYTES = 100, BYTES_PER_MIB
ENTRIES = 2_000
ENTRIES_TORCH = 100_000  # one a tensor, and a few
CHUNK = BYTES_PER_MIB
METADATA = ("__MACOSX/", ".DS_Store")  # what a desktop adds without being asked


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an archive: where its bytes start, how many there are, and how many they become."""

    name: str
    deflated: bool
    start: int
    stored_bytes: int
    size_bytes: int


class Archive:
    """A checked zip. Raises InputError, one line naming the cause, where it is damaged or a trap."""

    def __init__(self, file: BinaryIO, size_bytes: int) -> None:
        self._file = file
        directory_start, count = _directory(file, size_bytes)
        try:
            infos = zipfile.ZipFile(file).infolist()
        except (zipfile.BadZipFile, ValueError, OSError, struct.error, EOFError, NotImplementedError) as error:
            raise InputError("This zip archive is damaged.", hint="Make it again.", details=f"{error}") from None
        if not infos:
            _refuse("This zip archive is empty: there is no model in it.")
        if len(infos) != count:
            _refuse("This zip archive is damaged: it lists more or fewer entries than it says.")
        files = [info for info in infos if _check(info)]
        _check_names(infos)
        placed = [(info, _start(file, info)) for info in files]
        _check_places(placed, directory_start)
        self.entries = {
            info.filename: Entry(
                info.filename, info.compress_type == zipfile.ZIP_DEFLATED, start, info.compress_size, info.file_size
            )
            for info, start in placed
        }

    def read(self, name: str, limit_bytes: int) -> bytes:
        """One entry, whole. Raises InputError where it is larger than the limit or not what it says it is."""
        entry = self.entries[name]
        if entry.size_bytes > limit_bytes:
            _refuse(f'"{plain(name, 60)}" in this archive is too large ({entry.size_bytes:,} bytes).')
        return b"".join(self.pieces(name))

    def head(self, name: str, count: int) -> bytes:
        """The first bytes of an entry."""
        found = b""
        for piece in self.pieces(name):
            found += piece
            if len(found) >= count:
                break
        return found[:count]

    def pieces(self, name: str) -> Iterator[bytes]:
        """An entry's bytes, unpacked piece by piece and never more than it says it has."""
        entry = self.entries[name]
        inflate = zlib.decompressobj(-zlib.MAX_WBITS) if entry.deflated else None
        given, taken = 0, 0
        pending = b""
        while given < entry.size_bytes:
            if not pending and taken < entry.stored_bytes:
                self._file.seek(entry.start + taken)
                pending = self._file.read(min(CHUNK, entry.stored_bytes - taken))
                taken += len(pending)
            piece, pending, done = _unpack(inflate, pending, entry)
            if not piece and (done or not pending):
                _refuse(f'"{plain(name, 60)}" in this archive is damaged: it ends before its size is reached.')
            given += len(piece)
            yield piece
        rest = b"" if inflate is None or inflate.eof else _unpack(inflate, pending, entry)[0]
        if given > entry.size_bytes or rest:
            _refuse(f'"{plain(name, 60)}" in this archive expands to more than the size it states.')


def extract(archive: Archive, folder: Path, names: dict[str, str]) -> None:
    """Writes entries of a checked archive into a folder: {name in the archive: plain file name}."""
    needed = sum(archive.entries[name].size_bytes for name in names)
    if needed > shutil.disk_usage(folder).free - BYTES_PER_GIB:
        raise Unavailable(
            f"Unpacking this archive needs {needed / BYTES_PER_GIB:.1f} GiB, more than the disk has free.",
            hint="Make room on the disk, then try again.",
        )
    for name, plain_name in names.items():
        if Path(plain_name).name != plain_name:
            raise ValueError(f"not a plain file name: {plain_name}")
        with (folder / plain_name).open("xb") as target:
            for piece in archive.pieces(name):
                target.write(piece)


def _unpack(inflate: "zlib._Decompress | None", pending: bytes, entry: Entry) -> tuple[bytes, bytes, bool]:
    """(unpacked bytes, what is left to unpack, whether the stream has ended)."""
    if inflate is None:
        return pending, b"", not pending
    try:
        piece = inflate.decompress(pending, CHUNK)
    except zlib.error as error:
        raise InputError(
            f'"{plain(entry.name, 60)}" in this archive is damaged.', hint="Make it again.", details=f"{error}"
        ) from None
    return piece, inflate.unconsumed_tail, inflate.eof


def _directory(file: BinaryIO, size_bytes: int) -> tuple[int, int]:
    """Where the list of contents starts, and how many entries it has. Readers of zip disagree about which end they
    believe: all that is stated twice must agree, and list, 64-bit end and end follow each other without a gap."""
    place = size_bytes - END_BYTES
    file.seek(max(0, place))
    end = file.read(END_BYTES)
    if not end.startswith(END) or len(end) < END_BYTES:
        _refuse("This zip archive is damaged or incomplete: it was cut short, or something follows its end.")
    disk, first, here, count, length, start, comment = struct.unpack("<HHHHIIH", end[4:])
    if comment or disk or first or here != count:
        _refuse("This zip archive has a comment or several parts; a plain archive is needed.")
    file.seek(max(0, place - LOCATOR_BYTES))
    locator = file.read(LOCATOR_BYTES)
    if locator.startswith(LOCATOR64):
        place -= LOCATOR_BYTES + END64_BYTES
        file.seek(max(0, place))
        count, length, start = _end64(file.read(END64_BYTES), locator, place, (count, length, start))
    if start + length != place:
        _refuse("This zip archive is damaged or incomplete: its list of contents lies outside it, or is hidden.")
    if length > DIRECTORY_BYTES or count > ENTRIES_TORCH:
        _refuse("This archive lists too many entries to be a model.")
    return int(start), int(count)


def _end64(end: bytes, locator: bytes, place: int, short: tuple[int, int, int]) -> tuple[int, int, int]:
    """(entries, bytes, start) of the list of contents by the 64-bit end, which must not contradict the short one."""
    disk, stated, disks = struct.unpack("<IQI", locator[4:])
    if not end.startswith(END64) or len(end) < END64_BYTES or stated != place or disk or disks > 1:
        _refuse("This zip archive is damaged: its end does not say where its contents are listed.")
    size, disk, first, here, count, length, start = struct.unpack("<Q4xIIQQQQ", end[4:])
    long = (count, length, start)
    free = (0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
    agrees = all(one in (other, unsaid) for one, other, unsaid in zip(short, long, free, strict=True))
    if size != END64_BYTES - 12 or disk or first or here != count or not agrees:
        _refuse("This zip archive is damaged: its two ends contradict each other.")
    return long


def _check(info: zipfile.ZipInfo) -> bool:
    """Whether this is a file (True) or a folder (False); refuses anything else."""
    shown = plain(info.filename, 60)
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        _refuse(f'This archive holds a link or a special file, "{shown}": not allowed.')
    if info.flag_bits & 0x41 or info.compress_type == 99:
        _refuse("This archive is encrypted: upload it without a password.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        _refuse("This archive uses a compression other than deflate: make it again as a plain zip.")
    if info.filename != info.orig_filename:  # a second name, by an extra field or cut at a NUL
        _refuse(f'This archive holds an unsafe name, "{shown}": readers would disagree about it.')
    if _doubled(info.extra):
        _refuse("This zip archive is damaged: an entry states its size and place twice.")
    parts = info.filename.rstrip("/").split("/")
    strange = any(ord(letter) < 32 or letter in "\\:" for letter in info.orig_filename)
    if strange or any(part in ("", ".", "..") for part in parts) or len(info.filename) > NAME_BYTES:
        _refuse(f'This archive holds an unsafe name or path, "{shown}": it points outside, or is no plain name.')
    if info.filename.endswith("/"):
        return False
    stored = info.compress_type == zipfile.ZIP_STORED
    most = info.file_size if stored else info.file_size + info.file_size // 8 + 64
    if info.compress_size > most or (stored and info.compress_size < info.file_size):
        _refuse(f'"{shown}" in this archive lies about its size: the archive is damaged, or a trap.')
    if info.file_size > RATIO_FROM_BYTES and info.file_size > RATIO * max(1, info.compress_size):
        _refuse(f'"{shown}" would expand to more than {RATIO} times its size: this looks like a zip bomb.')
    return True


def _doubled(extra: bytes) -> bool:
    """Whether an entry has two extra fields of one kind: which of them counts is up to the reader."""
    kinds = []
    while len(extra) >= 4:
        kind, length = struct.unpack("<HH", extra[:4])
        kinds.append(kind)
        extra = extra[4 + length :]
    return len(kinds) > len(set(kinds))


def _check_names(infos: list[zipfile.ZipInfo]) -> None:
    seen: set[str] = set()
    for info in infos:
        name = info.filename.rstrip("/").casefold()
        if name in seen:
            _refuse(f'This archive holds the name "{plain(info.filename, 60)}" twice (a duplicate).')
        seen.add(name)


def _start(file: BinaryIO, info: zipfile.ZipInfo) -> int:
    """Where the entry's bytes begin, by its own header, which must agree with the list of contents."""
    file.seek(max(0, info.header_offset))
    header = file.read(LOCAL_BYTES)
    if info.header_offset < 0 or len(header) < LOCAL_BYTES or not header.startswith(LOCAL):
        _refuse("This zip archive is damaged: an entry is not where the list of contents says.")
    flags, method = struct.unpack("<HH", header[6:10])
    name_length, extra_length = struct.unpack("<HH", header[26:30])
    name = file.read(name_length)
    if name != info.orig_filename.encode("utf-8" if info.flag_bits & 0x800 else "cp437", "replace"):
        _refuse("This zip archive is damaged: an entry has another name than in the list of contents.")
    if method != info.compress_type or (flags ^ info.flag_bits) & 0x41:
        _refuse("This zip archive is damaged: an entry contradicts the list of contents.")
    return int(info.header_offset + LOCAL_BYTES + name_length + extra_length)


def _check_places(placed: list[tuple[zipfile.ZipInfo, int]], directory_start: int) -> None:
    ordered = sorted(placed, key=lambda pair: pair[0].header_offset)
    if ordered and ordered[0][0].header_offset != 0:
        _refuse("This zip archive has something before its first entry: a plain archive is needed.")
    ends = [(info.header_offset, start + info.compress_size) for info, start in ordered]
    for (_, end), (begin, _) in pairwise([*ends, (directory_start, directory_start)]):
        if end > begin:
            _refuse("Entries of this archive overlap: it is damaged, or a zip bomb.")


def _refuse(message: str) -> NoReturn:
    raise InputError(message, hint="Make the archive again from the exported files, or upload the model file itself.")
