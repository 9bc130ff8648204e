"""What has been claimed, each with its correction; the rules that start at an amount of compute; what carbon means."""

import pandas as pd
import streamlit as st

from advisor import claims as advisor_claims
from advisor.claims import Claim
from advisor.figures.dots import log_dots
from advisor.trends import regulation
from advisor.trends.amounts import amount
from data import tables as facts
from data import units, words
from data.tables import Region
from pages.ui import cards, formats, style, tables

BADGES = {"claimed": "", "corrected": "corrected", "contradicted": "contradicts itself", "hypothesis": "to be tested"}


def claims() -> None:
    """Training carbon as published and as corrected, every claim, and the rules."""
    _carbon()
    with cards.card("claims", "Every claim", "A corrected claim is never shown without its correction."):
        rows = pd.DataFrame([_row(one) for one in advisor_claims.claims()])
        more = {
            "claim": st.column_config.Column("Claim", width="large"),
            "correction": st.column_config.Column("Correction", width="large"),
        }
        tables.show(rows, key="claims", alt="Every claim with its source and its correction.", height=440, more=more)
    _rules()
    _meanings()


def _carbon() -> None:
    sub = "Strubell et al. 2019, in pounds there; hollow: what a later correction leaves. Log axis."
    with cards.card("claimed-carbon", "Carbon of trainings, as claimed and as corrected", sub):
        rows = advisor_claims.training_carbon()
        figure = log_dots(
            rows, style.mode(), say=words.carbon, axis="CO₂e (g)", title="As claimed", other_title="As corrected",
            name_limit=30,
        )  # fmt: skip
        alt = "; ".join(_both(*row) for row in rows[["name", "value", "other"]].itertuples(index=False))
        cards.chart(figure, key="claimed_carbon", alt=alt)
        for one in advisor_claims.claims():
            if one.unit == "lb CO2e" and one.correction:
                st.caption(f":material/error: {formats.name(one.claim)}: {formats.name(one.correction, 300)} "
                           f"({formats.name(one.corrected_by, 100)})")  # fmt: skip


def _both(name: str, claimed_g: float, corrected_g: float) -> str:
    corrected = "" if pd.isna(corrected_g) else f", corrected {words.carbon(corrected_g)}"
    return f"{name}: {words.carbon(claimed_g)}{corrected}"


def _row(one: Claim) -> dict[str, object]:
    value = words.count(one.value) if one.value >= 1e6 else f"{one.value:,g}"
    to = "" if one.high_value is None or pd.isna(one.high_value) else f" to {one.high_value:,g}"
    return {
        "claim": one.claim, "figure": f"{value}{to} {one.unit}".replace("CO2e", "CO₂e"), "standing": BADGES[one.status],
        "correction": one.correction, "source": one.source,
    }  # fmt: skip


def _rules() -> None:
    with cards.card("rules", "Rules that start at an amount of training compute", "Dated, with their status."):
        rows = [
            {
                "threshold": f"{rule.training_flop:.0e} FLOP".replace("e+", "e"), "rule": rule.title,
                "where": rule.jurisdiction, "adopted": rule.adopted_date or "", "applies": rule.applies_date or "",
                "revoked": rule.revoked_date or "", "status": rule.status, "effect": rule.effect,
                "not_read_again": ", ".join(rule.unverified),
            }
            for rule in regulation.rules()
        ]  # fmt: skip
        tables.show(pd.DataFrame(rows), key="rules", alt="Thresholds of training compute with dates and status.")
        typed = st.text_input("Your training compute (FLOP)", "9e24", key="rule_flop", bind="query-params", width=260)
        with cards.guard("rules"):
            for verdict in regulation.verdicts(amount(typed, "Training compute") or 0.0):
                icon = ":material/gavel:" if verdict.over and verdict.binding else ":material/check:"
                st.markdown(f"{icon} {formats.name(verdict.text, 300)}")


def _meanings() -> None:
    sub = "Average and marginal, by place and by contract: different questions, never one number."
    with cards.card("meanings", "What a gram per kilowatt-hour means", sub):
        known = {f"{one.provider}/{one.region_id}": one for one in facts.regions()}
        order = sorted(known)
        picked = st.selectbox("Region", order, index=order.index("gcp/europe-west3"), key="meaning_region")
        cards.facts(_bases(known[picked or order[0]]), key="meanings")


def _bases(region: Region) -> dict[str, str]:
    zone = next((one for one in facts.zones() if one.zone_id == region.zone_id), None)
    country = next((one for one in facts.countries() if one.zone_id == region.country_iso2), None)
    operational, hourly, match = (
        region.operational_g_per_kwh, region.carbon_free_hourly_frac, region.renewable_match_annual_frac,
    )  # fmt: skip
    return {
        "By place, average, consumption, life cycle": f"{_grams(zone and zone.g_per_kwh)}: Electricity Maps "
        f"{zone.year if zone else ''}. Regions are ranked by it.",
        "By place, average, production, life cycle": f"{_grams(country and country.g_per_kwh)}: Ember, the country.",
        "By place, average, operation only": f"{_grams(operational)}: the provider.",
        "Carbon-free, hour by hour": f"{words.percent(hourly)} of the hours' energy, as the provider claims.",
        "By contract (market-based)": f"{words.percent(match)} matched over the year by purchases, as the provider "
        "claims: it does not change what flows, and no gram here rests on it.",
        "Marginal": "Not shipped: what one more kilowatt-hour causes is published openly for few grids, and never "
        "stands in for the average.",
    }


def _grams(value: float | None) -> str:
    return words.NOT_KNOWN if value is None else f"{words.number(value)} g/kWh"


def equivalents() -> None:
    """Everything energy and carbon are told by, each with its source."""
    rows = facts.frame("energy", "equivalents")
    table = pd.DataFrame(
        {
            "what": rows["label"],
            "value": [words.number(value, 6) for value in rows["value"]],
            "unit": rows["unit"],
            "year": rows["year"],
            "source": [facts.source(f"energy/{source}").title for source in rows["source_id"]],
            "note": rows["notes"].fillna(""),
        }
    )
    sub = f"The reference turbine: {units.TURBINE_MW:g} MW for {units.TURBINE_FULL_LOAD_H:,.0f} h a year."
    with cards.card("equivalents", "What energy and carbon equal", sub):
        more = {"what": st.column_config.Column("What", width="large")}
        tables.show(table, key="equivalents", alt="Equivalents, overheads and defaults.", height=360, more=more)
