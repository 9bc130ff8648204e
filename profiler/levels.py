"""Which layers of the sandbox close on this machine, what that means, and which formats it may therefore open."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from data.errors import RightsizeError
from profiler import lock
from profiler.child import Child

HELD_BY_ANY = frozenset({"onnx", "onnx_bundle", "state_dict", "safetensors", "gguf", "hf_config"})
HOLD_CODE = frozenset({"torchscript", "pt2"})
PROBE_S = 30.0
UNCLOSED, NOT_CLOSED = "unclosed", "the sandbox could not be closed"
_reports: dict[tuple[str, ...], dict[str, str]] = {}  # by the layers that are switched off
MEANING = {
    "limits": (
        "Memory, processor time, open files and file sizes of a job are limited by the system.",
        "The system does not limit a job's memory and time; the app watches both and stops it.",
    ),
    "namespaces": (
        "A job has a network of its own, with nothing in it.",
        "A job has no network namespace of its own; Landlock and seccomp still keep it off the network.",
    ),
    "landlock": (
        "A job can read Python and its model, write its own folder, and nothing else.",
        "Landlock is missing: a job could read your files, so TorchScript and .pt2 files are not opened.",
    ),
    "seccomp": (
        "A job can start no program, open no socket and touch no other process.",
        "Seccomp is missing: a job could start programs, so TorchScript and .pt2 files are not opened.",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One layer of the sandbox: whether it closes here, and one sentence for the user."""

    name: str
    works: bool
    sentence: str
    reason: str = ""


def levels(without: tuple[str, ...] = ()) -> tuple[Level, ...]:
    """Every layer, as a child that locked itself reported it; asked once. `without` are layers switched off."""
    report = _probe(without)
    return tuple(
        Level(
            name=layer,
            works=report.get(layer) == "on",
            sentence=MEANING[layer][0 if report.get(layer) == "on" else 1],
            reason="" if report.get(layer) == "on" else report.get(layer, report.get(UNCLOSED, NOT_CLOSED)),
        )
        for layer in lock.LAYERS
    )


def allowed_formats(without: tuple[str, ...] = ()) -> frozenset[str]:
    """Formats that may be opened here: those that hold code need a sandbox that holds."""
    works = {level.name for level in levels(without) if level.works}
    return HELD_BY_ANY | HOLD_CODE if {"landlock", "seccomp"} <= works else HELD_BY_ANY


def _probe(without: tuple[str, ...]) -> dict[str, str]:
    """The report of a child that locked itself, asked once; one that did not come in time is asked for again."""
    if without not in _reports:
        report = _asked(without)
        if not set(lock.LAYERS) <= report.keys():
            return report
        _reports[without] = report
    return _reports[without]


def _asked(without: tuple[str, ...]) -> dict[str, str]:
    with tempfile.TemporaryDirectory(prefix="rightsize-") as folder:
        child = Child(lock.rules(Path(folder), without=without))
        try:
            return child.closed(PROBE_S)
        except RightsizeError as error:
            return {UNCLOSED: error.message}
        finally:
            child.end()
