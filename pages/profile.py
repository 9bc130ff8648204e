"""Profile: what the model is, and how long, how much memory and how much energy one call takes here."""

import streamlit as st

from advisor import model_frames
from pages.ui import cards, energy_parts, memory_parts, operator_parts, pickers, profile_parts, start, stress_parts
from pages.ui.weights_parts import cards_of
from pages.ui.work import busy, take_result

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
if take_result(profile_parts.READ_SLOT):
    st.rerun()
take_result(profile_parts.SLOT)
if model.tensors:  # weights without an architecture: nothing runs
    cards_of(model)
    st.stop()

runs = profile_parts.newest(model)
newest = runs[0] if runs else None
profile = operator_parts.newest(model)
if newest is not None:
    profile_parts.numbers(model, newest)
    left, right = st.columns([2, 1], gap="small")
    with left, cards.card("ecdf", "Latency", "Share of calls that took at most x. Further left is better."):
        profile_parts.latencies(runs)
    with right, cards.card("how", "How it was measured"):
        profile_parts.how(newest)
    with cards.card("times", "Where the time goes", "Each operator as the runtime ran it; fused layers count as one."):
        operator_parts.times(profile)
elif not model.cannot_run and not busy(profile_parts.SLOT):
    cards.nothing_yet(
        "profile", "Not measured yet", todo="Press Measure to see latency, memory and energy.", icon=":material/speed:"
    )
left, right = st.columns(2, gap="small")
if profile is not None:
    with left, cards.card("roof", "Roofline", "How fast each operator could be here, and how fast it is."):
        operator_parts.roof(profile)
with right if profile is not None else st.container(), cards.card("memory", "Memory"):
    peak, where, train = st.tabs(["In use", "Where it fits", "Training"], key="memory-tab", bind="query-params")
    with peak, cards.guard("memory"):
        memory_parts.running(model, newest)
    with where, cards.guard("fits"):
        memory_parts.fits(model)
    with train, cards.guard("training"):
        memory_parts.training(model)
if model.layers:
    left, right = st.columns(2, gap="small")
    with left, cards.card("energy", "Energy of a call", "By the best meter this machine has."):
        energy_parts.metered(newest)
    with right, cards.card("split", "Where the energy goes", "Modelled from published picojoules."):
        energy_parts.split(model, newest)
with cards.card("layers", "Layers", "Computation, bytes, time and energy of one call at the model's shapes."):
    operator_parts.layers(model, profile)
if newest is not None:
    with cards.card("stress"):
        sweep, load = st.tabs(["Sweep", "Under load"], key="stress", bind="query-params")
        with sweep, cards.guard("sweep"):
            stress_parts.sweep(model)
        with load, cards.guard("load"):
            stress_parts.load(model)
