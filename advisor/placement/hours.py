"""The hour of day: what running batch work in the cleanest hours would save, where a real hourly shape is shipped.

The shape is that of a year's averages by local hour; it bends the zone's annual average. Averages, not marginal plants:
what moving a large load would do to the grid itself is another question.
"""

from dataclasses import dataclass

import pandas as pd

from data.errors import InputError
from data.estimate import Estimate, exact
from data.tables import Zone, frame, zone, zones

WHOLE_YEAR = 0
HOURS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """The cleanest `hours_count` hours in a row of a zone's day, from `first_hour` (local). `ratio` is their carbon a
    kWh over that of the whole day; its ends are those of the days between the 10th and the 90th of 100."""

    zone_id: str
    hours_count: int
    first_hour: int
    ratio: Estimate
    period: str
    timezone: str
    basis: str
    source: str

    @property
    def last_hour(self) -> int:
        """The hour at which it ends."""
        return (self.first_hour + self.hours_count) % HOURS


def shaped() -> dict[str, str]:
    """The zones that have an hourly shape, with their names."""
    names = {one.zone_id: one.name for one in zones()}
    return {zone_id: names[zone_id] for zone_id in sorted(frame("grid", "hourly_zones")["zone_id"]) if zone_id in names}


def day(zone_id: str, own: Zone | None = None) -> pd.DataFrame:
    """hour_local, g_per_kwh, low_g_per_kwh, high_g_per_kwh: the zone's annual average (or the user's `own` value of it)
    bent to the shape of its day.

    Raises InputError where no shape of the zone is shipped."""
    rows = frame("grid", "hourly").query("zone_id == @zone_id and month == @WHOLE_YEAR").sort_values("hour_local")
    if rows.empty:
        raise InputError(
            f"No hourly shape is shipped for {zone_id}: nothing is said of its hours.",
            hint=f"There are shapes for {', '.join(shaped())}.",
        )
    average = float(rows["mean_g_per_kwh"].mean())
    annual = (own or zone(zone_id)).g_per_kwh
    columns = {"g_per_kwh": "mean", "low_g_per_kwh": "p10", "high_g_per_kwh": "p90"}
    bent = {name: rows[f"{column}_g_per_kwh"].to_numpy(float) / average * annual for name, column in columns.items()}
    return pd.DataFrame({"hour_local": rows["hour_local"].to_numpy(int), **bent})


def cleanest(zone_id: str, hours_count: int) -> Shift:
    """The cleanest hours in a row. Raises InputError where there is no shape, or outside 1 to 24 hours."""
    if not 1 <= hours_count <= HOURS:
        raise InputError("Batch work takes between 1 and 24 hours of a day.")
    rows = day(zone_id)
    means = {name: rows[name].to_numpy() for name in ("g_per_kwh", "low_g_per_kwh", "high_g_per_kwh")}
    start = min(range(HOURS), key=lambda hour: _mean(means["g_per_kwh"], hour, hours_count))
    low, mid, high = (
        _mean(means[name], start, hours_count) / float(means[name].mean())
        for name in ("low_g_per_kwh", "g_per_kwh", "high_g_per_kwh")
    )
    about = frame("grid", "hourly_zones").query("zone_id == @zone_id").to_dict("records")[0]
    source = f"grid/{about['source_id']}"
    return Shift(
        zone_id=zone_id, hours_count=hours_count, first_hour=start,
        ratio=Estimate(low=min(low, mid, high), mid=mid, high=max(low, mid, high), basis="modelled", source=source),
        period=str(about["period"]), timezone=str(about["timezone"]), basis=str(about["basis"]), source=source,
    )  # fmt: skip


def saved_g_co2e(kwh: Estimate, shift: Shift, own: Zone | None = None) -> Estimate:
    """Grams of CO2e a year that `kwh` of batch work a year saves in these hours against the even spread; below 0 at an
    end where it would cost."""
    annual = (own or zone(shift.zone_id)).estimate()
    return kwh * annual * (exact(1.0) + shift.ratio * -1.0)


def _mean(values: "pd.Series | object", start: int, count: int) -> float:
    return float(sum(values[(start + step) % HOURS] for step in range(count)) / count)  # type: ignore[index]
