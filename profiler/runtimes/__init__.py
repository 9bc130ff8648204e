"""Ways to run a model: one file each, defining `RUNTIME`. Listing them loads no runtime."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from data.registry import members

if TYPE_CHECKING:
    from numpy import ndarray

    Feeds = Mapping[str, ndarray]


class Session(Protocol):
    """A loaded model. `provider` names what really runs it (and on which device), `settings` what it was set to
    beyond the options asked for."""

    provider: str
    settings: Mapping[str, str]

    def run(self, feeds: "Feeds") -> "dict[str, ndarray]":
        """All outputs by name for these inputs by name. Raises InputError where the inputs do not fit the model,
        MeasurementError where it runs out of memory."""

    def prepare(self, feeds: "Feeds") -> Callable[[], object]:
        """The call to time: runs once on these inputs and returns when the outputs are there (GPU synchronised)."""

    def device_facts(self, feeds: "Feeds") -> Mapping[str, float]:
        """What the GPU itself tells of calls on these inputs: "peak_bytes" of its allocator, "call_ms" between its
        events, "operators" and how many of them stayed on the CPU ("cpu_operators"). Empty on a CPU, and where the
        runtime tells nothing."""


class Runtime(Protocol):
    """One way to run a model file."""

    NAME: str
    FORMATS: tuple[str, ...]

    def missing(self) -> str | None:
        """None where it can be used here, else one sentence for the user."""

    def warm(self) -> None:
        """Imports and starts the library, so that neither load time nor memory of a model counts it."""

    def load(self, path: Path, options: Mapping[str, str]) -> Session:
        """Loads in this process (the locked child). Options: "threads", "device" ("cpu", "cuda:0"), and
        "precision" ("f32", "bf16") where the runtime knows one. Raises InputError or Unavailable."""


def runtimes() -> dict[str, Runtime]:
    """Every runtime by name, installed or not."""
    return members(__name__, "RUNTIME")
