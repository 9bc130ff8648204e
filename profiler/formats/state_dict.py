"""State dicts of torch.save: tensors by name, loaded as plain weights only. Weights without architecture."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import InputError
from profiler.types import Model, WeightTensor
from profiler.weight_table import NEEDS_ARCHITECTURE, of_weights

if TYPE_CHECKING:
    from torch import Tensor

LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # torch.save before 1.6
WRAPPERS = ("state_dict", "model_state_dict", "model", "module", "net", "weights")
OPTIMIZER = {"state", "param_groups"}  # the keys of torch.optim.Optimizer.state_dict()
HINT = "Save only the weights: torch.save(model.state_dict(), path), or export the model to ONNX."


class StateDict:
    """One .pt or .pth file of weights."""

    NAME = "state_dict"
    SUFFIXES = (".pt", ".pth", ".bin", ".ckpt")

    def sniff(self, head: bytes, path: Path) -> bool:
        """An archive with data.pkl and neither code nor an exported program, or the old single stream."""
        import zipfile

        if head.startswith(LEGACY):
            return True
        if not head.startswith(b"PK") or not zipfile.is_zipfile(path):
            return False
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        code = any("/code/" in name or name.endswith(("constants.pkl", "archive_format")) for name in names)
        return not code and any(name.endswith("data.pkl") for name in names)

    def read(self, path: Path, shapes: Mapping[str, tuple[int, ...]]) -> Model:
        """Parameters by type and the table of tensors; `shapes` has no use here."""
        import pickle
        import zipfile

        import torch

        try:
            mapped = zipfile.is_zipfile(path)  # the old form cannot be mapped
            stored = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
        except (pickle.UnpicklingError, RuntimeError, ValueError, EOFError, KeyError, TypeError) as error:
            raise InputError(
                "This file of weights cannot be read: it is damaged, or holds more than weights.",
                hint=HINT, details=str(error),
            ) from None  # fmt: skip
        tensors, extra = tensors_of(stored)
        if not tensors:
            raise InputError("This file holds no tensors.", hint=HINT)
        notes = (f"Left out, as it is no weight: {', '.join(extra[:5])}.",) if extra else ()
        table = [_entry(name, tensor, first) for name, tensor, first in _once(tensors)]
        return of_weights(path, self.NAME, table, producer="torch", cannot_run=NEEDS_ARCHITECTURE, notes=notes)


def tensors_of(stored: Any) -> "tuple[dict[str, Tensor], list[str]]":
    """The tensors of a saved object by name, and the names of what else was saved with them (training state)."""
    import torch

    if not isinstance(stored, Mapping):
        return ({"tensor": stored} if isinstance(stored, torch.Tensor) else {}), []
    for wrapper in WRAPPERS:  # a checkpoint: beside its model lie the optimizer's state, a random generator's, a score
        if isinstance(stored.get(wrapper), Mapping) and (found := tensors_of(stored[wrapper])[0]):
            return found, [str(key)[:40] for key in stored if key != wrapper]
    found, extra = {}, []
    for key, value in stored.items():
        if isinstance(value, torch.Tensor):
            found[str(key)] = value
        elif isinstance(value, Mapping) and value.keys() >= OPTIMIZER:
            extra.append(str(key)[:40])
        elif isinstance(value, Mapping):
            found |= {f"{key}.{name}": tensor for name, tensor in tensors_of(value)[0].items()}
    return found, extra


def _once(tensors: "Mapping[str, Tensor]") -> "list[tuple[str, Tensor, bool]]":
    """Each tensor with whether it is the first to use its memory: a tied weight is stored once."""
    seen: set[tuple[int, int, tuple[int, ...]]] = set()
    found = []
    for name, tensor in tensors.items():
        held = _parts(tensor)[-1]
        key = (held.untyped_storage().data_ptr(), held.storage_offset(), tuple(tensor.shape))
        found.append((name, tensor, key not in seen))
        seen.add(key)
    return found


def _parts(tensor: "Tensor") -> "list[Tensor]":
    """The dense tensors it is stored as, its values last: a sparse one keeps indices beside them."""
    import torch

    if tensor.layout is torch.strided:
        return [tensor]
    if tensor.layout is torch.sparse_coo:
        return [tensor._indices(), tensor._values()]
    if tensor.layout in (torch.sparse_csr, torch.sparse_bsr):
        return [tensor.crow_indices(), tensor.col_indices(), tensor.values()]
    if tensor.layout in (torch.sparse_csc, torch.sparse_bsc):
        return [tensor.ccol_indices(), tensor.row_indices(), tensor.values()]
    raise InputError("This file holds tensors of a layout that cannot be read.", hint="Save them dense: t.to_dense().")


def _nonzero_count(values: "Tensor") -> int:
    import torch

    plain = values.dequantize() if values.is_quantized else values
    if plain.dtype.itemsize == 1 and plain.dtype.is_floating_point:  # torch counts none of these
        plain = plain.float()
    return int(torch.count_nonzero(plain))


def _entry(name: str, tensor: "Tensor", first: bool) -> WeightTensor:
    parts = _parts(tensor)
    return WeightTensor(
        name=name if first else f"{name} (shares its memory)",
        dtype=str(tensor.dtype).removeprefix("torch.").replace("float8_e4m3fn", "float8_e4m3"),
        shape=tuple(tensor.shape) if first else (0,),
        stored_bytes=sum(part.numel() * part.element_size() for part in parts) if first else 0,
        zero_frac=1.0 - _nonzero_count(parts[-1]) / tensor.numel() if tensor.numel() else None,
    )


FORMAT = StateDict()
