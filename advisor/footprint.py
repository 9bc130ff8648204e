"""From joules a call to kWh, CO2e, dollars and wind turbines a year. Each factor stands apart, and none is hidden.

device   calls a year x energy a call, above idle
+ idle   idle power x hours switched on, however many calls come
server   x overhead: memory, CPU, fans around the device
facility x PUE: cooling and losses of the building
CO2e     x grid intensity where it runs; what making the device cost (embodied) only where it is asked for
"""

from dataclasses import dataclass

from advisor.types import Footprint
from data import units
from data.errors import InputError
from data.estimate import Estimate, exact

Factor = Estimate | float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One step of the chain: what it is multiplied by (None for a sum) and the kWh a year after it."""

    name: str
    factor: Estimate | None
    kwh_per_year: Estimate


def yearly(
    energy_j: Estimate,
    requests_per_day: float,
    grid: Estimate | None,
    pue: Factor = 1.0,
    *,
    overhead: Factor = 1.0,
    idle_w: Estimate | None = None,
    on_h_per_year: float = units.H_PER_YEAR,
    usd_per_kwh: Factor | None = None,
    usd_per_h: Factor | None = None,
    embodied_g_co2e_per_year: Estimate | None = None,
    turbine_mw: float = units.TURBINE_MW,
    turbine_full_load_h: float = units.TURBINE_FULL_LOAD_H,
) -> Footprint:
    """The yearly footprint of `requests_per_day` calls of `energy_j` joules each.

    `energy_j` is above idle where `idle_w` (watts, all devices together) is given; `grid` is g/kWh and None where the
    place is not known, which leaves CO2e None; `overhead` and `pue` are ratios of at least 1. Dollars are those for
    electricity (`usd_per_kwh`) and for the hours rented (`usd_per_h`); None where neither is given.
    Raises InputError on a count below 0 or a ratio below 1."""
    chain = stages(energy_j, requests_per_day, pue, overhead=overhead, idle_w=idle_w, on_h_per_year=on_h_per_year)
    kwh = chain[-1].kwh_per_year
    carbon = None if grid is None else g_co2e(kwh, grid)
    if carbon is not None and embodied_g_co2e_per_year is not None:
        carbon = carbon + embodied_g_co2e_per_year
    costs = [kwh * usd_per_kwh] if usd_per_kwh is not None else []
    costs += [_estimate(usd_per_h) * on_h_per_year] if usd_per_h is not None else []
    return Footprint(
        energy_j_per_call=energy_j,
        kwh_per_year=kwh,
        g_co2e_per_year=carbon,
        turbine_years=units.turbine_years(kwh, turbine_mw, turbine_full_load_h),
        usd_per_year=sum(costs[1:], costs[0]) if costs else None,
        idle_kwh_per_year=None if idle_w is None else idle_kwh(idle_w, on_h_per_year) * overhead * pue,
        embodied_g_co2e_per_year=embodied_g_co2e_per_year,
    )


def stages(
    energy_j: Estimate,
    requests_per_day: float,
    pue: Factor = 1.0,
    *,
    overhead: Factor = 1.0,
    idle_w: Estimate | None = None,
    on_h_per_year: float = units.H_PER_YEAR,
) -> tuple[Stage, ...]:
    """The chain device, idle, server, facility with the factor of each step; the last is the yearly total (kWh).

    Arguments and errors as in `yearly`."""
    if requests_per_day < 0 or on_h_per_year < 0:
        raise InputError("Requests and hours cannot be negative.", hint="Give 0 or more.")
    calls = units.per_year(requests_per_day)
    device = dynamic_kwh(energy_j, calls)
    idle = exact(0.0) if idle_w is None else idle_kwh(idle_w, on_h_per_year)
    on = device + idle
    server = on * _ratio(overhead, "The overhead of the server")
    facility = server * _ratio(pue, "The PUE")
    return (
        Stage(name="device", factor=exact(calls), kwh_per_year=device),
        Stage(name="idle", factor=None, kwh_per_year=on),
        Stage(name="server", factor=_estimate(overhead), kwh_per_year=server),
        Stage(name="facility", factor=_estimate(pue), kwh_per_year=facility),
    )


def dynamic_kwh(energy_j: Estimate, calls: float) -> Estimate:
    """kWh of this many calls of `energy_j` joules each."""
    return units.kwh_from_j(energy_j) * calls


def idle_kwh(idle_w: Estimate, on_h: float) -> Estimate:
    """kWh a device that is switched on for `on_h` hours takes while it waits (watts)."""
    return units.kwh_from_w(idle_w, on_h)


def fleet_kwh(
    devices: float,
    rated_w: Estimate,
    hours: float,
    *,
    utilisation: Factor = 1.0,
    overhead: Factor = 1.0,
    pue: Factor = 1.0,
) -> Estimate:
    """kWh of a fleet: devices x rated power (W) x utilisation (0 to 1) x hours, x server overhead and PUE (from 1).

    Raises InputError on values outside. Patel and Ahmad 2023 put ChatGPT so: 28,936 x 400 W x 0.5 x 24 h x 1.33."""
    share = _estimate(utilisation)
    if devices < 0 or hours < 0 or not 0 <= share.low <= share.high <= 1:
        raise InputError("Devices and hours start at 0, utilisation lies between 0 and 1.", hint="0.5 means half busy.")
    device = units.kwh_from_w(rated_w, hours) * devices * share
    return device * _ratio(overhead, "The overhead of the server") * _ratio(pue, "The PUE")


def move_ratio(
    pue_from: Factor, pue_to: Factor, utilisation_from: Factor = 1.0, utilisation_to: Factor = 1.0
) -> Estimate:
    """Energy after over before when work moves to another place on the same kind of device: a better PUE and busier
    machines (utilisation 0 to 1, above 0) lower it. Energy alone: the grid of the other place comes on top."""
    busy = [_estimate(utilisation_from), _estimate(utilisation_to)]
    if any(share.low <= 0 or share.high > 1 for share in busy):
        raise InputError("Utilisation lies above 0 and up to 1.", hint="0.5 means half busy.")
    pue = _ratio(pue_to, "The PUE") / _ratio(pue_from, "The PUE")
    return pue * busy[0] / busy[1]


def g_co2e(energy_kwh: Estimate, grid_g_per_kwh: Estimate) -> Estimate:
    """Grams of CO2e of this energy (kWh) on this grid (g/kWh)."""
    return energy_kwh * grid_g_per_kwh


def embodied_g_co2e(device_kg_co2e: Estimate, life_years: float, devices: float = 1.0) -> Estimate:
    """Grams of CO2e a year that making the devices costs, spread evenly over their life.

    `device_kg_co2e` is that of one device, `devices` how many of them are kept for this work (a share may be given).
    Raises InputError where the life is not longer than 0. Method: straight-line allocation, as in EcoLogits and
    Luccioni et al. 2022 (BLOOM: 24.7 t for its dynamic use, 50.5 t with making and idle)."""
    if life_years <= 0:
        raise InputError("A device's life must be longer than 0 years.", hint="Servers are usually kept 4 to 6 years.")
    return device_kg_co2e * (units.G_PER_KG * devices / life_years)


def lifetime_kwh(
    energy_j: Estimate,
    requests_per_day: float,
    service_days: float,
    *,
    load_j: Estimate | None = None,
    loads: int = 1,
    idle_w: Estimate | None = None,
) -> Estimate:
    """kWh of a whole service life: loading the model + calls x energy a call + idle, at the device.

    Doubling the requests doubles the calls' part and leaves loading and idle as they are."""
    if requests_per_day < 0 or service_days < 0 or loads < 0:
        raise InputError("Requests, days and loads cannot be negative.", hint="Give 0 or more.")
    total = dynamic_kwh(energy_j, requests_per_day * service_days)
    if load_j is not None:
        total = total + dynamic_kwh(load_j, loads)
    if idle_w is not None:
        total = total + idle_kwh(idle_w, service_days * units.H_PER_DAY)
    return total


def _estimate(value: Factor) -> Estimate:
    return value if isinstance(value, Estimate) else exact(value)


def _ratio(value: Factor, name: str) -> Estimate:
    ratio = _estimate(value)
    if ratio.low < 1.0:
        raise InputError(f"{name} is {ratio.low:g}; it cannot be below 1.", hint="1 means that nothing is lost.")
    return ratio
