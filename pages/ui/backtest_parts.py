"""The backtest: the latency model against everything measured, each device predicted without itself."""

import pandas as pd
import streamlit as st

from advisor.figures import backtest as figures_backtest
from advisor.latency import backtest
from advisor.latency.own import own_rows
from data import words
from pages.ui import cards, state, style, tables

HELD_OUT = ("models", "products", "engines")


def backtested() -> None:
    """Coverage and errors, predicted against measured, errors by device beside others', and every row."""
    rows = _rows()
    own = own_rows(state.app().store)
    rows = pd.concat([rows, own], ignore_index=True) if len(own) else rows
    with cards.card("backtest-about", "Predicted against measured", _about(own)):
        kinds = {kind: title for kind, title in backtest.KINDS.items() if kind in set(rows["kind"])}
        chosen = st.pills(
            "Kinds", list(kinds), default=list(kinds), selection_mode="multi", format_func=kinds.get,
            key="backtest-kinds", label_visibility="collapsed",
        )  # fmt: skip
        shown = rows[rows["kind"].isin(chosen or list(kinds))]
        cards.metrics("backtest", _numbers(shown))
        if len(shown):
            alt = f"{len(shown):,} measured times beside their predictions, by kind; 1 is right, dotted twice or half."
            figure = figures_backtest.predicted_measured(shown, style.mode(), backtest.KINDS)
            cards.chart(figure, key="backtest_points", alt=alt)
    _others(rows)
    with cards.card("backtest-devices", "By device and kind", "Error is predicted over measured, less 1."):
        told = backtest.summary(rows)
        told.insert(0, "what", told.pop("kind").map(backtest.KINDS))
        tables.show(told, key="backtest_devices", alt="Errors of the latency model by device and kind.", height=420)


def _about(own: pd.DataFrame) -> str:
    mine = "Your own runs join once this machine's peaks are taken."
    mine = f"{len(own):,} of your own runs join them." if len(own) else mine
    return (
        f"Each chip is predicted from all others (fitted {backtest.fitted_on()}), CPUs from their measured "
        f"peaks. {mine}"
    )


def _numbers(rows: pd.DataFrame) -> list[cards.Metric]:
    error = rows["error_frac"].abs()
    held = rows[rows["kind"].isin(HELD_OUT)]
    return [
        cards.Metric(label="Measured rows", value=words.count(len(rows)), basis="measured"),
        cards.Metric(label="Median error", value=words.percent(error.median()) if len(rows) else words.NOT_KNOWN),
        cards.Metric(
            label="Median error, plain roofline",
            value=words.percent(rows["roofline_error_frac"].abs().median()) if len(rows) else words.NOT_KNOWN,
        ),
        cards.Metric(
            label="Inside the 90 % interval",
            value=words.percent(held["inside"].mean()) if len(held) else words.NOT_KNOWN,
            help="Models, products and engines, whose intervals these are.",
        ),
    ]


def _others(rows: pd.DataFrame) -> None:
    beside = backtest.beside_others(rows)
    with cards.card(
        "backtest-others", "Whole models, beside others",
        "Mean error on the same language models in FP32. Ours has not seen the device; theirs has, as they publish it.",
    ):  # fmt: skip
        alt = "Mean error by device: ours without the device, NeuSight, Habitat, Li et al., and the plain roofline."
        cards.chart(
            figures_backtest.errors(beside, style.mode()), key="backtest_others", alt=alt, table=backtest.published()
        )


@st.cache_data(max_entries=1, show_spinner="Reading the backtest")
def _rows() -> pd.DataFrame:
    return backtest.rows()
