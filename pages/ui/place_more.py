"""What more there is to a placement: what-if sliders, where its energy goes, the years ahead, hours, other rooms."""

from dataclasses import replace

import pandas as pd
import streamlit as st

from advisor import turbine
from advisor.figures import ahead as figures_ahead
from advisor.placement import hours, placed, rooms, through_time
from advisor.placement.choose import Answer, place
from advisor.placement.types import ORIGINAL, Placed
from advisor.trends import growth
from advisor.types import Report
from data import tables, units, words
from data.estimate import Estimate, exact
from pages.ui import cards, formats, style
from pages.ui import tables as shown
from pages.ui.place_ask import Question
from pages.ui.place_parts import Found, said

TIMES = (0.01, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 100.0, 1_000.0)
SHARES = (0.1, 0.2, 0.5, 0.7, 1.0, 1.5, 2.0, 5.0, 10.0)
DEFAULT_HOURS = 4


@st.fragment
def what_if(found: Found, asked: Question) -> None:
    """Sliders on traffic and budget: what the answer would be, beside what it is."""
    with st.grid(2, min_column_width=200, gap="small"):
        more = st.select_slider("Traffic, times", TIMES, value=1.0, format_func="{:g}".format, key="if-traffic")
        slack = st.select_slider("Latency budget, times", SHARES, value=1.0, format_func="{:g}".format, key="if-budget")
    traffic = asked.asked.traffic
    budget = None if traffic.budget_ms is None else traffic.budget_ms * slack
    changed = replace(traffic, requests_per_day=traffic.requests_per_day * more, budget_ms=budget)
    then = found.answer if changed == traffic else place(
        found.choice.candidates, changed, objective=asked.asked.objective, filters=asked.asked.filters,
        found=found.options, here=found.here, limit=1,
    )  # fmt: skip
    if not then.placements:
        st.markdown(f":material/block: {formats.name(then.headline, 240)}")
        return
    best, own = then.placements[0], found.answer.placements[0]
    st.markdown(f"**{formats.name(f'{best.replicas:,} × {found.at(best)}', 200)}**")
    cards.metrics("if", [
        cards.Metric(label="Servers", value=f"{best.replicas:,}", basis="modelled", note=found.title(best)),
        _changed("Energy a year", best.kwh_per_year.mid, own.kwh_per_year.mid, words.energy_kwh(best.kwh_per_year.mid)),
        _changed("CO₂e a year", _mid(best.g_co2e_per_year), _mid(own.g_co2e_per_year),
                 words.carbon(_mid(best.g_co2e_per_year))),
        _changed("Cost a year", _mid(best.usd_per_year), _mid(own.usd_per_year), words.usd(_mid(best.usd_per_year))),
    ])  # fmt: skip


def _changed(label: str, now: float | None, was: float | None, value: str) -> cards.Metric:
    moved = now is not None and was and abs(now / was - 1.0) > 1e-9
    delta = words.change(now / was) if moved and now is not None and was else None
    return cards.Metric(
        label=label, value=value, basis="modelled", delta=delta, against="against the answer" if delta else ""
    )


def _mid(value: Estimate | None) -> float | None:
    return None if value is None else value.mid


def energy(found: Found, asked: Question, report: Report | None) -> None:
    """Where the energy of the first placement goes, part by part."""
    parts = placed.energy_parts(found.answer.rows.iloc[0])
    whole = sum(one.kwh_per_year for one in parts)
    rows = pd.DataFrame([
        {"part": one.label, "energy_kwh_per_year": one.kwh_per_year, "of_all_frac": one.kwh_per_year / whole}
        for one in parts
    ])  # fmt: skip
    st.markdown(
        "Each part is what it adds; the parts sum to the energy above. A share of a device or host bears the unsold "
        "share's waiting."
    )
    more = {"of_all_frac": shown.bar("of all")}
    shown.show(rows, key="place_energy", alt="The parts of the energy of a year.", more=more)
    _making(found)


def _making(found: Found) -> None:
    """What making the devices adds in CO₂e, only where it is asked for."""
    left, right = st.columns(2, vertical_alignment="bottom")
    wanted = left.toggle(
        "Add the making of the devices", key="making", help="Off, it is 0: the figures above are of running alone.",
    )  # fmt: skip
    life = right.number_input("Kept for (years)", min_value=0.5, value=5.0, step=0.5, key="making-life")
    if not wanted:
        st.caption("The making of the devices is not in the CO₂e above. BLOOM's 24.7 t are 50.5 t with it and idle.")
        return
    best = found.answer.placements[0]
    making = placed.making_g_co2e(best, float(found.answer.rows.iloc[0].get("part") or 1.0), life)
    if making is None:
        st.markdown(f"What making {formats.name(best.device_id)} took is not known, so nothing is added.")
        return
    whole = None if best.g_co2e_per_year is None else best.g_co2e_per_year + making
    cards.metrics("making", [
        cards.estimate("Making the devices, a year", making, words.GRAMS),
        cards.estimate("CO₂e a year with it", whole, words.GRAMS),
    ])  # fmt: skip


