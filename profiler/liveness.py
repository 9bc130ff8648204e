"""How much memory the activations of a graph take at its fullest moment, by the order of its operators."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

# Operators whose result is the same memory as their input.
VIEWS = frozenset({"Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity", "Dropout"})
# Elementwise operators that runtimes let write over an input nobody reads again.
IN_PLACE = frozenset({
    "Add", "Sub", "Mul", "Div", "Relu", "Clip", "Sigmoid", "Tanh", "Gelu", "Erf", "Exp", "Neg", "Sqrt", "Pow",
    "LeakyRelu", "Elu", "HardSigmoid", "HardSwish", "Softplus", "Softmax", "BatchNormalization", "Cast", "Where",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One operator: what it reads and writes (tensor names), and the peak inside it (bodies of loops, branches)."""

    op: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    inside_bytes: int = 0


def peak_bytes(events: Sequence[Event], sizes: Mapping[str, int], inputs: Iterable[str], kept: Iterable[str]) -> int:
    """Bytes alive at the fullest moment. `sizes` holds each activation's bytes (weights are not in it); `inputs` are
    held by the caller throughout, `kept` tensors (the outputs) from their making to the end.

    A view shares its input's memory; an elementwise operator writes over an input of the same size that dies there.
    """
    last = {name: place for place, event in enumerate(events) for name in event.reads}
    last |= dict.fromkeys([*inputs, *kept], len(events))
    memory = _Memory(sizes)
    for name in inputs:
        memory.write(name, None)
    peak = memory.bytes
    for place, event in enumerate(events):
        dying = {name for name in event.reads if last[name] == place}
        for name in event.writes:
            memory.write(name, memory.shared(event, name, dying))
        peak = max(peak, memory.bytes + event.inside_bytes)
        for name in dying | {name for name in event.writes if name not in last}:
            memory.drop(name)
    return peak


class _Memory:
    """Which tensor lives in whose memory, and how many still need each piece."""

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self._sizes = sizes
        self._home: dict[str, str] = {}
        self._needed_by: dict[str, int] = {}
        self.bytes = 0

    def write(self, name: str, home: str | None) -> None:
        if name in self._home:
            return
        self._home[name] = home or name
        if home is None:
            self.bytes += self._sizes.get(name, 0)
        self._needed_by[home or name] = self._needed_by.get(home or name, 0) + 1

    def drop(self, name: str) -> None:
        home = self._home.get(name)
        if home is None:
            return
        self._needed_by[home] -= 1
        if self._needed_by[home] == 0:
            self.bytes -= self._sizes.get(home, 0)

    def shared(self, event: Event, name: str, dying: set[str]) -> str | None:
        """The memory this result takes over, if any."""
        for read in event.reads:
            home = self._home.get(read)
            if home is None:
                continue
            if event.op in VIEWS:
                return home
            alone = read in dying and self._needed_by[home] == 1
            if event.op in IN_PLACE and alone and self._sizes.get(name) == self._sizes.get(home):
                return home
        return None
