"""Bytes in, verdict out: what a file is, by its content, and whether it may be opened. No library parses it yet."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn

from data.errors import InputError, Unavailable
from data.text import plain
from data.units import BYTES_PER_GIB, BYTES_PER_MIB
from profiler import sandbox
from profiler.tasks import ChildDesk, task
from profiler.triage.onnx import seems_onnx, triage_onnx
from profiler.triage.pickle import PICKLE_BYTES, walk
from profiler.triage.pt2 import triage_pt2
from profiler.triage.torch import LEGACY_MAGIC, check_case, triage_legacy, triage_state_dict, triage_torchscript
from profiler.triage.weights import triage_gguf, triage_safetensors
from profiler.triage.zip import ENTRIES, METADATA, Archive, extract

FILE_BYTES = 256 * BYTES_PER_GIB
HEAD_BYTES = 1 << 16
NAMING_BYTES = 2 * BYTES_PER_GIB  # the most a protobuf message may have
PIECE_BYTES = 4 * BYTES_PER_MIB
CONFIG_BYTES = 4 * BYTES_PER_MIB
MARK_OF_TORCH = re.compile(r"[^/]*/?(data\.pkl|constants\.pkl|archive_format)|[^/]+/models/.*\.json", re.IGNORECASE)
SUFFIXES = {
    "onnx": (".onnx",), "onnx_bundle": (".zip",), "torchscript": (".pt", ".pth", ".ts", ".torchscript", ".jit"),
    "pt2": (".pt2",), "state_dict": (".pt", ".pth", ".bin", ".ckpt"), "safetensors": (".safetensors",),
    "gguf": (".gguf",), "hf_config": (".json",),
}  # fmt: skip
SHOWN = {
    "onnx": "ONNX", "onnx_bundle": "an archive with an ONNX model", "torchscript": "TorchScript",
    "pt2": "an exported program (.pt2)", "state_dict": "weights of torch.save", "safetensors": "safetensors",
    "gguf": "GGUF", "hf_config": "a model configuration",
}  # fmt: skip
# First bytes of what people upload by mistake: (place, bytes, what it is).
OTHERS = (
    (0, b"version https://git-lfs", "a Git LFS pointer, not the model it stands for"),
    (0, b"\x93NUMPY", "a NumPy array, not a model"), (0, b"\x7fELF", "a program, not a model"),
    (0, b"MZ", "a program, not a model"), (0, b"\x89PNG", "a picture, not a model"),
    (0, b"\xff\xd8\xff", "a picture, not a model"), (0, b"%PDF", "a PDF document, not a model"),
    (0, b"\x1f\x8b", "a gzip archive, not a model: unpack it first"),
    (0, b"BZh", "a bzip2 archive, not a model: unpack it first"),
    (0, b"\xfd7zXZ", "an xz archive, not a model: unpack it first"),
    (0, b"7z\xbc\xaf", "a 7z archive, not a model: unpack it first"),
    (0, b"\x89HDF", "an HDF5 file (Keras): this format is not supported; export it to ONNX"),
    (4, b"TFL3", "a TensorFlow Lite file: this format is not supported; export it to ONNX"),
    (4, b"ORTM", "in ONNX Runtime's own format: not supported; upload the .onnx file"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A file that may be opened in the locked child: its format by content, and what to tell about it."""

    format: str
    notes: tuple[str, ...] = ()


def triage(path: Path, name: str) -> Verdict:
    """What the file at `path` is; `name` is what the user calls it. Raises InputError, one line naming the cause,
    where it is a trap, damaged, or no model. Reads bytes only: nothing in the file is run or loaded."""
    size_bytes = path.stat().st_size
    if not size_bytes:
        _refuse("This file is empty (0 bytes).", "Export or upload it again.")
    if size_bytes > FILE_BYTES:
        _refuse(f"This file is too large: {FILE_BYTES // BYTES_PER_GIB} GiB is the limit.")
    with path.open("rb") as file:
        found = _recognise(file, size_bytes, name)
    suffix = Path(name).suffix.casefold()
    if suffix and suffix not in SUFFIXES[found]:
        return Verdict(format=found, notes=(f"Its name ends in {plain(suffix, 20)}, its content is {SHOWN[found]}.",))
    return Verdict(format=found)


