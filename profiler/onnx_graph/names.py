"""What the walk over a graph and the control nodes inside it tell each other."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from profiler.onnx_graph.shapes import Scope
from profiler.types import Layer

if TYPE_CHECKING:
    from onnx import GraphProto


@dataclass(slots=True, kw_only=True)
class Names:
    """What tensors of a graph stand for: the stored tensors something is made of; the 8-bit tensor behind a
    DequantizeLinear; the 8-bit tensor that a joined operator writes in place of its own output."""

    stored: dict[str, frozenset[str]] = field(default_factory=dict)
    quantized: dict[str, str] = field(default_factory=dict)
    requantized: dict[str, str] = field(default_factory=dict)

    def inner(self) -> "Names":
        """For a graph inside this one."""
        return Names(stored=dict(self.stored), quantized=dict(self.quantized))

    def moved(self, name: str) -> str:
        """The tensor that is really moved for this one."""
        return self.quantized.get(name, self.requantized.get(name, name))


class Graphs(Protocol):
    """Walks a graph, and those inside it: its layers in order and its peak of live activations (bytes)."""

    lengths: dict[str, int]
    notes: dict[str, None]

    def graph(
        self, graph: "GraphProto", scope: Scope, names: Names, prefix: str = "", repeat: int = 1
    ) -> tuple[list[Layer], int]: ...
