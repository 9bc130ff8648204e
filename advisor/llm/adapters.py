"""Merge a LoRA adapter into its base file, tensor by tensor, and check the result. Runs in the locked child."""

import math
import shutil
from pathlib import Path
from typing import Any

from data.errors import InputError
from data.text import plain
from profiler.files import made_by_job, sha256_of
from profiler.intake import discard
from profiler.jobs import Desk
from profiler.tasks import ChildDesk, procedure, task

MERGED = "merged-"  # then the hash of the base: what is merged goes when its base is deleted
TOLERANCE = 1e-5


@task
def merge(desk: ChildDesk, *, base: str, adapter: str, alpha: float | None = None) -> dict[str, Any]:
    """Writes merged.safetensors: W + (alpha / rank) B A for every pair of the adapter. Method: Hu et al. 2021, LoRA.

    `alpha` is the adapter's lora_alpha (None: the rank, a factor of 1). Returns the file, how many tensors were merged,
    the adapter's parameters and share, and the largest error of merged x against base x + adapter x on random inputs,
    relative to the largest output. Raises InputError where the adapter does not fit the base or the check fails."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file, save_file

    try:
        weights, low = load_file(base), load_file(adapter)
    except (SafetensorError, OSError) as error:
        raise InputError("The base or the adapter is no whole safetensors file.", details=str(error)) from None
    if alpha is not None and not math.isfinite(alpha):
        raise InputError("lora_alpha is a number.")
    pairs = _pairs(low, weights)
    generator, worst = torch.Generator().manual_seed(0), 0.0
    for done, (name, (down, up)) in enumerate(pairs.items()):
        desk.progress(0.9 * done / len(pairs), f"Merging {plain(name, 60)}")
        rank = down.shape[0]
        factor = (alpha if alpha is not None else rank) / rank
        base_weight = weights[name]
        merged = (base_weight.double() + factor * (up.double() @ down.double())).to(base_weight.dtype)
        inputs = torch.randn(4, down.shape[1], generator=generator, dtype=torch.float64)
        wanted = inputs @ base_weight.double().T + factor * (inputs @ down.double().T) @ up.double().T
        off = (inputs @ merged.double().T - wanted).abs().max() / wanted.abs().max().clamp_min(1e-30)
        if not math.isfinite(float(off)):
            raise InputError(f'Merged, the tensor "{plain(name, 60)}" holds numbers that are not finite.')
        worst = max(worst, float(off))
        weights[name] = merged.contiguous()
    precise = all(weights[name].dtype in (torch.float32, torch.float64) for name in pairs)
    if precise and worst > TOLERANCE:
        raise InputError(f"The merged weights answer {worst:.1e} off base plus adapter, more than {TOLERANCE:.0e}.")
    save_file(weights, str(desk.folder / "merged.safetensors"))
    adapted, total = sum(t.numel() for t in low.values()), sum(t.numel() for t in weights.values())
    return {
        "file": "merged.safetensors", "merged_count": len(pairs), "adapter_parameters": adapted,
        "adapter_share_frac": adapted / total, "largest_error": worst, "file_bytes": _size(desk.folder),
    }  # fmt: skip


@procedure
def merge_files(
    desk: Desk, *, base: str, adapter: str, alpha: float | None = None, move: bool = False
) -> dict[str, Any]:
    """Merges as a job and keeps the file in the home; as `merge` returns it, `file` being its path. `move` removes the
    uploads afterwards. Raises as `merge` does."""
    files = [Path(base).resolve(), Path(adapter).resolve()]
    try:
        with desk.folder() as folder:
            arguments = {"base": str(files[0]), "adapter": str(files[1]), "alpha": alpha}
            found = desk.task(merge, arguments, folder=folder, readable=files)
            kept = desk.home.reports / f"{MERGED}{sha256_of(files[0])}-{folder.name}.safetensors"
            shutil.move(made_by_job(folder, found["file"]), kept)
    finally:
        for file in files if move else ():
            discard(desk.home, file)
    return {**found, "file": str(kept)}


def _pairs(low: dict[str, Any], weights: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """{base tensor: (A, B)} of the adapter's "….lora_A.weight" and "….lora_B.weight". Raises InputError."""
    found = {}
    for name, down in low.items():
        if ".lora_B" in name:
            continue
        if ".lora_A" not in name:
            raise InputError(
                f'The adapter holds "{plain(name, 60)}", which is no LoRA matrix: merging would lose it.',
                hint="DoRA's magnitudes and layers saved whole are not merged here.",
            )
        up = low.get(name.replace(".lora_A", ".lora_B"))
        stem = name.split(".lora_A")[0].removeprefix("base_model.model.")
        target = next((known for known in (f"{stem}.weight", stem) if known in weights), None)
        if up is None or target is None:
            raise InputError(f'The adapter\'s tensor "{plain(name, 60)}" has no partner, or no tensor of the base.')
        if down.ndim != 2 or up.ndim != 2 or not down.shape[0]:
            raise InputError(f'The adapter\'s tensor "{plain(name, 60)}" is no matrix.')
        if weights[target].shape != (up.shape[0], down.shape[1]) or up.shape[1] != down.shape[0]:
            raise InputError(f'The adapter does not fit the base\'s tensor "{plain(target, 60)}".')
        found[target] = (down, up)
    if not found:
        raise InputError("This file holds no LoRA adapter.", hint="Its tensors end in lora_A.weight and lora_B.weight.")
    return found


def _size(folder: Path) -> int:
    return (folder / "merged.safetensors").stat().st_size
