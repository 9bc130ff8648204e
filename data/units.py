"""Every conversion factor, and the wind turbine. The only file that converts.

1 kWh = 3.6e6 J and 1 year = 8,760 h (365 days) by definition here; the astronomical year of 365.25 days is
used only where a share of a year is told in weeks, the Gregorian one of 365.2425 only for decimal years.
"""

import math
from typing import TypeVar

from data.estimate import Estimate

Number = TypeVar("Number", float, Estimate)

J_PER_KWH = 3_600_000.0
W_PER_KW = 1_000.0
KWH_PER_MWH = 1_000.0
KWH_PER_GWH = 1_000_000.0
G_PER_KG = 1_000.0
M_PER_KM = 1_000.0
G_PER_T = 1_000_000.0
G_PER_LB = 453.59237
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
FLOP_PER_TFLOP = 1e12
FLOP_PER_PFLOPS_DAY = 1e15 * H_PER_DAY * S_PER_H
BYTES_PER_KIB, BYTES_PER_MIB, BYTES_PER_GIB = 1 << 10, 1 << 20, 1 << 30
BITS_PER_BYTE = 8
PJ_PER_J = 1e12
BYTES_PER_GB = 1e9
MIN_PER_H = 60.0
DAYS_PER_WEEK = 7.0

TURBINE_MW = 5.0
TURBINE_FULL_LOAD_H = 2_500.0
TURBINE_UNITS = (
    (S_PER_YEAR, "years"),
    (DAYS_PER_WEEK * H_PER_DAY * S_PER_H, "weeks"),
    (H_PER_DAY * S_PER_H, "days"),
    (S_PER_H, "hours"),
    (S_PER_H / MIN_PER_H, "minutes"),
    (1.0, "seconds"),
    (1e-3, "milliseconds"),
    (1e-6, "microseconds"),
    (1e-9, "nanoseconds"),
)


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


def turbine_years(energy_kwh: Number, rated_mw: float = TURBINE_MW, full_load_h: float = TURBINE_FULL_LOAD_H) -> Number:
    """Years one turbine works for this energy (kWh); per year of use it is the number of turbines."""
    return energy_kwh * (1.0 / turbine_kwh_per_year(rated_mw, full_load_h))


def turbine_s(energy_kwh: Number, rated_mw: float = TURBINE_MW, full_load_h: float = TURBINE_FULL_LOAD_H) -> Number:
    """Seconds of the calendar in which one turbine yields this energy (kWh), taken at its average over the year."""
    return turbine_years(energy_kwh, rated_mw, full_load_h) * S_PER_YEAR


def turbine_weeks(energy_kwh: Number, rated_mw: float = TURBINE_MW, full_load_h: float = TURBINE_FULL_LOAD_H) -> Number:
    """Weeks of an astronomical year (365.25 days) in which one turbine yields this energy (kWh)."""
    years = turbine_years(energy_kwh, rated_mw, full_load_h)
    return years * (DAYS_PER_ASTRONOMICAL_YEAR / DAYS_PER_WEEK)


def turbine_time(
    energy_kwh: float, rated_mw: float = TURBINE_MW, full_load_h: float = TURBINE_FULL_LOAD_H
) -> tuple[float, str]:
    """The same time in the largest unit in which it is at least 1, from nanoseconds to years: (6.15, "hours").

    A time under a nanosecond stays in nanoseconds, so that nothing but 0 is ever told as 0."""
    seconds = abs(turbine_s(energy_kwh, rated_mw, full_load_h))
    factor, unit = next(((size, unit) for size, unit in TURBINE_UNITS if seconds >= size), TURBINE_UNITS[-1])
    return turbine_s(energy_kwh, rated_mw, full_load_h) / factor, unit


def h_from_s(seconds: Number) -> Number:
    """Hours in these seconds."""
    return seconds * (1.0 / S_PER_H)


def days_from_s(seconds: Number) -> Number:
    """Days in these seconds."""
    return seconds * (1.0 / (S_PER_H * H_PER_DAY))


def years_from_days(days: float) -> float:
    """Years of 365 days in these days."""
    return days / DAYS_PER_YEAR


def mwh_from_kwh(energy_kwh: Number) -> Number:
    """Megawatt-hours in these kilowatt-hours."""
    return energy_kwh * (1.0 / KWH_PER_MWH)


def kg_from_g(mass_g: Number) -> Number:
    """Kilograms in these grams."""
    return mass_g * (1.0 / G_PER_KG)


def t_from_g(mass_g: Number) -> Number:
    """Tonnes in these grams."""
    return mass_g * (1.0 / G_PER_T)


def g_from_lb(mass_lb: Number) -> Number:
    """Grams in these pounds (avoirdupois)."""
    return mass_lb * G_PER_LB


def j_from_pj(energy_pj: Number) -> Number:
    """Joules in these picojoules."""
    return energy_pj * (1.0 / PJ_PER_J)


def pflops_days_from_flop(compute_flop: Number) -> Number:
    """Days of 1e15 FLOP/s in these floating-point operations (1 PF/s-day = 8.64e19)."""
    return compute_flop * (1.0 / FLOP_PER_PFLOPS_DAY)


def flop_from_pflops_days(pflops_days: Number) -> Number:
    """Floating-point operations in these days of 1e15 FLOP/s."""
    return pflops_days * FLOP_PER_PFLOPS_DAY


def gb_from_bytes(size_bytes: float) -> float:
    """Decimal gigabytes (1e9) in these bytes."""
    return size_bytes / BYTES_PER_GB


def gib_from_bytes(size_bytes: float) -> float:
    """Binary gigabytes (2^30) in these bytes."""
    return size_bytes / BYTES_PER_GIB


def growth_ratio(doubling_months: float, months: float) -> float:
    """By how much something grows in these months that doubles every `doubling_months`."""
    return float(2.0 ** (months / doubling_months))


def doubling_months(ratio: float, months: float) -> float:
    """The doubling time, in months, of something that grew by `ratio` in these months. Inverse of growth_ratio."""
    return months * math.log(2.0) / math.log(ratio)


def per_year(per_day: float) -> float:
    """A daily count or amount over 365 days."""
    return per_day * DAYS_PER_YEAR
