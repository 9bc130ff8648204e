"""ONNX: one .onnx file, with or without external data beside it."""

from collections.abc import Mapping
from pathlib import Path

from profiler.onnx_model import read_onnx
from profiler.types import Model

IR_VERSION = 0x08  # the protobuf tag of ModelProto's first field; the version itself is a small number
# Tags of the fields that may follow: producer, its version, domain, model version, doc, graph, opset, metadata.
NEXT_TAGS = (0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42, 0x72)


class Onnx:
    """An ONNX file has no magic number: its first field is the version, a small number; a known field follows."""

    NAME = "onnx"
    SUFFIXES = (".onnx",)

    def sniff(self, head: bytes, path: Path) -> bool:
        return len(head) > 3 and head[0] == IR_VERSION and 0 < head[1] < 32 and head[2] in NEXT_TAGS

    def read(self, path: Path, shapes: Mapping[str, tuple[int, ...]]) -> Model:
        return read_onnx(path, shapes)


FORMAT = Onnx()
