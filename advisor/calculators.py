"""Two calculators around the formulas: train it yourself, and a fleet a day; with the turbine one may type.

What is not typed comes from the catalogue: a chip's peak and rated power, what renting one costs an hour.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import median

import pandas as pd

from advisor import equivalents, footprint, training
from advisor.training import Run
from advisor.turbine import Turbine
from data import energy, tables, units
from data.errors import InputError
from data.estimate import Estimate, exact
from data.own import SOURCE
from data.tables import Device, Price

TRAINING_PEAKS = ("bf16_flop_per_s", "fp16_flop_per_s", "tf32_flop_per_s", "fp32_flop_per_s")
OF_CARBON = (*equivalents.OF_CARBON, "car_km_eu_fleet", "car_km_us_epa_2024", "flight_paris_london", "tree_year")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """What a fleet takes a day and a year; CO2e and dollars are None where the grid or the price is not known."""

    kwh_per_day: Estimate
    kwh_per_year: Estimate
    turbine_years_per_day: Estimate
    turbines: Estimate
    g_co2e_per_year: Estimate | None
    usd_per_year: Estimate | None


def trainable(devices: Sequence[Device]) -> list[Device]:
    """Those with a rated power and a peak one can train at: your own first, then the newest."""
    able = [one for one in devices if one.tdp_w and any(getattr(one, peak) for peak in TRAINING_PEAKS)]
    return sorted(able, key=lambda one: (one.yours, one.release_date or ""), reverse=True)


def usd_per_chip_h(device_id: str, mine: Sequence[Price] = ()) -> Estimate | None:
    """What renting one such accelerator costs an hour on demand, the server around it included: by your own prices
    where you gave some, else cheapest, median and dearest of the shipped ones of all providers and regions; None where
    nobody rents it out."""
    with_it = {(SOURCE, device_id): 1.0} | {  # a device of the user's own stands alone
        (one.provider, one.instance_type): one.accelerator_count
        for one in tables.instances()
        if one.accelerator_device_id == device_id and one.accelerator_count > 0
    }
    own = [
        one.usd_per_h / with_it[one.provider, one.instance_type]
        for one in mine
        if (one.provider, one.instance_type) in with_it
    ]
    if own:
        return Estimate(low=min(own), mid=median(own), high=max(own), basis="given", source="your own prices")
    found = _rents().get(device_id)
    if found is None:
        return None
    low, mid, high = found
    return Estimate(low=low, mid=mid, high=high, basis="claimed", source="instances/prices")


def fleet(
    devices: float,
    rated_w: Estimate,
    *,
    hours_per_day: float = units.H_PER_DAY,
    utilisation: float = 0.5,
    overhead: float = 1.0,
    pue: float = 1.0,
    grid: Estimate | None = None,
    usd_per_kwh: Estimate | None = None,
    by: Turbine | None = None,
) -> Fleet:
    """A fleet of `devices` of `rated_w` watts each. Raises InputError as footprint.fleet_kwh, and on a day that has
    more than 24 hours."""
    if not 0 <= hours_per_day <= units.H_PER_DAY:
        raise InputError("A day has 24 hours.", hint="24 is around the clock.")
    day = footprint.fleet_kwh(devices, rated_w, hours_per_day, utilisation=utilisation, overhead=overhead, pue=pue)
    year = day * units.DAYS_PER_YEAR
    of = by or Turbine()
    return Fleet(
        kwh_per_day=day,
        kwh_per_year=year,
        turbine_years_per_day=of.years(day),
        turbines=of.years(year),
        g_co2e_per_year=None if grid is None else footprint.g_co2e(year, grid),
        usd_per_year=None if usd_per_kwh is None else year * usd_per_kwh,
    )


def told(energy_kwh: Estimate, carbon_g_co2e: Estimate | None) -> pd.DataFrame:
    """Energy and carbon in things people know. Columns: what, amount, amount_low, amount_high, said, one, source."""
    found = [equivalents.of_energy(energy_kwh, name) for name in equivalents.OF_ENERGY]
    if carbon_g_co2e is not None:
        found += [equivalents.of_carbon(carbon_g_co2e, name) for name in OF_CARBON]
    return pd.DataFrame([
        {
            "what": told.what, "amount": one.amount.mid, "amount_low": one.amount.low, "amount_high": one.amount.high,
            "said": told.amount(one.amount),
            "one": f"{energy.equivalent(one.equivalent_id).value:,g} {energy.equivalent(one.equivalent_id).unit}",
            "source": tables.source(one.source).title,
        }
        for one in found
        for told in (equivalents.wording(one.label),)
    ])  # fmt: skip


def ways(found: dict[str, tuple[Run, float]], by: Turbine) -> pd.DataFrame:
    """Each way of training as a row: way, flop, held_bytes, energy_kwh with its ends, turbine_years, usd."""
    return pd.DataFrame([
        {
            "way": training.TITLES[way], "compute_flop": run.flop, "held_bytes": held,
            "energy_kwh": run.energy_kwh.mid, "energy_low_kwh": run.energy_kwh.low,
            "energy_high_kwh": run.energy_kwh.high, "turbine_years": by.years(run.energy_kwh).mid,
            "cost_usd": None if run.usd is None else run.usd.mid,
        }
        for way, (run, held) in found.items()
    ])  # fmt: skip


def rungs(name: str, energy_kwh: Estimate, by: Turbine) -> pd.DataFrame:
    """The ladder as rows: name, energy_kwh with its ends, corrected_kwh, turbine_years, basis, note, yours."""
    return pd.DataFrame([
        {
            "name": rung.name, "energy_kwh": rung.energy_kwh.mid, "energy_low_kwh": rung.energy_kwh.low,
            "energy_high_kwh": rung.energy_kwh.high, "corrected_kwh": rung.corrected_kwh,
            "turbine_years": by.years(rung.energy_kwh).mid, "basis": rung.energy_kwh.basis, "note": rung.note,
            "yours": rung.yours,
        }
        for rung in training.ladder(name, energy_kwh)
    ])  # fmt: skip


def power_of(device: Device) -> Estimate:
    """Rated power (W) of a device. Raises InputError where the catalogue has none."""
    found = device.estimate("tdp_w")
    if found is None:
        raise InputError(f"The rated power of {device.name} is not known.", hint="Type the watts of one chip.")
    return found


def typed(value: float) -> Estimate:
    """A number the user typed."""
    return exact(value, "given")


@cache
def _rents() -> dict[str, tuple[float, float, float]]:
    keys = ["provider", "instance_type"]
    rows = tables.frame("instances", "prices").merge(tables.frame("instances"), on=keys)
    rows = rows[rows["accelerator_device_id"].notna() & rows["accelerator_count"].gt(0) & rows["usd_per_h"].gt(0)]
    per_chip = (rows["usd_per_h"] / rows["accelerator_count"]).groupby(rows["accelerator_device_id"])
    ends = zip(per_chip.min(), per_chip.median(), per_chip.max(), strict=True)
    return {
        str(device): (float(low), float(mid), float(high))
        for device, (low, mid, high) in zip(per_chip.groups, ends, strict=True)
    }
