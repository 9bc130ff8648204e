"""Cards under the chart of the trends page: the lines as numbers, one system, the published figures, grid carbon."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from advisor import clip
from advisor.figures import trends as figures_trends
from advisor.figures.shares import shares
from advisor.trends import grid, view, wording, workloads
from advisor.trends.metrics import METRICS
from advisor.trends.reference import reference_fits
from advisor.trends.view import View
from data import tables, words
from pages.ui import cards, formats, style, trends_clip
from pages.ui import tables as shown_tables
from pages.ui.trends_parts import download

Say = Callable[[Any], str]


def _listed(value: Any) -> str:
    return str(value).replace(";", ", ")


# What the card of one system tells, in this order, where it is known.
FACTS: Mapping[str, tuple[str, Say]] = {
    "date": ("Published", str),
    "organization": ("By", str),
    "manufacturer": ("By", str),
    "domains": ("Domain", _listed),
    "parameter_count": ("Parameters", words.count),
    "training_flop": ("Training compute", METRICS["compute"].say),
    "training_flop_method": ("Estimated by", _listed),
    "training_flop_2022": ("Value of 2022", METRICS["compute"].say),
    "training_flop_2026": ("Value of 2026", METRICS["compute"].say),
    "training_sample_count": ("Training data", words.count),
    "hardware": ("Hardware", _listed),
    "hardware_count": ("Chips", words.count),
    "training_h": ("Training time", lambda hours: f"{words.number(hours)} h"),
    "training_kwh": ("Energy, nameplate", words.energy_kwh),
    "training_kwh_reported": ("Energy, reported", words.energy_kwh),
    "training_usd": ("Cost (2023)", words.usd),
    "access": ("Access", str),
    "confidence": ("Confidence", str),
    "best_fp16_flop_per_s": ("Peak FP16", lambda speed: f"{words.flop(speed)}/s"),
    "fp32_flop_per_s": ("Peak FP32", lambda speed: f"{words.flop(speed)}/s"),
    "memory_bytes": ("Memory", words.size),
    "memory_bytes_per_s": ("Bandwidth", lambda speed: f"{words.size(speed)}/s"),
    "rated_w": ("Rated power", METRICS["power"].say),
    "release_usd": ("Launch price", words.usd),
    "process_nm": ("Process", lambda size: f"{size:g} nm"),
}
# The first is open at once: it is the one without a chart, so that the page is ready sooner.
MORE = ("Hardware and budget", "The coming years", "What accelerators run", "Against what was published", "Rebound")
MONTHS = "%.1f"
AXIS = "g CO₂e per kWh"


def lines(shown: View) -> None:
    """Each era's line as numbers."""
    with cards.card("trend-lines", "The lines", "95 % intervals by resampling the points."):
        drawn = [era for era in shown.eras if era.line is not None]
        if len(drawn) == 1:
            _line(drawn[0])
        else:
            cards.facts({era.title: wording.sentence(era).split(": ", 1)[1] for era in drawn})
        for era in shown.eras:
            if era.line is None:
                st.caption(f"{era.title}: {era.note}")
        if not shown.eras:
            st.markdown("No line: no row passes the filters.")


def _line(era: view.Era) -> None:
    line = era.line
    assert line is not None
    low, mid, high = line.doubling()
    doubling = "does not rise"
    if mid is not None and low is not None:
        doubling = f"{view.months(mid)} ({view.months(low)} to {view.months(high)}) months"
    cards.facts(
        {
            "Doubles every": doubling,
            "Grows a year": f"{words.times(line.x_per_year)} ({line.slope_oom_per_year:.3f} orders of magnitude)",
            "Points": f"{line.n}, {era.title}",
            **({"R²": f"{line.r2:.3f}"} if wording.fitness(line) else {}),
            "Residual spread": f"{line.residual_sd_oom:.2f} orders of magnitude (sd)",
            "Method": wording.method_title(line),
        }
    )


