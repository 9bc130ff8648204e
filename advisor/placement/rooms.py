"""Cloud against a server room of one's own: PUE and how busy the machines are; claims of the provider stay claims."""

from dataclasses import dataclass

import pandas as pd

from advisor.footprint import g_co2e, move_ratio
from advisor.placement.types import Placement
from data.energy import equivalents
from data.estimate import Estimate, exact
from data.tables import Zone, frame, region

PUE_RANGE = 0.3  # around the world's average
# Share of their time that servers of one's own are busy, and those of a large cloud: claimed by AWS in 2015 after
# NRDC 2014 (general knowledge, not re-read); the ends are wide for that.
OWN_UTILISATION = Estimate(low=0.1, mid=0.15, high=0.3, basis="claimed", source="NRDC 2014, as AWS quotes it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """The same work in the cloud and in a room of one's own, a year. `energy_ratio` is cloud over own. Location-based
    carbon is that of the grid; market-based what is left after the renewable match the provider claims."""

    energy_ratio: Estimate
    cloud_kwh: Estimate
    own_kwh: Estimate
    cloud_location_g_co2e: Estimate | None
    cloud_market_g_co2e: Estimate | None
    own_g_co2e: Estimate | None
    renewable_match_annual_frac: float | None
    carbon_free_hourly_frac: float | None


def cloud_utilisation() -> Estimate:
    """Share of shared machines that is rented or busy (table latency/power, "sold")."""
    rows = frame("latency", "power").query("state == 'sold'")
    low, mid, high = rows[["low_frac", "mid_frac", "high_frac"]].to_numpy(float)[0].tolist()
    return Estimate(low=low, mid=mid, high=high, basis="claimed", source="latency/power")


def own_pue() -> Estimate:
    """The world's average data centre, where a room's PUE is not known."""
    found = equivalents()["pue_industry_2024"]
    return Estimate(
        low=found.value - PUE_RANGE, mid=found.value, high=found.value + PUE_RANGE, basis="claimed", source=found.source
    )


def rooms(
    best: Placement, own_zone: Zone | None, pue: Estimate | None = None, utilisation: Estimate | None = None
) -> Rooms:
    """The placement `best` against the same devices in a room with this PUE and this share of busy time on the grid of
    `own_zone` (None: no CO2e is said). Raises InputError on a PUE below 1 or a utilisation outside 0 to 1."""
    at = region(best.provider, best.region) if best.region else None
    cloud_pue = (at.pue_estimate() if at else None) or own_pue()
    busy = utilisation or OWN_UTILISATION
    ratio = move_ratio(pue or own_pue(), cloud_pue, busy, cloud_utilisation())
    own_kwh = best.kwh_per_year / ratio
    match = at.renewable_match_annual_frac if at else None
    location = best.g_co2e_per_year
    market = None if location is None or match is None else location * exact(1.0 - match, "claimed", "the provider")
    return Rooms(
        energy_ratio=ratio, cloud_kwh=best.kwh_per_year, own_kwh=own_kwh, cloud_location_g_co2e=location,
        cloud_market_g_co2e=market,
        own_g_co2e=None if own_zone is None else g_co2e(own_kwh, own_zone.estimate()),
        renewable_match_annual_frac=match, carbon_free_hourly_frac=at.carbon_free_hourly_frac if at else None,
    )  # fmt: skip


def claims() -> pd.DataFrame:
    """What AWS claims of its cloud against rooms of one's own: claim, value, unit; as printed, with their sum."""
    rows = frame("claims", "claims")
    rows = rows[rows["kind"].isin(("cloud", "cloud footprint tool"))]
    return rows[["claim", "value", "unit"]].reset_index(drop=True)
