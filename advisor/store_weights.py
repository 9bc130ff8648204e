"""Smaller files of weights that have no architecture: really written, read back, and compared weight by weight.

For storing and sending only: whether a model still does its job with them cannot be told without its architecture.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.surgery import codebook, groups, sparse, storage
from advisor.techniques import kmeans
from advisor.types import Quality, Step, Variant
from data import words
from data.errors import InputError
from data.home import Home, hashed
from data.records import from_plain, to_plain
from profiler.files import made_by_job, sha256_of
from profiler.jobs import Desk
from profiler.kept import kept_model
from profiler.memory import check_fits
from profiler.sandbox import Limits, memory_bytes
from profiler.tasks import ChildDesk, procedure, task
from profiler.types import Model

if TYPE_CHECKING:
    from numpy import ndarray
    from torch import Tensor

TECHNIQUE = "stored_weights"
FORMATS = ("safetensors", "state_dict")
SMALLEST = 1024  # tensors of fewer numbers stay as they are
STORE_S = 900.0
TITLES = {
    "bfloat16": "bfloat16", "int8": "INT8 in groups of 128", "int4": "INT4 in groups of 32",
    "codebook": "k-means codebook, 4 bits", "pruned": "the smaller half pruned, bitmask",
}  # fmt: skip
GROUPS = {"int8": (8, 128), "int4": (4, 32)}
CODEBOOK_BITS = 4


@procedure
def store_smaller(desk: Desk, *, sha256: str, forms: Sequence[str] = ()) -> dict[str, Any]:
    """Makes a file of each of these forms (none: all) of a kept file of weights, and keeps it with what is left of the
    weights' precision; {"made": ids of the variants, "sha256"}. Raises InputError where the file has an architecture,
    or stores its weights in small forms of its own (GGUF)."""
    model, source = kept_model(desk, sha256)
    if model.format not in FORMATS:
        raise InputError(
            f"Smaller files are made of safetensors and state dicts; this one is {model.format}.",
            hint="GGUF keeps its weights in small forms already; a model that runs goes through Compress.",
        )
    if unknown := sorted(set(forms) - set(TITLES)):
        raise InputError(f"There is no form '{unknown[0]}'.", hint=f"Forms: {', '.join(TITLES)}.")
    check_fits(model, {}, memory_bytes() // 3)  # the weights, their codes and what they decode to
    made, wanted = [], list(forms) or list(TITLES)
    for number, form in enumerate(wanted):
        with desk.span(number / len(wanted), (number + 1) / len(wanted)), desk.folder() as folder:
            variant = _made(desk, model, source, form, folder)
            desk.save(variant)
            made.append(variant.id)
    return {"made": made, "sha256": sha256}


def _made(desk: Desk, model: Model, source: Path, form: str, folder: Path) -> Variant:
    arguments = {"path": str(source), "format_name": model.format, "form": form}
    step = Step(technique=TECHNIQUE, options={"form": form}, title=TITLES[form])
    about: dict[str, Any] = {"id": f"{model.sha256[:12]}-{form}", "parent_sha256": model.sha256, "steps": (step,)}
    try:
        told = desk.task(pack_weights, arguments, folder=folder, readable=[source], limits=Limits(seconds=STORE_S))
    except InputError as error:
        return Variant(sha256="", failed=error.message, **about)
    name = _kept(desk.home, model, made_by_job(folder, told["file"]), hashed(told["sha256"]))
    return Variant(
        sha256=told["sha256"], file=name, file_bytes=told["file_bytes"], weight_bytes=told["weight_bytes"], runtime="",
        make_s=told["make_s"], quality=from_plain(Quality, told["quality"]), notes=tuple(told["notes"]), **about,
    )  # fmt: skip


def _kept(home: Home, model: Model, file: Path, sha256: str) -> str:
    place = home.variants(model.sha256) / sha256[:20]
    place.mkdir(parents=True, exist_ok=True)
    shutil.move(file, place / file.name)
    return f"{sha256[:20]}/{file.name}"


@task
def pack_weights(desk: ChildDesk, *, path: str, format_name: str, form: str) -> dict[str, Any]:
    """Writes weights.<form>.safetensors into the desk's folder, reads it back and compares: {"file", "sha256",
    "file_bytes", "weight_bytes", "make_s", "quality", "notes"}. Raises InputError where nothing gets smaller."""
    import time

    started = time.perf_counter()
    desk.progress(0.05, "Reading the weights")
    tensors, shared = _read(Path(path), format_name)
    if form == "pruned":
        tensors = dict(_pruned(tensors))
    target = desk.folder / f"weights.{form}.safetensors"
    desk.progress(0.2, f"Writing {TITLES[form]}")
    count = _write(target, tensors, shared, form)
    before, after = Path(path).stat().st_size, target.stat().st_size
    if not count or after >= before:
        raise InputError("The file would not get smaller in this form.", hint="Its weights are stored small already.")
    desk.progress(0.7, "Reading it back")
    notes, quality = _compared(_read(Path(path), format_name)[0], target, form, desk.folder)
    return {
        "file": target.name, "sha256": sha256_of(target), "file_bytes": after, "weight_bytes": after,
        "make_s": time.perf_counter() - started, "quality": to_plain(quality),
        "notes": [f"{count} of {len(tensors)} tensors changed", *notes],
    }  # fmt: skip


def _read(path: Path, format_name: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors by name, and those that share another one's memory: {its name: the first one's}."""
    import torch
    from safetensors.torch import load_file

    from profiler.formats.state_dict import tensors_of

    if format_name == "safetensors":
        return load_file(str(path)), {}
    found, _ = tensors_of(torch.load(path, map_location="cpu", weights_only=True))
    first: dict[tuple[int, int, tuple[int, ...]], str] = {}
    shared = {}
    for name, tensor in found.items():
        key = (tensor.untyped_storage().data_ptr(), tensor.storage_offset(), tuple(tensor.shape))
        if first.setdefault(key, name) != name:
            shared[name] = first[key]
    return {name: tensor.contiguous() for name, tensor in found.items() if name not in shared}, shared