def system(shown: View) -> None:
    """A card for one system: clicked on the chart or chosen by name."""
    with cards.card("trend-system", "One system", "Click a point, or choose a name."):
        names = list(shown.selection.rows["name"])[::-1]
        if not names:
            st.markdown("No row to choose from.")
            return
        if st.session_state.get("trend_system") not in names:
            st.session_state["trend_system"] = names[0]
        name = st.selectbox("System", names, key="trend_system", label_visibility="collapsed")
        found = wording.find(shown.rows_name, name or names[0])
        cards.facts({title: say(found[key]) for key, (title, say) in FACTS.items() if key in found})
        link = found.get("url")
        if isinstance(link, str) and link.startswith(("https://", "http://")):
            st.link_button("Open its source", link, icon=":material/open_in_new:")


def published() -> None:
    """Every shipped fit beside what has been published, and the claims that contradict each other."""
    table = wording.reference_table(reference_fits())
    same, told = int((table["badge"] == "reproduces").sum()), int((table["badge"] != "").sum())
    st.markdown(f"{len(table)} fits recomputed from the shipped rows; {same} of {told} published figures reproduce.")
    settings = {
        "doubling_months": st.column_config.NumberColumn("Doubling (months)", format=MONTHS),
        "low_months": st.column_config.NumberColumn("from", format=MONTHS),
        "high_months": st.column_config.NumberColumn("to", format=MONTHS),
        "x_per_year": st.column_config.NumberColumn("× a year", format="%.2f"),
        "published_months": st.column_config.NumberColumn("Published", format=MONTHS),
        "r2": st.column_config.NumberColumn("R²", format="%.2f"),
        "n": st.column_config.NumberColumn("n", format="%d"),
    }
    alt = "Every shipped fit beside the published doubling time"
    shown_tables.show(table, key="trend_published", alt=alt, more=settings, height=400)
    for claim in wording.growth_claims():
        st.caption(f":orange-badge[{claim['status']}] {formats.name(claim['claim'])}: {claim['correction']}")


def workload_mix() -> None:
    """What a large operator's accelerators ran, as a reference for buying hardware that outlives its models."""
    st.caption(f"{workloads.ABOUT} {cards.basis(workloads.BASIS)}")
    figure = shares(workloads.bars(), style.mode(), workloads.AXIS, workloads.BASIS)
    cards.chart(figure, key="workloads_chart", alt=" ".join(workloads.sentences()), table=workloads.table())
    st.markdown("\n".join(f"- {sentence}" for sentence in workloads.meaning()))
    source = tables.source(workloads.SOURCE)
    st.caption(f"{source.title}; as of {source.as_of}. {workloads.sentences()[-1]}")
    with st.container(horizontal=True, gap="small"):
        download("Rows (CSV)", workloads.rows(), tables.headers("claims", "tpu_workloads")[0], "tpu-workloads.csv")
        trends_clip.into_report("workloads", clip.of_workloads)


def grid_chart(names: Sequence[str], first: int, last: int) -> None:
    """Carbon intensity of countries over the years."""
    found = grid.of_zones(tuple(names), first, last)
    sub = "Ember: life-cycle, production-based, annual average."
    with cards.card("trend-grid", "Carbon intensity of electricity", sub):
        if found.empty:
            cards.nothing_yet("grid", "No country chosen", todo="Choose one above.")
            return
        table = grid.change_a_year(found)
        told = [f"{row.zone} {row.last_g_per_kwh:.0f} g/kWh in {row.last_year}" for row in table.itertuples()]
        figure = figures_trends.zones_over_time(found, style.mode(), AXIS)
        cards.chart(figure, key="grid_chart", alt="Carbon intensity over time: " + "; ".join(told), table=table)
        with st.container(horizontal=True, gap="small"):
            download("Rows (CSV)", found, tables.headers("grid", "ember")[0], "grid-carbon.csv")
            trends_clip.into_report("grid", lambda address: clip.of_zones(found, told, AXIS, address))
