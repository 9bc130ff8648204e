"""Published figures, recomputed from their own inputs, which can be changed here."""

import pandas as pd
import streamlit as st

from advisor import presets
from advisor.preset_formulas import Value
from advisor.presets import Example
from data import words
from pages.ui import cards, formats, tables
from pages.ui.calculate_parts import URL

UNITS = {
    "_g_per_kwh": "g CO₂e/kWh", "_usd_per_chip_h": "US$ a chip and hour", "_flop_per_s": "FLOP/s", "_kwh": "kWh",
    "_mw": "MW", "_w": "W", "_h": "h", "_nm": "nm", "_gb": "GB", "_bytes": "bytes", "_km": "km", "_t": "t",
}  # fmt: skip
BADGES = {
    "yes": ":green-badge[:material/check: follows]",
    "rounded": ":blue-badge[:material/check: follows when rounded]",
    "no": ":orange-badge[:material/close: does not follow]",
}


def show() -> None:
    """One preset as a table, and one of its figures with inputs to change; then all of them."""
    known = presets.presets()
    count = len(presets.examples())
    follow = sum(one.follows != "no" for one in presets.examples())
    st.caption(f"{count} figures are recomputed with the functions of these pages; {follow} follow from their inputs.")
    picked = st.selectbox("Whose figures", list(known), key="p_preset", **URL)
    of_preset(picked or next(iter(known)))
    _try(known[picked or next(iter(known))])


def of_preset(name: str) -> None:
    """A preset's figures: what follows from the inputs beside what was published, and why where it differs."""
    rows = [
        {
            "figure": one.title,
            "recomputed": said(one.value(), one.unit),
            "published": one.published,
            "follows": presets.FOLLOWS[one.follows],
            "why": one.verdict,
        }
        for one in presets.presets()[name]
    ]
    with cards.card("published", f"Published: {name}", "What follows from its own inputs, and what was printed."):
        more = {
            "figure": st.column_config.Column("Figure", width="medium"),
            "why": st.column_config.Column("Why", width="large"),
        }
        alt = f"Published figures of {name} beside what follows."
        tables.show(pd.DataFrame(rows), key=f"published_{name}", alt=alt, more=more)


def said(value: float, unit: str) -> str:
    """A recomputed figure; large ones to the second decimal, as their sources print them."""
    exact = f"{value:,.2f}".rstrip("0").rstrip(".")
    return f"{exact if 1e4 <= value < 1e13 else words.number(value, 4)} {unit}"


def _try(examples: tuple[Example, ...]) -> None:
    with cards.card("try", "Change its inputs", "The function behind the figure, with other numbers."):
        titles = {one.example_id: one.title for one in examples}
        left, right = st.columns([1, 1], gap="large")
        with left:
            picked = st.selectbox("Figure", list(titles), format_func=lambda key: titles.get(key, key), key="p_example")
            found = presets.example(picked or examples[0].example_id)
            changes = {name: _input(found, name, value) for name, value in found.inputs.items()}
        with right, cards.guard("try"):
            st.metric("What follows", said(found.value(changes), found.unit))
            st.markdown(f"Published: **{formats.name(found.published) or 'nothing'}** {BADGES[found.follows]}")
            if found.verdict:
                st.caption(formats.name(found.verdict, 300))


def _title(name: str) -> str:
    """ "rated_mw" is "Rated (MW)"."""
    for suffix, unit in UNITS.items():
        if f"_{name}".endswith(suffix):
            return f"{name.removesuffix(suffix).replace('_', ' ').capitalize()} ({unit})"
    return name.replace("_", " ").capitalize().replace("Flop", "FLOP").replace("Pue", "PUE")


def _input(found: Example, name: str, value: Value) -> Value:
    title, key = _title(name), f"p-{found.example_id}-{name}"
    if isinstance(value, str):
        st.text_input(title, value, key=key, disabled=True)
        return value
    return float(st.number_input(title, value=float(value), key=key, format="%.6g"))
