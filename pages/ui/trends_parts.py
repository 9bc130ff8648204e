"""The chart of the trends page: key numbers, the figure with its account and text, my star on it, the downloads."""

import io
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from advisor import clip
from advisor.clippings import Clipping
from advisor.figures import image as figures_image
from advisor.figures import trends as figures_trends
from advisor.figures.trend_marks import rule_levels, scale_of, star_of
from advisor.trends import fits, view, wording
from advisor.trends.metrics import Metric
from advisor.trends.rows import ABOUT_SETS, SETS
from advisor.trends.standing import MyModel
from advisor.trends.view import View
from data import tables, words
from data.table_files import Header
from data.text import csv_cell
from pages.ui import cards, style, trends_clip
from pages.ui import tables as shown_tables
from pages.ui.trends_controls import Choice

# Worked out for the charts; not part of a row.
HIDDEN = ("year", "open_weights", "frontier", "training_turbine_years", "training_flop_2022", "training_flop_2026")


def seen(choice: Choice) -> View:
    """The view of a choice."""
    return view.view(choice.metric, choice.among, choice.wanted, choice.breaks, choice.method, choice.colour_by)


def key_numbers(shown: View) -> None:
    """Doubling time, growth, spread and the published figure of the newest line."""
    last = shown.last
    if last is None or last.line is None:
        return
    line, over = last.line, f"{shown.metric.title}, {last.title}"
    low, mid, high = line.doubling()
    row = [
        cards.Metric(
            label="Doubling time",
            value="does not rise" if mid is None else f"{view.months(mid)} months",
            basis="modelled",
            spread="" if low is None else f"{view.months(low)}–{view.months(high)}",
            help=f"{over}; 95 % interval of the line.",
        ),
        cards.Metric(
            label="Growth a year",
            value=words.times(line.x_per_year),
            basis="modelled",
            spread=f"{words.number(10**line.slope_low)}–{words.number(10**line.slope_high)}×",
            help=f"{over}; 95 % interval of the line.",
        ),
        cards.Metric(
            label="Spread about the line",
            value=f"{words.number(fits.scatter_factor(line, 0.9), 2)}×",
            basis="modelled",
            note=f"up or down holds 90 % of {line.n:,} points{wording.fitness(line)}",
            help="A single system lies within this factor of the line nine times out of ten.",
        ),
        _published(shown),
    ]
    cards.metrics("trend", row)


def _published(shown: View) -> cards.Metric:
    found = wording.beside(shown)
    if found is None or found[0].published is None:
        return cards.Metric(label="Published", value="–", note="no published figure for this choice")
    known, same = found
    badge = ":green-badge[:material/check: reproduces]" if same else ":orange-badge[:material/difference: differs]"
    return cards.Metric(
        label="Published",
        value=f"{view.months(known.published.months)} months",
        basis="claimed",
        note=badge,
        help=f"{known.published.by}, for {known.title.lower()}. Reproduces: it lies in the line's 95 % interval.",
    )


def chart(shown: View, choice: Choice, mine: MyModel | None) -> None:
    """The chart in its card, with the account of left-out rows, its text, its table and its downloads."""
    sub = f"{ABOUT_SETS[shown.rows_name]}. {shown.metric.about[:1].upper()}{shown.metric.about[1:]}."
    with cards.card("trend-chart", shown.metric.title, sub):
        if shown.selection.rows.empty:
            cards.nothing_yet("trend", "No row passes these filters", todo="Widen them; the line below says why.")
        else:
            picked = st.plotly_chart(
                drawn(shown, choice, mine, style.mode()), key="trend_chart", theme=None, on_select="rerun",
                alt=spoken(shown, mine, choice.metric), selection_mode="points", config={"displayModeBar": False},
            )  # fmt: skip
            _remember(picked)
        st.caption(f"{wording.accounts(shown.selection)} {credit(shown)}")
        table = st.expander(
            "Show as text and table", icon=":material/table_rows:", type="compact", key="table", bind="query-params"
        )
        if table.open:
            table.markdown("\n".join(f"- {wording.sentence(era)}." for era in shown.eras) or "No line.")
            with table:
                shown_tables.show(listed(shown), key="trend_rows", alt="The rows of the chart", height=320)
        _downloads(shown, choice, mine)


def credit(shown: View) -> str:
    """Who the rows are from, under which licence, how old, and whether that is too old."""
    old = tables.source(f"trends/{clip.table_of(shown.rows_name)}").is_stale()
    return source(shown) + (" :orange-badge[older than two years]" if old else "")


