"""My model on the trends page: what it is, where it stands, what its class becomes, when hardware pays, rebound."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from advisor import figures_trends, rebound, training
from advisor.figures_trends import Level
from advisor.trends import growth, projection, regulation, standing
from advisor.trends.amounts import amount
from advisor.trends.fits import Fit
from advisor.trends.metrics import Metric
from advisor.trends.projection import EFFICIENCY, SCENARIOS, Arrival
from advisor.trends.rows import date_of, newest_year, rows
from advisor.trends.standing import MyModel, Standing
from advisor.trends.view import View
from data import units, words
from pages.ui import cards, formats, state, style
from pages.ui.trends_controls import URL
from pages.ui.trends_parts import levels, scale, star

DOMAINS = ("Language", "Vision", "Multimodal", "Image generation", "Speech", "Video", "Biology", "Games", "Robotics")


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What stands in the fields of "Your model"."""

    name: str
    parameters: str
    tokens: str
    flop: str
    cost: str


def asked() -> MyModel | None:
    """The fields of "Your model"; None while they are empty. A model of the app brings its name and parameters."""
    known = state.model()
    with st.popover("Your model", icon=":material/star:"):
        st.caption("Type what you know. Training compute is 6 × parameters × tokens unless you type it.")
        name = st.text_input("Name", known.name if known else "My model", key="my_name", max_chars=40, **URL)
        told = f"{known.parameter_count:,}" if known else ""
        parameters = st.text_input("Parameters", told, key="my_parameters", placeholder="7B", **URL)
        tokens = st.text_input("Training tokens or samples", key="my_tokens", placeholder="2T", **URL)
        flop = st.text_input("Training compute (FLOP)", key="my_flop", placeholder="8.4e22", **URL)
        cost = st.text_input("Training cost (US$)", key="my_cost", placeholder="100k", **URL)
        domain = st.selectbox("Domain", DOMAINS, index=None, key="my_domain", placeholder="Not said", **URL)
    return _model(Typed(name=name, parameters=parameters, tokens=tokens, flop=flop, cost=cost), domain)


def _model(typed: Typed, domain: str | None) -> MyModel | None:
    parameters, tokens = amount(typed.parameters, "Parameters"), amount(typed.tokens, "Training tokens")
    flop, cost = amount(typed.flop, "Training compute"), amount(typed.cost, "Training cost")
    if flop is None and parameters and tokens:
        flop = training.training_flop(parameters, tokens)
    if not any((parameters, tokens, flop, cost)):
        return None
    return MyModel(
        name=typed.name.strip() or "My model",
        training_flop=flop,
        parameter_count=parameters,
        training_sample_count=tokens,
        training_usd=cost,
        domain=domain,
    )


def place(mine: MyModel | None, shown: View) -> None:
    """Where my model stands in what is shown."""
    with cards.card("trend-mine", "Your model", "Among notable models, whatever is filtered above."):
        last = shown.last
        found = None
        if mine is not None and shown.metric.sets != ("hardware",):
            found = standing.standing(mine, shown.metric.column, last.line if last else None)
        if mine is None:
            cards.nothing_yet(
                "mine", "No model placed", todo="Open “Your model” above the chart.", icon=":material/star:"
            )
        elif found is None:
            st.markdown(f"Nothing is typed for {shown.metric.title.lower()}.")
        else:
            _placed(mine, shown.metric, found)
        if mine is not None and mine.training_flop is not None and shown.metric.key == "compute":
            for verdict in regulation.verdicts(mine.training_flop):
                icon = ":material/gavel:" if verdict.over and verdict.binding else ":material/check:"
                st.caption(f"{icon} {formats.name(verdict.text, 200)}")


def _placed(mine: MyModel, metric: Metric, found: Standing) -> None:
    value = mine.value(metric.column) or 0.0
    st.markdown(f"**{formats.name(mine.name)}**: {metric.say(value * metric.factor)} {cards.basis(mine.basis)}")
    table = pd.DataFrame(
        [{"among": part.among, "percentile_frac": part.frac, "models_count": part.n} for part in found.percentiles]
    )
    st.dataframe(
        table, hide_index=True, alt="Percentiles of your model",
        column_config={
            "among": "Above this share of",
            "percentile_frac": st.column_config.ProgressColumn("Percentile", format="percent", max_value=1.0),
            "models_count": st.column_config.NumberColumn("Models", format="%d"),
        },
    )  # fmt: skip
    st.markdown(f"- {frontier_text(found)}\n- {behind_text(found)}")


