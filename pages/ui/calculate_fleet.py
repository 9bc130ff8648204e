"""A fleet: devices x power x load x hours, with the overhead of server and building, a day and a year."""

from typing import Any

import streamlit as st

from advisor import calculators
from advisor.calculators import Fleet
from advisor.turbine import Turbine
from data import units, words
from data.settings import settings
from pages.ui import calculate_parts as parts
from pages.ui import calculate_published, cards
from pages.ui.calculate_parts import TYPED, URL

CHATGPT = "ChatGPT a day"
PRESETS: dict[str, dict[str, Any]] = {
    CHATGPT: {
        "f_devices": 28936, "f_chip": TYPED, "f_watts": 400.0, "f_busy": 50.0, "f_overhead": 1.33, "f_pue": 1.0,
        "f_hours": 24.0,
    },
    "BLOOM, 16 GPUs": {
        "f_devices": 16, "f_chip": "nvidia-a100-sxm4-40gb", "f_busy": 50.0, "f_overhead": 1.0, "f_pue": 1.0,
        "f_hours": 24.0, "f_grams": 57.0,
    },
}  # fmt: skip
USUAL: dict[str, Any] = {
    "f_devices": 100, "f_chip": "nvidia-h100-sxm5-80gb", "f_watts": 400.0, "f_busy": 50.0, "f_hours": units.H_PER_DAY,
    "f_grams": None, "f_zone": None, "f_kwh_usd": None,
}  # fmt: skip


def show() -> None:
    """The inputs, the day, the year, and the same in things people know."""
    preset = parts.preset("f", "Known fleets", PRESETS, USUAL)
    with cards.card("fleet-inputs", "The fleet"):
        found, by = _asked()
    cards.metrics("fleet", _numbers(found))
    parts.people_know("fleet", found.kwh_per_year, found.g_co2e_per_year, by)
    if preset == CHATGPT:
        calculate_published.of_preset(CHATGPT)
    elif preset:
        calculate_published.of_preset("BLOOM")


def _asked() -> tuple[Fleet, Turbine]:
    with st.grid(4, min_column_width=200, gap="small", vertical_alignment="bottom"):
        devices = st.number_input("Devices", 1, 100_000_000, USUAL["f_devices"], key="f_devices", **URL)
        chip = parts.device("f", USUAL["f_chip"])
        if chip is None:
            watts = st.number_input("Power of one (W)", 0.1, 1e5, USUAL["f_watts"], None, "%g", key="f_watts", **URL)
            rated = calculators.typed(watts)
        else:
            rated = calculators.power_of(chip)
        busy = st.number_input("Load (% of rated power)", 0.0, 100.0, USUAL["f_busy"], 5.0, "%g", key="f_busy", **URL)
        hours = st.number_input("Hours a day", 0.0, units.H_PER_DAY, USUAL["f_hours"], 1.0, "%g", key="f_hours", **URL)
        overhead, pue = parts.overheads("f", "Server over devices")
        grid = parts.carbon("f")
        usd = st.number_input(
            "US$ a kWh", 0.0, 100.0, settings().usd_per_kwh, 0.01, key="f_kwh_usd", placeholder="not known", **URL
        )
        by = parts.turbine()
    found = calculators.fleet(
        float(devices), rated, hours_per_day=hours, utilisation=words.fraction(busy), overhead=overhead, pue=pue,
        grid=grid, usd_per_kwh=None if usd is None else calculators.typed(usd), by=by,
    )  # fmt: skip
    return found, by


def _numbers(found: Fleet) -> list[cards.Metric]:
    dollars = found.usd_per_year
    return [
        cards.estimate("Energy a day", found.kwh_per_day, words.KWH),
        cards.estimate(
            "One turbine, for a day of it", found.turbine_years_per_day, words.TURBINE, units.S_PER_YEAR,
            note=f"{words.number(found.turbine_years_per_day.mid)} turbine-years",
        ),
        cards.estimate("Energy a year", found.kwh_per_year, words.KWH),
        cards.Metric(
            label="Turbines all year", value=words.turbines(found.turbines.mid), basis=found.turbines.basis,
            help="How many whole turbines work for this fleet alone.",
        ),
        cards.estimate("CO₂e a year", found.g_co2e_per_year, words.GRAMS,
                       note="" if found.g_co2e_per_year else "choose a grid"),
        cards.Metric(
            label="Electricity a year", value=words.usd(dollars.mid) if dollars else words.NOT_KNOWN,
            basis=dollars.basis if dollars else None, note="" if dollars else "type a price",
        ),
    ]  # fmt: skip
