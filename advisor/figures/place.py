"""Charts of a placement: the regions by the carbon of their grid, and cost against CO2e."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from advisor.figures.style import blank, colours, label, log_ticks
from data import units, words
from data.tables import regions, zones

FEASIBLE, OTHER = "Meets the limits", "Misses a limit"
MOST_DOTS = 800
# Clean to dirty, in each mode: dark enough on white, light enough on black; the number stands in the hover text.
SCALES = {
    "light": [[0.0, "#0B7A6B"], [0.45, "#C9A227"], [1.0, "#8A2B1A"]],
    "dark": [[0.0, "#35C2AD"], [0.45, "#E6C34A"], [1.0, "#E0664E"]],
}


def region_rows(ranked: pd.DataFrame) -> pd.DataFrame:
    """Every region with a known place: grams a kWh of its grid and the best that meets the limits there (or None)."""
    grid = {one.zone_id: one for one in zones()}
    needed = ranked[["provider", "region_id", "instance_type", "answer_ms"]]
    best = needed.dropna(subset=["region_id"]).drop_duplicates(["provider", "region_id"])
    first = {(row["provider"], row["region_id"]): row for row in best.to_dict("records")}
    found = []
    for one in regions():
        at, row = grid.get(one.zone_id or ""), first.get((one.provider, one.region_id))
        if one.latitude is None or one.longitude is None:
            continue
        found.append({
            "region": f"{one.provider} {one.region_id}", "place": one.location or one.name,
            "grid_g_per_kwh": at.g_per_kwh if at else None, "meets_the_limits": row is not None,
            "instance": row["instance_type"] if row else None, "answer_ms": row["answer_ms"] if row else None,
            "longitude": one.longitude, "latitude": one.latitude,
        })  # fmt: skip
    return pd.DataFrame(found)


def region_map(
    rows: pd.DataFrame, mode: str, best: str | None = None, users: Sequence[tuple[float, float]] = ()
) -> go.Figure:
    """The regions over longitude and latitude, coloured by their grid; faint dots are the grids of the world, crosses
    the users. Rows: those of `region_rows`; `best` is the region to name; users are (latitude, longitude)."""
    tint, figure = colours(mode), blank(mode, height=420, legend=True)
    world = [one for one in zones() if one.latitude is not None]
    figure.add_scatter(
        x=[one.longitude for one in world], y=[one.latitude for one in world], mode="markers", hoverinfo="skip",
        marker={"size": 4, "color": tint["grey"], "opacity": 0.45}, showlegend=False,
    )  # fmt: skip
    for name in (OTHER, FEASIBLE):
        part = rows[rows["meets_the_limits"] == (name == FEASIBLE)]
        if len(part):
            figure.add_trace(_regions(part, name, mode))
            figure.add_scatter(x=[None], y=[None], mode="markers", name=name, marker=_key(name, mode))
    if users:
        figure.add_scatter(
            x=[place[1] for place in users], y=[place[0] for place in users], mode="markers", name="Users",
            marker={"size": 11, "symbol": "cross", "color": tint["ink"], "line": {"width": 1, "color": tint["card"]}},
            hovertemplate="Users<extra></extra>",
        )  # fmt: skip
    for row in rows[rows["region"] == best].to_dict("records"):
        figure.add_annotation(
            x=row["longitude"], y=row["latitude"], text=label(best), showarrow=True, arrowcolor=tint["ink"], ay=-32,
            ax=0, bgcolor=tint["card"], bordercolor=tint["line"], font={"color": tint["ink"]},
        )  # fmt: skip
    _as_map(figure, mode, rows)
    return figure


def _regions(part: pd.DataFrame, name: str, mode: str) -> go.Scatter:
    tint, meets = colours(mode), name == FEASIBLE
    return go.Scatter(
        x=part["longitude"], y=part["latitude"], mode="markers", name=name, showlegend=False,
        marker={
            "size": 13 if meets else 7, "symbol": "circle" if meets else "x-thin", "opacity": 1.0,
            "color": part["grid_g_per_kwh"], "coloraxis": "coloraxis",
            "line": {"width": 1.5, "color": tint["card"] if meets else tint["greyline"]},
        },
        hovertext=[
            f"<b>{label(row['region'])}</b> {label(row['place'])}<br>{_grid(row)}<br>{_served(row)}"
            for row in _records(part)
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    )  # fmt: skip


def _key(name: str, mode: str) -> dict[str, Any]:
    """The marker that stands in the legend: that of the map takes its colour from the grid."""
    tint, meets = colours(mode), name == FEASIBLE
    return {
        "size": 11 if meets else 7, "symbol": "circle" if meets else "x-thin",
        "color": tint["accent"], "line": {"width": 1.5, "color": tint["card"] if meets else tint["greyline"]},
    }  # fmt: skip


def _grid(row: Mapping[str, Any]) -> str:
    grams = row["grid_g_per_kwh"]
    return "grid not known" if pd.isna(grams) else f"{grams:,.0f} g CO₂e/kWh"


def _served(row: Mapping[str, Any]) -> str:
    return f"{label(row['instance'])}, {words.latency(row['answer_ms'])}" if row["meets_the_limits"] else OTHER.lower()


def _as_map(figure: go.Figure, mode: str, rows: pd.DataFrame) -> None:
    tint = colours(mode)
    most = float(rows["grid_g_per_kwh"].max())
    figure.update_layout(
        coloraxis={
            "colorscale": SCALES[mode], "cmin": 0.0, "cmax": most,
            "colorbar": {
                "title": {"text": "g CO₂e/kWh", "side": "top", "font": {"size": 12, "color": tint["mute"]}},
                "orientation": "h", "thickness": 8, "len": 0.6, "x": 0.5, "y": -0.02, "yanchor": "top",
                "outlinewidth": 0, "tickfont": {"size": 11, "color": tint["mute"]},
            },
        },
    )  # fmt: skip
    figure.update_xaxes(range=[-135, 180], tickvals=list(range(-120, 181, 60)), showticklabels=False, showgrid=True)
    figure.update_yaxes(range=[-48, 72], tickvals=[-30, 0, 30, 60], showticklabels=False)


def front(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that no other beats in both dollars and grams a year, cheapest first."""
    ranked = rows.sort_values(["usd_per_year", "g_co2e_per_year"], kind="stable")
    lowest = ranked["g_co2e_per_year"].cummin().shift(fill_value=float("inf"))
    return ranked[ranked["g_co2e_per_year"] < lowest]


