"""Energy and carbon in things people know, each with its factor and source. The wind turbine stands in data/units."""

from dataclasses import dataclass

from data import energy, units, words
from data.estimate import Estimate, exact

FAR_LESS = "far less than one"
LEAST_COUNT = 0.01  # so many hundredths of a flight mean something to somebody

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """How an equivalent is told so that its number can be read: what it is, and the ladder of its amount with what
    takes it to that ladder's unit."""

    what: str
    ladder: words.Ladder = words.COUNTS
    factor: float = 1.0

    def amount(self, value: Estimate) -> str:
        """The amount with its interval: "35.5 cm (23.7-67.7)"; flights that no hundredth is taken of are "far less"."""
        few = self.ladder is words.COUNTS and value.mid < LEAST_COUNT
        return FAR_LESS if few else words.interval(value, self.ladder, self.factor)


def wording(label: str) -> Wording:
    """How the equivalent of this label is told: kilometres scale to mm, years of a household to seconds."""
    one = next((one for one in energy.equivalents().values() if one.label == label), None)
    if one is None:  # of a report that was made elsewhere
        return Wording(what=label)
    if one.unit.endswith("/km"):
        what = f"Distance {label.removeprefix('km ')}"
        return Wording(what=what, ladder=words.DISTANCE, factor=units.M_PER_KM)
    if one.unit == "kWh/year":
        what = f"{label.removesuffix(' per year')} for"
        return Wording(what=what, ladder=words.TURBINE, factor=units.S_PER_YEAR)
    return Wording(what=label if one.kind == "energy" else f"{label}, CO2e")


def _told(amount: Estimate, one: energy.Equivalent) -> Told:
    factor = exact(one.value, "claimed", one.source)
    return Told(
        equivalent_id=one.equivalent_id,
        label=one.label,
        amount=amount / factor,
        source=one.source,
        notes=one.notes or "",
    )
