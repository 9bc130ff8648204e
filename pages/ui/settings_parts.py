"""The settings: what is in force, where each value comes from, and a form over file and environment."""

from typing import Any

import pandas as pd
import streamlit as st

from data import settings as source
from data import words
from data.settings import DEFAULT, KINDS, OBJECTIVES, Settings
from pages.ui import cards, formats, pickers, state, tables

EXAMPLE = 'zone = "DE"\nsearch_seconds = 60\nusd_per_kwh = 0.28\n\n[g_per_kwh]\nDE = 320'


def settings() -> None:
    """The table of settings with their origins, and the form that sets them from here."""
    with cards.guard("settings"):
        now = source.settings()
        with cards.card("settings", "Settings", "A value set here goes before a variable, a variable before the file."):
            _table(now)
        with cards.card("set", "Change one"):
            _form(now)
    with cards.card(
        "file", "The file", "settings.toml in the folder where data lives; variables are RIGHTSIZE_<NAME>."
    ):
        st.code(EXAMPLE, language="toml")
        st.caption(f"It lies in {formats.name(str(state.app().home.root), 200)}")


def _table(now: Settings) -> None:
    rows = [{"setting": "Where data lives", "name": "RIGHTSIZE_HOME", "value": str(state.app().home.root),
             "comes_from": source.home_origin()}]  # fmt: skip
    rows += [
        {"setting": _title(name), "name": name, "value": _said(getattr(now, name)), "comes_from": now.origins[name]}
        for name in KINDS
    ]
    tables.show(pd.DataFrame(rows), key="settings_rows", alt="Every setting, its value and where it comes from.")


def _title(name: str) -> str:
    return KINDS[name].title.replace("CO2e", "CO₂e")


def _said(value: Any) -> str:
    if value is None or value == {}:
        return "not set"
    if isinstance(value, dict):
        return ", ".join(f"{zone} {words.number(amount)}" for zone, amount in value.items())
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def _form(now: Settings) -> None:
    left, right = st.columns(2)
    name = left.selectbox("Setting", list(KINDS), format_func=_title, key="setting")
    with right:
        value = _input(name, getattr(now, name))
    with st.container(horizontal=True):
        if st.button("Set", type="primary", icon=":material/check:", disabled=value is None):
            _put(name, value)
        ours = now.origins[name] not in (DEFAULT, source.FILE) and not now.origins[name].startswith(source.PREFIX)
        if st.button("Take back", icon=":material/undo:", disabled=not ours):
            _put(name, None)


def _input(name: str, value: Any) -> Any:
    if name == "zone":
        return pickers.zone(key="setting-zone", usual=value)
    if name == "objective":
        return st.selectbox("Value", OBJECTIVES, index=OBJECTIVES.index(value), key="setting-objective")
    if name == "g_per_kwh":
        text = ", ".join(f"{zone}={amount:g}" for zone, amount in value.items())
        return st.text_input("Value", text, placeholder="DE=320, FR=40", key="setting-carbon") or None
    whole = name in ("upload_mb", "memory_mb")
    start = None if value is None else int(value) if whole else float(value)
    return st.number_input("Value", value=start, step=1 if whole else 0.1, key=f"setting-{name}", placeholder="not set")


def _put(name: str, value: Any) -> None:
    with cards.guard("set"):
        source.put(name, value)
        st.rerun()
