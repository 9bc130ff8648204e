"""Data frames for the eye: headings from column names, units in the heading, fractions as percent."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from data.text import plain

# suffix of the column: (unit in the heading, format of the number).
UNITS = {
    "_ms": ("ms", "%.3g"),
    "_s": ("s", "%.3g"),
    "_j": ("J", "%.3g"),
    "_kwh": ("kWh", "%.3g"),
    "_kwh_per_year": ("kWh a year", "%.3g"),
    "_g_co2e": ("g CO₂e", "%.3g"),
    "_g_co2e_per_year": ("g CO₂e a year", "%.3g"),
    "_g_per_kwh": ("g CO₂e per kWh", "%.0f"),
    "_bytes": ("", "bytes"),
    "_flop": ("", "compact"),
    "_count": ("", "localized"),
    "_frac": ("", "percent"),
    "_usd": ("US$", "%.2f"),
    "_usd_per_year": ("US$ a year", "localized"),
    "_w": ("W", "%.3g"),
}


def heading(column: str) -> str:
    """ "latency_p95_ms" is "Latency p95 (ms)"."""
    suffix = _suffix(column)
    words = column.removesuffix(suffix).replace("_", " ").strip() or column.replace("_", " ")
    unit = UNITS[suffix][0] if suffix else ""
    title = (words[:1].upper() + words[1:]).replace("Co2e", "CO₂e").replace("Sha256", "SHA-256")
    return f"{title} ({unit})" if unit else title


def _suffix(column: str) -> str:
    return max((end for end in UNITS if column.endswith(end)), key=len, default="")


def columns(frame: pd.DataFrame, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Streamlit's column settings for every column of the frame; `more` replaces some of them."""
    settings: dict[str, Any] = {}
    for column in frame.columns:
        suffix = _suffix(column)
        if suffix and pd.api.types.is_numeric_dtype(frame[column]):
            settings[column] = st.column_config.NumberColumn(heading(column), format=UNITS[suffix][1])
        else:
            settings[column] = st.column_config.Column(heading(column))
    return {**settings, **(more or {})}


def bar(title: str, largest: float = 1.0) -> Any:
    """A column of bars for fractions up to `largest`."""
    return st.column_config.ProgressColumn(title, format="percent", min_value=0.0, max_value=largest)


def show(
    frame: pd.DataFrame,
    *,
    key: str,
    alt: str,
    order: Sequence[str] | None = None,
    more: Mapping[str, Any] | None = None,
    **layout: Any,
) -> Any:
    """The frame as a table; text in it is cut to one plain line."""
    clean = frame.copy()
    for column in clean.columns:
        if not pd.api.types.is_numeric_dtype(clean[column]) and not pd.api.types.is_bool_dtype(clean[column]):
            clean[column] = clean[column].map(lambda value: value if value is None else plain(value))
    return st.dataframe(
        clean,
        key=key,
        alt=alt,
        hide_index=True,
        column_order=order,
        column_config=columns(clean, more),
        **layout,
    )
