"""Energy physics: what an operation and a fetch cost at 45 and 7 nm, what a unit takes of a chip, in your own graph."""

import pandas as pd
import streamlit as st

from advisor import physics_frames
from advisor.figures.bars import bars
from advisor.figures.dots import log_dots
from data import words
from data.units import BITS_PER_BYTE
from pages.ui import cards, formats, state, style, tables
from pages.ui.calculate_parts import URL

MEMORIES = {"dram_ddr": "DDR", "dram_hbm2": "HBM2", "dram_gddr6": "GDDR6"}


def show() -> None:
    """The ratios, the table of operations, chip area, and the user's model."""
    node = st.segmented_control(
        "Chip", (7, 45), default=7, required=True, format_func="{} nm".format, key="node_nm", **URL
    )  # fmt: skip
    cards.metrics("physics", [_ratio(one) for one in physics_frames.ratios(int(node or 7))])
    left, right = st.columns([5, 4], gap="small")
    with left:
        _operations()
    with right:
        _areas()
        _fetches(int(node or 7))
    _mine(int(node or 7))


def _ratio(one: physics_frames.Ratio) -> cards.Metric:
    return cards.Metric(label=one.label, value=words.times(one.ratio), basis="modelled", note=one.note)


def _operations() -> None:
    sub = "Picojoules of one operation, or of moving 64 bits; hollow at 45 nm, filled at 7 nm. Log axis."
    with cards.card("operations", "What an operation costs", sub):
        rows = physics_frames.operations()
        figure = log_dots(
            rows, style.mode(), say=_picojoules, axis="Energy (pJ)", title="7 nm", other_title="45 nm", name_limit=30
        )
        alt = "; ".join(f"{row.name}: {_both(row.value, row.other)}" for row in rows.itertuples(index=False))
        table = rows.rename(columns={"name": "operation", "value": "at_7_nm_pj", "other": "at_45_nm_pj"})
        cards.chart(figure, key="operations_chart", alt=alt, table=table)
        mean = physics_frames.node_mean()
        st.caption(
            f"From 45 to 7 nm an operation fell by {words.times(mean)} in the geometric mean (without the 1 MiB SRAM, "
            "by the table's footnote); DDR did not fall. Jouppi et al. 2021, table 2; Horowitz 2014."
        )


def _both(new: float, old: float) -> str:
    told = [f"{_picojoules(value)} at {node} nm" for value, node in ((old, 45), (new, 7)) if not pd.isna(value)]
    return " and ".join(told)


def _picojoules(value: float) -> str:
    return f"{words.number(value, 2)} pJ"


def _areas() -> None:
    with cards.card("areas", "What a unit takes of a chip", "Square micrometres at 45 nm (Horowitz 2014)."):
        rows = physics_frames.areas()
        figure = bars(rows, style.mode(), name="unit", value="area_um2", say=lambda area: f"{area:,.0f} µm²")
        alt = "; ".join(f"{row.unit}: {row.area_um2:,.0f} square micrometres" for row in rows.itertuples(index=False))
        cards.chart(figure, key="areas_chart", alt=alt, table=rows)


def _fetches(node_nm: int) -> None:
    with cards.card("fetches", "The price of a fetch", f"Multiplies that 64 bits from memory cost, at {node_nm} nm."):
        rows = physics_frames.fetches(node_nm)
        named = {name: st.column_config.Column(name) for name in rows}
        alt = "What a fetch from each memory costs, in multiplies."
        tables.show(rows.astype(str), key="fetches", alt=alt, more=named)
        st.caption(f"64 bits are {64 // BITS_PER_BYTE} bytes: eight int8 weights, two of float32.")


def _mine(node_nm: int) -> None:
    model = state.model()
    with cards.card("physics-mine", "Your model", "Its graph as it is, and as if all that multiplies were narrower."):
        if model is None:
            cards.nothing_yet("physics", "No model yet", todo="Add a model first", to="pages/overview.py")
            return
        with cards.guard("physics"):
            memory = st.segmented_control(
                "Memory", list(MEMORIES), default="dram_ddr", required=True, format_func=MEMORIES.get, key="fetch_from",
                **URL,
            )  # fmt: skip
            rows = physics_frames.what_if(model, node_nm, str(memory))
            figure = bars(rows, style.mode(), name="numbers", value="energy_j", say=words.energy, low="energy_low_j",
                          high="energy_high_j", basis="basis")  # fmt: skip
            first = rows.iloc[0]
            pairs = zip(rows["numbers"], rows["energy_j"], strict=True)
            told = [f"{name} {words.energy(spent)}" for name, spent in pairs]
            cards.chart(figure, key="physics_chart", alt="; ".join(told), table=rows)
            st.caption(
                f"{cards.basis('modelled')} {formats.name(model.name, 40)}: one pass takes "
                f"{words.energy(first.energy_j)}, of which DRAM takes {words.percent(first.dram_frac)}. What-if: "
                "nothing is compressed here, and what fewer bits do to the answers the Compress page measures."
            )
