"""Every conversion factor, and the wind turbine. The only file that converts.

1 kWh = 3.6e6 J and 1 year = 8,760 h (365 days) by definition here; the astronomical year of 365.25 days is
used only where a share of a year is told in weeks, the Gregorian one of 365.2425 only for decimal years.
"""

from typing import TypeVar

from data.estimate import Estimate

Number = TypeVar("Number", float, Estimate)

J_PER_KWH = 3_600_000.0
W_PER_KW = 1_000.0
KWH_PER_MWH = 1_000.0
KWH_PER_GWH = 1_000_000.0
G_PER_KG = 1_000.0
G_PER_T = 1_000_000.0
S_PER_H = 3_600.0
MS_PER_S = 1_000.0
NS_PER_MS = 1_000_000.0
H_PER_DAY = 24.0
DAYS_PER_YEAR = 365.0
H_PER_YEAR = 8_760.0
S_PER_YEAR = H_PER_YEAR * S_PER_H
DAYS_PER_ASTRONOMICAL_YEAR = 365.25
DAYS_PER_GREGORIAN_YEAR = 365.2425
MONTHS_PER_YEAR = 12.0
FLOP_PER_MAC = 2
FLOP_PER_PFLOPS_DAY = 1e15 * H_PER_DAY * S_PER_H
BYTES_PER_KIB, BYTES_PER_MIB, BYTES_PER_GIB = 1 << 10, 1 << 20, 1 << 30
BITS_PER_BYTE = 8
PJ_PER_J = 1e12

TURBINE_MW = 5.0
TURBINE_FULL_LOAD_H = 2_500.0


def turbine_kwh_per_year(rated_mw: float = TURBINE_MW, full_load_h: float = TURBINE_FULL_LOAD_H) -> float:
    """kWh one wind turbine yields a year: rated power (MW) x full-load hours. Reference: 5 MW x 2,500 h = 12.5 GWh."""
    return rated_mw * KWH_PER_MWH * full_load_h


def kwh_from_j(energy_j: Number) -> Number:
    """Kilowatt-hours in these joules."""
    return energy_j * (1.0 / J_PER_KWH)


def j_from_kwh(energy_kwh: Number) -> Number:
    """Joules in these kilowatt-hours."""
    return energy_kwh * J_PER_KWH


def kwh_from_w(power_w: Number, hours: float) -> Number:
    """Kilowatt-hours this power (watts) takes in these hours."""
    return power_w * (hours / W_PER_KW)


def turbine_years(
    energy_kwh: Number, rated_mw: float = TURBINE_MW, full_load_h: float = TURBINE_FULL_LOAD_H
) -> Number:
    """Years one turbine works for this energy (kWh); per year of use it is the number of turbines."""
    return energy_kwh * (1.0 / turbine_kwh_per_year(rated_mw, full_load_h))


def per_year(per_day: float) -> float:
    """A daily count or amount over 365 days."""
    return per_day * DAYS_PER_YEAR