def frontier_text(found: Standing) -> str:
    """Until when it would have been frontier."""
    if found.at_frontier_now:
        return "It would be among the ten largest today."
    if found.frontier_until is None:
        return "It would not have been among the ten largest at any time since 2010."
    return f"It would have been among the ten largest until {date_of(found.frontier_until):%B %Y}."


def behind_text(found: Standing) -> str:
    """How far behind the line it is."""
    behind = found.months_behind
    if behind is None:
        return "The line does not rise, so there is no time to be behind."
    side = "behind" if behind.mid >= 0 else "ahead of"
    ends = sorted((abs(behind.low), abs(behind.high)))
    return f"{abs(behind.mid):.0f} months ({ends[0]:.0f} to {ends[1]:.0f}) {side} the trend line of today."


def coming_years(shown: View, mine: MyModel | None) -> None:
    """The class in the coming years under a scenario, and when thresholds are reached."""
    last, metric = shown.last, shown.metric
    if last is None or last.line is None:
        return
    sub = "The newest line continued. Bands are where a new system falls, not the interval of the slope."
    with cards.card("trend-ahead", "The coming years", sub):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            scenario = st.segmented_control(
                "Scenario", list(SCENARIOS), default="fit", required=True, key="scenario",
                format_func=lambda key: SCENARIOS[key].split(":")[0], **URL,
            )  # fmt: skip
            ahead = st.slider("Years ahead", 2, 5, 5, key="ahead", width=220, **URL)
        first = scenario or "fit"
        order = [first, *(name for name in SCENARIOS if name != first)]
        found = [projection.project(last.line, name, float(ahead)) for name in order]
        marks = levels() if metric.key == "compute" else ()
        figure = figures_trends.ribbons(
            found, style.mode(), scale(metric), star=star(mine, metric), levels=_near(marks, found)
        )
        table = ahead_table(found[0], metric)
        text = horizon_text(last.line, metric, first, ahead, mine)
        cards.chart(figure, key="trend_ahead", alt=text, table=table)
        st.markdown(text)


def ahead_table(ribbon: projection.Ribbon, metric: Metric) -> pd.DataFrame:
    """The ribbon at each full year, in words."""
    picks = [index for index, year in enumerate(ribbon.years) if abs((year - ribbon.years[0]) % 1) < 1e-6]
    edges = {
        "mid": ribbon.mid, "low_50": ribbon.low_50, "high_50": ribbon.high_50,
        "low_90": ribbon.low_90, "high_90": ribbon.high_90,
    }  # fmt: skip
    told = {"date": [f"{date_of(float(ribbon.years[index])):%B %Y}" for index in picks]}
    return pd.DataFrame(
        {**told, **{name: [metric.say(float(10 ** edge[index])) for index in picks] for name, edge in edges.items()}}
    )


def horizon_text(line: Fit, metric: Metric, scenario: str, ahead: int, mine: MyModel | None) -> str:
    """What the scenario means: the class in so many years, and when it reaches a rule or passes my model."""
    ribbon = projection.project(line, scenario, float(ahead))
    mid, low, high = (metric.say(float(10 ** edge[-1])) for edge in (ribbon.mid, ribbon.low_90, ribbon.high_90))
    told = [f"{SCENARIOS[scenario]}. In {ahead} years a model of this class has {mid} (90 %: {low} to {high})."]
    if metric.key == "compute":
        for rule in regulation.rules():
            arrival = projection.years_to(line, rule.training_flop, scenario)
            told.append(
                f"{rule.training_flop:.0e} FLOP ({rule.jurisdiction}): {arrival_text(arrival)}.".replace("e+", "e")
            )
    own = star(mine, metric)
    if own is not None:
        told.append(
            f"It reaches your model's {own.said}: {arrival_text(projection.years_to(line, own.value, scenario))}."
        )
    return " ".join(told)


def arrival_text(arrival: Arrival) -> str:
    """ "in 2.3 years (now to 5.1)"."""
    if arrival.years == 0:
        return "passed by the middle of the class already"
    edges = ["not within 50" if year is None else ("now" if year == 0 else f"{year:.1f}")
             for year in (arrival.earliest_years, arrival.latest_years)]  # fmt: skip
    middle = "not within 50 years" if arrival.years is None else f"in {arrival.years:.1f} years"
    return f"{middle} (single systems {edges[0]} to {edges[1]} years)"