def source(shown: View) -> str:
    """Who the rows are from, under which licence, and how old they are."""
    header = tables.headers("trends", clip.table_of(shown.rows_name))[0]
    return f"{header.source}; {header.licence}; as of {header.as_of}."


def drawn(shown: View, choice: Choice, mine: MyModel | None, mode: str) -> Any:
    """The figure of a view."""
    return figures_trends.over_time(
        shown.points,
        mode,
        scale_of(choice.metric, choice.log),
        eras=shown.eras,
        star=star_of(mine, choice.metric),
        levels=rule_levels() if choice.levels else (),
        ties=view.ties() if choice.vintage else None,
    )


def spoken(shown: View, mine: MyModel | None, metric: Metric) -> str:
    """The text alternative of the chart."""
    parts = [f"{metric.title} over time.", *(f"{wording.sentence(era)}." for era in shown.eras)]
    own = star_of(mine, metric)
    if own is not None:
        parts.append(f"Your model {own.name}: {own.said}.")
    return " ".join([*parts, wording.accounts(shown.selection)])


def listed(shown: View) -> pd.DataFrame:
    """The rows of the chart as a table: what was drawn first, newest on top."""
    frame, column = shown.selection.rows, shown.metric.column
    first = ["name", "date", column, "organization" if "organization" in frame else "manufacturer"]
    rest = [name for name in frame.columns if name not in first and name not in HIDDEN]
    return frame[[*first, *rest]].sort_values("date", ascending=False, kind="stable")


def download(label: str, frame: pd.DataFrame, header: Header, name: str) -> None:
    """A button for the frame as CSV, with its source and licence on top; made when it is pressed."""
    made = partial(csv, frame, header)
    st.download_button(label, made, name, "text/csv", icon=":material/download:", on_click="ignore")


def csv(frame: pd.DataFrame, header: Header) -> bytes:
    """The frame as CSV; no cell is a formula to a spreadsheet."""
    text = io.StringIO()
    text.write(f"# source: {header.source} {header.url}\n# licence: {header.licence}\n# as_of: {header.as_of}\n")
    frame.map(csv_cell).to_csv(text, index=False)
    return text.getvalue().encode()


def _remember(picked: Any) -> None:
    chosen = picked.selection.points if picked and picked.selection else []
    data = chosen[0].get("customdata") if chosen else None
    if data and data[0] != st.session_state.get("trend_clicked"):
        st.session_state["trend_clicked"] = st.session_state["trend_system"] = data[0]


def _downloads(shown: View, choice: Choice, mine: MyModel | None) -> None:
    name, header = f"trend-{shown.metric.key}", tables.headers("trends", clip.table_of(shown.rows_name))[0]
    with st.container(horizontal=True, gap="small", key="trend-downloads"):
        download("Rows (CSV)", listed(shown), header, f"{name}-rows.csv")
        download("Lines (CSV)", wording.fit_table(shown), header, f"{name}-lines.csv")
        missing = figures_image.missing()
        for kind, mime in (("png", "image/png"), ("svg", "image/svg+xml")):
            st.download_button(
                kind.upper(), partial(_picture, shown, choice, mine, kind), f"{name}.{kind}", mime, on_click="ignore",
                icon=":material/image:", disabled=missing is not None, help=missing,
            )  # fmt: skip
        trends_clip.into_report("chart", lambda address: clipping(shown, choice, mine, address))


def clipping(shown: View, choice: Choice, mine: MyModel | None, address: str) -> Clipping:
    """The chart as it stands now, with where my model stands, for a report."""
    own = star_of(mine, choice.metric)
    ties = view.ties() if choice.vintage else None
    chart = clip.chart_of(
        shown, scale_of(choice.metric, choice.log), star=own, levels=rule_levels() if choice.levels else (), ties=ties
    )
    line = shown.last.line if shown.last else None
    told = [] if mine is None else wording.standing_of(mine, choice.metric, line)
    return clip.of_view(shown, chart, told, address)


def _picture(shown: View, choice: Choice, mine: MyModel | None, kind: str) -> bytes:
    figure = drawn(shown, choice, mine, "light")
    notes = [*(f"{wording.sentence(era)}." for era in shown.eras), source(shown)]
    title = f"{shown.metric.title}: {SETS[shown.rows_name].lower()}"
    return figures_image.image(figures_trends.for_print(figure, title, notes), kind)
