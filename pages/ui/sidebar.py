"""Beside every page: what works now, and which machine this is."""

import streamlit as st

from data import words
from pages.ui import cards, formats, state, work
from profiler.machine import machine


def show() -> None:
    """Running jobs, the machine, and a warning where nothing can be kept."""
    _warnings()
    with st.sidebar:
        work.running()
        here = machine()
        gpu = ", ".join(formats.name(found.name, 40) for found in here.gpus) or "no GPU"
        with st.container(gap=None, key="this-machine"):
            st.caption(":material/memory: This machine")
            st.caption(f"{here.physical_cores} cores · {words.size(here.memory_bytes)} · {gpu}")


def _warnings() -> None:
    """Above every page: what is lost, and what to do about it."""
    running = state.app()
    if running.warning is not None:
        what, hint = (formats.name(text, 200) for text in (running.warning.message, running.warning.hint))
        cards.warning("store", f"**{what}** Nothing is kept until this is mended. {hint}")
    cards.warning("said", *(formats.name(text, 200) for text in running.said))
