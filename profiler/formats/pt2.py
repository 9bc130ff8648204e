"""torch.export programs (.pt2): weights and graph; run in the full sandbox alone, as loading one can run code."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data.errors import InputError
from profiler.torch_graph.model import dtype_of, model_of
from profiler.types import Axis, Model, Tensor


class Pt2:
    """One .pt2 file."""

    NAME = "pt2"
    SUFFIXES = (".pt2",)

    def sniff(self, head: bytes, path: Path) -> bool:
        """An archive with an exported program inside."""
        import zipfile

        if not head.startswith(b"PK") or not zipfile.is_zipfile(path):
            return False
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("archive_format") or "/models/" in name for name in archive.namelist())

    def read(self, path: Path, shapes: Mapping[str, tuple[int, ...]]) -> Model:
        """Parameters, inputs with their dynamic axes, and the layers at these shapes."""
        program = load(path)
        return model_of(path, self.NAME, program.module(), inputs_of(program), shapes)


def load(path: Path) -> Any:
    """The exported program of a .pt2 file. Raises InputError where it cannot be read."""
    import torch

    try:
        return torch.export.load(str(path))
    except Exception as error:  # torch raises many kinds for a damaged program
        raise InputError(
            "This exported program (.pt2) cannot be read: it is damaged, or of another torch.",
            hint="Export it again with torch.export.save.", details=str(error),
        ) from None  # fmt: skip


def inputs_of(program: Any) -> tuple[Tensor, ...]:
    """The program's inputs; axes that may vary carry the name of their symbol."""
    import torch

    wanted = program.graph_signature.user_inputs
    found = []
    for node in program.graph.nodes:
        if node.op == "placeholder" and node.name in wanted:
            value = node.meta.get("val")
            if not isinstance(value, torch.Tensor):
                raise InputError(
                    "This exported program takes inputs that are no tensors.", hint="Export it with tensor inputs only."
                )
            axes: tuple[Axis, ...] = tuple(axis if isinstance(axis, int) else str(axis) for axis in value.shape)
            found.append(Tensor(name=node.name, dtype=dtype_of(value), shape=axes))
    return tuple(found)


FORMAT = Pt2()
