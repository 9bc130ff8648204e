"""Language: size a language model from its configuration, without running it."""

import streamlit as st

from pages.ui import cards, language_adapters, language_parts, language_question

cards.page("Language", "What a language model needs, how fast it writes and what that takes, before you have it.")
with cards.card("llm", "The model and its load"):
    asked = language_question.question()
if asked is None:
    st.stop()

language_parts.verdict(asked)
language_parts.numbers(asked)
left, right = st.columns(2, gap="small")
with left, cards.card("llm-memory", "Memory of one device", "Weights, cache, activations and runtime against it."):
    language_parts.memory(asked)
with right, cards.card("llm-load", "More requests at once", "Numbers are requests at once; hollow ones do not fit."):
    language_parts.load_curve(asked)
with cards.card("llm-devices", "Where it runs", "The fewest devices of one node that hold it and the budget."):
    language_parts.devices(asked)
with cards.card("llm-buys", "What compression would buy", "Predicted here; quality is claimed by others."):
    language_parts.precisions(asked)
left, right = st.columns(2, gap="small")
with left, cards.card("llm-job", "The right size for the job", "Energy of a request beside smaller models and tasks."):
    language_parts.right_size(asked)
with right, cards.card("llm-train", "To train it", "Memory of one step on one device, mixed precision."):
    language_parts.training(asked)
with cards.card("llm-adapter", "Merge an adapter", "LoRA into its base, both safetensors; the result is checked."):
    language_adapters.merge_card()
with cards.card("llm-backtest", "How good these predictions are"):
    language_parts.backtest_told()
