"""The controls of the trends page. Each is bound to the URL, so that an address restores the view."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import streamlit as st

from advisor.trends import filters, fits, grid, rules
from advisor.trends.filters import Filter
from advisor.trends.metrics import ENERGY_UNITS, HARDWARE_FORMATS, METRICS, Metric, in_format, in_unit
from advisor.trends.rows import SETS, rows
from advisor.trends.view import COLOUR_BY

Mine = TypeVar("Mine")
GRID = "grid"
TABS = {
    "compute": "Compute",
    "parameters": "Parameters",
    "data": "Data",
    "cost": "Cost",
    "power": "Power",
    "energy": "Energy",
    "per_watt": "FLOP/s per W",
    "per_usd": "FLOP/s per $",
    GRID: "Grid carbon",
}
FIRST_YEAR, LAST_YEAR = 1950, 2027
URL: dict[str, Any] = {"bind": "query-params"}
LABELS = {
    "domains": "Domain",
    "organization_types": "Kind of organisation",
    "countries": "Country",
    "access": "Access to the weights",
    "numerical_formats": "Numerical format",
    "confidence": "Confidence in the estimate",
    "hardware": "Training hardware",
    "manufacturers": "Manufacturer",
}
KEYS = {
    "domains": "domain",
    "organization_types": "organisation",
    "countries": "country",
    "access": "weights",
    "numerical_formats": "format",
    "confidence": "confidence",
    "hardware": "chips",
    "manufacturers": "maker",
}
ERAS = {"one": "One era", "two": "Two eras", "three": "Three eras"}
# name: what the bound widgets are set to. Anything not named goes back to its default.
PRESETS: dict[str, dict[str, Any]] = {
    "Frontier since 2018": {"among": "frontier", "years": (2018, LAST_YEAR)},
    "All notable since 2010": {"among": "notable", "years": (2010, LAST_YEAR)},
    "Three eras, as published in 2022": {
        "among": "sevilla_2022", "years": (FIRST_YEAR, LAST_YEAR), "eras": "three", "breaks": (2010.0, 2015.65),
        "scale": "without low",
    },
    "2022 values against 2026": {"among": "sevilla_2022", "years": (FIRST_YEAR, LAST_YEAR), "vintage": True},
    "Language models": {"among": "notable", "years": (2018, LAST_YEAR), "domain": ["Language"]},
}  # fmt: skip
RESET = ("eras", "breaks", "break", "scale", "vintage", "line", "text", *KEYS.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the controls say."""

    metric: Metric
    among: str
    wanted: Filter
    breaks: tuple[float, ...]
    method: str
    colour_by: str
    log: bool
    levels: bool
    vintage: bool


def tab() -> str:
    """Which quantity is shown."""
    chosen = st.segmented_control(
        "Quantity", list(TABS), default="compute", required=True, format_func=TABS.__getitem__, key="trend",
        label_visibility="collapsed", **URL,
    )  # fmt: skip
    return chosen or "compute"


def chosen(key: str, mine: Callable[[], Mine]) -> tuple[Choice, Mine]:
    """The row of controls above the chart, for every quantity but the grid's; `mine` draws its last field."""
    metric = METRICS[key]
    if key == "compute":
        st.pills("Views", list(PRESETS), key="preset", label_visibility="collapsed", on_change=_apply_preset)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="trend-toolbar"):
        among = _among(metric)
        metric = _variant(metric)
        wanted = _filters(metric, among)
        scale, method, breaks = _lines(metric)
        colour_by, log, levels, vintage = _drawing(metric, among)
        own = mine()
    choice = Choice(
        metric=metric,
        among=among,
        wanted=replace(wanted, scale=scale),
        breaks=breaks,
        method=method,
        colour_by=colour_by,
        log=log,
        levels=levels,
        vintage=vintage,
    )
    return choice, own


