"""What a kilowatt-hour means where it is used: its grid's carbon and its price, shipped, set or typed by the user."""

from dataclasses import dataclass

from advisor.types import Budget
from data import own, tables
from data.estimate import Estimate, exact
from data.settings import settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Grams of CO2e and dollars a kWh; None where no zone was chosen and no price set."""

    g_per_kwh: Estimate | None = None
    usd_per_kwh: Estimate | None = None


def site(zone: str | None, keeper: own.Rows) -> Site:
    """The site of a grid zone: carbon from the settings, else from the user's own rows, else the shipped average.

    Raises InputError where there is no zone of this name."""
    wanted = settings()
    price = wanted.usd_per_kwh
    usd = None if price is None else exact(price, "given", f"price a kWh, {wanted.origins['usd_per_kwh']}")
    return Site(g_per_kwh=None if zone is None else _carbon(zone, keeper), usd_per_kwh=usd)


def usual_budget() -> Budget:
    """A budget with the zone and the objective that are set."""
    wanted = settings()
    return Budget(zone=wanted.zone, objective=wanted.objective)


def _carbon(zone: str, keeper: own.Rows) -> Estimate:
    wanted = settings()
    if zone in wanted.g_per_kwh:
        return exact(wanted.g_per_kwh[zone], "given", f"carbon of {zone}, {wanted.origins['g_per_kwh']}")
    known = {one.zone_id: one for one in own.zones(keeper)}
    return (known.get(zone) or tables.zone(zone)).estimate()
