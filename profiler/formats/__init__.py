"""Model file formats: one file each, defining `FORMAT`. Recognised by content, never by name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from data.registry import members
from profiler.types import Model


class Format(Protocol):
    """One file format."""

    NAME: str
    SUFFIXES: tuple[str, ...]

    def sniff(self, head: bytes, path: Path) -> bool:
        """Whether a file that starts with these bytes (up to 64 KiB) is of this format; reads no more than it must."""

    def read(self, path: Path, shapes: Mapping[str, tuple[int, ...]]) -> Model:
        """What the file is, without running it; `shapes` fills dynamic inputs. In the locked child only.
        Raises InputError where the file is damaged or not what it seems."""


def formats() -> dict[str, Format]:
    """Every format by name."""
    return members(__name__, "FORMAT")
