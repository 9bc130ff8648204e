"""The formulas of the worked examples: each is the public function a calculator uses, told by its middle value."""

from collections.abc import Callable

from advisor import equivalents, footprint, physics, rebound, training
from advisor.surgery import codebook
from data import energy, units
from data.errors import InputError
from data.estimate import Estimate, exact

Value = float | str


def _chip_s(flop: float, flop_per_s: float, utilisation: float) -> Estimate:
    return training.chip_s(flop, flop_per_s, exact(utilisation))


def _run(flop: float, flop_per_s: float, utilisation: float, chip_w: float, pue: float) -> training.Run:
    cluster = training.Cluster(
        chips=1, flop_per_s=flop_per_s, utilisation=exact(utilisation), chip_w=exact(chip_w), pue=exact(pue)
    )
    return training.run(flop, cluster)


def _run_kwh(flop: float, flop_per_s: float, utilisation: float, chip_w: float, pue: float) -> float:
    return _run(flop, flop_per_s, utilisation, chip_w, pue).energy_kwh.mid


def _run_g(
    flop: float, flop_per_s: float, utilisation: float, chip_w: float, pue: float, grid_g_per_kwh: float
) -> Estimate:
    run = _run(flop, flop_per_s, utilisation, chip_w, pue)
    return footprint.g_co2e(run.energy_kwh, exact(grid_g_per_kwh))


def _km(
    flop: float,
    flop_per_s: float,
    utilisation: float,
    chip_w: float,
    pue: float,
    grid_g_per_kwh: float,
    equivalent: str,
) -> float:
    carbon = _run_g(flop, flop_per_s, utilisation, chip_w, pue, grid_g_per_kwh)
    return equivalents.of_carbon(carbon, equivalent).amount.mid


def _fleet_kwh(devices: float, rated_w: float, utilisation: float, overhead: float) -> Estimate:
    return footprint.fleet_kwh(devices, exact(rated_w), units.H_PER_DAY, utilisation=utilisation, overhead=overhead)


def _fleet_turbines(devices: float, rated_w: float, utilisation: float, overhead: float) -> float:
    return units.turbine_years(units.per_year(_fleet_kwh(devices, rated_w, utilisation, overhead).mid))


def _power_time_kwh(hours: float, rated_w: float, overhead: float) -> Estimate:
    return footprint.fleet_kwh(1.0, exact(rated_w), hours, overhead=overhead)


def _power_time_t(hours: float, rated_w: float, overhead: float, grid_g_per_kwh: float) -> float:
    return units.t_from_g(footprint.g_co2e(_power_time_kwh(hours, rated_w, overhead), exact(grid_g_per_kwh))).mid


def _nameplate(system: str) -> float:
    for run in energy.trainings():
        if run.system == system and run.nameplate_kwh and run.energy_kwh:
            return run.nameplate_kwh / run.energy_kwh
    raise InputError(f"Nameplate and reported energy of {system} are not both known.")


