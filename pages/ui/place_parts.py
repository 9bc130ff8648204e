"""What the place page answers: the recommendation, the map, cost against carbon, the candidates, this machine."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from advisor import turbine
from advisor.figures import place as figures_place
from advisor.placement.choose import Answer, place, version
from advisor.placement.offers import places
from advisor.placement.options import Here
from advisor.placement.placed import told, with_placement
from advisor.placement.types import Placed, Placement
from advisor.placement.variants import Choice
from advisor.types import Report
from data import tables, units, words
from data.errors import InputError
from data.own import SOURCE
from pages.ui import cards, formats, place_ask, state, style
from pages.ui import tables as shown
from pages.ui.place_ask import GOALS, Able, Question
from profiler.types import Model

SHOWN, ALL_ROWS = 50, 20_000
CHANGES_SHOWN = 4
CLAIMED = "claimed"


@dataclass(frozen=True, slots=True)
class Found:
    """An answer with what it was asked of: the candidates, this machine, every option. `key` tells it from any other:
    what is drawn of it is kept under that."""

    key: str
    answer: Answer
    choice: Choice
    here: Here
    options: pd.DataFrame

    def title(self, one: Placement) -> str:
        """What runs there, in words."""
        return self.choice.titles.get(one.variant_id, one.variant_id)

    def at(self, one: Placement) -> str:
        """What it runs on, and where: "c5.large in aws eu-north-1 (Stockholm)", "My card (yours)"."""
        mine = self.here.yours.device(one.device_id)
        return f"{mine.name} (yours)" if mine else f"{one.instance} in {where(one)}"


def answered(model: Model, report: Report | None, asked: Question) -> Found | None:
    """The answer; None where there can be none (which is then said)."""
    with cards.guard("place"):
        able = place_ask.able(model, report, asked)
        what = asked.asked
        return _found(able.key, version(what.traffic, what.objective, what.filters, able.here), able, asked)
    return None


# Kept as it is, not as a copy: nothing changes it. `able` names everything it is asked of, `question` what is asked.
@st.cache_resource(max_entries=16, show_spinner=False)
def _found(able: str, question: str, _able: Able, _asked: Question) -> Found:
    answer = place(
        _able.choice.candidates, _asked.asked.traffic, objective=_asked.asked.objective, filters=_asked.asked.filters,
        here=_able.here, found=_able.options, limit=SHOWN, rows=ALL_ROWS,
    )  # fmt: skip
    return Found(f"{able} {question}", answer, _able.choice, _able.here, _able.options)


@st.cache_resource(max_entries=16, show_spinner=False)
def _told_of(key: str, _found: Found, _asked: Question) -> Placed:
    return told(_found.answer, _found.choice, _asked.asked, _found.here, _found.options)


def said(found: Found, asked: Question) -> Placed:
    """What a report would keep of the answer."""
    return _told_of(found.key, found, asked)


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
        state.app().store.save(with_placement(report, found.answer, said(found, asked)))
        st.toast("The report now says where to run it.", icon=":material/check:")


def _headline(best: Placement, found: Found) -> str:
    count = f"{best.replicas:,} × " if best.replicas > 1 else ""
    what = f"{found.title(best)} on " if best.variant_id in found.choice.titles else ""
    return formats.name(f"{what}{count}{found.at(best)}", 200)


def where(one: Placement) -> str:
    """The region in words: "aws eu-north-1 (Stockholm)"; "here" for this machine."""
    if not one.region:
        return one.provider
    region = tables.region(one.provider, one.region)
    return f"{one.provider} {one.region} ({region.location or region.name})"


def _told(found: Found, best: Placement) -> list[str]:
    answer = found.answer
    mine = found.here.yours.device(best.device_id)
    on = mine.name if mine else best.device_id if not best.region else tables.device(best.device_id).name
    binds = f"What binds: {answer.binding_constraint}." if answer.binding_constraint else "No limit binds."
    return [
        f"On {on}, batch {best.batch}; busy {words.percent(best.utilisation_frac)} at the peak.",
        binds, answer.runner_up_margin, *answer.would_change[:CHANGES_SHOWN], *best.reasons,
        *(f"Not placed: {one}" for one in (*found.choice.not_placed, *answer.left_out)),
    ]  # fmt: skip


def _numbers(best: Placement, asked: Question) -> list[cards.Metric]:
    by = turbine.chosen()
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
            help=formats.name(best.usd_per_year.source, 300) if best.usd_per_year else None,
        ),
        cards.estimate("Wind-turbine time a year", by.years(best.kwh_per_year), words.TURBINE, units.S_PER_YEAR),
        cards.Metric(
            label="Way to the users", value=words.latency(best.network_ms) if traffic.users_at else "not counted",
            basis="modelled" if traffic.users_at else None,
        ),
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Drawn:
    """A chart with its text and its table."""

    figure: Any
    alt: str
    table: pd.DataFrame


def world(found: Found, asked: Question) -> None:
    """The regions over longitude and latitude."""
    drawn = _world(found.key, style.mode(), found, asked)
    cards.chart(drawn.figure, key="place_map", alt=drawn.alt, table=drawn.table)


@st.cache_resource(max_entries=16, show_spinner=False)
def _world(key: str, mode: str, _found: Found, _asked: Question) -> Drawn:
    rows = figures_place.region_rows(_found.answer.rows)
    best = _found.answer.placements[0]
    users = [(float(one[0]), float(one[1])) for one in places(_asked.asked.traffic.users_at).to_numpy()]
    figure = figures_place.region_map(rows, mode, f"{best.provider} {best.region}" if best.region else None, users)
    alt = f"{int(rows['meets_the_limits'].sum())} of {len(rows)} regions meet the limits; the best is {where(best)}."
    return Drawn(figure, alt, rows.drop(columns=["longitude", "latitude"]).sort_values("grid_g_per_kwh"))


def cost_carbon(found: Found) -> None:
    """Dollars against grams a year."""
    drawn = _cost_carbon(found.key, style.mode(), found)
    if drawn is None:
        st.markdown("No candidate has both a price and a grid that is known.")
        return
    cards.chart(drawn.figure, key="place_cost_carbon", alt=drawn.alt, table=drawn.table)


@st.cache_resource(max_entries=16, show_spinner=False)
def _cost_carbon(key: str, mode: str, _found: Found) -> Drawn | None:
    ranked = _found.answer.rows
    both = pd.DataFrame({
        "usd_per_year": ranked["usd_per_year"].astype(float),
        "g_co2e_per_year": (ranked["kwh_mid"] * ranked["g_per_kwh"]).astype(float),
    }).dropna()  # fmt: skip
    if both.empty:
        return None
    best = figures_place.front(both)
    drawn = both.index[: figures_place.MOST_DOTS].union(best.index)  # the others are neither dots nor rows
    rows = frame(ranked.loc[drawn], _found.choice)
    alt = f"{len(best)} of {len(both):,} candidates are beaten by none in both cost and CO₂e."
    return Drawn(figures_place.cost_carbon(rows, mode), alt, rows.loc[best.index])


def frame(ranked: pd.DataFrame, choice: Choice) -> pd.DataFrame:
    """The ranked rows as a reader wants them; what providers claim stands in columns of its own."""
    region = ranked["region_id"].fillna("")
    rows = pd.DataFrame({
        "placement": (ranked["provider"] + " " + region + " " + ranked["instance_type"]).str.replace("  ", " "),
        "runs": ranked["variant_id"].map(choice.titles).fillna(ranked["variant_id"]),
        "yours": _yours(ranked),
        "servers": ranked["servers"].astype(int), "answer_ms": ranked["answer_ms"].astype(float),
        "energy_kwh_per_year": ranked["kwh_mid"].astype(float),
        "g_co2e_per_year": (ranked["kwh_mid"] * ranked["g_per_kwh"]).astype(float),
        "usd_per_year": ranked["usd_per_year"].astype(float),
        "grid_average_g_per_kwh": ranked["g_per_kwh"].astype(float),
        "carbon_free_hourly_frac": ranked["carbon_free_hourly_frac"].astype(float),
        "renewable_match_annual_frac": ranked["renewable_match_annual_frac"].astype(float),
        "device": ranked["device_id"], "batch": ranked["batch"], "device_ms": ranked["mid_ms"].astype(float),
        "basis": ranked["basis"],
        "offered": ranked["available"].map({True: "yes"}).fillna("not known"),
    })  # fmt: skip
    return rows if rows["yours"].ne("").any() else rows.drop(columns="yours")


def _yours(ranked: pd.DataFrame) -> pd.Series:
    """What of each row is the user's own: "device, price, carbon", or nothing."""
    parts = (
        ranked["provider"].eq(SOURCE).map({True: "device", False: ""}),
        (ranked["price_source"].eq(SOURCE) & ranked["usd_per_year"].notna()).map({True: "price", False: ""}),
        ranked["grid_source"].eq(SOURCE).map({True: "carbon", False: ""}),
    )
    rows = zip(*(one.tolist() for one in parts), strict=True)
    return pd.Series([", ".join(filter(None, row)) for row in rows], index=ranked.index, dtype=object)


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
