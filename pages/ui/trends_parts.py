"""What the trends page shows: key numbers, the chart with its account, the lines, one system, the downloads."""

import io
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from advisor import figures_image, figures_trends
from advisor.figures_trends import Level, Scale, Star
from advisor.trends import fits, grid, regulation, view
from advisor.trends.metrics import Metric
from advisor.trends.reference import reference_fits
from advisor.trends.rows import SETS, newest_year, rows
from advisor.trends.standing import MyModel
from advisor.trends.view import View
from data import tables, words
from data.text import csv_cell
from pages.ui import cards, formats, style
from pages.ui import tables as shown_tables
from pages.ui.trends_controls import Choice

TICKS: Mapping[str, Mapping[str, Any]] = {
    "parameters": {"tick_format": "B"},
    "data": {"tick_format": "B"},
    "cost": {"tick_format": "B", "prefix": "$"},
    "power": {"tick_format": "SI", "suffix": "W"},
    "per_watt": {"tick_format": "SI"},
    "per_usd": {"tick_format": "SI"},
}
HIDDEN = ("year", "open_weights", "frontier", "training_turbine_years", "training_flop_2022", "training_flop_2026")
MONTHS = ((1.0, "months"),)


def seen(choice: Choice) -> View:
    """The view of a choice."""
    return view.view(choice.metric, choice.among, choice.wanted, choice.breaks, choice.method, choice.colour_by)


def key_numbers(shown: View) -> None:
    """Doubling time, growth, spread and the published figure of the newest line."""
    last = shown.last
    if last is None or last.line is None:
        return
    line = last.line
    low, mid, high = line.doubling()
    over = f"{shown.metric.title.lower()}, {last.title}"
    scatter = fits.scatter_factor(line, 0.9)
    row = [
        cards.Metric(
            label="Doubling time",
            value=words.NOT_KNOWN if mid is None else f"{words.number(mid)} months",
            basis="modelled",
            spread="" if low is None else f"{words.number(low)}–{'∞' if high is None else words.number(high)} months",
            help=f"{over}; 95 % interval of the line",
        ),
        cards.Metric(
            label="Growth a year",
            value=words.times(line.x_per_year),
            basis="modelled",
            spread=f"{words.number(10**line.slope_low)}–{words.number(10**line.slope_high)}×",
            help=over,
        ),
        cards.Metric(
            label="Spread about the line",
            value=f"÷ × {words.number(scatter, 2)}",
            note=f"holds 90 % of {line.n} points; R² {line.r2:.2f}",
            help="A single system lies within this factor of the line, up or down, nine times out of ten.",
        ),
        _published(shown),
    ]
    cards.metrics("trend", row)


def _published(shown: View) -> cards.Metric:
    found = view.beside(shown)
    if found is None:
        return cards.Metric(label="Published", value="–", note="no published figure for this choice")
    known, same = found
    assert known.published is not None
    badge = ":green-badge[:material/check: reproduces]" if same else ":orange-badge[:material/difference: differs]"
    return cards.Metric(
        label="Published",
        value=f"{words.number(known.published.months)} months",
        note=badge,
        help=f"{known.published.by} for {known.title.lower()}. Reproduces: it lies inside the line's 95 % interval.",
    )


def chart(shown: View, choice: Choice, mine: MyModel | None) -> None:
    """The chart in its card, with the account of left-out rows, its text, its table and its downloads."""
    points, figure = view.points(shown), drawn(shown, choice, mine, style.mode())
    sub = f"{SETS[shown.rows_name]}. {shown.metric.about[:1].upper()}{shown.metric.about[1:]}."
    with cards.card("trend-chart", shown.metric.title, sub):
        if points.empty:
            cards.nothing_yet("trend", "No row passes these filters", todo="Widen them: the account below says why.")
        else:
            picked = st.plotly_chart(
                figure, key="trend_chart", theme=None, alt=spoken(shown, mine, choice.metric), on_select="rerun",
                selection_mode="points", config={"displayModeBar": False},
            )  # fmt: skip
            _remember(picked)
        st.caption(view.accounts(shown.selection))
        with st.expander("Show as text and table", icon=":material/table_rows:", type="compact"):
            st.markdown("\n".join(f"- {view.sentence(era)}." for era in shown.eras) or "No line.")
            shown_tables.show(listed(shown), key="trend_rows", alt=f"The {len(points)} rows of the chart", height=320)
        _downloads(shown, choice, mine)


