"""The language page's card that merges an adapter into its base: two files in, one checked file out."""

from pathlib import Path

import streamlit as st

from advisor.llm.adapters import merge_files
from data import words
from data.errors import InputError
from pages.ui import cards, state, work

SLOT = "merging"


def merge_card() -> None:
    """The two files, the job, and what it came to."""
    job = work.card(SLOT)
    if job is not None and job.result:
        _merged(job.result)
        return
    if work.busy(SLOT):
        return
    with cards.guard("llm-adapter"), st.form("llm-adapter-form", border=False):
        with st.grid(3, min_column_width=200, gap="small"):
            base = st.file_uploader("Base", type=["safetensors"], key="llm-base")
            adapter = st.file_uploader("Adapter", type=["safetensors"], key="llm-lora")
            alpha = st.number_input(
                "lora_alpha", min_value=0.0, value=None, placeholder="the rank", key="llm-alpha",
                help="From the adapter's own configuration: its product is weighed by alpha over rank.",
            )  # fmt: skip
        if st.form_submit_button("Merge and check", icon=":material/merge:"):
            if base is None or adapter is None:
                raise InputError("Two files are needed.", hint="A base and its adapter, both .safetensors.")
            arguments = {"base": str(state.received([base])), "adapter": str(state.received([adapter])), "alpha": alpha}
            state.submit(merge_files, arguments | {"move": True}, title="Merging an adapter", lane="quick", slot=SLOT)
            st.rerun()
    st.caption("From the command line, for files of any size: `python -m advisor adapter BASE ADAPTER --out FILE`.")


def _merged(found: dict[str, object]) -> None:
    many = "tensor" if found["merged_count"] == 1 else "tensors"
    st.markdown(
        f":material/verified: **{found['merged_count']} {many} merged.** The adapter has "
        f"{words.count(int(str(found['adapter_parameters'])))} parameters, "
        f"{words.percent(float(str(found['adapter_share_frac'])))} of all. Merged weights and base plus adapter differ "
        f"by {float(str(found['largest_error'])):.1e} of the largest output at most."
    )
    path = Path(str(found["file"]))
    with st.container(horizontal=True):
        if path.is_file():
            st.download_button(
                f"merged.safetensors ({words.size(path.stat().st_size)})", path.read_bytes, "merged.safetensors",
                icon=":material/download:", key="llm-merged", on_click="ignore",
            )  # fmt: skip
        if st.button("Another", icon=":material/replay:", key="llm-merge-again"):
            state.done_with(SLOT)
            st.rerun()