def admitted(verdict: Verdict) -> Verdict:
    """The verdict; Unavailable where this machine's sandbox does not hold such files (see sandbox.levels)."""
    if verdict.format not in sandbox.allowed_formats():
        raise Unavailable(
            f"This is {SHOWN[verdict.format]}, which holds code; this machine's sandbox is too weak to run it.",
            hint="Export the model to ONNX, or use a Linux machine with Landlock and seccomp.",
        )
    return verdict


@task
def examine(desk: ChildDesk, *, path: str, name: str) -> Verdict:
    """`triage` in the locked child, where it can take neither time nor memory it should not."""
    return triage(Path(path), name)


@task
def unpack(desk: ChildDesk, *, path: str) -> str:
    """Unpacks the ONNX model of an archive, and the files beside it, into the job's folder; the model's file name."""
    source = Path(path)
    with source.open("rb") as file:
        archive = Archive(file, source.stat().st_size)
        names = bundle_names(archive)
        extract(archive, desk.folder, names)
    return next(iter(names.values()))


def companions(path: Path) -> list[Path]:
    """Files beside an ONNX model whose names stand in it: its weights, where they are kept outside. Nothing else of
    the folder needs to be readable for whoever opens it."""
    beside = [file for file in path.parent.iterdir() if file != path and file.is_file() and not file.is_symlink()]
    if not beside or path.stat().st_size > NAMING_BYTES:
        return []
    if not _mentioned(path, {b"location"}):  # the key under which ONNX names a file of weights
        return []
    names = {file.name.encode(): file for file in beside}
    return sorted(names[name] for name in _mentioned(path, set(names)))


def _mentioned(path: Path, words: set[bytes]) -> set[bytes]:
    """Which of these words stand in the file, read a piece at a time: it may be larger than what the app may hold."""
    found: set[bytes] = set()
    overlap = max(map(len, words))  # enough for a word cut in two
    with path.open("rb") as file:
        piece = b""
        while chunk := file.read(PIECE_BYTES):
            piece = piece[-overlap:] + chunk
            found |= {word for word in words - found if word in piece}
    return found


def _recognise(file: BinaryIO, size_bytes: int, name: str) -> str:
    head = file.read(HEAD_BYTES)
    if head.startswith(b"PK"):
        return _archive(Archive(file, size_bytes))
    if head.startswith(b"GGUF"):
        triage_gguf(file, size_bytes)
        return "gguf"
    if head.startswith(LEGACY_MAGIC):
        file.seek(0)
        triage_legacy(file.read(PICKLE_BYTES), size_bytes)
        return "state_dict"
    for place, mark, what in OTHERS:
        if head[place:].startswith(mark):
            _refuse(f"This file is {what}.")
    if _is_pickle(head, file, size_bytes) or head[257:262] == b"ustar":
        _refuse(
            "This file is a pickle, or of torch's old tar format: it can run code when opened, so it is not allowed.",
            "Save the weights: torch.save(model.state_dict(), path), or export the model to ONNX.",
        )
    if seems_onnx(head) and triage_onnx(file, size_bytes):
        return "onnx"
    if name.casefold().endswith(".safetensors") or (head[8:9] == b"{" and head[7:8] == b"\0"):
        triage_safetensors(file, size_bytes)
        return "safetensors"
    return _text(file, head, size_bytes)


def _archive(archive: Archive) -> str:
    names = [name for name in archive.entries if not _is_metadata(name)]
    if any(MARK_OF_TORCH.fullmatch(name) for name in names):
        check_case(names)
        if len({name.split("/")[0] for name in names}) > 1:  # torch takes the first entry's, whichever that is
            _refuse("This archive has more than one top folder, of which torch would read one: not allowed.")
    roots = {name[: -len("data.pkl")] for name in names if name.endswith("data.pkl") and name.count("/") <= 1}
    formats = {name[: -len("archive_format")] for name in names if re.fullmatch(r"[^/]*/?archive_format", name)}
    if formats or any("/models/" in name and name.endswith(".json") for name in names):
        triage_pt2(archive, min(formats, default=names[0].split("/")[0] + "/"))
        return "pt2"
    if any(name.endswith("serialized_exported_program.json") for name in names):
        _refuse("This .pt2 was saved by an old torch, in a form that is not supported any more.")
    if roots:
        root = min(roots)
        if f"{root}constants.pkl" in archive.entries or any(name.startswith(f"{root}code/") for name in names):
            triage_torchscript(archive, root)
            return "torchscript"
        triage_state_dict(archive, root)
        return "state_dict"
    bundle_names(archive)
    return "onnx_bundle"


