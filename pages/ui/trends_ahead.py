"""What follows from the trends: the coming years of a class, hardware against a budget, rebound."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from advisor import rebound
from advisor.clippings import ChartLevel, ChartStar
from advisor.figures import trends as figures_trends
from advisor.figures.trend_marks import rule_levels, scale_of, star_of
from advisor.trends import classes, growth, projection, regulation
from advisor.trends.classes import CLASSES
from advisor.trends.fits import Fit
from advisor.trends.metrics import Metric
from advisor.trends.projection import EFFICIENCY, SCENARIOS, Arrival, Ribbon
from advisor.trends.rows import date_of
from advisor.trends.standing import MyModel
from advisor.trends.view import View
from data import units, words
from pages.ui import cards, style
from pages.ui.trends_controls import URL


def coming_years(shown: View, mine: MyModel | None) -> None:
    """A class in the coming years under a scenario, what it costs, and when it reaches a rule or my model."""
    metric = shown.metric
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        scenario = st.segmented_control(
            "Scenario", list(SCENARIOS), default="fit", required=True, key="scenario",
            format_func=lambda key: SCENARIOS[key].split(":")[0], **URL,
        )  # fmt: skip
        kind = st.segmented_control(
            "Class", classes.offered(metric, mine), default="shown", required=True, key="class",
            format_func=CLASSES.__getitem__, **URL,
        )  # fmt: skip
        ahead = st.slider("Years ahead", 2, 5, 5, key="ahead", width=220, **URL)
    line = _line(kind or "shown", shown, mine)
    if line is None:
        st.markdown("No line to continue: too few points pass the filters.")
        return
    first = scenario or "fit"
    order = [first, *(name for name in SCENARIOS if name != first)]
    found = [projection.project(line, name, float(ahead)) for name in order]
    marks = _near(rule_levels() if metric.key == "compute" else (), found)
    own = star_of(mine, metric)
    figure = figures_trends.ribbons(found, style.mode(), scale_of(metric), star=own, levels=marks)
    told = horizon(line, found[0], metric, own)
    cards.chart(figure, key="trend_ahead", alt=" ".join(told), table=ahead_table(found[0], metric))
    st.markdown("\n".join(f"- {sentence}" for sentence in [*told, *training_cost(found[0], metric, mine)]))
    st.caption("The band is where a single new system falls, with the uncertainty of the growth added: it widens.")


def _line(kind: str, shown: View, mine: MyModel | None) -> Fit | None:
    if kind == "shown":
        return shown.last.line if shown.last else None
    return classes.class_line(kind, shown.metric, mine)


def ahead_table(ribbon: Ribbon, metric: Metric) -> pd.DataFrame:
    """The ribbon at each full year, in words."""
    picks = [index for index, year in enumerate(ribbon.years) if abs((year - ribbon.years[0] + 0.5) % 1 - 0.5) < 1e-6]
    edges = {
        "middle": ribbon.mid, "50 % from": ribbon.low_50, "50 % to": ribbon.high_50,
        "90 % from": ribbon.low_90, "90 % to": ribbon.high_90,
    }  # fmt: skip
    table = {"date": [f"{date_of(float(ribbon.years[index])):%B %Y}" for index in picks]}
    for name, edge in edges.items():
        table[name] = [metric.say(float(10 ** edge[index])) for index in picks]
    return pd.DataFrame(table)


def horizon(line: Fit, ribbon: Ribbon, metric: Metric, own: ChartStar | None) -> list[str]:
    """What the scenario means, in sentences: the class at the horizon, the rules it passes, my model."""
    years = ribbon.years[-1] - ribbon.years[0]
    mid, low, high = (metric.say(float(10 ** edge[-1])) for edge in (ribbon.mid, ribbon.low_90, ribbon.high_90))
    told = [f"{SCENARIOS[ribbon.scenario]}. In {years:.0f} years a new system has {mid} (90 %: {low} to {high})."]
    if metric.key == "compute":
        for rule in regulation.rules():
            arrival = projection.years_to(line, rule.training_flop, ribbon.scenario)
            amount = f"{rule.training_flop:.0e} FLOP".replace("e+", "e")
            told.append(f"{amount} ({rule.jurisdiction}, {rule.status}): {arrival_text(arrival)}.")
    if own is not None:
        arrival = projection.years_to(line, own.value, ribbon.scenario)
        told.append(f"Your model's {own.said}: {arrival_text(arrival)}.")
    return told


def training_cost(ribbon: Ribbon, metric: Metric, mine: MyModel | None) -> list[str]:
    """What a training of the class costs at the horizon, and mine again; only for training compute."""
    if metric.key != "compute":
        return []
    runs = [("A training of this class", float(10 ** ribbon.mid[-1]), float(ribbon.years[-1]))]
    if mine is not None and mine.training_flop is not None:
        runs += [("Yours today", mine.training_flop, float(ribbon.years[0]))]
        runs += [("Yours again then", mine.training_flop, float(ribbon.years[-1]))]
    told = []
    for what, flop, year in runs:
        cost, energy = classes.cost_of(flop, year), classes.energy_of(flop, year)
        kwh = units.kwh_from_j(energy)
        told.append(
            f"{what}: about {words.interval_of(cost, dollars)}, {words.interval_of(kwh, words.energy_kwh)} by "
            f"nameplate, {words.turbine(units.turbine_years(kwh).mid)} of one wind turbine {cards.basis(cost.basis)}"
        )
    return told


def dollars(value: float) -> str:
    """A modelled amount of dollars to two digits: "$34,000", "$610 million"."""
    return f"${words.scaled(value, words.COUNTS, 2)}"


def arrival_text(arrival: Arrival) -> str:
    """ "the middle in 2.3 years, single systems from now to in 5.1 years"."""
    if arrival.years == 0:
        return "passed by the middle of the class already"
    middle = "the middle not within 50 years" if arrival.years is None else f"the middle in {arrival.years:.1f} years"
    first, last = (
        "not within 50 years" if years is None else ("now" if years == 0 else f"in {years:.1f} years")
        for years in (arrival.earliest_years, arrival.latest_years)
    )
    return f"{middle}; single systems from {first} to {last}"


def budget() -> None:
    """When better hardware brings the same work into a budget, and when growth breaks one."""
    with st.grid(2, min_column_width=320, gap="large"):
        with st.container():
            _hardware_pays()
        with st.container():
            _growth_breaks()


def _hardware_pays() -> None:
    over = st.slider("What you need over what you may spend", 1.0, 20.0, 2.0, 0.5, format="%g×", key="over", **URL)
    told = []
    for name, (_, what) in EFFICIENCY.items():
        factor = growth.efficiency_growth(name)
        arrival = projection.years_until_affordable(over, 1.0, (factor.low, factor.mid, factor.high))
        told.append(f"- {what[:1].upper()}{what[1:]}, {words.times(factor.mid)} a year: **{_until(arrival)}**")
    st.markdown("\n".join(told))
    st.caption("The same work on newer hardware. The change of number format is a gain that happens once.")


def _growth_breaks() -> None:
    demand = st.slider("Your demand grows a year by", 1.0, 5.0, 1.5, 0.1, format="%g×", key="demand", **URL)
    room = st.slider("Your budget over what you need today", 1.0, 20.0, 4.0, 0.5, format="%g×", key="room", **URL)
    easing = growth.efficiency_growth("records")
    plain = growth.months_until_break(room, growth.given(demand))
    eased = growth.months_until_break(room, growth.given(demand), easing=easing)
    st.markdown(f"- On the same hardware: {plain.text}\n- On hardware renewed each year: {eased.text}")
    st.caption(f"Renewed hardware gains {words.times(easing.mid)} a year: record setters, tensor FP16.")


def _until(arrival: Arrival) -> str:
    if arrival.years == 0:
        return "fits today"
    low, mid, high = (
        "more than 50" if years is None else f"{years:.1f}"
        for years in (arrival.earliest_years, arrival.years, arrival.latest_years)
    )
    return f"fits in {mid} years ({low} to {high})"


def rebounds() -> None:
    """What demand may do to a saving. Off (0 %) until the slider is moved."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        share = st.slider("Rebound", 0, 150, 0, format="%d %%", key="rebound", width=330, **URL) / 100.0
        gain = st.slider("Efficiency gain", 1.1, 10.0, 2.0, 0.1, format="%g×", key="gain", width=330, **URL)
        before = st.number_input("Energy today (MWh a year)", 0.0, 1e9, 100.0, key="mwh", width=220, **URL)
    ratio, even = rebound.energy_ratio_at(share, gain), rebound.break_even_demand_frac(1 - 1 / gain)
    years = units.turbine_years(before * units.KWH_PER_MWH)
    row = [
        cards.Metric(
            label="Energy after the gain", value=f"{words.number(before * ratio)} MWh", basis="modelled",
            delta=words.change(ratio), against="against today",
        ),
        cards.Metric(
            label="Wind turbine", value=words.turbine(years * ratio), basis="modelled",
            note=f"today {words.turbine(years)}",
        ),
        cards.Metric(
            label="Break-even demand", value=f"+{words.percent(even)}", basis="modelled",
            note="growth that eats the whole saving",
        ),
    ]  # fmt: skip
    cards.metrics("rebound", row, columns=3)
    name = "off: the engineering saving alone" if share == 0 else rebound.kind(share)
    st.caption(f"E1/E0 = {ratio:.3f}, {name}. What has been found elsewhere, at this gain:")
    settings = {
        "preset": "Where",
        "rebound_frac": st.column_config.NumberColumn("Rebound", format="percent"),
        "elasticity": st.column_config.NumberColumn("Elasticity", format="%.2f"),
        "caution": "Caution",
        "basis": "What it rests on",
    }
    st.dataframe(preset_table(gain), hide_index=True, alt="Rebound presets", column_config=settings)


def preset_table(gain: float) -> pd.DataFrame:
    """Every preset with its rebound at this gain, its caution and what it rests on."""
    told: list[dict[str, Any]] = []
    for preset in rebound.presets():
        causal = "" if preset.causal or not preset.elasticity else "Not causal. "
        told.append(
            {
                "preset": preset.title,
                "rebound_frac": rebound.rebound_frac(gain, preset.elasticity, preset.cost_share_frac),
                "elasticity": preset.elasticity,
                "caution": f"{causal}{preset.caution}",
                "basis": preset.basis,
            }
        )
    return pd.DataFrame(told)


def _near(marks: Sequence[ChartLevel], found: Sequence[Ribbon]) -> list[ChartLevel]:
    """The levels that lie within the picture."""
    low = min(10 ** float(ribbon.low_90.min()) for ribbon in found)
    high = max(10 ** float(ribbon.high_90.max()) for ribbon in found)
    return [mark for mark in marks if low <= mark.value <= high]
