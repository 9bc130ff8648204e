"""What a device draws: idle, busy, and in between; and joules a call from a predicted latency.

Power follows use: idle + (busy - idle) x share of the time that kernels run. Host, PUE and embodied carbon are terms
of their own (advisor/footprint), and stay out of here.
"""

from functools import cache

from advisor.latency.predict import Prediction
from data.errors import InputError
from data.estimate import Estimate, exact
from data.tables import Device, device, frame
from data.units import MS_PER_S

SOURCE = "latency/power"


def idle_w(on: Device, share: float = 1.0) -> Estimate | None:
    """Watts of a device (or of a `share` of its cores) that waits; None where its rated power is not known.

    A figure of its own is kept as the middle: it is an estimate too, and has the same range around it."""
    if on.tdp_w is None:
        return None
    low, mid, high = (part * on.tdp_w * share for part in _shares("idle cpu" if on.kind == "cpu" else "idle"))
    own = on.idle_w * share if on.idle_w is not None else mid
    return Estimate(low=min(low, own), mid=own, high=max(high, own), basis="modelled", source=SOURCE)


def busy_w(on: Device, share: float = 1.0) -> Estimate | None:
    """Watts of a device (or a `share` of its cores) while kernels run; None where its rated power is not known."""
    if on.tdp_w is None:
        return None
    low, mid, high = (part * on.tdp_w * share for part in _shares("busy"))
    return Estimate(low=low, mid=mid, high=high, basis="modelled", source=SOURCE)


def cpu_idle_busy_w(rated: Estimate) -> tuple[Estimate, Estimate]:
    """Watts of a CPU that waits, and of one while kernels run, from its rated power (or that of some of its cores)."""
    (idle, busy) = (
        Estimate(low=low * rated.low, mid=mid * rated.mid, high=high * rated.high, basis="modelled", source=SOURCE)
        for low, mid, high in (_shares("idle cpu"), _shares("busy"))
    )
    return idle, busy


def power_w(on: Device, busy_frac: float, share: float = 1.0) -> Estimate | None:
    """Watts at a share of time busy, between idle and busy; None where the rated power is not known.

    Raises InputError on a share outside 0 to 1."""
    if not 0.0 <= busy_frac <= 1.0:
        raise InputError("A utilisation lies between 0 and 1.", hint="0.5 means half busy.")
    idle, busy = idle_w(on, share), busy_w(on, share)
    return None if idle is None or busy is None else idle * (1.0 - busy_frac) + busy * busy_frac


def energy_per_call(found: Prediction, share: float = 1.0) -> Estimate | None:
    """Joules of one call while it runs, idle power included; None where the rated power is not known.

    While the host only starts operators (the overhead's share of the time) the device counts as idle."""
    watts = power_w(device(found.device_id), 1.0 - found.overhead_frac, share)
    return None if watts is None else watts * found.latency_ms * (1.0 / MS_PER_S)


def energy_above_idle(found: Prediction, share: float = 1.0) -> Estimate | None:
    """Joules of one call beyond what the device draws anyway; None where the rated power is not known."""
    on = device(found.device_id)
    idle, busy = idle_w(on, share), busy_w(on, share)
    if idle is None or busy is None:
        return None
    above = Estimate(
        low=max(busy.low - idle.high, 0.0), mid=busy.mid - idle.mid, high=busy.high - idle.low, basis="modelled",
        source=SOURCE,
    )  # fmt: skip
    return above * exact(1.0 - found.overhead_frac, "predicted") * found.latency_ms * (1.0 / MS_PER_S)


def charged(idle: Estimate, part: float) -> Estimate:
    """Watts that a `part` of a device (or of a host) is charged for its waiting, from those of the whole.

    What no one rents waits too: a part of a shared device bears the unsold share in proportion, at the low end none
    of it; never more than the whole, or than itself where it is several."""
    low, mid, high = _shares("sold")
    most = max(part, 1.0)
    return Estimate(
        low=idle.low * min(part / high, most), mid=idle.mid * min(part / mid, most),
        high=idle.high * min(part / low, most), basis="modelled", source=SOURCE,
    )  # fmt: skip


@cache
def _shares(state: str) -> tuple[float, float, float]:
    rows = frame("latency", "power").query("state == @state")
    low, mid, high = rows[["low_frac", "mid_frac", "high_frac"]].to_numpy(float)[0]
    return float(low), float(mid), float(high)
