"""What the place page is made of: the question, the recommendation, the map, cost against carbon, the candidates."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from advisor import model_frames
from advisor.figures import place as figures_place
from advisor.latency.operators import DTYPES
from advisor.placement.choose import Answer, Traffic, place
from advisor.placement.filters import Filters
from advisor.placement.inputs import candidates as variants
from advisor.placement.inputs import stored_as, this_machine
from advisor.placement.offers import places
from advisor.placement.options import Candidate, Here, options
from advisor.placement.types import Placement
from data import tables, units, words
from data.errors import InputError
from data.settings import settings
from pages.ui import cards, formats, pickers, profile_parts, state, style
from pages.ui import tables as shown
from profiler.machine import machine
from profiler.types import Measurement, Model

GOALS = {"energy": "Least energy", "carbon": "Least CO₂e", "cost": "Least cost", "latency": "Least latency"}
PERCENTILES = (50.0, 90.0, 95.0, 99.0, 99.9)
SHOWN, ALL_ROWS = 50, 20_000
CHANGES_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """The question as the page holds it."""

    traffic: Traffic
    filters: Filters
    objective: str
    dtypes: tuple[str, ...]
    zone: str | None


def question(model: Model) -> Asked:
    """Budget, traffic and users; then filters and what the model computes in."""
    with st.grid(4, min_column_width=150, gap="small"):
        budget = st.number_input(
            "Latency budget (ms)", min_value=0.0, value=100.0, step=10.0, key="place-latency",
            help="From the user's request to the answer: network, queue and device. 0 is no budget.",
        )  # fmt: skip
        percentile = st.selectbox("holds for (%)", PERCENTILES, index=2, format_func="{:g}".format, key="place-percent")
        per_day = st.number_input("Requests a day", min_value=0, value=1_000_000, step=100_000, key="place-day")
        peak = st.number_input("Peak over average", min_value=1.0, value=3.0, step=0.5, key="place-peak")
    objective = st.segmented_control(
        "What counts most", list(GOALS), default="energy", required=True, wrap=True, format_func=GOALS.get,
        key="place-goal",
    )  # fmt: skip
    usual = settings().zone
    left, right = st.columns(2)
    with left:
        users = _users([usual] if usual else [])
    with right:
        here = pickers.zone("This machine's grid zone", key="place-zone", usual=usual)
    filters, dtypes = _filters(model)
    traffic = Traffic(
        requests_per_day=float(per_day), peak_factor=float(peak), budget_ms=budget or None,
        percentile=float(percentile), users_at=tuple(users),
    )  # fmt: skip
    return Asked(traffic, filters, str(objective), dtypes, here)


def _users(usual: list[str]) -> list[str]:
    known = {one.zone_id: one.name for one in tables.zones() if one.latitude is not None}
    return st.multiselect(
        "Where the users are", sorted(known, key=lambda zone: known[zone]), default=[z for z in usual if z in known],
        format_func=lambda zone: known[zone], placeholder="Anywhere: the way to them is not counted", key="place-users",
        help="The farthest counts: great circle, with a factor for the routes of cables.",
    )  # fmt: skip


def _filters(model: Model) -> tuple[Filters, tuple[str, ...]]:
    regions = tables.regions()
    names = {zone.zone_id: zone.name for zone in tables.zones()}
    with (
        st.expander("Provider, country, price and precision", icon=":material/tune:", type="compact"),
        st.grid(4, min_column_width=150, gap="small"),
    ):
        providers = st.multiselect("Providers", sorted({one.provider for one in regions}), placeholder="All")
        known = sorted({str(one.country_iso2) for one in regions if one.country_iso2})
        countries = st.multiselect(
            "Countries", known, placeholder="All", format_func=lambda code: names.get(code, code), key="place-countries"
        )
        usd = st.number_input("At most US$ a year", min_value=0.0, value=None, step=1_000.0, placeholder="any")
        dtypes = st.multiselect(
            "Computes in", DTYPES, default=[stored_as(model)], key=f"place-dtypes-{formats.short(model.sha256)}",
            help="The model's graph predicted in each; what fewer bits do to its answers, the Compress page measures.",
        )  # fmt: skip
    return Filters(
        providers=tuple(providers), countries=tuple(countries), usd_per_year=usd or None
    ), tuple(dtypes)  # fmt: skip


def answered(model: Model, asked: Asked) -> Answer | None:
    """The answer; None where there can be none (which is then said)."""
    with cards.guard("place"):
        if not asked.dtypes:
            raise InputError("Nothing to place.", hint="Choose at least one precision to compute in.")
        runs = profile_parts.newest(model)
        run_id = next((run.id for run in runs if run.workload.batch_size == 1), None)
        version = f"{model.sha256} {model.shapes} {len(model.layers)}"  # a model read again has other shapes
        judged, here, found = _options(model, version, asked.dtypes, run_id, asked.zone)
        return place(
            judged, asked.traffic, objective=asked.objective, filters=asked.filters, here=here, found=found,
            limit=SHOWN, rows=ALL_ROWS,
        )  # fmt: skip
    return None


@st.cache_data(max_entries=16, show_spinner="Predicting it on every device")
def _options(
    _model: Model, version: str, dtypes: tuple[str, ...], run_id: str | None, zone: str | None
) -> tuple[tuple[Candidate, ...], Here, pd.DataFrame]:
    run = state.get(Measurement, run_id)
    judged = variants(_model, dtypes, model_frames.median(run) if run else None)
    here = this_machine(machine(), zone)
    return judged, here, options(judged, here)


def recommendation(found: Answer, asked: Asked) -> None:
    """The best placement in numbers, with what binds, the runner-up and what would change the answer."""
    if not found.placements:
        cards.problem(InputError(found.headline, hint=" ".join(found.would_change)), "place-none")
        return
    best = found.placements[0]
    with cards.hero("place", GOALS[asked.objective], _headline(best), icon=":material/public:"):
        st.markdown("\n".join(f"- {formats.name(text, 240)}" for text in _told(found, best)))
        st.caption(f"{found.feasible_count:,} of {found.considered_count:,} combinations meet every limit.")
    cards.metrics("place", _numbers(best, asked))


def _headline(best: Placement) -> str:
    count = f"{best.replicas:,} × " if best.replicas > 1 else ""
    return formats.name(f"{count}{best.instance} in {where(best)}", 200)


def where(one: Placement) -> str:
    """The region in words: "aws eu-north-1 (Stockholm)"; "here" for this machine."""
    if not one.region:
        return one.provider
    region = tables.region(one.provider, one.region)
    return f"{one.provider} {one.region} ({region.location or region.name})"


def _told(found: Answer, best: Placement) -> list[str]:
    on = best.device_id if not best.region else tables.device(best.device_id).name
    binds = f"What binds: {found.binding_constraint}." if found.binding_constraint else "No limit binds."
    return [
        f"On {on}, in {best.variant_id}, batch {best.batch}; busy {words.percent(best.utilisation_frac)} at the peak.",
        binds, found.runner_up_margin, *found.would_change[:CHANGES_SHOWN], *best.reasons,
    ]  # fmt: skip


def _numbers(best: Placement, asked: Asked) -> list[cards.Metric]:
    turbine = units.turbine_years(best.kwh_per_year)
    percentile = f"p{asked.traffic.percentile:g} with queue and network"
    return [
        cards.estimate("Latency in the device", best.latency_ms, words.LATENCY, 1e-3),
        cards.Metric(
            label="Answer", value=words.latency(best.answer_ms), basis="modelled", note=percentile,
            help="Filling the batch, queue (M/G/c), device and network, at the percentile asked for.",
        ),
        cards.Metric(label="Servers", value=f"{best.replicas:,}", basis="modelled"),
        cards.estimate("Energy a year", best.kwh_per_year, words.KWH),
        cards.estimate("CO₂e a year", best.g_co2e_per_year, words.GRAMS),
        cards.Metric(
            label="Cost a year", value=words.usd(best.usd_per_year.mid if best.usd_per_year else None),
            basis=best.usd_per_year.basis if best.usd_per_year else None,
            help=best.usd_per_year.source if best.usd_per_year else None,
        ),
        cards.estimate("Wind-turbine time a year", turbine, words.TURBINE, units.S_PER_YEAR),
        cards.Metric(
            label="Way to the users", value=words.latency(best.network_ms) if asked.traffic.users_at else "not counted",
            basis="modelled" if asked.traffic.users_at else None,
        ),
    ]  # fmt: skip


def world(found: Answer, asked: Asked) -> None:
    """The regions over longitude and latitude."""
    rows = figures_place.region_rows(found.rows)
    best = found.placements[0]
    users = [(float(one[0]), float(one[1])) for one in places(asked.traffic.users_at).to_numpy()]
    figure = figures_place.region_map(
        rows, style.mode(), f"{best.provider} {best.region}" if best.region else None, users
    )
    alt = f"{int(rows['meets_the_limits'].sum())} of {len(rows)} regions meet the limits; the best is {where(best)}."
    table = rows.drop(columns=["longitude", "latitude"]).sort_values("grid_g_per_kwh")
    cards.chart(figure, key="place_map", alt=alt, table=table)


def cost_carbon(found: Answer) -> None:
    """Dollars against grams a year."""
    rows = frame(found.rows).dropna(subset=["usd_per_year", "g_co2e_per_year"])
    if rows.empty:
        st.markdown("No candidate has both a price and a grid that is known.")
        return
    best = figures_place.front(rows)
    alt = f"{len(best)} of {len(rows):,} candidates are beaten by none in both cost and CO₂e."
    cards.chart(figures_place.cost_carbon(rows, style.mode()), key="place_cost_carbon", alt=alt, table=best)


def frame(ranked: pd.DataFrame) -> pd.DataFrame:
    """The ranked rows as a reader wants them."""
    region = ranked["region_id"].fillna("")
    return pd.DataFrame({
        "placement": (ranked["provider"] + " " + region + " " + ranked["instance_type"]).str.replace("  ", " "),
        "device": ranked["device_id"], "computes_in": ranked["variant_id"], "servers": ranked["servers"].astype(int),
        "batch": ranked["batch"], "answer_ms": ranked["answer_ms"].astype(float),
        "device_ms": ranked["mid_ms"].astype(float), "basis": ranked["basis"],
        "energy_kwh_per_year": ranked["kwh_mid"].astype(float),
        "g_co2e_per_year": (ranked["kwh_mid"] * ranked["g_per_kwh"]).astype(float),
        "usd_per_year": ranked["usd_per_year"].astype(float),
        "carbon_free_hourly_frac": ranked["carbon_free_hourly_frac"].astype(float),
    })  # fmt: skip


def candidates(found: Answer) -> None:
    """The first rows, best first."""
    rows = frame(found.rows.head(SHOWN)).rename(
        columns={"g_co2e_per_year": "carbon_g_co2e_per_year", "usd_per_year": "cost_usd_per_year"}
    )
    shown.show(rows, key="place_rows", alt=f"The {len(rows)} best placements, best first.")


def here(found: Answer, asked: Asked) -> None:
    """This machine, whatever the limits say."""
    with cards.card("place-here", "Here", "This machine, judged without the limits."):
        one = found.here
        if one is None:
            st.markdown("Measure the model at batch 1 on the Profile page, and this machine is judged too.")
            st.page_link("pages/profile.py", label="Profile", icon=":material/speed:")
            return
        st.markdown("\n".join(f"- {formats.name(reason, 240)}" for reason in one.reasons))
        cards.metrics("place-here", _numbers(one, asked)[:4])
