"""A zip archive with one ONNX model and the files of weights beside it."""

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from profiler.onnx_graph.model import read_onnx
from profiler.types import Model


class Bundle:
    """One .zip file."""

    NAME = "onnx_bundle"
    SUFFIXES = (".zip",)

    def sniff(self, head: bytes, path: Path) -> bool:
        """A zip archive that holds a file ending in .onnx."""
        import zipfile

        if not head.startswith(b"PK") or not zipfile.is_zipfile(path):
            return False
        with zipfile.ZipFile(path) as archive:
            return any(name.casefold().endswith(".onnx") for name in archive.namelist())

    def read(self, path: Path, shapes: Mapping[str, tuple[int, ...]]) -> Model:
        """What the model inside is; it is unpacked into a passing folder. Raises InputError on an unsafe archive."""
        from profiler.triage.examine import bundle_names
        from profiler.triage.zip import Archive, extract

        with tempfile.TemporaryDirectory() as folder, path.open("rb") as file:
            archive = Archive(file, path.stat().st_size)
            names = bundle_names(archive)
            extract(archive, Path(folder), names)
            model = read_onnx(Path(folder) / next(iter(names.values())), shapes)
        return replace(model, name=path.stem)


FORMAT = Bundle()
