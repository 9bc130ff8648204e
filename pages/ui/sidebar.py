"""Beside every page: what works now, and which machine this is."""

import streamlit as st

from data import words
from pages.ui import cards, formats, state, work
from profiler.machine import machine

# Streamlit closes the menu for browsers that call themselves a phone's: here it closes in every window as narrow, by
# what Streamlit itself listens to, a press beside the menu.
_CLOSES_THE_MENU = """<script>
if (!window.rightsizeMenu) {
  window.rightsizeMenu = true;
  document.addEventListener("click", event => {
    if (innerWidth > 768 || !event.target.closest("[data-testid=stSidebarNavLink]")) return;
    const beside = document.querySelector("[data-testid=stMain]");
    setTimeout(() => beside.dispatchEvent(new MouseEvent("mousedown", {bubbles: true})));
  });
}
</script>"""


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
            st.html(_CLOSES_THE_MENU, unsafe_allow_javascript=True)


def _warnings() -> None:
    """Above every page: what is lost, and what to do about it."""
    running = state.app()
    if running.warning is not None:
        what, hint = (formats.name(text, 200) for text in (running.warning.message, running.warning.hint))
        cards.warning("store", f"**{what}** Nothing is kept until this is mended. {hint}")
    cards.warning("said", *(formats.name(text, 200) for text in running.said))
