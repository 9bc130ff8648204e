"""Rated power: CPU seconds times the watts a core is rated at. Modelled, for machines that count no energy.

It bills the CPU time of the process, not wall time, so that other work on the machine does not change it. Memory is
not in the figure.
"""

from collections.abc import Callable

from data.energy import rated_w
from data.errors import Unavailable
from data.estimate import Estimate
from data.tables import devices
from profiler.machine import machine
from profiler.meters import Reading, Window


class RatedPower:
    """The CPU's rated power over its cores where its model is in the device table, else its family's from the lowest
    to the highest. Where two threads share a core, a CPU second is between half a core's and a whole one's."""

    NAME = "rated_power"
    SCOPE = "CPU share of the process"
    BASIS = "modelled"
    DEVICE = "cpu"
    WINDOW_S = 0.0
    RANK = 9

    def __init__(self, cpu: Callable[[], str] = lambda: machine().cpu) -> None:
        self._cpu = cpu

    def missing(self) -> str | None:
        if self._watts() is None:
            return f"The rated power of this CPU ('{self._cpu()}') is not in the device table."
        return None

    def start(self, device: str) -> None:
        """Nothing to read: the window's CPU seconds are all that counts."""

    def stop(self, started: object, window: Window) -> Reading:
        watts = self._watts()
        if watts is None:
            raise Unavailable(self.missing() or "")
        energy = watts * window.cpu_s
        return Reading(energy_j=energy, power_w=energy * (1 / window.wall_s), scope=self.SCOPE)

    def _watts(self) -> Estimate | None:
        """Watts of one busy core."""
        rated = rated_w(self._cpu(), 1)
        if rated is None:
            return None
        sharing = next((d.threads_per_core for d in devices() if rated.source.endswith(d.device_id)), None) or 1
        return Estimate(
            low=rated.low / sharing, mid=rated.mid, high=rated.high, basis="modelled",
            source=f"CPU seconds x rated power of a core ({rated.source})",
        )  # fmt: skip


METER = RatedPower()
