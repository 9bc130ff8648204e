"""Cards: what a page shows its results in, and the only place where an error becomes one."""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from data import words
from data.errors import RightsizeError
from data.estimate import Estimate
from pages.ui import formats, navigation, tables

if TYPE_CHECKING:
    import pandas as pd

# basis: (colour, icon, what it means). Never drawn alike: another colour, another icon, another word.
BASES = {
    "measured": ("green", ":material/straighten:", "Measured: a run on a real machine, with its spread."),
    "predicted": ("blue", ":material/timeline:", "Predicted by the latency model, with its interval."),
    "modelled": ("violet", ":material/function:", "Modelled from published constants, with an interval."),
    "claimed": ("orange", ":material/format_quote:", "Claimed by a vendor or a paper; see its source."),
    "given": ("gray", ":material/edit:", "Given: typed by you, or a definition."),
}
METRIC_PX = 128  # two metrics side by side on a phone of 360 px, in a card too; four or five on a desk


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One number of a row: `spread` is its interval in words; `delta` a change in words ("−63 %")."""

    label: str
    value: str
    basis: str | None = None
    spread: str = ""
    note: str = ""
    delta: str | None = None
    against: str = ""
    more_is_better: bool = False
    help: str | None = None


def page(title: str, sub: str) -> None:
    """The head of a page."""
    navigation.through_the_app()
    with st.container(gap=None, key="page-head"):
        st.title(title, anchor=False)
        st.caption(sub)


@contextmanager
def card(key: str, title: str = "", sub: str = "", **layout: Any) -> Iterator[None]:
    """A box with a heading; boxes side by side are equally high."""
    with st.container(key=f"card-{key}", **{"height": "stretch", **layout}):
        if title:
            with st.container(gap=None):
                st.header(title, anchor=False)
                if sub:
                    st.caption(sub)
        yield


@contextmanager
def hero(
    key: str, verdict: str, headline: str, *, icon: str = ":material/check_circle:", color: str = "green"
) -> Iterator[None]:
    """The answer of a page: a verdict, one line, and what stands beside it. Both texts are ours, not a file's."""
    with st.container(key=f"hero-{key}"):
        st.badge(verdict, icon=icon, color=color)
        st.header(headline, anchor=False)
        yield


def basis(kind: str) -> str:
    """Markdown of a basis, for a caption: colour, icon and word."""
    colour, icon, _ = BASES[kind]
    return f":{colour}-badge[{icon} {kind}]"


def legend() -> None:
    """What the five words mean."""
    st.markdown("\n".join(f"- {basis(kind)} {meaning}" for kind, (_, _, meaning) in BASES.items()))


def metrics(key: str, row: Sequence[Metric], columns: int = 4) -> None:
    """A row of numbers that folds to two columns on a phone."""
    with st.grid(columns, min_column_width=METRIC_PX, gap="small"):
        for position, item in enumerate(row):
            metric(f"{key}-{position}", item)


def metric(key: str, item: Metric) -> None:
    """One number with its basis and interval under it, and its change where there is one."""
    with st.container(key=f"metric-{key}", gap=None, height="stretch"):
        st.metric(
            item.label,
            item.value,
            item.delta.replace("−", "-") if item.delta else None,  # Streamlit reads the sign off an ASCII minus
            delta_color=("normal" if item.more_is_better else "inverse") if item.delta else "off",
            delta_description=item.against or None,
            help=item.help,
        )
        told = " · ".join(part for part in (_whole(item.spread), item.note) if part)
        if item.basis or told:
            st.caption(f"{basis(item.basis)} {told}" if item.basis else told)


def _whole(text: str) -> str:
    """The text on one line: an interval keeps its ends and its unit together."""
    return text.replace(" ", "\N{NO-BREAK SPACE}").replace("–", "\N{WORD JOINER}–\N{WORD JOINER}")


def estimate(label: str, value: Estimate | None, ladder: words.Ladder, factor: float = 1.0, **more: Any) -> Metric:
    """The metric of an Estimate: its middle, its ends, its basis and its source."""
    if value is None:
        return Metric(label=label, value=words.NOT_KNOWN, **more)
    return Metric(
        label=label,
        value=words.scaled(value.mid * factor, ladder),
        basis=value.basis,
        spread=words.ends(value, ladder, factor),
        **{"help": formats.name(value.source, 300) or None, **more},
    )


def facts(pairs: Mapping[str, str], *, key: str = "") -> None:
    """Names and values in two columns; values are shown as text, whatever is in them."""
    rows = [{"what": f"**{formats.name(key)}**", "value": formats.name(value, 200)} for key, value in pairs.items()]
    with st.container(key=f"facts-{key or zlib.crc32('|'.join(pairs).encode())}"):
        st.table(rows, border="horizontal", hide_index=True, hide_header=True)


def chart(figure: Any, *, key: str, alt: str, table: "pd.DataFrame | None" = None) -> None:
    """A figure with its text alternative, and the rows it was drawn from to open under it."""
    st.plotly_chart(figure, key=key, theme=None, alt=alt, config={"displayModeBar": False})
    if table is not None:
        box = st.expander(
            "Show as a table", icon=":material/table_rows:", type="compact", key=f"{key}_table", on_change="rerun"
        )
        if box.open:  # a table of hundreds of rows costs the browser more than the chart
            with box:
                tables.show(table, key=f"{key}_rows", alt=alt)


def nothing_yet(key: str, text: str, *, todo: str = "", to: str | None = None, icon: str | None = None) -> None:
    """An empty state: what is missing, and the one thing to do about it (`to` is the page where that is done)."""
    icon = icon or (":material/upload_file:" if to else ":material/info:")
    with st.container(key=f"empty-{key}", horizontal_alignment="center", gap="xsmall"):
        with st.container(key=f"sign-{key}", width="content"):
            st.markdown(icon, width="content")
        st.markdown(f"**{text}**", width="content", text_alignment="center")
        if to:
            st.page_link(to, label=todo or "Go there", icon=":material/arrow_forward:")
        elif todo:
            st.caption(todo, width="content", text_alignment="center")


def onward(*links: tuple[str, str]) -> None:
    """Where to go from here: a page and what is done there, each."""
    with st.container(horizontal=True, gap="small", key="onward"):
        for to, text in links:
            st.page_link(to, label=text, icon=":material/arrow_forward:")


def warning(key: str, *texts: str) -> None:
    """What the reader must know before the numbers; nothing where there is nothing to say."""
    if texts:
        with st.container(key=f"warn-{key}", gap="xxsmall"):
            for text in texts:
                st.markdown(f":material/warning: {text}")


def problem(error: RightsizeError, key: str = "error") -> None:
    """An error as a card: one line, what to do, and library text only when opened."""
    with st.container(key=f"stop-{key}", gap="xsmall"):
        st.markdown(f":material/error: **{formats.name(error.message, 200)}**")
        if error.hint:
            st.markdown(formats.name(error.hint, 200))
        if error.details:
            with st.expander("Details", type="compact"):
                st.text(error.details)


@contextmanager
def guard(key: str = "error") -> Iterator[None]:
    """Show a RightsizeError raised inside as a card in its place."""
    try:
        yield
    except RightsizeError as error:
        problem(error, key)
