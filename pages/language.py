"""Language: size a language model from its configuration, without running it."""

import streamlit as st

from pages.ui import cards, language_parts

cards.page("Language", "What a language model needs, how fast it writes and what that takes, before you have it.")
with cards.card("llm", "The model and its load"):
    asked = language_parts.question()
if asked is None:
    st.stop()

language_parts.numbers(asked)
left, right = st.columns(2, gap="small")
with left, cards.card("llm-memory", "Memory of one device", "Weights, cache, activations and runtime against it."):
    language_parts.memory(asked)
with right, cards.card("llm-load", "More requests at once", "Numbers are requests at once; hollow ones do not fit."):
    language_parts.load_curve(asked)
with cards.card("llm-buys", "What compression would buy", "Predicted here; quality is claimed by others."):
    language_parts.precisions(asked)
left, right = st.columns(2, gap="small")
with left, cards.card("llm-job", "The right size for the job", "Energy of one request beside smaller tasks."):
    language_parts.right_size(asked)
with right, cards.card("llm-train", "To train it", "Memory of one step on one device, 2,048 tokens, mixed precision."):
    language_parts.training(asked)
with cards.card("llm-backtest", "How good these predictions are"):
    language_parts.backtest_told()