def budget() -> None:
    """When better hardware brings the same work into a budget, and when growth breaks one."""
    with cards.card("trend-budget", "When hardware makes the budget", "The same work on newer hardware each year."):
        over = st.slider("What you need over what you may spend", 1.0, 20.0, 2.0, 0.5, format="%g×", key="over", **URL)
        told = []
        for name, (_, what) in EFFICIENCY.items():
            factor = growth.efficiency_growth(name)
            arrival = projection.years_until_affordable(over, 1.0, (factor.low, factor.mid, factor.high))
            told.append(
                {"what": what, "x_per_year": f"{words.number(factor.mid)}× a year", "affordable": _until(arrival)}
            )
        st.table(told, border="horizontal", hide_index=True, hide_header=True)
        st.caption(
            "Record setters gain more than all devices; the change of number format is a gain that happens once."
        )
        demand = st.slider("Your demand grows a year by", 1.0, 5.0, 1.5, 0.1, format="%g×", key="demand", **URL)
        room = st.slider("Room in your budget today", 1.0, 20.0, 4.0, 0.5, format="%g×", key="room", **URL)
        easing = growth.efficiency_growth("records")
        plain = growth.months_until_break(room, growth.given(demand))
        eased = growth.months_until_break(room, growth.given(demand), easing=easing)
        st.markdown(f"- Same hardware: {plain.text}\n- Hardware renewed each year: {eased.text}")


def _until(arrival: Arrival) -> str:
    if arrival.years == 0:
        return "fits today"
    low, mid, high = (
        "more than 50" if years is None else f"{years:.1f}"
        for years in (arrival.earliest_years, arrival.years, arrival.latest_years)
    )
    return f"{mid} years ({low} to {high})"


def rebound_card() -> None:
    """What demand may do to a saving. Off (0 %) until the slider is moved."""
    with cards.card("trend-rebound", "Rebound", "Off at 0 %. What more demand would do to an efficiency gain."):
        gain = st.slider("Efficiency gain (work per joule)", 1.1, 10.0, 2.0, 0.1, format="%g×", key="gain", **URL)
        share = st.slider("Rebound", 0, 150, 0, format="%d %%", key="rebound", **URL) / 100.0
        before = st.number_input("Energy today (MWh a year)", 0.0, 1e9, 100.0, key="mwh", **URL)
        ratio = rebound.energy_ratio_at(share, gain)
        years = units.turbine_years(before * units.KWH_PER_MWH)
        even = rebound.break_even_demand_frac(1 - 1 / gain)
        row = [
            cards.Metric(label="Energy after", value=f"{words.number(before * ratio)} MWh", basis="modelled",
                         delta=words.change(ratio), against="against today"),
            cards.Metric(label="Wind turbine", value=words.turbine(years * ratio), basis="modelled",
                         note=f"today {words.turbine(years)}"),
            cards.Metric(label="Break-even demand", value=f"+{words.percent(even)}",
                         note="growth that eats the whole saving", basis="modelled"),
        ]  # fmt: skip
        cards.metrics("rebound", row, columns=3)
        st.caption(f"E1/E0 = {ratio:.3f}: {'off, the engineering saving' if share == 0 else rebound.kind(share)}.")
        st.dataframe(
            preset_table(gain), hide_index=True, alt="Rebound presets and what they rest on",
            column_config={"rebound_frac": st.column_config.NumberColumn("Rebound", format="percent"),
                           "elasticity": st.column_config.NumberColumn("Elasticity", format="%.2f")},
        )  # fmt: skip


def preset_table(gain: float) -> pd.DataFrame:
    """Every preset with its rebound at this gain, what it rests on and its caution."""
    told: list[dict[str, Any]] = []
    for preset in rebound.presets():
        basis = "" if preset.causal or not preset.elasticity else "Not causal. "
        told.append(
            {
                "preset": preset.title,
                "rebound_frac": rebound.rebound_frac(gain, preset.elasticity, preset.cost_share_frac),
                "elasticity": preset.elasticity,
                "caution": f"{basis}{preset.caution}",
                "basis": preset.basis,
            }
        )
    return pd.DataFrame(told)


def _near(marks: Sequence[Level], found: Sequence[projection.Ribbon]) -> list[Level]:
    """The levels that lie within the picture."""
    low = min(10 ** float(ribbon.low_90.min()) for ribbon in found)
    high = max(10 ** float(ribbon.high_90.max()) for ribbon in found)
    return [mark for mark in marks if low / 10 <= mark.value <= high * 10]


__all__ = ["asked", "budget", "coming_years", "newest_year", "place", "rebound_card", "rows"]