def _weights(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """The tensors worth packing: floating, of two axes and more, and not small."""
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and tensor.element_size() >= 2 and tensor.ndim > 1 and tensor.numel() >= SMALLEST:
            yield name, tensor


def _pruned(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Without the half of each weight that is smallest in magnitude."""
    import torch

    chosen = dict(_weights(tensors))
    for name, tensor in tensors.items():
        if name in chosen:
            magnitudes = tensor.float().abs().ravel()
            smallest = torch.topk(magnitudes, magnitudes.numel() // 2, largest=False, sorted=False).indices
            kept = tensor.float().ravel().clone()
            kept[smallest] = 0.0
            yield name, kept.reshape(tensor.shape).to(tensor.dtype)
        else:
            yield name, tensor


def _write(target: Path, tensors: Mapping[str, Tensor], shared: Mapping[str, str], form: str) -> int:
    """How many tensors were packed."""
    import torch
    from safetensors.torch import save_file

    chosen = {name: tensor for name, tensor in _weights(tensors) if form != "bfloat16" or tensor.element_size() > 2}
    left = {name: tensor for name, tensor in tensors.items() if name not in chosen}
    if form == "bfloat16":
        told = storage.metadata_of({}, shared) if shared else {"format": "pt"}
        save_file({**left, **{name: tensor.bfloat16() for name, tensor in chosen.items()}}, str(target), told)
        return len(chosen)
    packed = {name: _packed(tensor.float().numpy(), form) for name, tensor in chosen.items()}
    parts = {name: torch.from_numpy(values.copy()) for name, values in storage.parts_of(packed).items()}
    save_file({**left, **parts}, str(target), storage.metadata_of(packed, shared))
    return len(chosen)


def _packed(values: ndarray, form: str) -> storage.Packed:
    if form == "codebook":
        book = kmeans.fit(values, CODEBOOK_BITS)
        codes = codebook.pack(codebook.encode(values, book), CODEBOOK_BITS)
        return storage.Packed(
            form=form, shape=values.shape, arrays={"codes": codes, "codebook": book}, bits=CODEBOOK_BITS
        )
    if form == "pruned":
        arrays = sparse.encode("bitmask", values.reshape(values.shape[0], -1))
        return storage.Packed(form="bitmask", shape=values.shape, arrays=arrays)
    bits, group = GROUPS[form]
    return storage.Packed(
        form="groups", shape=values.shape, arrays=groups.encode(values, bits, group), bits=bits, group=group
    )


def _compared(before: Mapping[str, Tensor], target: Path, form: str, folder: Path) -> tuple[list[str], Quality]:
    """How far the weights that come back are from those that went in: signal over noise, and the worst tensor."""
    from safetensors.torch import load_file

    again = target
    if form != "bfloat16":
        again = folder / "restored.safetensors"
        storage.restore(target, again)
    after = load_file(str(again))
    if again != target:
        again.unlink()
    signal, noise, worst, worst_name, count = 0.0, 0.0, 0.0, "", 0
    for name, tensor in _weights(before):
        was, now = tensor.double(), after[name].double()
        energy, error = float((was * was).sum()), float(((was - now) ** 2).sum())
        signal, noise, count = signal + energy, noise + error, count + tensor.numel()
        if energy and error / energy > worst:
            worst, worst_name = error / energy, name
    snr_db = 10 * math.log10(signal / noise) if noise and signal else None
    notes = (
        [f"worst: {worst_name}, {words.percent(math.sqrt(worst))} off (root mean square)"]
        if worst_name
        else ["bit for bit"]
    )
    return notes, Quality(kind="weights", samples=count, inputs="the stored weights", snr_db=snr_db)
