"""The Jevons break-even: how much of a saving more demand eats up. Off (0 %) unless the user turns it on.

Energy per unit of work falls by the factor eps; the cost the user sees falls for the share s of it that depends on
efficiency; demand answers with elasticity eta. Demand grows by eps^(s eta), so E1/E0 = eps^(s eta - 1).
"""

from dataclasses import dataclass

from data import tables
from data.errors import InputError
from data.estimate import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """An elasticity somebody measured or argued. `causal` is False where it is only a correlation over time."""

    id: str
    title: str
    elasticity_low: float
    elasticity: float
    elasticity_high: float
    cost_share_frac: float
    causal: bool
    caution: str
    basis: str


def presets() -> tuple[Preset, ...]:
    """The shipped presets, from none to backfire."""
    rows = tables.frame("trends", "rebound").fillna({"caution": ""}).to_dict("records")
    return tuple(
        Preset(id=row.pop("preset_id"), **row) for row in ({str(k): v for k, v in row.items()} for row in rows)
    )


def demand_ratio(efficiency_gain: float, elasticity: float, cost_share_frac: float = 1.0) -> float:
    """Demand after over before: eps^(s eta), for an efficiency gain eps (2 = twice the work per joule)."""
    if efficiency_gain <= 0:
        raise InputError("An efficiency gain is a positive factor.", hint="2 means twice the work per joule.")
    return float(efficiency_gain ** (cost_share_frac * elasticity))


def energy_ratio(efficiency_gain: float, elasticity: float, cost_share_frac: float = 1.0) -> float:
    """Energy after over before, E1/E0 = eps^(s eta - 1): above 1 the saving backfires."""
    return demand_ratio(efficiency_gain, elasticity, cost_share_frac) / efficiency_gain


def rebound_frac(efficiency_gain: float, elasticity: float, cost_share_frac: float = 1.0) -> float:
    """The share of the engineering saving that demand eats up: R = 1 - (1 - E1/E0) / (1 - 1/eps).

    For a gain of exactly 1 it is the limit s eta."""
    if efficiency_gain == 1:
        return cost_share_frac * elasticity
    saved = 1.0 - energy_ratio(efficiency_gain, elasticity, cost_share_frac)
    return 1.0 - saved / (1.0 - 1.0 / efficiency_gain)


def energy_ratio_at(rebound: float, efficiency_gain: float) -> float:
    """E1/E0 when the rebound R (1 = 100 %) is given: 1 - (1 - R)(1 - 1/eps)."""
    if efficiency_gain <= 0:
        raise InputError("An efficiency gain is a positive factor.", hint="2 means twice the work per joule.")
    return 1.0 - (1.0 - rebound) * (1.0 - 1.0 / efficiency_gain)


def kind(rebound: float) -> str:
    """What economists call a rebound of this size (1 = 100 %)."""
    if rebound < 0:
        return "super-conservation"
    if rebound == 0:
        return "no rebound"
    if rebound < 1:
        return "partial rebound"
    return "full rebound" if rebound == 1 else "backfire"


def break_even_demand_frac(saving_frac: float) -> float:
    """By how much demand may grow before a saving of this share (0 to below 1) is eaten up: 1/(1 - s) - 1."""
    if not 0 <= saving_frac < 1:
        raise InputError("A saving is a share from 0 to below 1.", hint="0.3 means 30 % less energy per call.")
    return 1.0 / (1.0 - saving_frac) - 1.0


def energy_after(before: Estimate, rebound: float, efficiency_gain: float) -> Estimate:
    """Energy after the saving and its rebound. A rebound of 0 is the engineering saving itself."""
    return before * energy_ratio_at(rebound, efficiency_gain)
