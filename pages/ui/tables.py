"""Data frames for the eye: headings from column names, numbers in the unit that reads best, fractions as percent."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from data import words
from data.text import csv_cell, plain

# suffix of the column: (ladder of units and the factor to its base, unit where there is no ladder, format).
SCALED: dict[str, tuple[words.Ladder, float]] = {
    "_ms": (words.LATENCY, 1e-3),
    "_s": (words.SECONDS, 1.0),
    "_j": (words.JOULES, 1.0),
    "_kwh": (words.KWH, 1.0),
    "_kwh_per_year": (words.KWH, 1.0),
    "_g_co2e": (words.GRAMS, 1.0),
    "_g_co2e_per_year": (words.GRAMS, 1.0),
    "_bytes": (words.BYTES, 1.0),
    "_flop": (words.FLOP, 1.0),
    "_flop_per_s": (words.FLOP_PER_S, 1.0),
}
PLAIN = {
    "_g_per_kwh": ("g CO₂e/kWh", "%.0f"),
    "_usd": ("US$", "%.2f"),
    "_usd_per_year": ("US$ a year", "localized"),
    "_w": ("W", "%.3g"),
    "_count": ("", "localized"),
    "_frac": ("", "%.3g %%"),
    "_ratio": ("×", "%.3f"),
    "_per_s": ("/s", "%.4g"),
    "_flop_per_byte": ("FLOP/byte", "%.3g"),
}
# Columns whose name alone would not make a heading.
HEADINGS = {
    "op": "Kind", "flop": "FLOP", "flop_per_s": "Speed", "parameter_count": "Parameters", "layers_count": "Layers",
    "weight_bytes": "Weights", "moved_bytes": "Moved", "intensity_flop_per_byte": "Intensity", "bound": "Bound by",
    "flop_frac": "Share of FLOP", "time_frac": "Share of time",
}  # fmt: skip
WIDE_RATIO = 1e4  # a column that spans more is shown in the unit of its middle value, with all its digits
SUFFIXES = sorted([*SCALED, *PLAIN], key=len, reverse=True)


def suffix(column: str) -> str:
    """The unit a column's name ends in, or nothing."""
    return next((end for end in SUFFIXES if f"_{column}".endswith(end)), "")


def heading(column: str, unit: str = "") -> str:
    """ "latency_p95_ms" in ms is "Latency p95 (ms)"."""
    stem = f"_{column}".removesuffix(suffix(column)).strip("_") or suffix(column).strip("_")
    title = HEADINGS.get(column) or stem[:1].upper() + stem[1:].replace("_", " ")
    title = title.replace("co2e", "CO₂e").replace("Sha256", "SHA-256")
    return f"{title} ({unit})" if unit else title


def prepared(frame: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The frame in the units it is shown in, and Streamlit's settings of its columns."""
    shown, settings = frame.copy(), {}
    for column in frame.columns:
        end = suffix(column)
        numeric = pd.api.types.is_numeric_dtype(frame[column]) and not pd.api.types.is_bool_dtype(frame[column])
        if numeric and end in SCALED and frame[column].notna().any():
            ladder, factor = SCALED[end]
            sizes = frame[column].abs()[frame[column] != 0]
            wide = len(sizes) > 0 and sizes.max() > WIDE_RATIO * sizes.min()
            typical = float(sizes.median() if wide else sizes.max()) if len(sizes) else 0.0
            per_unit, unit = words.rung(typical * factor, ladder)
            shown[column] = frame[column] * factor / per_unit
            ending = f"{unit} a year" if end.endswith("_per_year") else unit
            text_format = "localized" if wide else "%.3g"
            settings[column] = st.column_config.NumberColumn(heading(column, ending), format=text_format)
        elif numeric and end in PLAIN:
            unit, text_format = PLAIN[end]
            shown[column] = frame[column] * 100 if end == "_frac" else frame[column]
            if end == "_usd_per_year" and frame[column].min() >= 1:  # cents, where that is not all there is
                shown[column] = frame[column].round(2)
            settings[column] = st.column_config.NumberColumn(heading(column, unit), format=text_format)
        else:
            settings[column] = st.column_config.Column(heading(column))
            if not numeric:
                shown[column] = frame[column].map(_cell)
    return shown, settings


def _cell(value: Any) -> Any:
    absent = value is None or (isinstance(value, float) and math.isnan(value))  # pandas' absence in a column of text
    return None if absent else value if isinstance(value, bool) else plain(value, 200)


def bar(title: str, largest: float = 100.0, width: str | None = None) -> Any:
    """A column of bars for percentages up to `largest`."""
    return st.column_config.ProgressColumn(
        title,
        format="%.3g %%",
        min_value=0.0,
        max_value=largest,
        width=width,  # type: ignore[arg-type]
    )


def csv(frame: pd.DataFrame) -> str:
    """The frame as CSV, units in the names of its columns; no cell is a formula to a spreadsheet."""
    return str(frame.map(csv_cell).to_csv(index=False))


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
    shown, settings = prepared(frame)
    return st.dataframe(
        shown,
        key=key,
        alt=alt,
        hide_index=True,
        placeholder="–",
        column_order=order,
        column_config={**settings, **(more or {})},
        **layout,
    )