def zones() -> tuple[tuple[str, ...], int, int]:
    """The countries and years of the grid chart."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        names = st.multiselect(
            "Countries", grid.zones(), default=list(grid.FIRST_CHOICE), max_selections=7, key="zones", width=620, **URL
        )
        years = grid.history()["year"]
        first, last = int(years.min()), int(years.max())
        span = st.slider("Years", first, last, (first, last), key="grid_years", width=320, **URL)
    return tuple(names), span[0], span[1]


def _apply_preset() -> None:
    name = st.session_state.get("preset")
    if name:
        st.session_state["preset"] = None
        values = PRESETS[name]
        for key in {*RESET, *values}:
            if key in values:  # one that is taken away and set again would not reach the address
                st.session_state[key] = values[key]
            else:
                st.session_state.pop(key, None)


def _among(metric: Metric) -> str:
    if len(metric.sets) == 1:
        return metric.sets[0]
    found = st.selectbox("Rows", metric.sets, format_func=SETS.__getitem__, key="among", width=330, **URL)
    return found or metric.sets[0]


def _variant(metric: Metric) -> Metric:
    if metric.key in ("per_watt", "per_usd"):
        formats = list(HARDWARE_FORMATS) if metric.key == "per_watt" else ["FP16, tensor units where present", "FP32"]
        name = st.selectbox("Number format", formats, key=f"{metric.key}_format", width=290, **URL)
        return metric if name == formats[0] else in_format(metric, name)
    if metric.key == "energy":
        unit = st.selectbox("Unit", ENERGY_UNITS, key="unit", width=190, **URL)
        if unit == "t CO2e":
            zone = st.selectbox("Grid", grid.zones(), index=grid.zones().index("World"), key="zone", width=200, **URL)
            return in_unit(metric, unit, grid.latest_g_per_kwh(zone)[0])
        return in_unit(metric, unit)
    return metric


def _filters(metric: Metric, among: str) -> Filter:
    active = sum(bool(st.session_state.get(key)) for key in (*KEYS.values(), "text"))
    with st.popover(f"Filters ({active})" if active else "Filters", icon=":material/filter_list:"):
        span = st.slider("Years", FIRST_YEAR, LAST_YEAR, _span(metric), key="years", **URL)
        text = st.text_input("Name, task or organisation holds", key="text", **URL)
        picked = {field: _picked(among, field) for field in LABELS}
    return Filter(from_year=_from(span[0]), to_year=float(span[1]), text=text, **picked)


def _from(year: int) -> float:
    return float("-inf") if year <= FIRST_YEAR else float(year)


def _span(metric: Metric) -> tuple[int, int]:
    return (2010 if metric.sets != ("hardware",) else 2008, LAST_YEAR)


def _picked(among: str, field: str) -> tuple[str, ...]:
    offered = filters.options_of(among, field)
    if len(offered) < 2:
        return ()
    return tuple(st.multiselect(LABELS[field], offered, key=KEYS[field], placeholder="Any", **URL))


def _lines(metric: Metric) -> tuple[str, str, tuple[float, ...]]:
    with st.popover("Lines", icon=":material/show_chart:"):
        method = st.segmented_control(
            "Fit", list(fits.METHODS), default="least squares", required=True, format_func=fits.METHODS.__getitem__,
            key="line", **URL,
        )  # fmt: skip
        scale = "all"
        if metric.key == "compute":
            scale = st.selectbox(
                "Scale, by the z rule of 2022", list(rules.SCALES), format_func=rules.SCALES.__getitem__, key="scale",
                help="A system is compared with all others within a year of it.", **URL,
            )  # fmt: skip
        eras = st.segmented_control(
            "Eras", list(ERAS), default="one", required=True, format_func=ERAS.__getitem__, key="eras", **URL
        )
        # Both are always there: a slider that a preset sets before it is first drawn would not reach the address.
        ends = (float(FIRST_YEAR), float(LAST_YEAR))
        one = st.slider("A second era begins in", *ends, 2018.0, step=0.05, key="break", disabled=eras != "two", **URL)
        two = st.slider(
            "Three eras: they begin in", *ends, (2010.0, 2018.0), step=0.05, key="breaks", disabled=eras != "three",
            **URL,
        )  # fmt: skip
    breaks = {"two": (one,), "three": tuple(two)}.get(eras or "one", ())
    return scale or "all", method or "least squares", breaks


def _drawing(metric: Metric, among: str) -> tuple[str, bool, bool, bool]:
    with st.popover("Show", icon=":material/tune:"):
        frame = rows(among)
        offered = [name for name, column in COLOUR_BY.items() if column in frame]
        colour_by = offered[0] if offered else "Domain"
        if len(offered) > 1:
            colour_by = st.selectbox("Colour by", offered, key="colour", **URL) or colour_by
        log = st.toggle("Logarithmic axis", value=True, key="log", **URL)
        levels = vintage = False
        if metric.key == "compute":
            levels = st.toggle("Regulation thresholds", value=True, key="rules", **URL)
        if among.startswith("sevilla"):
            vintage = st.toggle("Tie values of 2022 to those of 2026", key="vintage", **URL)
    return colour_by, log, levels, vintage