FORMULAS: dict[str, Callable[..., float]] = {
    "turbine_gwh": lambda rated_mw, full_load_h: units.turbine_kwh_per_year(rated_mw, full_load_h) / units.KWH_PER_GWH,
    "turbine_household_kwh": lambda rated_mw, full_load_h, equivalent: (
        units.turbine_kwh_per_year(rated_mw, full_load_h) / energy.equivalent(equivalent).value
    ),
    "turbine_years": lambda energy_kwh: units.turbine_years(energy_kwh),
    "turbine_weeks": lambda energy_kwh: units.turbine_weeks(energy_kwh),
    "chip_s": lambda flop, flop_per_s, utilisation: _chip_s(flop, flop_per_s, utilisation).mid,
    "chip_days": lambda flop, flop_per_s, utilisation: units.days_from_s(_chip_s(flop, flop_per_s, utilisation)).mid,
    "wall_days": lambda flop, flop_per_s, utilisation, chips: (
        units.days_from_s(_chip_s(flop, flop_per_s, utilisation)).mid / chips
    ),
    "chips_needed": lambda flop, flop_per_s, utilisation, days: (
        training.chips_needed(_chip_s(flop, flop_per_s, utilisation), days).mid
    ),
    "run_kwh": _run_kwh,
    "run_mwh": lambda flop, flop_per_s, utilisation, chip_w, pue: units.mwh_from_kwh(
        _run_kwh(flop, flop_per_s, utilisation, chip_w, pue)
    ),
    "run_j": lambda flop, flop_per_s, utilisation, chip_w, pue: units.j_from_kwh(
        _run_kwh(flop, flop_per_s, utilisation, chip_w, pue)
    ),
    "run_kg": lambda flop, flop_per_s, utilisation, chip_w, pue, grid_g_per_kwh: (
        units.kg_from_g(_run_g(flop, flop_per_s, utilisation, chip_w, pue, grid_g_per_kwh)).mid
    ),
    "run_km": _km,
    "moon_trips": lambda distance_km: distance_km / (2 * energy.equivalent("moon_km").value),
    "fleet_mwh_per_day": lambda devices, rated_w, utilisation, overhead: (
        units.mwh_from_kwh(_fleet_kwh(devices, rated_w, utilisation, overhead)).mid
    ),
    "fleet_turbine_years_per_day": lambda devices, rated_w, utilisation, overhead: (
        units.turbine_years(_fleet_kwh(devices, rated_w, utilisation, overhead)).mid
    ),
    "fleet_turbines": _fleet_turbines,
    "power_time_mwh": lambda hours, rated_w, overhead: (
        units.mwh_from_kwh(_power_time_kwh(hours, rated_w, overhead)).mid
    ),
    "power_time_turbine_h": lambda hours, rated_w, overhead: (
        units.h_from_s(units.turbine_s(_power_time_kwh(hours, rated_w, overhead))).mid
    ),
    "power_time_t": _power_time_t,
    "with_idle_mwh": lambda dynamic_kwh, idle_kwh: units.mwh_from_kwh(dynamic_kwh + idle_kwh),
    "device_years": lambda devices, days: units.years_from_days(devices * days),
    "t_per_year": lambda kg_per_day: units.t_from_g(units.per_year(kg_per_day) * units.G_PER_KG),
    "training_flop": lambda parameters, tokens: training.training_flop(parameters, tokens),
    "flop_of_tokens": lambda tokens, flop_per_token: tokens * flop_per_token,
    "pflops_days": lambda flop: units.pflops_days_from_flop(flop),
    "weights_gb": lambda parameters, bits: units.gb_from_bytes(parameters * bits / units.BITS_PER_BYTE),
    "weights_gib": lambda parameters, bits: units.gib_from_bytes(parameters * bits / units.BITS_PER_BYTE),
    "effective_bits": lambda file_bytes, parameters: file_bytes * units.BITS_PER_BYTE / parameters,
    "plus_gb": lambda file_gb, flat_gb: file_gb + flat_gb,
    "two_part_chip_h": lambda chips, hours, tail_chips, tail_hours: chips * hours + tail_chips * tail_hours,
    "usd": lambda chip_h, usd_per_chip_h: chip_h * usd_per_chip_h,
    "utilisation": lambda flop, chip_h, flop_per_s: training.utilisation_frac(flop, chip_h, flop_per_s),
    "energy_ratio": lambda operation, node_nm: physics.energy_ratio(operation, node_nm=int(node_nm)),
    "area_ratio": lambda operation: physics.area_ratio(operation),
    "node_ratio": lambda operation, dtype: physics.node_ratios()[operation, dtype],
    "node_ratio_mean": lambda left_out: physics.node_ratio_mean((left_out,)),
    "fetch_in_multiplies": lambda node_nm: physics.fetch_in_multiplies(node_nm=int(node_nm)),
    "codebook_ratio": lambda weights, weight_bits, code_bits: (
        weights * weight_bits / codebook.payload_bits(int(weights), int(code_bits))
    ),
    "gain_kept": lambda student, teacher, baseline: (student - baseline) / (teacher - baseline),
    "growth_ratio": lambda doubling_months, months: units.growth_ratio(doubling_months, months),
    "doubling_months": lambda ratio, months: units.doubling_months(ratio, months),
    "rebound_energy": lambda efficiency_gain, elasticity: rebound.energy_ratio(efficiency_gain, elasticity),
    "rebound": lambda efficiency_gain, elasticity: rebound.rebound_frac(efficiency_gain, elasticity),
    "nameplate": _nameplate,
    "nameplate_median": lambda: training.nameplate_ratio().mid,
    "share": lambda part, whole: part / whole,
    "product": lambda first, second: first * second,
    "plus_t": lambda first_t, second_t: first_t + second_t,
}
