"""Compression techniques: one file each, defining `TECHNIQUE`. Applied in the locked child."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from data.registry import members
from profiler.types import Machine, Model

Option = Mapping[str, Any]


def _silent(done_frac: float, text: str) -> None:
    """No one listens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a technique is given: the file (ONNX unless the technique says otherwise), what it is, the option
    chosen, the folder to write to, the machine it will run on, and inputs to calibrate on."""

    model: Model
    source: Path
    option: Option
    folder: Path
    machine: Machine
    calibration: tuple[Mapping[str, Any], ...] = ()  # numpy arrays by input name, one mapping a call
    calibration_is_random: bool = True
    training: Path | None = None  # an .npz of inputs and labels to train on, apart from those quality is judged by
    seed: int = 0
    progress: Callable[[float, str], None] = field(default=_silent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What a technique made: a file (its companions, such as weights kept outside, lie beside it and are
    listed), the runtime and options to run it with, what changed, and whether it can be run at all
    ("storage only" products are decoded back into `decoded`, which can). Notes are sentences: people read them as the
    reasons of a plan."""

    file: Path
    companions: tuple[Path, ...] = ()
    runtime: str = "onnxruntime"
    runtime_options: Mapping[str, str] = field(default_factory=dict)
    changed_count: int | None = None
    decoded: Path | None = None
    notes: tuple[str, ...] = ()


class Technique(Protocol):
    """One way to make a model smaller or faster.

    STAGE orders chains: "export" < "structure" < "factorise" < "prune" < "rotate" < "quantize" < "runtime" < "storage".
    GAINS says what it can gain at all: any of "latency", "size", "memory". CALIBRATES says whether the result depends
    on the inputs it is given.
    """

    NAME: str
    TITLE: str
    STAGE: str
    GAINS: tuple[str, ...]
    CALIBRATES: bool

    def options(self, model: Model, machine: Machine) -> list[dict[str, Any]]:
        """The options worth trying on this model and machine, most promising first."""

    def refuses(self, model: Model, machine: Machine) -> str | None:
        """None, or one sentence why this model or machine cannot have it."""

    def apply(self, request: Request) -> Product:
        """Writes the compressed file into request.folder. Raises InputError where nothing would change (it says
        why), Unavailable where a library or instruction is missing."""


STAGES = ("export", "structure", "factorise", "prune", "rotate", "quantize", "runtime", "storage")


def techniques() -> dict[str, Technique]:
    """Every technique by name."""
    return members(__name__, "TECHNIQUE")
