"""Profile: what the model is, and how long, how much memory and how much energy one call takes here."""

import streamlit as st

from advisor import model_frames
from pages.ui import cards, pickers, profile_parts, start, stress_parts, weights_parts, work

cards.page("Profile", "What a model is, and what one call takes here: time, memory and energy, measured.")
model = pickers.current()
if start.taken():
    st.rerun()
if model is None:
    start.add_model("profile")
    st.stop()

left, right = st.columns([1, 2], gap="small")
with left, cards.card("model", "Model"):
    pickers.model()
    profile_parts.setup(model)
    st.page_link("pages/overview.py", label="Add another model", icon=":material/add:")
with right, cards.card("facts", "What it is", "Read from the file, before anything has run."):
    cards.facts(model_frames.facts(model))
    for note in model.notes:
        st.caption(cards.formats.name(note, 200))
if work.take_result(profile_parts.READ_SLOT):
    st.rerun()
work.take_result(profile_parts.SLOT)

runs = profile_parts.newest(model)
if runs:
    profile_parts.numbers(runs[0])
    left, right = st.columns([2, 1], gap="small")
    with left, cards.card("ecdf", "Latency", "Share of calls that took at most x. Further left is better."):
        profile_parts.latencies(runs)
    with right, cards.card("how", "How it was measured"):
        profile_parts.how(runs[0])
elif model.tensors:
    weights_parts.cards_of(model)
elif not model.cannot_run and not work.busy(profile_parts.SLOT):
    cards.nothing_yet(
        "profile", "Not measured yet", todo="Press Measure to see latency, memory and energy.", icon=":material/speed:"
    )
if runs:
    with cards.card("times", "Where the time goes", "Each operator as ONNX Runtime ran it; fused layers count as one."):
        profile = profile_parts.times(model)
    left, right = st.columns(2, gap="small")
    if profile is not None:
        with left, cards.card("roof", "Roofline", "How fast each operator could be here, and how fast it is."):
            profile_parts.roof(profile)
    if model.layers:
        beside = left if profile is None else right
        with beside, cards.card("split", "Where the energy goes", "Modelled from published picojoules of a chip."):
            profile_parts.energy(model)
if not model.tensors:
    with cards.card("layers", "Layers", "Computation and bytes of one call at the model's shapes."):
        profile_parts.layers(model)
if runs:
    with cards.card("stress"):
        sweep, load = st.tabs(["Sweep", "Under load"], key="stress", bind="query-params")
        with sweep, cards.guard("sweep"):
            stress_parts.sweep(model)
        with load, cards.guard("load"):
            stress_parts.load(model)
