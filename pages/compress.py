"""Compress: from a budget to the plan that meets it, each candidate made and measured."""

import streamlit as st

from pages.ui import cards, compress_files, compress_parts, pickers, sensitivity_parts, state, weights_parts, work

cards.page("Compress", "Compressed for real and timed against the original: the smallest plan that meets your budget.")
model = pickers.current()
if model is None:
    cards.nothing_yet("compress", "No model yet", todo="Add one on the overview", to="pages/overview.py")
    st.stop()

if model.tensors:
    with cards.card("weights-model", cards.formats.name(model.name), model.cannot_run or ""):
        pickers.model()
    with cards.card("smaller", "Smaller to store", "Really written, read back, and compared weight by weight."):
        weights_parts.smaller(model)
    st.stop()
report = state.report(model.sha256)
with cards.card("budget", cards.formats.name(model.name), "What the smaller model has to keep."):
    compress_parts.setup(model, report)
compress_parts.finished(model)
if report is None and work.busy(compress_parts.SLOT):
    st.stop()
if report is None:
    cards.nothing_yet(
        "plan", "No plan yet", icon=":material/compress:",
        todo="Set a budget, and a grid zone for CO₂e; then press Compress: it takes 20 s to four minutes, by size.",
    )  # fmt: skip
    st.stop()
compress_parts.answer(report)
compress_parts.gains(report)
left, right = st.columns(2, gap="small")
with left, cards.card("pareto", "Latency against loss", "Dot size is file size. The shaded area meets the budget."):
    compress_parts.chart(report, "pareto")
with right, cards.card("ecdf", "Latency by variant", "Share of calls that took at most x. Further left is better."):
    compress_parts.chart(report, "latency_ecdf")
with cards.card(
    "tried", "Everything that was tried", "Ratios are to the original, measured beside it; below 1 is a gain."
):
    compress_files.candidates(report)
    compress_parts.not_tried(report)
with cards.card("sensitive", "Sensitive layers", "What quantizing one layer alone does to the answers."):
    sensitivity_parts.layers(model)
