"""What the place page asks: budget, traffic and users; which variants, and what limits them."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from advisor import model_frames
from advisor.latency.operators import DTYPES
from advisor.placement.choose import Traffic
from advisor.placement.filters import Filters
from advisor.placement.inputs import candidates as in_dtypes
from advisor.placement.inputs import stored_as, this_machine
from advisor.placement.options import Here, options
from advisor.placement.placed import Asked, read_variants
from advisor.placement.types import ORIGINAL
from advisor.placement.variants import Choice, chosen, of_report, placeable
from advisor.types import Graph, Report
from data import own, tables
from data.errors import InputError
from data.settings import settings
from data.text import plain
from pages.ui import formats, pickers, profile_parts, state, work
from profiler.machine import machine
from profiler.types import Measurement, Model

GOALS = {"energy": "Least energy", "carbon": "Least CO₂e", "cost": "Least cost", "latency": "Least latency"}
PERCENTILES = (50.0, 90.0, 95.0, 99.0, 99.9)
SLOT = "variants"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, as the page holds it: `dtypes` or `variants` are what is placed, `zone` is this machine's."""

    asked: Asked
    dtypes: tuple[str, ...]
    variants: tuple[str, ...]
    zone: str | None


def question(model: Model, report: Report | None) -> Question:
    """Budget, traffic and users; then filters, and what of the model is placed."""
    usual = report.budget if report else None
    with st.grid(4, min_column_width=150, gap="small"):
        budget = st.number_input(
            "Latency budget (ms)", min_value=0.0, value=usual.latency_ms if usual else 100.0, step=10.0,
            placeholder="none", key=f"place-latency-{_of(report)}",
            help="From the user's request to the answer: network, queue and device. Empty is no budget.",
        )  # fmt: skip
        percentile = st.selectbox("holds for (%)", PERCENTILES, index=2, format_func="{:g}".format, key="place-percent")
        per_day = st.number_input(
            "Requests a day", min_value=0, value=int(usual.requests_per_day) if usual else 1_000_000, step=100_000,
            key=f"place-day-{_of(report)}",
        )  # fmt: skip
        peak = st.number_input("Peak over average", min_value=1.0, value=3.0, step=0.5, key="place-peak")
    objective = st.segmented_control(
        "What counts most", list(GOALS), default="energy", required=True, wrap=True, format_func=GOALS.get,
        key="place-goal",
    )  # fmt: skip
    zone = usual.zone if usual and usual.zone else settings().zone
    left, right = st.columns(2)
    with left:
        users = _users([zone] if zone else [])
    with right:
        here = pickers.zone("This machine's grid zone", key="place-zone", usual=zone, own_too=True)
    variants = _variants(report) if report else ()
    filters, dtypes = _filters(model, bool(variants))
    traffic = Traffic(
        requests_per_day=float(per_day), peak_factor=float(peak), budget_ms=budget or None,
        percentile=float(percentile), users_at=tuple(users),
    )  # fmt: skip
    return Question(Asked(traffic=traffic, objective=str(objective), filters=filters), dtypes, variants, here)


def _of(report: Report | None) -> str:
    return report.id if report else "none"


def _users(usual: list[str]) -> list[str]:
    known = {one.zone_id: one.name for one in tables.zones() if one.latitude is not None}
    return st.multiselect(
        "Where the users are", sorted(known, key=lambda zone: known[zone]), default=[z for z in usual if z in known],
        format_func=lambda zone: known[zone], placeholder="Anywhere: the way to them is not counted", key="place-users",
        help="The farthest counts: great circle, with a factor for the routes of cables.",
    )  # fmt: skip


def _variants(report: Report) -> tuple[str, ...]:
    """The variants of the report to place: the plan and its runner-up at first."""
    titles = {ORIGINAL: "The original", **placeable(report)}
    usual = [ORIGINAL, *(one.id for one in chosen(report) if one.id in titles)]
    picked = st.multiselect(
        "What is placed", list(titles), default=usual, format_func=lambda one: plain(titles[one], 60),
        key=f"place-variants-{report.id}", placeholder="Nothing",
        help="Each from its own graph on every device that has rates for it; what ran here counts as measured here.",
    )  # fmt: skip
    return tuple(picked)


