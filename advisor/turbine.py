"""The wind turbine that energy is told by: the one that is set, in everything a report, a placement or a plan says.

A report is stored as it was made; it is told by the turbine that is set when it is read, whichever was set then.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from advisor.placement.types import YearAhead
from advisor.types import Footprint, Plan, Report
from data import units, words
from data.errors import InputError
from data.estimate import Estimate
from data.settings import settings

SAME = 1e-6  # of two yields, beside the rounding of a division


@dataclass(frozen=True, slots=True, kw_only=True)
class Turbine:
    """The wind turbine that energy is told by: rated power (MW) and full-load hours a year."""

    rated_mw: float = units.TURBINE_MW
    full_load_h: float = units.TURBINE_FULL_LOAD_H

    @property
    def kwh_per_year(self) -> float:
        """What it yields a year."""
        return units.turbine_kwh_per_year(self.rated_mw, self.full_load_h)

    def years(self, energy_kwh: Estimate) -> Estimate:
        """Years one of it works for this energy; per year of use, the number of turbines."""
        return units.turbine_years(energy_kwh, self.rated_mw, self.full_load_h)


def turbine(rated_mw: float, full_load_h: float) -> Turbine:
    """The turbine somebody typed. Raises InputError on one that cannot be."""
    if rated_mw <= 0 or not 0 < full_load_h <= units.H_PER_YEAR:
        hint = f"The reference is {units.TURBINE_MW:g} MW and {units.TURBINE_FULL_LOAD_H:,.0f} h."
        most = f"{units.H_PER_YEAR:,.0f}"
        raise InputError(f"A turbine has a power above 0 and at most {most} full-load hours a year.", hint=hint)
    return Turbine(rated_mw=rated_mw, full_load_h=full_load_h)


def chosen() -> Turbine:
    """The turbine of the settings; the reference where none is set."""
    wanted = settings()
    return turbine(wanted.turbine_mw, wanted.turbine_h)


def said(yields_kwh: float) -> str:
    """ "5 MW x 2,500 h = 12.5 GWh a year": the turbine with this yield, the reference or one that was set."""
    usual = Turbine()
    parts = f"{usual.rated_mw:g} MW x {usual.full_load_h:,.0f} h = {words.energy_kwh(usual.kwh_per_year)} a year"
    if abs(yields_kwh / usual.kwh_per_year - 1.0) < SAME:
        return f"The reference is one wind turbine: {parts}"
    own = words.energy_kwh(yields_kwh)
    return f"Told by a wind turbine of your own, which yields {own} a year (the reference: {parts})"


def yields_kwh(one: Footprint) -> float:
    """What the turbine yields a year that this footprint is told by; the reference where it tells of none."""
    if one.kwh_per_year is None or one.turbine_years is None or not one.turbine_years.mid:
        return Turbine().kwh_per_year
    return one.kwh_per_year.mid / one.turbine_years.mid


def footprint_by(one: Footprint, by: Turbine) -> Footprint:
    """The footprint told by this turbine, where it tells of one."""
    if one.turbine_years is None or one.kwh_per_year is None:
        return one
    return replace(one, turbine_years=by.years(one.kwh_per_year))


def years_by(years: Iterable[YearAhead], by: Turbine) -> tuple[YearAhead, ...]:
    """The years ahead told by this turbine: its share is that of the energy on newer hardware."""
    return tuple(replace(one, turbine_years=by.years(one.kwh_renewed)) for one in years)


def told_by(report: Report, by: Turbine) -> Report:
    """The report with every turbine in it replaced by this one."""
    found, outlook, placed = report.recommendation, report.outlook, report.placed
    recommendation = replace(
        found, plan=_plan(found.plan, by), runner_up=_plan(found.runner_up, by),
        tried=tuple(plan for one in found.tried if (plan := _plan(one, by)) is not None),
    )  # fmt: skip
    return replace(
        report, recommendation=recommendation, footprint_before=footprint_by(report.footprint_before, by),
        footprint_after=footprint_by(report.footprint_after, by),
        outlook=outlook and replace(outlook, years=years_by(outlook.years, by)),
        placed=placed and replace(placed, years=years_by(placed.years, by)),
    )  # fmt: skip


def _plan(one: Plan | None, by: Turbine) -> Plan | None:
    return one if one is None or one.footprint is None else replace(one, footprint=footprint_by(one.footprint, by))
