"""Files of torch.save and torch.jit.save: weights are walked, code is read as text; nothing is loaded."""

import re
from collections.abc import Callable, Iterable
from typing import NoReturn

from data.errors import InputError
from data.text import plain
from data.units import BYTES_PER_MIB
from profiler.triage.pickle import PICKLE_BYTES, Walked, of_weights, walk
from profiler.triage.zip import ENTRIES_TORCH, Archive

LEGACY_MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # torch/serialization.py, before 1.6
LEGACY_PICKLES = 5  # magic number, protocol, system, the object, the keys of its storages
PARTS = {
    "data.pkl", "constants.pkl", "archive_format", "byteorder", "version", "data", "code", "constants", "models",
    "weights", "sample_inputs", "aotinductor", "extra",
}  # fmt: skip
PICKLED = (".pkl", ".pickle")
CODE_BYTES = 16 * BYTES_PER_MIB
BRACKETS, OPERATORS_PER_STATEMENT, INDENTS = 200, 4_000, 100
REACHES_FILES = re.compile(r"\.\s*(save|from_file)\b")
UNARY_RUN = re.compile(r"(?:[-~+!]\s*){50,}|(?:\bnot\s+){50,}")
LITERAL = re.compile(r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|#[^\n]*")
TOKEN = re.compile(r"[(\[{]|[)\]}]|\n|[-+*/%&|^~<>=!.,]+|\b(?:and|or|not|if|else|in|is)\b")
DEFINITION = re.compile(r"^\s*(class|def)\s+\w", re.MULTILINE)
QUANTIZED = ("code/__torch__/torch/ao/nn/quantized", "code/__torch__/torch/nn/quantized", "quantized.py")
OF_SCRIPT = {
    "build_intlist", "build_tensorlist", "build_doublelist", "build_boollist", "build_tensor_from_id",
    "restore_type_tag", "build_complexlist", "build_stringlist",
}  # fmt: skip


def triage_state_dict(archive: Archive, root: str) -> None:
    """Raises InputError unless the archive holds tensors, all of them there, and nothing that runs."""
    walked = walk_all(archive, of_weights)
    _check_storages(archive, f"{root}data/", walked[f"{root}data.pkl"])


def triage_torchscript(archive: Archive, root: str) -> None:
    """Raises InputError where a pickle names more than a script's classes, weights are missing, or the code reaches
    for files or is made to overrun a parser."""
    walked = walk_all(archive, _of_script)
    _check_storages(archive, f"{root}data/", walked[f"{root}data.pkl"])
    _check_storages(archive, f"{root}constants/", walked.get(f"{root}constants.pkl", Walked()))
    code = [name for name in archive.entries if name.casefold().endswith(".py")]
    if sum(archive.entries[name].size_bytes for name in code) > CODE_BYTES:
        _refuse("This TorchScript archive holds more code than a model needs: too large.")
    if not code:
        _refuse("This TorchScript archive holds no code: it is incomplete.")
    for name in code:
        text = archive.read(name, CODE_BYTES).decode("utf-8", "replace")
        if "__setstate__" in text and not any(part in name for part in QUANTIZED):
            _refuse("This TorchScript runs code of its own while it loads (__setstate__): not allowed.")
        check_code(text)


def check_code(text: str) -> None:
    """Raises InputError where TorchScript code reads or writes files, or is nested beyond what its parser bears."""
    text = LITERAL.sub("''", text)
    found = REACHES_FILES.search(text)
    if found:
        _refuse(f'This TorchScript uses the operator "{found[1]}", which reads or writes files: not allowed.')
    if UNARY_RUN.search(text):
        _refuse("This TorchScript code is nested too deep: a run of operators would crash its parser.")
    if text.strip() and not DEFINITION.search(text):
        _refuse("The code of this TorchScript archive is invalid: it defines nothing, so the file is damaged.")
    depth, operators = 0, 0
    for token in TOKEN.finditer(text):
        mark = token[0]
        if mark in "([{":
            depth += 1
        elif mark in ")]}":
            depth -= 1
        elif mark == "\n":
            operators = operators if depth else 0
        elif mark != ",":
            operators += 1
        if depth > BRACKETS or operators > OPERATORS_PER_STATEMENT:
            _refuse("This TorchScript code is nested too deep: reading it would crash its parser.")
    if depth:
        _refuse("The code of this TorchScript archive is invalid: its brackets do not match, so it cannot be parsed.")
    if any(len(line) - len(line.lstrip()) > 2 * INDENTS for line in text.splitlines()):
        _refuse("This TorchScript code is nested too deep: too many blocks inside each other.")


def triage_legacy(head: bytes, size_bytes: int) -> None:
    """A file of torch.save before torch 1.6: five pickles one after the other, then the bytes of the storages."""
    start, storages = 0, 0
    for _ in range(LEGACY_PICKLES):
        walked = walk(head, start=start)
        start = walked.end
        storages += sum(storage.size_bytes for storage in walked.storages.values())
    if storages > size_bytes - start:
        _refuse("This file of weights is incomplete: it was cut short.")


def walk_all(archive: Archive, allowed: Callable[[str, str], bool]) -> dict[str, Walked]:
    """Every pickle of the archive, whatever its name: those by suffix, and any entry that is one by its bytes."""
    walked = {}
    for name, entry in archive.entries.items():
        named = name.casefold().endswith(PICKLED)
        if named or _seems_pickle(archive, name):
            walked[name] = walk(archive.read(name, PICKLE_BYTES), allowed)
        elif archive.head(name, 4) in (b"PK\x03\x04", b"PK\x05\x06") and entry.size_bytes > 20:
            _refuse(f'This file holds another archive, "{plain(name, 60)}", which weights do not: not allowed.')
    tensors = sum(found.tensor_count for found in walked.values())
    if len(archive.entries) > min(ENTRIES_TORCH, 60 + 4 * tensors + 4 * sum(".py" in name for name in archive.entries)):
        _refuse("This archive holds far more entries than tensors: it is not what torch.save writes.")
    return walked


def check_case(names: Iterable[str]) -> None:
    """Raises InputError where a part of torch's archives is spelled in capitals: torch finds it all the same, and a
    check that goes by the name would not."""
    for name in names:
        odd = next((part for part in name.split("/")[1:3] if part.casefold() in PARTS and part not in PARTS), None)
        if odd is not None:
            _refuse(f'This archive hides "{plain(odd, 40)}" under a name of unusual case: unsafe, not allowed.')


def _seems_pickle(archive: Archive, name: str) -> bool:
    """Whether an entry without a pickle's name is one: a protocol mark, and a walk that ends where the entry does."""
    head = archive.head(name, 2)
    if len(head) < 2 or head[0] != 0x80 or not 2 <= head[1] <= 5:
        return False
    if archive.entries[name].size_bytes > PICKLE_BYTES:
        return False
    data = archive.read(name, PICKLE_BYTES)
    if not data.endswith(b"."):
        return False
    try:
        return walk(data, lambda module, name: True).end == len(data)
    except InputError:
        return False


def _check_storages(archive: Archive, folder: str, walked: Walked) -> None:
    for storage in walked.storages.values():
        entry = archive.entries.get(folder + storage.key)
        if entry is None:
            _refuse(f'Weights are missing from this archive: the data of storage "{plain(storage.key, 20)}".')
        if entry.size_bytes < storage.size_bytes:
            _refuse(f'The weights in this archive are incomplete: storage "{plain(storage.key, 20)}" is cut short.')


def _of_script(module: str, name: str) -> bool:
    if module == "__torch__" or module.startswith("__torch__."):
        return not module.startswith("__torch__.torch.classes.") or module.split(".")[3] in ("quantized", "rnn")
    if module == "torch.jit._pickle":
        return name in OF_SCRIPT
    return of_weights(module, name)


def _refuse(message: str) -> NoReturn:
    raise InputError(message, hint="Export the model to ONNX, or save it again with a current torch.")