def _filters(model: Model, has_variants: bool) -> tuple[Filters, tuple[str, ...]]:
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
        dtypes: list[str] = []
        if not has_variants:
            dtypes = st.multiselect(
                "Computes in", DTYPES, default=[stored_as(model)], key=f"place-dtypes-{formats.short(model.sha256)}",
                help="The model's graph predicted in each; what fewer bits do to its answers, the Compress page "
                "measures.",
            )  # fmt: skip
        unknown = st.toggle(
            "Also where not known", key="place-unknown",
            help="Instances that no price tells to be in a region; they say so, and have no cost.",
        )  # fmt: skip
    return Filters(
        providers=tuple(providers), countries=tuple(countries), usd_per_year=usd or None, unknown_too=unknown
    ), tuple(dtypes)  # fmt: skip


def unread(report: Report | None, asked: Question) -> None:
    """Variants whose graph was not read yet, with the button that reads them."""
    work.take_result(SLOT)
    if report is None or work.busy(SLOT):
        return
    known = {sha256 for sha256, _ in _read(report.model)}
    missing = [one for one in chosen(report, asked.variants) if one.sha256 not in known and one.runtime != "openvino"]
    if missing and st.button(
        "Read the graphs of the variants", icon=":material/schema:", help=f"{len(missing)} of them were not read yet."
    ):
        arguments = {"sha256": report.model.sha256, "report": report.id}
        state.submit(read_variants, arguments, title="Reading the variants' graphs", lane="quick", slot=SLOT)
        st.rerun()


def graphs(model: Model) -> Mapping[str, Graph]:
    """The kept graphs of this model's variants, by the hash of their file."""
    return {one.sha256: one for one in state.app().store.all(Graph, parent_sha256=model.sha256)}


def _read(model: Model) -> tuple[tuple[str, int], ...]:
    """Which graphs of this model's variants are kept, and when each was: their rows stay unread."""
    rows = state.ask("graphs", parent_sha256=model.sha256)
    return tuple(zip(rows["sha256"].tolist(), rows["seq"].tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class Able:
    """What can be placed, this machine, every option there is; `key` tells all of it apart from any other."""

    key: str
    choice: Choice
    here: Here
    options: pd.DataFrame


def able(model: Model, report: Report | None, asked: Question) -> Able:
    """What can be placed. Raises InputError where nothing is chosen."""
    yours = own.yours(state.app().store)
    if report is not None and asked.variants:
        here = this_machine(report.machine, asked.zone, yours=yours)
        runs = [one.id for one in (report.baseline, *report.measurements) if one is not None]
        files = [f"{one.id} {one.sha256}" for one in report.variants]
        version = repr((report.id, report.model.sha256, len(report.model.layers), files, runs, _read(report.model)))
        return _of_report(report, version, asked.variants, repr(here), here)
    if not asked.dtypes:
        raise InputError("Nothing to place.", hint="Choose at least one variant or precision.")
    here = this_machine(machine(), asked.zone, yours=yours)
    runs_ = profile_parts.newest(model)
    run_id = next((run.id for run in runs_ if run.workload.batch_size == 1), None)
    version = f"{model.sha256} {model.shapes} {len(model.layers)}"  # a model read again has other shapes
    return _of_model(model, version, asked.dtypes, run_id, repr(here), here)


# Kept as they are, not as copies: nothing changes them. What they depend on stands in the arguments that are hashed,
# the user's own rows among them (in `here`): whatever changes there is worked out anew.
@st.cache_resource(max_entries=16, show_spinner="Predicting it on every device")
def _of_report(_report: Report, version: str, variants: tuple[str, ...], here: str, _here: Here) -> Able:
    choice = of_report(_report, graphs(_report.model), [one for one in variants if one != ORIGINAL])
    if ORIGINAL not in variants:
        left = tuple(one for one in choice.candidates if one.variant_id != ORIGINAL)
        choice = Choice(candidates=left, titles=choice.titles, not_placed=choice.not_placed)
    key = repr((version, variants, here))
    return Able(key, choice, _here, options(choice.candidates, _here))


@st.cache_resource(max_entries=16, show_spinner="Predicting it on every device")
def _of_model(_model: Model, version: str, dtypes: tuple[str, ...], run_id: str | None, here: str, _here: Here) -> Able:
    run = state.get(Measurement, run_id)
    judged = in_dtypes(_model, dtypes, model_frames.median(run) if run else None)
    key = repr((version, dtypes, run_id, here))
    return Able(key, Choice(candidates=judged, titles={}), _here, options(judged, _here))