def cost_carbon(rows: pd.DataFrame, mode: str) -> go.Figure:
    """Dollars against CO2e a year, both better when smaller; the line joins those nothing beats in both. Rows:
    placement, usd_per_year, g_co2e_per_year."""
    tint, figure = colours(mode), blank(mode, height=420, legend=True)
    best = front(rows)
    for part, name, marker in (
        (rows.head(MOST_DOTS), "Candidates", {"size": 6, "color": tint["grey"], "opacity": 0.6}),
        (best, "Nothing beats these in both", {"size": 10, "color": tint["accent"]}),
    ):
        figure.add_scatter(
            x=part["usd_per_year"], y=part["g_co2e_per_year"] / units.G_PER_KG, name=name, marker=marker,
            mode="markers" if part is not best else "lines+markers",
            line={"color": tint["accent"], "width": 1.5, "shape": "hv"},
            hovertext=[
                f"<b>{label(row['placement'], 60)}</b><br>{words.usd(row['usd_per_year'])} · "
                f"{words.carbon(row['g_co2e_per_year'])} a year"
                for row in _records(part)
            ],
            hovertemplate="%{hovertext}<extra></extra>",
        )  # fmt: skip
    dollars = pd.concat([rows.head(MOST_DOTS)["usd_per_year"], best["usd_per_year"]]).astype(float)
    log_ticks(figure, float(dollars.min()) * 0.85, float(dollars.max()) * 1.15)
    figure.update_xaxes(title="US$ a year", showgrid=True)
    figure.update_yaxes(title="kg CO₂e a year", type="log", dtick=1, tickformat=",~g")
    return figure


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in rows.to_dict("records")]
