"""Energy meters: one file each, defining `METER`, best basis first. Read in the parent, never in the child."""

from dataclasses import dataclass
from typing import Protocol

from data.estimate import Estimate
from data.registry import members


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What happened while a meter ran: wall and process-CPU seconds of the child's timed loop."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Joules over the window and the mean watts they make (P x t = E), with basis and source."""

    energy_j: Estimate
    power_w: Estimate
    scope: str
    notes: tuple[str, ...] = ()


class Meter(Protocol):
    """One source of joules. SCOPE says what is metered ("GPU board", "CPU package", "CPU share of the process"),
    DEVICE for which kind of device ("cpu", "cuda"); WINDOW_S is how long steady work must last for one reading, 0
    where only the window's CPU seconds count."""

    NAME: str
    SCOPE: str
    BASIS: str
    DEVICE: str
    WINDOW_S: float
    RANK: int

    def missing(self) -> str | None:
        """None where it can be read here, else one sentence for the user."""

    def start(self, device: str) -> object:
        """Read the counter of this device ("cpu", "cuda:0"); what it returns is handed to `stop`.
        Raises Unavailable."""

    def stop(self, started: object, window: Window) -> Reading:
        """Joules since `start`. Raises MeasurementError where the window is too short for the counter."""


def meters() -> dict[str, Meter]:
    """Every meter by name, best basis first."""
    found: dict[str, Meter] = members(__name__, "METER")
    return dict(sorted(found.items(), key=lambda item: item[1].RANK))
