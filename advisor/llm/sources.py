"""What one brings to be sized: a config.json, safetensors or their index, a GGUF file. Read in the locked child, or,
where the family's counts are closed forms, at once."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from advisor.llm import from_tensors, memory
from advisor.llm.architecture import Architecture
from advisor.llm.configs import FAMILIES, fields_of, is_known, named, of_config, of_plain_fields, refuse_absurd
from advisor.llm.fields import text_fields, unknown_quantization
from advisor.llm.memory import Precision
from advisor.llm.traced import of_traced
from data.errors import InputError, Unavailable
from data.records import from_plain, to_plain
from data.text import plain
from data.units import BITS_PER_BYTE
from profiler import language
from profiler.intake import discard
from profiler.jobs import Desk
from profiler.sandbox import Limits
from profiler.tasks import procedure

READ_S = 60.0
MOST_SHARDS = 2000
PLAIN_NAME = re.compile(r"[\w][\w.()+-]{0,199}")
SHARD = re.compile(r"(.+-)(\d{5})-of-(\d{5})(\.safetensors|\.gguf)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A model as it was brought: its architecture, and the precision its files have (a config's is named)."""

    arch: Architecture
    stored: Precision


def read(desk: Desk, path: Path, given: Mapping[str, int | None] | None = None, name: str = "") -> Source:
    """The model of this file. `given` are numbers the file does not say (experts_per_token, or plain ones).

    Raises InputError where the file is damaged or is none of a language model."""
    if not path.is_file():
        raise InputError("There is no such file, and no architecture of this name is shipped.", hint="size --list")
    name = plain(name, 60) or named(path)
    if path.suffix.lower() != ".json":
        return _of_files(desk, _shards(path), path.parent / "config.json", given, name)
    fields = fields_of(path)
    if isinstance(fields.get("weight_map"), dict):
        return _of_index(desk, path, fields, given, name)
    arch = _of_config(desk, path, fields, given or {}, name)
    return Source(arch=arch, stored=memory.precision(arch.stored_as))


@procedure
def size_file(desk: Desk, *, path: str, name: str = "", move: bool = False) -> dict[str, Any]:
    """Reads a model's shape as a job; the Source as plain values (`again` makes it one). `move` removes the upload's
    folder afterwards."""
    file = Path(path).expanduser()
    try:
        return dict(to_plain(read(desk, file, name=name)))
    finally:
        if move:
            discard(desk.home, file)


def again(kept: Mapping[str, Any]) -> Source:
    """The Source of a finished `size_file`."""
    return from_plain(Source, kept)


def _of_config(
    desk: Desk, path: Path, fields: Mapping[str, Any], given: Mapping[str, int | None], name: str
) -> Architecture:
    """Closed form, else built without numbers in the child, else from plain numbers."""
    said = unknown_quantization(fields)
    arch = _built(desk, path, fields, given, name)
    return replace(arch, notes=(*arch.notes, said)) if said else arch


def _built(
    desk: Desk, path: Path, fields: Mapping[str, Any], given: Mapping[str, int | None], name: str
) -> Architecture:
    if is_known(fields):
        return of_config(fields, name)
    refuse_absurd(fields)
    try:
        found = desk.task(
            language.of_config, {"path": str(path.resolve())}, readable=[path.resolve()], limits=Limits(seconds=READ_S)
        )
    except Unavailable:
        kind = str(text_fields(fields).get("model_type", "")).removesuffix("_text")
        return of_config(fields, name) if kind in FAMILIES else of_plain_fields(fields, name, given)
    return of_traced(fields, name, found, int(given.get("experts_per_token") or 0))


def _of_index(
    desk: Desk, path: Path, fields: Mapping[str, Any], given: Mapping[str, int | None] | None, name: str
) -> Source:
    """A model.safetensors.index.json: the headers of the shards beside it, or the config.json beside it and the total
    size it states."""
    files = sorted({str(file) for file in fields["weight_map"].values()})
    if not files or len(files) > MOST_SHARDS or not all(PLAIN_NAME.fullmatch(file) for file in files):
        raise InputError("The index names no files, too many of them, or names that lead elsewhere.")
    name = plain(path.parent.name, 60) if path.name.endswith(".index.json") else name
    config = path.parent / "config.json"
    missing = [file for file in files if not (path.parent / file).is_file()]
    if not missing:
        return _of_files(desk, [path.parent / file for file in files], config, given, name)
    if not config.is_file():
        raise InputError(
            f"The index names {len(files)} files, and {len(missing)} of them are not beside it.",
            hint="Put their headers, or the config.json, beside it.",
        )
    arch = _of_config(desk, config, fields_of(config), given or {}, name)
    whole = (fields.get("metadata") or {}).get("total_size") if isinstance(fields.get("metadata"), dict) else None
    if not isinstance(whole, int | float) or whole <= 0:
        return Source(arch=arch, stored=memory.precision(arch.stored_as))
    bits = float(whole) * BITS_PER_BYTE / arch.parameter_count
    stored = Precision(
        precision="as stored", title="as stored", linear_bits=bits, better_bits=bits, embedding_bits=bits,
        head_bits=bits, compute="fp8" if arch.stored_as == "fp8" else "bf16", kv_default="bf16",
        meaning="as its index states", whole_bytes=int(whole),
    )  # fmt: skip
    return Source(arch=arch, stored=stored)


def _of_files(
    desk: Desk, files: Sequence[Path], config: Path, given: Mapping[str, int | None] | None, name: str
) -> Source:
    """Weight files: their headers tell bytes and bits; a config.json beside them tells the shape, else they do."""
    whole = [file.resolve() for file in files]
    found = desk.task(
        language.of_tensors, {"paths": [str(file) for file in whole]}, readable=whole, limits=Limits(seconds=READ_S)
    )
    stored = from_tensors.as_stored(found)
    if config.is_file() and not found["metadata"]:
        return Source(arch=_of_config(desk, config, fields_of(config), given or {}, name), stored=stored)
    used = int((given or {}).get("experts_per_token") or 0)
    return Source(arch=from_tensors.architecture(found, name, used), stored=stored)


def _shards(path: Path) -> list[Path]:
    """The file, or all parts of which it is one. Raises InputError where parts are missing."""
    found = SHARD.fullmatch(path.name)
    if found is None:
        return [path]
    stem, _, count, ending = found.groups()
    parts = [path.parent / f"{stem}{number:05d}-of-{count}{ending}" for number in range(1, int(count) + 1)]
    missing = sum(not part.is_file() for part in parts[:MOST_SHARDS])
    if missing or len(parts) > MOST_SHARDS or not parts:
        raise InputError(f"This is one of {int(count):,} parts, and {missing or 'too many'} of them are not beside it.")
    return parts