def years(found: Found, asked: Question, report: Report | None) -> None:
    """Energy, carbon and turbine time over the coming years, until when it holds, and whether the answer moves."""
    trend = growth.demand_growth()
    with st.grid(3, min_column_width=170, gap="small"):
        typed = st.number_input(
            "Demand grows a year by (%)", min_value=-90.0, value=None, step=10.0, placeholder="as data centres' did",
            key="ahead-growth", help=f"Left empty: {words.times_of(trend)} a year, {formats.name(trend.source, 300)}.",
        )  # fmt: skip
        renewed = st.number_input("Hardware renewed every (years)", 1, 5, value=1, key="ahead-renewed")
        count = st.slider("Years", 1, through_time.LONGEST_YEARS, value=5, key="ahead-years")
    demand = trend if typed is None else growth.given(1.0 + words.fraction(typed))
    told = said(found, asked)
    first = found.answer.placements[0]
    planned = first if told.original is not None and first.variant_id != ORIGINAL and asked.variants else None
    ahead = turbine.years_by(through_time.service_years(
        told.original or first, planned, demand, growth.efficiency_growth("records"), renewed_every_years=int(renewed),
        years=int(count),
    ), turbine.chosen())  # fmt: skip
    for sentence in _sentences(found, asked, told, demand, report):
        st.markdown(f"- {formats.name(sentence, 300)}")
    last = ahead[-1]
    alt = f"In {last.years_ahead} years {words.interval(last.kwh_renewed, words.KWH)} a year on newer hardware."
    cards.chart(
        figures_ahead.years(ahead, style.mode()), key="place_years", alt=alt, table=figures_ahead.year_rows(ahead)
    )
    if st.toggle("Place it anew in each year", key="ahead-place", help="Judges everything once more for each year."):
        _moves(found, asked, demand, int(count))


def _sentences(found: Found, asked: Question, told: Placed, demand: Estimate, report: Report | None) -> list[str]:
    """Until when the servers and the price limit hold, what demand eats up, and when compressing has paid."""
    first = found.answer.placements[0]
    told_ = list(through_time.until(first, demand, asked.asked.filters.usd_per_year))
    if told.original is not None and first.variant_id != ORIGINAL and asked.variants:
        ratio = first.kwh_per_year.mid / told.original.kwh_per_year.mid
        told_.append(through_time.eaten(ratio, demand))
        plan = report.recommendation.plan if report else None
        if plan is not None and plan.variant_id == first.variant_id and plan.payback_calls:
            days = plan.payback_calls / asked.asked.traffic.requests_per_day
            told_.append(
                f"Making the plan has paid for itself after {words.count(plan.payback_calls)} calls: "
                f"{words.scaled(days * units.H_PER_DAY * units.S_PER_H, words.SECONDS)} of this traffic."
            )
    return told_


def _moves(found: Found, asked: Question, demand: Estimate, count: int) -> None:
    found_years = through_time.placed_years(
        found.choice.candidates, asked.asked.traffic, demand, years=count,
        objective=asked.asked.objective, filters=asked.asked.filters, here=found.here, found=found.options, limit=1,
    )  # fmt: skip
    rows = pd.DataFrame([
        {
            "years_ahead": one.years_ahead, "demand_ratio": one.demand_ratio, "placement": _first(found, one.answer),
            "runs": found.title(one.answer.placements[0]) if one.answer.placements else None,
            "servers_count": one.answer.placements[0].replicas if one.answer.placements else None,
            "energy_kwh_per_year": one.answer.placements[0].kwh_per_year.mid if one.answer.placements else None,
            "moved": "yes" if one.moved else "",
        }
        for one in found_years
    ])  # fmt: skip
    first = through_time.first_move(found_years)
    st.markdown("It stays where it is." if first is None else f"**In year {first} another place is the best.**")
    shown.show(rows, key="place_moves", alt="The best placement of each coming year.")


def _first(found: Found, answer: Answer) -> str:
    return found.at(answer.placements[0]) if answer.placements else "none"


