"""Files that are only for storage: weights kept in a smaller form, with the ONNX graph they belong to or, where there
is none, on their own; and the way back.

The file is a safetensors archive. "graph" holds the ONNX file without the packed weights; the other tensors hold the
packed ones, named "<weight>/<part>"; the metadata says the form of each. Without a graph, tensors that were not packed
keep their names. `restore` needs nothing but this module.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.surgery import codebook, groups, onnx_rewrite, sparse
from data.errors import InputError
from profiler.tasks import ChildDesk, task

if TYPE_CHECKING:
    from numpy import ndarray

VERSION = 1
KEY = "rightsize"
PARTS = ("codes", "codebook", "scales", "values", "mask", "indices", "pointers", "places")


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """One weight in its stored form: "codebook" (with `bits`), "groups" (with `bits` and the `group` that shares a
    scale), or one of sparse.FORMATS, of the (outputs, inputs) matrix where `transposed`; `shape` is the original's."""

    form: str
    shape: tuple[int, ...]
    arrays: Mapping[str, ndarray]
    bits: int = 0
    transposed: bool = False
    group: int = 0

    @property
    def payload_bytes(self) -> int:
        """Bytes of the arrays."""
        return sum(values.nbytes for values in self.arrays.values())

    def unpacked(self) -> ndarray:
        """The weight as float32 in its shape."""
        if self.form == "codebook":
            codes = codebook.unpack(self.arrays["codes"], self.bits, math.prod(self.shape))
            values: ndarray = self.arrays["codebook"][codes]
            return values.reshape(self.shape)
        if self.form == "groups":
            return groups.decode(self.arrays, self.bits, self.group, self.shape)
        rows, columns = self.shape[::-1] if self.transposed else (self.shape[0], math.prod(self.shape[1:]))
        matrix = sparse.decode(self.form, self.arrays, rows, columns)
        return (matrix.T if self.transposed else matrix).reshape(self.shape)


def write(path: Path, proto: Any, packed: Mapping[str, Packed]) -> None:
    """Writes the graph with these weights packed; the others stay as they are, inside the graph."""
    import numpy as np
    from safetensors.numpy import save_file

    tensors = parts_of(packed)
    for tensor in proto.graph.initializer:
        if tensor.name in packed:
            for field in ("raw_data", "float_data"):
                tensor.ClearField(field)
    tensors["graph"] = np.frombuffer(proto.SerializeToString(deterministic=True), dtype=np.uint8)
    with onnx_rewrite.edge("Writing the packed file"):
        save_file(tensors, str(path), metadata_of(packed))


def parts_of(packed: Mapping[str, Packed]) -> dict[str, ndarray]:
    """The arrays of packed weights by the names they are stored under."""
    import numpy as np

    return {
        f"{name}/{part}": np.ascontiguousarray(values)
        for name, weight in packed.items()
        for part, values in weight.arrays.items()
    }


def metadata_of(packed: Mapping[str, Packed], shared: Mapping[str, str] | None = None) -> dict[str, str]:
    """What `restore` must know; `shared` names tensors that are others (tied weights)."""
    described = {
        name: {
            "form": weight.form, "shape": list(weight.shape), "bits": weight.bits, "transposed": weight.transposed,
            **({"group": weight.group} if weight.group else {}),
        }
        for name, weight in packed.items()
    }  # fmt: skip
    told = {"version": VERSION, "weights": described, **({"shared": dict(shared)} if shared else {})}
    return {KEY: json.dumps(told, sort_keys=True)}


def restore(path: Path, target: Path) -> tuple[Path, ...]:
    """Writes the packed file's model to `target` as plain ONNX, or its weights as plain safetensors where it holds no
    graph; returns its companions. Raises InputError where the file is not one of ours."""
    import onnx
    from safetensors import safe_open

    try:
        with safe_open(str(path), framework="numpy") as archive:
            told = json.loads(archive.metadata()[KEY])
            described = told["weights"]
            if "graph" not in archive.keys():  # noqa: SIM118
                return _weights_alone(path, target, described, told.get("shared", {}))
            parts = {name: archive.get_tensor(name) for name in archive.keys()}  # noqa: SIM118
    except Exception as error:
        raise InputError("This is not a packed model file.", details=f"{error}") from error
    proto = onnx.ModelProto.FromString(parts.pop("graph").tobytes())
    for tensor in proto.graph.initializer:
        if (about := described.get(tensor.name)) is not None:
            prefix = tensor.name + "/"
            arrays = {name.removeprefix(prefix): values for name, values in parts.items() if name.startswith(prefix)}
            weight = Packed(arrays=arrays, **about | {"shape": tuple(about["shape"])})
            onnx_rewrite.put(tensor, weight.unpacked())
    return onnx_rewrite.save(proto, target)


def _weights_alone(
    path: Path, target: Path, described: Mapping[str, Any], shared: Mapping[str, str]
) -> tuple[Path, ...]:
    """The packed weights as float32, the others as they were kept."""
    import torch
    from safetensors.torch import load_file, save_file

    stored, found = load_file(str(path)), {}
    for name, about in described.items():
        arrays = {part: stored.pop(f"{name}/{part}").numpy() for part in PARTS if f"{name}/{part}" in stored}
        weight = Packed(arrays=arrays, **about | {"shape": tuple(about["shape"])})
        found[name] = torch.from_numpy(weight.unpacked().copy())
    found |= stored
    save_file({**found, **{name: found[first].clone() for name, first in shared.items()}}, str(target))
    return ()


@task
def unpack_file(desk: ChildDesk, *, path: str, name: str) -> list[str]:
    """`restore` of the file at `path` into the desk's folder; the names of the files written."""
    target = desk.folder / Path(name).name
    return [target.name, *(companion.name for companion in restore(Path(path), target))]