def bundle_names(archive: Archive) -> dict[str, str]:
    """What to unpack of an archive with an ONNX model: {name in the archive: plain file name}, the model first.
    Raises InputError where there is no model, more than one, or too much."""
    names = [name for name in archive.entries if not _is_metadata(name)]
    models = [name for name in names if name.casefold().endswith(".onnx")]
    if len(archive.entries) > ENTRIES:
        _refuse(f"This archive has too many entries: {ENTRIES:,} is the limit.")
    if any(archive.head(name, 4) in (b"PK\x03\x04", b"PK\x05\x06") for name in names):
        _refuse("This archive holds another archive: upload the model file itself, or a zip of it without nesting.")
    if names and all(name.endswith(".npy") for name in names):
        _refuse("This .npz holds data, not a model.", "Upload the model, and give this as its data where you measure.")
    if "model.weights.h5" in names:
        _refuse("This is a Keras model: this format is not supported; export it to ONNX.")
    if len(models) != 1:
        what = "no model in it that is read here" if not models else f"{len(models)} ONNX models in it; one is needed"
        _refuse(f"This zip archive has {what}.")
    if not seems_onnx(archive.head(models[0], 32)):
        _refuse(f'"{plain(models[0], 60)}" in this archive is not an ONNX model: damaged, or of another format.')
    folder = models[0].rpartition("/")[0]
    beside = [name for name in names if name.rpartition("/")[0] == folder and name != models[0]]
    return {name: name.rpartition("/")[2] for name in (models[0], *beside)}


def _is_metadata(name: str) -> bool:
    return name.startswith(METADATA) or name.rpartition("/")[2].startswith(("._", *METADATA))


def _is_pickle(head: bytes, file: BinaryIO, size_bytes: int) -> bool:
    """A pickle's protocol mark, or (protocols 0 and 1 have none) opcodes that can be followed to their end."""
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return True
    if size_bytes > BYTES_PER_MIB or head[:1] not in (b"(", b"c", b"]", b"}", b"i"):
        return False
    file.seek(0)
    try:
        return walk(file.read(), lambda module, name: True).end > 1
    except InputError:
        return bool(re.match(rb"[(cli]*c[\w.]+\n[\w.]+\n", head))


def _text(file: BinaryIO, head: bytes, size_bytes: int) -> str:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"{") and size_bytes <= CONFIG_BYTES:
        file.seek(0)
        _check_config(file.read())
        return "hf_config"
    if start[:1] == b"<":
        what = "an OpenVINO or other XML file" if b"<?xml" in start[:64] or b"<net" in start[:64] else "an HTML page"
        return _refuse(f"This file is {what}, not a model of a format read here.")
    if b"\0" not in head and size_bytes < 16 * BYTES_PER_MIB:
        return _refuse("This is a text file, not a model.")
    return _refuse("This file is of an unknown format: it is not a model that is read here, or it is damaged.")


def _check_config(text: bytes) -> None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(
            "This file begins like JSON but is damaged or incomplete.", hint="Upload it again.", details=f"{error}"
        ) from None
    if isinstance(found, dict) and isinstance(found.get("weight_map"), dict):
        raise InputError(
            "This is the index of weights in several files: it holds none itself.",
            hint="Give one of those files, or the config.json beside them. The Language page reads the index.",
        )
    if not isinstance(found, dict) or not isinstance(found.get("model_type", found.get("architectures")), str | list):
        _refuse("This JSON file is not a model's configuration: it names no model_type.")


def _refuse(message: str, hint: str = "") -> NoReturn:
    raise InputError(message, hint=hint or "ONNX, TorchScript, .pt2, safetensors, GGUF and state dicts are read.")
