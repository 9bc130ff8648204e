"""The GPUs of this machine at this moment, through NVML: a panel that renews itself."""

import streamlit as st

from advisor import model_frames
from pages.ui import cards
from profiler import gpus

EVERY_S = 2.0


def panel() -> None:
    """Power, utilisation, memory, temperature, clock and processes of every GPU, or why there is nothing to show."""
    reason = gpus.missing()
    if reason is not None:
        st.caption(reason)
    else:
        _live()


@st.fragment(run_every=EVERY_S)
def _live() -> None:
    for found in gpus.live():
        cards.facts(model_frames.gpu_facts(found), key=f"gpu-{found.gpu.index}")
        cards.warning(f"gpu-{found.gpu.index}", *([found.warning] if found.warning else []))
