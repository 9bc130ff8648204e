"""Beside every page: what works now, and which machine this is."""

import streamlit as st

from data import words
from pages.ui import formats, state, work
from profiler.machine import machine


def show() -> None:
    """Running jobs, the machine, and a warning where nothing can be kept."""
    with st.sidebar:
        work.running()
        here = machine()
        gpu = ", ".join(formats.name(found.name, 40) for found in here.gpus) or "no GPU"
        with st.container(gap=None, key="this-machine"):
            st.caption(":material/memory: This machine")
            st.caption(f"{here.physical_cores} cores · {words.size(here.memory_bytes)} · {gpu}")
        warning = state.app().warning
        if warning is not None:
            st.caption(f":material/warning: {formats.name(warning.message, 200)} Nothing is kept.")
        for text in state.app().said:
            st.caption(f":material/warning: {formats.name(text, 200)}")