def by_hour(found: Found, asked: Question, report: Report | None) -> None:
    """The hours of a zone's day and what moving batch work into the cleanest saves."""
    known = hours.shaped()
    best = found.answer.placements[0]
    usual = best.zone if best.zone in known else None
    with st.grid(2, min_column_width=200, gap="small"):
        zone = st.selectbox(
            "Grid zone", list(known), index=list(known).index(usual) if usual else None, format_func=known.get,
            placeholder="Choose one that has an hourly shape", key="hours-zone",
        )  # fmt: skip
        count = st.slider("Hours of batch work a day", 1, 24, value=DEFAULT_HOURS, key="hours-count")
    if usual is None and best.zone:
        st.markdown(f"No hourly shape is shipped for {formats.name(best.zone)}, so nothing is said of its hours.")
    if zone is None:
        return
    found_shift = hours.cleanest(zone, int(count))
    own_value = found.here.yours.zone(zone)
    saved = hours.saved_g_co2e(best.kwh_per_year, found_shift, own_value)
    st.markdown(
        f"From **{found_shift.first_hour}:00 to {found_shift.last_hour}:00** ({formats.name(found_shift.timezone)}) "
        f"batch work causes **{words.change(found_shift.ratio.mid)}** of CO₂e "
        f"({words.interval_of(found_shift.ratio, words.times)} of the day's average): for "
        f"{words.energy_kwh(best.kwh_per_year.mid)} a year that is {words.interval(saved, words.GRAMS)}."
    )
    about = f"{found_shift.period}; {found_shift.basis}"
    st.caption(f"{formats.name(about)}. Averages of hours, not marginal plants.")
    alt = f"Carbon by hour in {known[zone]}; the cleanest {count} hours begin at {found_shift.first_hour}."
    rows = hours.day(zone, own_value)
    figure = figures_ahead.hours(rows, style.mode(), found_shift.first_hour, int(count))
    cards.chart(figure, key="place_hours", alt=alt, table=rows)


def own_room(found: Found, asked: Question, report: Report | None) -> None:
    """The same devices in a room of one's own: PUE and how busy they are; providers' claims apart."""
    usual = rooms.OWN_UTILISATION
    with st.grid(2, min_column_width=200, gap="small"):
        pue = st.number_input("PUE of your room", min_value=1.0, value=None, step=0.05, key="own-pue",
                              placeholder=f"{rooms.own_pue().mid:g}, the world's average")  # fmt: skip
        busy = st.number_input("Your machines are busy (%)", min_value=1.0, max_value=100.0, value=None, step=5.0,
                               placeholder=f"{words.percent(usual.mid)}, as claimed", key="own-busy")  # fmt: skip
    best = found.answer.placements[0]
    own_zone = (found.here.yours.zone(asked.zone) or tables.zone(asked.zone)) if asked.zone else None
    told_ = rooms.rooms(
        best, own_zone, None if pue is None else exact(pue), None if busy is None else exact(words.fraction(busy))
    )
    cards.metrics("rooms", [
        cards.estimate("In the cloud, a year", told_.cloud_kwh, words.KWH),
        cards.estimate("In your room, a year", told_.own_kwh, words.KWH),
        cards.Metric(
            label="Cloud over own room", value=words.times(told_.energy_ratio.mid), basis=told_.energy_ratio.basis,
            spread=words.interval_of(told_.energy_ratio, words.times),
            help=formats.name(told_.energy_ratio.source, 300),
        ),
        cards.estimate("CO₂e in your room", told_.own_g_co2e, words.GRAMS),
        cards.estimate("CO₂e in the cloud, location-based", told_.cloud_location_g_co2e, words.GRAMS),
        cards.estimate("CO₂e in the cloud, market-based", told_.cloud_market_g_co2e, words.GRAMS),
    ])  # fmt: skip
    st.markdown(
        "Location-based is the grid's average where it runs. Market-based is what is left after the renewable energy "
        f"the provider says it bought ({_match(told_)}); it ranks nothing here."
    )
    with st.expander("What AWS claims of its cloud", icon=":material/format_quote:", type="compact"):
        st.markdown(cards.basis("claimed"))
        shown.show(rooms.claims(), key="place_claims", alt="Claims of a provider, as printed.")
        st.caption("10.9 + 0.3 t saved are the 11.2 t of its footprint tool, beside 0.4 t caused.")


def _match(told_: rooms.Rooms) -> str:
    share = told_.renewable_match_annual_frac
    return "it claims none for this region" if share is None else f"{words.percent(share)}, claimed"


PARTS = {"Where the energy goes": energy, "Years ahead": years, "Hour of day": by_hour, "Cloud or own room": own_room}


@st.fragment
def more(found: Found, asked: Question, report: Report | None) -> None:
    """One part at a time: only what is looked at is reckoned."""
    chosen = st.segmented_control(
        "More", list(PARTS), default="Where the energy goes", required=True, key="place-more",
        label_visibility="collapsed", wrap=True,
    )  # fmt: skip
    with cards.guard("place-more"):
        PARTS[chosen](found, asked, report)
