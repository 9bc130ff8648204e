"""What the place page answers: the recommendation, the map, cost against carbon, the candidates, this machine."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from advisor.figures import place as figures_place
from advisor.placement.choose import Answer, place
from advisor.placement.offers import places
from advisor.placement.options import Here
from advisor.placement.placed import told, with_placement
from advisor.placement.types import Placement
from advisor.placement.variants import Choice
from advisor.types import Report
from data import tables, units, words
from data.errors import InputError
from pages.ui import cards, formats, place_ask, state, style
from pages.ui import tables as shown
from pages.ui.place_ask import GOALS, Question
from profiler.types import Model

SHOWN, ALL_ROWS = 50, 20_000
CHANGES_SHOWN = 4
CLAIMED = "claimed"


@dataclass(frozen=True, slots=True)
class Found:
    """An answer with what it was asked of: the candidates, this machine, every option."""

    answer: Answer
    choice: Choice
    here: Here
    options: pd.DataFrame

    def title(self, one: Placement) -> str:
        """What runs there, in words."""
        return self.choice.titles.get(one.variant_id, one.variant_id)


def answered(model: Model, report: Report | None, asked: Question) -> Found | None:
    """The answer; None where there can be none (which is then said)."""
    with cards.guard("place"):
        choice, here, options = place_ask.able(model, report, asked)
        answer = place(
            choice.candidates, asked.asked.traffic, objective=asked.asked.objective, filters=asked.asked.filters,
            here=here, found=options, limit=SHOWN, rows=ALL_ROWS,
        )  # fmt: skip
        return Found(answer, choice, here, options)
    return None


def recommendation(found: Found, asked: Question, report: Report | None) -> None:
    """The best placement in numbers, with what binds, the runner-up and what would change the answer."""
    answer = found.answer
    if not answer.placements:
        cards.problem(InputError(answer.headline, hint=" ".join(answer.would_change)), "place-none")
        return
    best = answer.placements[0]
    with cards.hero("place", GOALS[asked.asked.objective], _headline(best, found), icon=":material/public:"):
        st.markdown("\n".join(f"- {formats.name(text, 240)}" for text in _told(found, best)))
        st.caption(f"{answer.feasible_count:,} of {answer.considered_count:,} combinations meet every limit.")
        _keep(found, asked, report)
    cards.metrics("place", _numbers(best, asked))


def _keep(found: Found, asked: Question, report: Report | None) -> None:
    """The button that puts this answer into the report, where there is one."""
    if report is None or not asked.variants:
        return
    if st.button("Put it into the report", icon=":material/note_add:", key="place-keep", type="primary"):
        said = told(found.answer, found.choice, asked.asked, found.here, found.options)
        state.app().store.save(with_placement(report, found.answer, said))
        st.toast("The report now says where to run it.", icon=":material/check:")


def _headline(best: Placement, found: Found) -> str:
    count = f"{best.replicas:,} × " if best.replicas > 1 else ""
    what = f"{found.title(best)} on " if best.variant_id in found.choice.titles else ""
    return formats.name(f"{what}{count}{best.instance} in {where(best)}", 200)


def where(one: Placement) -> str:
    """The region in words: "aws eu-north-1 (Stockholm)"; "here" for this machine."""
    if not one.region:
        return one.provider
    region = tables.region(one.provider, one.region)
    return f"{one.provider} {one.region} ({region.location or region.name})"


def _told(found: Found, best: Placement) -> list[str]:
    answer = found.answer
    on = best.device_id if not best.region else tables.device(best.device_id).name
    binds = f"What binds: {answer.binding_constraint}." if answer.binding_constraint else "No limit binds."
    return [
        f"On {on}, batch {best.batch}; busy {words.percent(best.utilisation_frac)} at the peak.",
        binds, answer.runner_up_margin, *answer.would_change[:CHANGES_SHOWN], *best.reasons,
        *(f"Not placed: {one}" for one in found.choice.not_placed),
    ]  # fmt: skip


def _numbers(best: Placement, asked: Question) -> list[cards.Metric]:
    turbine = units.turbine_years(best.kwh_per_year)
    traffic = asked.asked.traffic
    percentile = f"p{traffic.percentile:g} with queue and network"
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
            label="Way to the users", value=words.latency(best.network_ms) if traffic.users_at else "not counted",
            basis="modelled" if traffic.users_at else None,
        ),
    ]  # fmt: skip


def world(found: Found, asked: Question) -> None:
    """The regions over longitude and latitude."""
    rows = figures_place.region_rows(found.answer.rows)
    best = found.answer.placements[0]
    users = [(float(one[0]), float(one[1])) for one in places(asked.asked.traffic.users_at).to_numpy()]
    figure = figures_place.region_map(
        rows, style.mode(), f"{best.provider} {best.region}" if best.region else None, users
    )
    alt = f"{int(rows['meets_the_limits'].sum())} of {len(rows)} regions meet the limits; the best is {where(best)}."
    table = rows.drop(columns=["longitude", "latitude"]).sort_values("grid_g_per_kwh")
    cards.chart(figure, key="place_map", alt=alt, table=table)


def cost_carbon(found: Found) -> None:
    """Dollars against grams a year."""
    rows = frame(found.answer.rows, found.choice).dropna(subset=["usd_per_year", "g_co2e_per_year"])
    if rows.empty:
        st.markdown("No candidate has both a price and a grid that is known.")
        return
    best = figures_place.front(rows)
    alt = f"{len(best)} of {len(rows):,} candidates are beaten by none in both cost and CO₂e."
    cards.chart(figures_place.cost_carbon(rows, style.mode()), key="place_cost_carbon", alt=alt, table=best)


def frame(ranked: pd.DataFrame, choice: Choice) -> pd.DataFrame:
    """The ranked rows as a reader wants them; what providers claim stands in columns of its own."""
    region = ranked["region_id"].fillna("")
    return pd.DataFrame({
        "placement": (ranked["provider"] + " " + region + " " + ranked["instance_type"]).str.replace("  ", " "),
        "runs": ranked["variant_id"].map(choice.titles).fillna(ranked["variant_id"]),
        "servers": ranked["servers"].astype(int), "answer_ms": ranked["answer_ms"].astype(float),
        "energy_kwh_per_year": ranked["kwh_mid"].astype(float),
        "g_co2e_per_year": (ranked["kwh_mid"] * ranked["g_per_kwh"]).astype(float),
        "usd_per_year": ranked["usd_per_year"].astype(float),
        "grid_average_g_per_kwh": ranked["g_per_kwh"].astype(float),
        "carbon_free_hourly_frac": ranked["carbon_free_hourly_frac"].astype(float),
        "renewable_match_annual_frac": ranked["renewable_match_annual_frac"].astype(float),
        "device": ranked["device_id"], "batch": ranked["batch"], "device_ms": ranked["mid_ms"].astype(float),
        "basis": ranked["basis"], "offered": ranked["available"].map({True: "yes"}).fillna("not known"),
    })  # fmt: skip


def candidates(found: Found) -> None:
    """The first rows, best first."""
    rows = frame(found.answer.rows.head(SHOWN), found.choice).rename(
        columns={"g_co2e_per_year": "carbon_g_co2e_per_year", "usd_per_year": "cost_usd_per_year"}
    )
    claims = {
        "carbon_free_hourly_frac": st.column_config.NumberColumn(f"Carbon-free, hourly ({CLAIMED})", format="%.3g %%"),
        "renewable_match_annual_frac": st.column_config.NumberColumn(
            f"Renewable match, yearly ({CLAIMED})", format="%.3g %%"
        ),
    }
    shown.show(rows, key="place_rows", alt=f"The {len(rows)} best placements, best first.", more=claims)


def here(found: Found, asked: Question) -> None:
    """This machine, whatever the limits say."""
    with cards.card("place-here", "Here", "This machine, judged without the limits."):
        one = found.answer.here
        if one is None:
            st.markdown("Measure the model at batch 1 on the Profile page, and this machine is judged too.")
            st.page_link("pages/profile.py", label="Profile", icon=":material/speed:")
            return
        st.markdown("\n".join(f"- {formats.name(reason, 240)}" for reason in one.reasons))
        cards.metrics("place-here", _numbers(one, asked)[:4])
