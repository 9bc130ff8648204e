"""What the calculators share: the turbine one may type, where it runs, and results in things people know."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from advisor import calculators
from advisor import turbine as turbines
from advisor.site import site
from advisor.turbine import Turbine
from data import energy, own, tables, units, words
from data.estimate import Estimate
from data.settings import put
from data.tables import Device
from pages.ui import cards, pickers, state
from pages.ui import tables as shown

URL: dict[str, Any] = {"bind": "query-params"}
TYPED = "Typed"


def turbine() -> Turbine:
    """The wind turbine energy is told by: typed here, else set, else the reference; what is typed can be set."""
    now = turbines.chosen()
    with st.popover("Turbine", icon=":material/wind_power:"):
        st.caption("Energy is told as the time one wind turbine works for it.")
        mw = st.number_input("Rated power (MW)", 0.001, 100.0, now.rated_mw, 0.5, "%g", key="turbine_mw", **URL)
        hours = st.number_input(
            "Full-load hours a year", 1.0, units.H_PER_YEAR, now.full_load_h, 100.0, "%g", key="turbine_h", **URL,
        )  # fmt: skip
        found = turbines.turbine(mw, hours)
        st.caption(f"{words.energy_kwh(found.kwh_per_year)} a year. The reference: 5 MW onshore, northern Germany.")
        if st.button(
            "Use it everywhere", icon=":material/check:", key="turbine_set", disabled=found == now,
            help="Plans, placements and reports are told by it too. About, Settings takes it back.",
        ):  # fmt: skip
            put("turbine_mw", found.rated_mw)
            put("turbine_h", found.full_load_h)
            st.rerun()
    return found


def carbon(key: str) -> Estimate | None:
    """Grams a kWh: of a zone (your own value where you gave one), or typed; None where neither is said."""
    zone = pickers.zone("Grid", key=f"{key}_zone", own_too=True)
    grams = st.number_input(
        "or g CO₂e/kWh", 0.0, 2_500.0, None, 10.0, key=f"{key}_grams", placeholder="of the zone",
        help="A typed value goes before that of the zone.", **URL,
    )  # fmt: skip
    if grams is not None:
        return calculators.typed(grams)
    return site(zone, state.app().store).g_per_kwh if zone else None


def _usual_overheads(key: str) -> dict[str, float]:
    named = {f"{key}_overhead": "server_overhead_s0", f"{key}_pue": "pue_industry_2024"}
    return {name: energy.equivalent(equivalent).value for name, equivalent in named.items()}


def overheads(key: str, server: str) -> tuple[float, float]:
    """What the server adds around the chips, and the building around the server."""
    usual = _usual_overheads(key)
    overhead = st.number_input(
        server, 1.0, 3.0, usual[f"{key}_overhead"], 0.01, "%g", key=f"{key}_overhead",
        help="Memory, processors, fans around the chips: +33 % in the talk.", **URL,
    )  # fmt: skip
    pue = st.number_input(
        "PUE of the building", 1.0, 3.0, usual[f"{key}_pue"], 0.01, "%g", key=f"{key}_pue",
        help="1.56 is the average of the world's data centres; large clouds report about 1.1.", **URL,
    )  # fmt: skip
    return overhead, pue


def device(key: str, usual: str) -> Device | None:
    """A chip of the catalogue or of your own; None for one that is typed."""
    known = {one.device_id: one for one in calculators.trainable(own.devices(state.app().store))}
    names = {name: f"{one.name} (yours)" if one.yours else one.name for name, one in known.items()}
    picked = st.selectbox(
        "Chip", [TYPED, *known], index=1 + list(known).index(usual), format_func=lambda name: names.get(name, name),
        key=f"{key}_chip", **URL,
    )  # fmt: skip
    return known.get(picked or TYPED)


def preset(key: str, label: str, known: Mapping[str, Mapping[str, Any]], usual: Mapping[str, Any]) -> str | None:
    """Pills that fill the widgets: to the values a preset names, the others to their `usual` ones. The address holds
    the preset's name and whatever was changed after it, so both restore the view."""
    picked = st.pills(label, list(known), key=f"{key}_preset", label_visibility="collapsed", **URL)
    opened = f"{key}_filled" not in st.session_state
    if opened or picked != st.session_state[f"{key}_filled"]:
        st.session_state[f"{key}_filled"] = picked
        if picked or not opened:
            values = {**usual, **_usual_overheads(key), **(known[picked] if picked else {})}
            for name, value in values.items():
                if not (opened and name in st.query_params):  # what the address says goes first
                    st.session_state[name] = value
    return picked


def people_know(key: str, energy_kwh: Estimate, carbon_g_co2e: Estimate | None, by: Turbine) -> None:
    """The same in households, kilometres, flights and charges, each with its factor and its source."""
    sub = f"One turbine is {words.energy_kwh(by.kwh_per_year)} a year."
    sub += " Kilometres and flights need a grid." if carbon_g_co2e is None else ""
    with cards.card(f"{key}-equals", "In things people know", sub):
        rows = calculators.told(energy_kwh, carbon_g_co2e)
        table = pd.DataFrame(
            {
                "what": rows["what"],
                "amount": rows["said"],
                "one_is": rows["one"],
                "source": rows["source"],
            }
        )
        more = {"what": st.column_config.Column("What", width="large")}
        shown.show(table, key=f"{key}_equals", alt="Energy and carbon in things people know.", more=more)


def source_of(found: Estimate) -> str:
    """The title of the source of an estimate, where it is one of the shipped ones."""
    known = {one.id: one.title for one in tables.sources()}
    return known.get(found.source, found.source)
