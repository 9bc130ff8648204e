"""Rows of the user's own: a device, the carbon of a zone, a price; added here, marked "yours", kept in the store."""

import json

import pandas as pd
import streamlit as st

from data import own, tables
from data.errors import InputError
from pages.ui import cards, state
from pages.ui import tables as shown

KINDS = ("gpu", "tpu", "npu", "cpu")
NEW = "A zone of my own"


def show() -> None:
    """What is yours, and three forms to add to it."""
    _listed()
    with st.grid(3, min_column_width=320, gap="small"):
        with cards.card("own-device", "A device", "A candidate on Place, and offered in the calculators."):
            _device()
        with cards.card("own-zone", "Carbon of a zone", "Goes before the shipped value in plans, places, calculators."):
            _zone()
        with cards.card("own-price", "A price", "Goes before the shipped one on Place, and when you train there."):
            _price()


def _listed() -> None:
    rows = state.ask("own_rows")
    with cards.card("own", "Yours", "Kept in your store and nowhere else."):
        if rows.empty:
            cards.nothing_yet("own", "Nothing of yours yet", todo="Add a device, a zone or a price below.",
                              icon=":material/edit_note:")  # fmt: skip
            return
        table = pd.DataFrame(
            {
                "what": rows["what"],
                "name": rows["name"],
                "added": rows["created_at"].str[:16].str.replace("T", " "),
                "values": [_values(text) for text in rows["row"]],
            }
        )
        shown.show(table, key="own_rows", alt="Devices, zone values and prices of your own.")
        named = [f"{what}/{name}" for what, name in zip(rows["what"], rows["name"], strict=True)]
        left, right = st.columns([3, 1], vertical_alignment="bottom")
        picked = left.selectbox("Forget one", named, key="own_remove")
        if right.button("Forget", icon=":material/delete:", key="own_forget", width="stretch") and picked:
            kind, _, name = picked.partition("/")
            own.remove(state.app().store, kind, name)
            st.rerun()


def _values(text: str) -> str:
    hidden = ("name", "yours", "source", "source_ids", "source_id", "device_id", "zone_id", "basis")
    return ", ".join(f"{name} {value}" for name, value in json.loads(text).items() if name not in hidden)


def _device() -> None:
    with st.form("own-device-form", border=False, clear_on_submit=True):
        name = st.text_input("Name", max_chars=60, key="own_device_name")
        kind = st.selectbox("Kind", KINDS, key="own_device_kind")
        row = st.columns(2)
        watts = row[0].number_input("Rated power (W)", 0.0, 1e5, None, key="own_device_w")
        fp16 = row[1].number_input("FP16, dense (TFLOP/s)", 0.0, 1e5, None, key="own_device_fp16")
        fp32 = row[0].number_input("FP32 (TFLOP/s)", 0.0, 1e5, None, key="own_device_fp32")
        int8 = row[1].number_input("INT8, dense (TOP/s)", 0.0, 1e5, None, key="own_device_int8")
        memory = row[0].number_input("Memory (GiB)", 0.0, 1e5, None, key="own_device_gib")
        speed = row[1].number_input("Bandwidth (GB/s)", 0.0, 1e5, None, key="own_device_gbs")
        pue = st.number_input(
            "PUE of where it stands", 1.0, 3.0, None, 0.05, key="own_device_pue", placeholder="the world's average",
            help="What the building draws over what its machines draw: 1 is a desk without cooling.",
        )  # fmt: skip
        if st.form_submit_button("Add", icon=":material/add:", key="own_device_add"):
            with cards.guard("own-device"):
                made = own.device_of(
                    name, str(kind), tdp_w=watts or None, fp16_tflop_per_s=fp16 or None, fp32_tflop_per_s=fp32 or None,
                    int8_top_per_s=int8 or None, memory_gib=memory or None, memory_gb_per_s=speed or None,
                    pue=pue,
                )  # fmt: skip
                own.add_device(state.app().store, made)
                st.rerun()


def _zone() -> None:
    known = {zone.zone_id: zone.name for zone in tables.zones()}
    with st.form("own-zone-form", border=False, clear_on_submit=True):
        order, titles = [NEW, *sorted(known, key=known.__getitem__)], {NEW: NEW, **known}
        picked = st.selectbox("Zone", order, index=None, format_func=titles.__getitem__, key="own_zone_id")
        name = st.text_input("Its name, for one of your own", max_chars=60, key="own_zone_name")
        grams = st.number_input("g CO₂e/kWh", 0.0, 2_500.0, None, key="own_zone_g")
        if st.form_submit_button("Add", icon=":material/add:", key="own_zone_add"):
            with cards.guard("own-zone"):
                if picked is None or grams is None:
                    raise InputError("A zone and its grams are needed.", hint="Choose the zone and type g CO₂e a kWh.")
                zone_id = name.strip() if picked == NEW else picked
                own.add_zone(state.app().store, zone_id, grams, name=name.strip())
                st.rerun()


def _price() -> None:
    mine = own.yours(state.app().store).devices
    providers = [*sorted({one.provider for one in tables.instances()}), *([own.SOURCE] if mine else [])]
    provider = st.selectbox("Provider", providers, key="own_price_provider")
    instances = sorted({one.instance_type for one in tables.instances() if one.provider == provider})
    regions = sorted(one.region_id for one in tables.regions() if one.provider == provider)
    if provider == own.SOURCE:
        instances, regions = [one.device_id for one in mine], [own.AT_HERE]
    with st.form("own-price-form", border=False):
        instance = st.selectbox("Instance", instances, key="own_price_instance")
        region = st.selectbox("Region", regions, key="own_price_region")
        row = st.columns(2)
        usd = row[0].number_input("US$ an hour", 0.0, 1e5, None, key="own_price_usd")
        spot = row[1].number_input("Spot, US$ an hour", 0.0, 1e5, None, key="own_price_spot")
        if st.form_submit_button("Add", icon=":material/add:", key="own_price_add"):
            with cards.guard("own-price"):
                if usd is None or instance is None or region is None:
                    raise InputError("An instance, a region and a price are needed.", hint="Type US$ an hour.")
                own.add_price(state.app().store, str(provider), instance, region, usd, spot)
                st.rerun()