def drawn(shown: View, choice: Choice, mine: MyModel | None, mode: str) -> Any:
    """The figure of a view."""
    return figures_trends.over_time(
        view.points(shown),
        mode,
        scale(choice.metric, choice.log),
        eras=shown.eras,
        star=star(mine, choice.metric),
        levels=levels() if choice.levels else (),
        ties=view.ties() if choice.vintage else None,
    )


def scale(metric: Metric, log: bool = True) -> Scale:
    """The value axis of a metric."""
    return Scale(title=metric.axis, log=log, **TICKS.get(metric.key, {}))


def star(mine: MyModel | None, metric: Metric) -> Star | None:
    """My model as a point; None where it has no such value."""
    value = mine.value(metric.column) if mine else None
    if mine is None or value is None:
        return None
    value = value * metric.factor
    return Star(name=mine.name, year=mine.year or newest_year(), value=value, said=metric.say(value))


def levels() -> tuple[Level, ...]:
    """Regulation thresholds as lines, each with its status."""
    found = []
    for rule in regulation.rules():
        ended = f"{rule.status} {rule.revoked_date}" if rule.revoked_date else rule.status
        text = f"{rule.training_flop:.0e} FLOP · {rule.jurisdiction} · {ended}".replace("e+", "e")
        found.append(Level(value=rule.training_flop, text=text, binding=rule.binding(date.today())))
    return tuple(found)


def spoken(shown: View, mine: MyModel | None, metric: Metric) -> str:
    """The text alternative of the chart."""
    parts = [f"{metric.title} over time.", *(f"{view.sentence(era)}." for era in shown.eras)]
    own = star(mine, metric)
    if own is not None:
        parts.append(f"Your model {own.name}: {own.said}.")
    return " ".join([*parts, view.accounts(shown.selection)])


def listed(shown: View) -> pd.DataFrame:
    """The rows of the chart as a table: what was drawn first, newest on top."""
    frame, column = shown.selection.rows, shown.metric.column
    first = ["name", "date", column, *(["organization"] if "organization" in frame else ["manufacturer"])]
    rest = [name for name in frame.columns if name not in first and name not in HIDDEN]
    return frame[[*first, *rest]].sort_values("date", ascending=False, kind="stable")


def lines(shown: View) -> None:
    """Each era's line as numbers, and what has been published."""
    with cards.card("trend-lines", "The lines", "Least squares unless chosen otherwise; 95 % intervals by resampling."):
        table = view.fit_table(shown)
        if table.empty:
            st.markdown("No line: too few points pass the filters.")
            return
        settings = {
            "x_per_year": st.column_config.NumberColumn("× a year", format="%.2f"),
            "doubling_months": st.column_config.NumberColumn("Doubling (months)", format="%.1f"),
            "low_months": st.column_config.NumberColumn("from", format="%.1f"),
            "high_months": st.column_config.NumberColumn("to", format="%.1f"),
            "slope_oom_per_year": st.column_config.NumberColumn("Orders of magnitude a year", format="%.3f"),
            "r2": st.column_config.NumberColumn("R²", format="%.2f"),
            "residual_sd_oom": st.column_config.NumberColumn("Residual sd (orders)", format="%.2f"),
            "n": st.column_config.NumberColumn("n", format="%d"),
        }
        shown_tables.show(table, key="trend_fits", alt="The lines of each era", more=settings)
        for era in shown.eras:
            st.caption(f"{view.sentence(era)}.")


def system(shown: View) -> None:
    """A card for one system: chosen on the chart or by name."""
    with cards.card("trend-system", "One system", "Click a point, or choose a name."):
        names = list(shown.selection.rows["name"])
        if not names:
            st.markdown("No row to choose from.")
            return
        remembered = st.session_state.get("trend_picked")
        start = names.index(remembered) if remembered in names else len(names) - 1
        name = st.selectbox("System", names, index=start, label_visibility="collapsed")
        found = view.find(shown.rows_name, name or names[-1])
        link = found.pop("url", None)
        cards.facts({shown_tables.heading(key): _said(key, value) for key, value in found.items() if key not in HIDDEN})
        if isinstance(link, str) and link.startswith(("https://", "http://")):
            st.link_button("Open its source", link, icon=":material/open_in_new:")


