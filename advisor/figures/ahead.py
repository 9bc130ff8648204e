"""Charts of the coming years of a placed service, and of the hours of a grid's day."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from advisor.figures.style import blank, colours, dash
from advisor.placement.types import YearAhead
from data import units, words
from data.estimate import Estimate


def year_rows(years: Sequence[YearAhead]) -> pd.DataFrame:
    """A row a year: years_ahead, demand_ratio, and energy (kWh a year) with low and high: as it is, with the plan, on
    newer hardware; turbine_s, g_co2e_per_year."""
    return pd.DataFrame([
        {
            "years_ahead": one.years_ahead, "demand_ratio": one.demand_ratio.mid, **_ends("original", one.kwh_before),
            **_ends("plan", one.kwh_after), **_ends("renewed", one.kwh_renewed),
            "turbine_s": one.turbine_years.mid * units.S_PER_YEAR,
            "carbon_g_co2e_per_year": one.g_co2e.mid if one.g_co2e else None,
        }
        for one in years
    ]).dropna(axis="columns", how="all")  # fmt: skip


def _ends(name: str, value: Estimate | None) -> dict[str, float | None]:
    ends = ("low", "mid", "high")
    return {
        (f"{name}_kwh_per_year" if end == "mid" else f"{name}_{end}_kwh_per_year"): getattr(value, end, None)
        for end in ends
    }


def years(found: Sequence[YearAhead], mode: str) -> go.Figure:
    """Energy a year over the coming years, with bands: the original, with the plan, and the plan on newer hardware."""
    tint, figure = colours(mode), blank(mode, height=360, legend=True)
    most = max(one.kwh_before.high for one in found)
    factor, unit = words.rung(most, words.KWH)
    lines = [("As it is", [one.kwh_before for one in found], tint["greyline"])]
    planned = [one.kwh_after for one in found if one.kwh_after is not None]
    if len(planned) == len(found):
        lines.append(("With the plan", planned, tint["series"][1]))
    lines.append(("On newer hardware", [one.kwh_renewed for one in found], tint["accent"]))
    ahead = [one.years_ahead for one in found]
    for place, (name, values, colour) in enumerate(lines):
        band = [one.low / factor for one in values] + [one.high / factor for one in reversed(values)]
        figure.add_scatter(
            x=[*ahead, *reversed(ahead)], y=band, fill="toself", mode="none", fillcolor=colour, opacity=0.14,
            hoverinfo="skip", showlegend=False,
        )  # fmt: skip
        figure.add_scatter(
            x=ahead, y=[one.mid / factor for one in values], name=name, mode="lines+markers",
            line={"color": colour, "width": 2.2, "dash": dash(place)}, marker={"size": 6, "color": colour},
            hovertext=[f"<b>{name}</b><br>{words.interval(one, words.KWH)} a year" for one in values],
            hovertemplate="%{hovertext}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title="Years from now", dtick=1)
    figure.update_yaxes(title=f"{unit} a year", type="log", tickformat=",~g")
    return figure


def hours(rows: pd.DataFrame, mode: str, first_hour: int, hours_count: int) -> go.Figure:
    """Carbon a kWh by hour of the day with the band of its days; the cleanest hours are shaded. Rows: hour_local,
    g_per_kwh, low_g_per_kwh, high_g_per_kwh."""
    tint, figure = colours(mode), blank(mode, height=320, legend=False)
    x = rows["hour_local"].to_list()
    figure.add_scatter(
        x=[*x, *reversed(x)], y=[*rows["high_g_per_kwh"], *reversed(rows["low_g_per_kwh"].to_list())], fill="toself",
        mode="none", fillcolor=tint["grey"], opacity=0.35, hoverinfo="skip",
    )  # fmt: skip
    figure.add_scatter(
        x=x, y=rows["g_per_kwh"], mode="lines+markers", line={"color": tint["accent"], "width": 2.2},
        marker={"size": 6}, hovertemplate="%{x} h: %{y:,.0f} g CO₂e/kWh<extra></extra>",
    )  # fmt: skip
    spans = [(first_hour, first_hour + hours_count)]
    spans = [(first_hour, 24), (0, first_hour + hours_count - 24)] if spans[0][1] > 24 else spans
    for start, end in spans:
        figure.add_vrect(x0=start - 0.5, x1=end - 0.5, fillcolor=tint["accent"], opacity=0.12, line_width=0)
    figure.update_xaxes(title="Hour of the day, local", dtick=3, range=[-0.5, 23.5])
    figure.update_yaxes(title="g CO₂e/kWh", rangemode="tozero")
    return figure
