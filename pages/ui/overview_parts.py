"""What the overview is made of: the way in, the sums of all models, and their table."""

import pandas as pd
import streamlit as st

from advisor import overview
from advisor.figures import named as figures
from advisor.types import Footprint
from data import units, words
from data.estimate import Estimate
from pages.ui import cards, formats, start, state, style, tables

STEPS = (
    (":material/upload_file:", "Add a model", "See what it is in two seconds, before anything runs."),
    (":material/speed:", "Measure it here", "Latency, memory and energy of one call on this machine."),
    (":material/compress:", "Compress it for real", "Several ways, each timed against the original."),
    (":material/description:", "Take the report", "Plan, place, energy, carbon, and the smaller file."),
)


def welcome() -> None:
    """What this is and how to begin, for someone who is here for the first time."""
    with st.container(key="hero-welcome"):
        left, right = st.columns([3, 1], vertical_alignment="center", gap="medium")
        with left:
            st.header("Measure your model, make it smaller, know what that saves", anchor=False)
            st.markdown(
                "Every number comes from a run of your own file on this machine, or says that it does not. "
                "Nothing leaves this machine."
            )
        with right:
            if st.button("Start with an example", type="primary", icon=":material/play_arrow:", width="stretch"):
                start.example("digits")
    _steps()


def _steps() -> None:
    with st.grid(4, min_column_width=210, gap="small"):
        for number, (icon, title, text) in enumerate(STEPS):
            with st.container(key=f"step-{number}", gap="xxsmall", height="stretch"):
                st.markdown(f"{icon} **{number + 1}. {title}**")
                st.caption(text)


def sums(rows: pd.DataFrame) -> None:
    """What all models with a report take a year, today and with their plans."""
    before, after = overview.totals(rows)
    planned = int(rows["report_id"].notna().sum())
    cards.metrics(
        "overview",
        [
            cards.Metric(label="Models", value=words.count(len(rows)), note=f"{planned} with a plan", basis=None),
            _pair("Energy a year", before.kwh_per_year, after.kwh_per_year, words.KWH, 1.0),
            _pair(
                "CO₂e a year",
                before.g_co2e_per_year,
                after.g_co2e_per_year,
                words.GRAMS,
                1.0,
                "choose a grid zone on Compress, and plan again" if planned else "known once a model has a plan",
            ),
            _cost(before.usd_per_year, after.usd_per_year),
            _pair("Wind-turbine time", before.turbine_years, after.turbine_years, words.TURBINE, units.S_PER_YEAR),
        ],
        columns=5,
    )
    _target(before, after)


def _pair(
    label: str, before: Estimate | None, after: Estimate | None, ladder: words.Ladder, factor: float,
    note: str = "known once a model has a plan",
) -> cards.Metric:  # fmt: skip
    if before is None or after is None:
        return cards.Metric(label=label, value=words.NOT_KNOWN, note=note)
    saved = overview.saved(before, after)
    delta = words.change(1 - saved) if saved is not None and saved != 0 else None
    against = f"from {words.scaled(before.mid * factor, ladder)}" if delta else "as today"
    told = f"{ALONE} {formats.name(after.source, 300)}."
    return cards.estimate(label, after, ladder, factor, delta=delta, against=against, help=told)


def _cost(before: Estimate | None, after: Estimate | None) -> cards.Metric:
    label = "Electricity a year"
    if before is None or after is None:
        return cards.Metric(label=label, value=words.NOT_KNOWN, note="set a price on About, Settings, and plan again")
    saved = overview.saved(before, after)
    ends = "" if after.low == after.high else f"{words.usd(after.low)}–{words.usd(after.high)}"
    return cards.Metric(
        label=label, value=words.usd(after.mid), basis=after.basis, spread=ends.replace("$", r"\$"),
        delta=words.change(1 - saved) if saved else None, against=f"from {words.usd(before.mid)}",
    )  # fmt: skip


ALONE = "The calls alone: what servers take while they wait depends on the place, see Place."
# What a target is set in: the field of a footprint, its unit in the field's, and how an amount is worded.
TARGETS = {
    "kWh": ("kwh_per_year", 1.0, words.energy_kwh),
    "kg CO₂e": ("g_co2e_per_year", units.G_PER_KG, words.carbon),
    "US$": ("usd_per_year", 1.0, words.usd),
}


def _target(before: Footprint, after: Footprint) -> None:
    known = [name for name, (field, _, _) in TARGETS.items() if getattr(before, field) and getattr(after, field)]
    if not known:
        return
    with cards.card("target", "Against a target", f"All plans together, per year. {ALONE}"):
        left, right = st.columns([1, 3], vertical_alignment="center", gap="medium")
        with left:
            unit = st.segmented_control(
                "Target in", known, default=known[0], required=True, key="target_unit", bind="query-params"
            )
            typed = st.number_input(
                f"Target ({unit} a year)", 0.0, value=None, placeholder="none", key="target", bind="query-params"
            )
        field, factor, say = TARGETS[str(unit)]
        target = None if typed is None else typed * factor
        rows = overview.against_target(before, after, target, field)
        low, high = overview.ends_of(field)
        with right:
            figure = figures.bars(
                rows, style.mode(), name="what", value=field, say=say, highlight="With the plans", low=low, high=high,
                basis="basis",
            )  # fmt: skip
            alt = f"{unit} a year today, with the plans, and the target."
            cards.chart(figure, key="target_chart", alt=alt, table=rows)
            if target:
                st.markdown(overview.on_target(getattr(after, field), target))


YEAR = (("energy", "kwh_per_year"), ("carbon", "g_co2e_per_year"), ("electricity", "usd_per_year"), ("turbine", "s"))


def models(rows: pd.DataFrame) -> None:
    """The table of models; choosing a row goes to what it needs next."""
    table = overview.glance(rows)
    chosen = tables.show(
        table,
        key="models",
        alt="Every model with its latency, energy, verdict and next step.",
        order=[
            "name",
            "format",
            "file_bytes",
            "median_ms",
            "energy_per_call_j",
            "verdict",
            "saved_frac",
            "next",
            *(
                f"{what}_{when}_{unit}"
                for what, unit in YEAR
                for when in ("today", "planned")
                if table[f"{what}_{when}_{unit}"].notna().any()
            ),
        ],
        more={"saved_frac": tables.bar("Energy saved")},
        on_select="rerun",
        selection_mode="single-row",
    )
    if chosen.selection.rows:
        row = table.iloc[chosen.selection.rows[0]]
        state.choose_model(row["sha256"])
        st.switch_page(PAGES.get(row["next"], "pages/profile.py"))


PAGES = {
    overview.NEXT["plan"]: "pages/compress.py",
    overview.NEXT["nothing meets the budget"]: "pages/compress.py",
    overview.NEXT["keep the original"]: "pages/report.py",
    overview.NEXT["compress"]: "pages/report.py",
}