def grid_chart(names: Sequence[str], first: int, last: int) -> None:
    """Carbon intensity of countries over the years."""
    found = grid.of_zones(tuple(names), first, last)
    sub = "Ember, annual average of production, life-cycle; g CO₂e per kWh."
    with cards.card("trend-grid", "Carbon intensity of electricity", sub):
        if found.empty:
            cards.nothing_yet("grid", "No country chosen", todo="Choose one above.")
            return
        table = grid.change_a_year(found)
        told = [f"{row.zone}: {row.last_g_per_kwh:.0f} g/kWh in {row.last_year}" for row in table.itertuples()]
        figure = figures_trends.zones_over_time(found, style.mode(), "g CO₂e per kWh")
        cards.chart(figure, key="grid_chart", alt="Carbon intensity over time. " + "; ".join(told), table=table)
        csv = _csv(found, tables.headers("grid", "ember")[0])
        st.download_button("Rows (CSV)", csv, "grid-carbon.csv", "text/csv", icon=":material/download:")


def published_card() -> None:
    """Every shipped fit beside what has been published, and the claims that contradict each other."""
    table = view.reference_table(reference_fits())
    same, told = int((table["badge"] == "reproduces").sum()), int((table["badge"] != "").sum())
    sub = f"{len(table)} fits recomputed from the shipped rows; {same} of {told} published figures reproduce."
    with cards.card("trend-published", "Against what has been published", sub):
        settings = {
            "doubling_months": st.column_config.NumberColumn("Doubling (months)", format="%.1f"),
            "low_months": st.column_config.NumberColumn("from", format="%.1f"),
            "high_months": st.column_config.NumberColumn("to", format="%.1f"),
            "x_per_year": st.column_config.NumberColumn("× a year", format="%.2f"),
            "published_months": st.column_config.NumberColumn("Published", format="%.1f"),
            "r2": st.column_config.NumberColumn("R²", format="%.2f"),
        }
        shown_tables.show(table, key="trend_published", alt=sub, more=settings, height=390)
        for claim in growth_claims():
            st.caption(f":orange-badge[{claim['status']}] {formats.name(claim['claim'], 200)}: {claim['correction']}")


def growth_claims() -> list[dict[str, Any]]:
    """What a talk says about growth, each with the correction that belongs to it."""
    frame = tables.frame("claims", "claims")
    return [{str(k): v for k, v in row.items()} for row in frame[frame["kind"] == "growth"].to_dict("records")]


def _remember(picked: Any) -> None:
    chosen = picked.selection.points if picked and picked.selection else []
    data = chosen[0].get("customdata") if chosen else None
    if data:
        st.session_state["trend_picked"] = data[0]


def _said(key: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return words.number(float(value), 4)
    return str(value).replace(";", ", ")


def _downloads(shown: View, choice: Choice, mine: MyModel | None) -> None:
    name = f"trend-{shown.metric.key}"
    header = tables.headers("trends", _table(shown.rows_name))[0]
    with st.container(horizontal=True, gap="small", key="trend-downloads"):
        icon = ":material/download:"
        rows_csv = lambda: _csv(listed(shown), header)  # noqa: E731
        st.download_button("Rows (CSV)", rows_csv, f"{name}-rows.csv", "text/csv", icon=icon, on_click="ignore")
        fits_csv = lambda: _csv(view.fit_table(shown), header)  # noqa: E731
        st.download_button("Lines (CSV)", fits_csv, f"{name}-lines.csv", "text/csv", icon=icon, on_click="ignore")
        missing = figures_image.missing()
        for kind, mime in (("png", "image/png"), ("svg", "image/svg+xml")):
            picture = lambda kind=kind: figures_image.image(drawn(shown, choice, mine, "light"), kind)  # noqa: E731
            st.download_button(
                kind.upper(), picture, f"{name}.{kind}", mime, icon=":material/image:", on_click="ignore",
                disabled=missing is not None, help=missing,
            )  # fmt: skip


def _table(rows_name: str) -> str:
    if rows_name.startswith("sevilla"):
        return "sevilla_2022"
    return "hardware" if rows_name == "hardware" else "systems"


def _csv(frame: pd.DataFrame, header: Any) -> bytes:
    """The frame as CSV, with its source and licence on top; no cell is a formula to a spreadsheet."""
    text = io.StringIO()
    text.write(f"# source: {header.source} {header.url}\n# licence: {header.licence}\n# as_of: {header.as_of}\n")
    frame.map(csv_cell).to_csv(text, index=False)
    return text.getvalue().encode()


__all__ = ["chart", "grid_chart", "key_numbers", "lines", "published_card", "rows", "seen", "system"]
