"""Weights without an architecture: the tensors, their size at each precision, and smaller files to store."""

import streamlit as st

from advisor import weight_frames
from advisor.store_weights import FORMATS, TECHNIQUE, store_smaller
from advisor.types import Variant
from data import words
from pages.ui import cards, formats, state, tables, work
from profiler.types import Model

SLOT = "storing"


def cards_of(model: Model) -> None:
    """The cards that stand where a model that runs has its measurements."""
    left, right = st.columns([3, 2], gap="small")
    with left, cards.card("tensors", "Tensors", "As stored, largest first."):
        tables.show(
            weight_frames.tensors(model),
            key="tensors",
            alt="Every stored tensor with its number type, shape, bytes and share of zeros.",
            more={"zero_frac": tables.bar("Zeros")},
        )
    with right, cards.card("dtypes", "By number type"):
        tables.show(weight_frames.by_dtype(model), key="dtypes", alt="Tensors, numbers and bytes by number type.")
    with cards.card("precisions", "Size at each precision", "By arithmetic; activations come on top."):
        precisions(model)
    with cards.card("smaller", "Smaller to store", "Really written, read back, and compared weight by weight."):
        smaller(model)


def precisions(model: Model) -> None:
    """What the weights would weigh, and the smallest place that holds them."""
    tables.show(
        weight_frames.precisions(model),
        key="precisions",
        alt="Bytes of the weights at four precisions, and the smallest place that holds them.",
        more={"holds": "Smallest place that holds them"},
    )


def smaller(model: Model) -> None:
    """The files made so far, each to take, and the button that makes them."""
    if model.format not in FORMATS:
        st.caption("GGUF keeps its weights in small forms of its own. Make smaller ones from the original weights.")
        return
    work.take_result(SLOT)
    kept = state.app().store.all(Variant, parent_sha256=model.sha256)
    made = [one for one in kept if one.steps and one.steps[-1].technique == TECHNIQUE]
    if st.button("Make smaller files", icon=":material/compress:", key="store-smaller", disabled=work.busy(SLOT)):
        title = f"Storing {model.name} smaller"
        state.submit(store_smaller, {"sha256": model.sha256}, title=title, lane="quick", slot=SLOT)
        st.rerun()
    if not made:
        return
    tables.show(
        weight_frames.stored(model, made),
        key="stored",
        alt="Files that were made to store: form, bytes, precision left.",
        more={"snr_db": "Signal over noise (dB)", "what": st.column_config.Column("What is left", width="large")},
    )
    with st.container(horizontal=True):
        for one in made:
            _download(model, one)
    st.caption(
        "Storage only: `python -m advisor restore` makes plain safetensors of them again. Whether the model still does "
        "its job cannot be told without its architecture."
    )


def _download(model: Model, one: Variant) -> None:
    file = state.app().home.variants(model.sha256) / one.file
    if one.file and file.exists():
        st.download_button(
            f"{formats.name(one.steps[-1].title, 40)}, {words.size(one.file_bytes)}",
            file.read_bytes,
            file_name=file.name,
            mime="application/octet-stream",
            icon=":material/download:",
            key=f"stored-{one.id}",
            on_click="ignore",
        )
