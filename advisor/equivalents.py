"""Energy and carbon in things people know, each with its factor and source. The wind turbine stands in data/units."""

from dataclasses import dataclass

from data import energy
from data.estimate import Estimate, exact

# What is told of every yearly footprint, in this order: equivalents of carbon, then of energy.
OF_CARBON = (
    "car_km_eu_new_2018",
    "car_km_eu_new_2020",
    "flight_ny_sf_strubell",
    "flight_ny_sf_ga",
    "smartphone_charge",
)
OF_ENERGY = ("household_2p_annual_kwh", "smartphone_charge_kwh")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An amount told as so many of something: 703,808 "km by a new EU car (2018)"."""

    equivalent_id: str
    label: str
    amount: Estimate
    source: str
    notes: str = ""


def of_carbon(carbon_g_co2e: Estimate, equivalent_id: str) -> Told:
    """This much CO2e (g) as kilometres, flights, phone charges ...: grams / grams of one. Raises InputError."""
    return _told(carbon_g_co2e, energy.equivalent(equivalent_id))


def of_energy(energy_kwh: Estimate, equivalent_id: str) -> Told:
    """This much energy (kWh) as years of households, phone charges ...: kWh / kWh of one. Raises InputError."""
    return _told(energy_kwh, energy.equivalent(equivalent_id))


def told(energy_kwh: Estimate | None, carbon_g_co2e: Estimate | None) -> tuple[Told, ...]:
    """Everything a footprint is told as; without carbon only what follows from energy, and the other way round."""
    found = [of_carbon(carbon_g_co2e, name) for name in OF_CARBON] if carbon_g_co2e is not None else []
    return (*found, *([of_energy(energy_kwh, name) for name in OF_ENERGY] if energy_kwh is not None else []))


def _told(amount: Estimate, one: energy.Equivalent) -> Told:
    factor = exact(one.value, "claimed", one.source)
    return Told(
        equivalent_id=one.equivalent_id,
        label=one.label,
        amount=amount / factor,
        source=one.source,
        notes=one.notes or "",
    )
