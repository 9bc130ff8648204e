"""Report formats: one file each, defining `EXPORTER`. They see a `Report` and nothing else."""

from typing import Protocol

from advisor.types import Report
from data.registry import members


class Exporter(Protocol):
    """One report format."""

    NAME: str
    MIME: str
    SUFFIX: str

    def missing(self) -> str | None:
        """None where it can be made here, else one sentence for the user."""

    def render(self, report: Report) -> bytes:
        """The report as the bytes of a file. Raises Unavailable where a library it needs is missing."""


def exporters() -> dict[str, Exporter]:
    """Every report format by name."""
    return members(__name__, "EXPORTER")
