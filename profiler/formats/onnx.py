"""ONNX: one .onnx file, with or without external data beside it."""

from collections.abc import Mapping
from pathlib import Path

from profiler.onnx_graph.model import read_onnx
from profiler.triage.onnx import seems_onnx
from profiler.types import Model

IR_VERSION = 0x08  # the protobuf tag of ModelProto's first field


class Onnx:
    """An ONNX file has no magic number: its first field is the version, a small number; a known field follows."""

    NAME = "onnx"
    SUFFIXES = (".onnx",)

    def sniff(self, head: bytes, path: Path) -> bool:
        return head[:1] == bytes([IR_VERSION]) and seems_onnx(head)

    def read(self, path: Path, shapes: Mapping[str, tuple[int, ...]]) -> Model:
        return read_onnx(path, shapes)


FORMAT = Onnx()
