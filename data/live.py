"""Live carbon intensity of a zone: off unless the user turns it on; the shipped tables answer where it cannot.

Asked in this order, and the reading says which one answered: Electricity Maps (with a key), NESO for Great Britain and
Energi Data Service for Denmark (without one), the last live value while it is young, the shape of the hour where the
tables have one, the average of the year. Sources differ in basis; a live value is shown with its own and is not ranked
against others.
"""

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from data import net, tables
from data.errors import Unavailable
from data.estimate import Estimate, exact
from data.units import S_PER_H

SWITCH, KEY = "RIGHTSIZE_LIVE_CARBON", "ELECTRICITY_MAPS_KEY"
KEPT_S = 900.0  # asked again after a quarter of an hour at the earliest
LAST_LIVE_S = 6 * S_PER_H
LARGEST_G_PER_KWH = 2_500.0
ON = ("1", "true", "yes", "on")
Fetch = Callable[[str, dict[str, str]], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The intensity of a zone, how it was had (`used`: "live", "last live value", "hourly shape", "annual average"),
    on which basis, when it holds (ISO 8601) and, where a better one failed, why (`note`)."""

    zone_id: str
    g_per_kwh: Estimate
    used: str
    basis: str
    source: str
    at: str
    estimated: bool | None = None
    note: str = ""


@dataclass(slots=True)
class Live:
    """Asks live sources for the user; holds what they said for a quarter of an hour.

    `enabled` is off unless RIGHTSIZE_LIVE_CARBON says on; `key` is that of Electricity Maps. `fetch` takes a URL and
    headers to JSON, `clock` gives seconds since 1970."""

    enabled: bool = field(default_factory=lambda: os.environ.get(SWITCH, "").lower() in ON)
    key: str | None = field(default_factory=lambda: os.environ.get(KEY) or None)
    fetch: Fetch = net.get_json
    clock: Callable[[], float] = time.time
    _kept: dict[str, tuple[float, Reading | str]] = field(default_factory=dict)
    _last: dict[str, tuple[float, Reading]] = field(default_factory=dict)

    def now(self, zone_id: str) -> Reading:
        """The best reading there is for this zone. Raises InputError where the zone is not known."""
        fallback = by_tables(zone_id, self.clock())
        ask = self._source(zone_id) if self.enabled else None
        if ask is None:
            why = "" if not self.enabled else "No live source covers this zone without a key."
            return replace(fallback, note=why)
        found = self._ask(zone_id, ask)
        if isinstance(found, Reading):
            return found
        at, last = self._last.get(zone_id, (-math.inf, fallback))
        if self.clock() - at <= LAST_LIVE_S:
            return replace(last, used="last live value", note=found)
        return replace(fallback, note=found)

    def _source(self, zone_id: str) -> Callable[[str], Reading] | None:
        if self.key:
            return self._electricity_maps
        if zone_id == "GB":
            return self._neso
        return self._energi_data if zone_id in ("DK-DK1", "DK-DK2") else None

    def _ask(self, zone_id: str, ask: Callable[[str], Reading]) -> Reading | str:
        asked_at, kept = self._kept.get(zone_id, (-math.inf, ""))
        if self.clock() - asked_at < KEPT_S:
            return kept
        found: Reading | str
        try:
            found = ask(zone_id)
            self._last[zone_id] = (self.clock(), found)
        except Unavailable as error:
            found = error.message
        self._kept[zone_id] = (self.clock(), found)
        return found

    def _electricity_maps(self, zone_id: str) -> Reading:
        url = f"https://api.electricitymaps.com/v4/carbon-intensity/latest?zone={zone_id}&disableCallerLookup=true"
        row = _row(self.fetch(url, {"auth-token": self.key or ""}))
        return Reading(
            zone_id=zone_id,
            g_per_kwh=_intensity(row.get("carbonIntensity"), "Electricity Maps, live"),
            used="live",
            basis="life-cycle, consumption-based, this hour",
            source="Electricity Maps",
            at=_moment(row.get("datetime")),
            estimated=bool(row["isEstimated"]) if isinstance(row.get("isEstimated"), bool) else None,
        )

    def _neso(self, zone_id: str) -> Reading:
        row = _first(self.fetch("https://api.carbonintensity.org.uk/intensity", {}), "data")
        intensity = _row(row.get("intensity"))
        measured = intensity.get("actual") is not None  # it is null while the half-hour runs
        return Reading(
            zone_id=zone_id,
            g_per_kwh=_intensity(intensity["actual" if measured else "forecast"], "NESO Carbon Intensity API"),
            used="live",
            basis="operational, with imports and losses, this half-hour",
            source="National Energy System Operator (NESO) Carbon Intensity API",
            at=_moment(row.get("from")),
            estimated=not measured,
        )

    def _energi_data(self, zone_id: str) -> Reading:
        area = zone_id.removeprefix("DK-")
        url = f"https://api.energidataservice.dk/dataset/CO2Emis?filter=%7B%22PriceArea%22:%22{area}%22%7D&limit=1"
        row = _first(self.fetch(url, {}), "records")
        return Reading(
            zone_id=zone_id,
            g_per_kwh=_intensity(row.get("CO2Emission"), "Energi Data Service"),
            used="live",
            basis="operational, these five minutes",
            source="Energi Data Service",
            at=_moment(row.get("Minutes5UTC")),
        )


def by_tables(zone_id: str, at_s: float) -> Reading:
    """What the shipped tables say of a zone at a moment (seconds since 1970): the year's average, bent to the shape of
    the hour and month where the tables have one. Raises InputError where the zone is not known."""
    zone, moment = tables.zone(zone_id), datetime.fromtimestamp(at_s, UTC)
    shapes = {str(row["zone_id"]): row for row in tables.frame("grid", "hourly_zones").to_dict("records")}
    annual = Reading(
        zone_id=zone_id,
        g_per_kwh=zone.estimate(),
        used="annual average",
        basis=f"{zone.basis} of {zone.year}",
        source=zone.source,
        at=moment.isoformat(timespec="minutes"),
    )
    if zone_id not in shapes:
        return annual
    shape = shapes[zone_id]
    local = moment.astimezone(ZoneInfo(str(shape["timezone"])))
    rows = tables.frame("grid", "hourly")
    rows = rows[rows.zone_id == zone_id]
    year = float(rows[rows.month == 0].mean_g_per_kwh.mean())
    hour = rows[(rows.month == local.month) & (rows.hour_local == local.hour)]
    low, mid, high = (float(hour[f"{name}_g_per_kwh"].iloc[0]) / year for name in ("p10", "mean", "p90"))
    source = f"grid/{shape['source_id']}"
    ratio = Estimate(low=min(low, mid), mid=mid, high=max(high, mid), basis="modelled", source=source)
    return replace(
        annual,
        g_per_kwh=exact(zone.g_per_kwh, "modelled", zone.source) * ratio,
        used="hourly shape",
        basis=f"{annual.basis}, x the shape of {local:%B, %H} h ({shape['period']})",
        source=f"{zone.source}; {source}",
    )


def _row(found: Any) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise Unavailable("The live source answered in a form that is not known.", hint=net.HINT)
    return found


def _first(found: Any, name: str) -> dict[str, Any]:
    rows = _row(found).get(name)
    return _row(rows[0] if isinstance(rows, list) and rows else None)


def _intensity(value: Any, source: str) -> Estimate:
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not number or not 0 <= value <= LARGEST_G_PER_KWH:
        raise Unavailable("The live source gave no intensity that can be.", hint=net.HINT)
    return exact(float(value), "modelled", source)


def _moment(value: Any) -> str:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise Unavailable("The live source gave no time for its value.", hint=net.HINT) from error
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC).isoformat(timespec="minutes")
