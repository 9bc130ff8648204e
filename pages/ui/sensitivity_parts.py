"""Which layers cannot bear quantization: the button that finds out, the bars, and what flows into each layer."""

import pandas as pd
import streamlit as st

from advisor.figures import named as figures
from advisor.find_sensitive import find_sensitive, kept_id
from advisor.sensitivity import Ranking
from pages.ui import cards, formats, state, style, work
from profiler.types import Model

SLOT = "sensitivity"
BITS = {"Weights and activations, 8 bits": 8, "Weights in groups, 4 bits": 4}


def layers(model: Model) -> None:
    """The newest ranking of this model's layers, and the way to make one."""
    work.take_result(SLOT)
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    chosen = left.selectbox("Quantize", list(BITS), key="sensitivity-bits")
    if right.button("Rank the layers", icon=":material/leaderboard:", key="rank-layers", width="stretch"):
        arguments = {"sha256": model.sha256, "bits": BITS[chosen or next(iter(BITS))]}
        state.submit(find_sensitive, arguments, title=f"Ranking the layers of {model.name}", lane="device", slot=SLOT)
        st.rerun()
    ranking = state.get(Ranking, kept_id(model.sha256, BITS[chosen or next(iter(BITS))]))
    if ranking is not None:
        _ranking(ranking)


def _ranking(ranking: Ranking) -> None:
    rows = pd.DataFrame(
        [
            {
                "layer": each.layer,
                "op": each.op,
                "loss": each.loss,
                "snr_db": each.snr_db,
                "lowest": each.low,
                "highest": each.high,
                "outlier_channels": ", ".join(f"{one.channel} ({one.ratio:.0f}×)" for one in each.outliers),
                "advice": each.advice,
            }
            for each in ranking.layers
        ]
    )
    worst = ranking.layers[0]
    alt = f"Loss of each layer when it alone is quantized; the most sensitive is {worst.layer} with {worst.loss:.2g}."
    cards.chart(figures.sensitive_layers(rows, style.mode()), key="sensitive_layers", alt=alt, table=rows)
    when = ranking.created_at[:16].replace("T", " ")
    how = f"measured on {ranking.calls} calls with {ranking.inputs} inputs, {ranking.bits} bits."
    said = [f"{when}: {how}", *ranking.notes]
    if ranking.not_measured:
        missed = len(ranking.not_measured)
        said.append(f"Not reached in time: {missed} of {missed + len(ranking.layers)} layers.")
    st.caption(" ".join(formats.name(text, 240) for text in said))
