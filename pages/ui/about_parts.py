"""What the about page is made of: this machine, and where figures come from."""

import pandas as pd
import streamlit as st

from advisor import model_frames
from data import tables as facts
from data import words
from pages.ui import cards, claims_parts, state, tables
from profiler import gpus, levels, sandbox
from profiler.machine import load, machine
from profiler.meters import meters
from profiler.runtimes import runtimes
from profiler.types import Load, Machine


def this_machine() -> None:
    """Processor, memory, what can be run and what can be metered here."""
    here, now = machine(), load()
    left, right = st.columns(2, gap="small")
    with left:
        with cards.card("machine", "Hardware", height="content"):
            _hardware(here, now)
        with cards.card("gpu", "GPU now", height="content"):
            _gpus()
        with cards.card("home", "Where data lives", "Set RIGHTSIZE_HOME to keep it elsewhere."):
            st.code(str(state.app().home.root), language=None, wrap_lines=True)
    with right:
        with cards.card("able", "What it can do", height="content"):
            _able()
        with cards.card(
            "cage", "How untrusted files are held", "Every model is read and run in a locked child process."
        ):
            _cage()


def _hardware(here: Machine, now: Load) -> None:
    named = ", ".join(f"{gpu.name} ({words.size(gpu.memory_bytes)})" for gpu in here.gpus)
    cards.facts(
        {
            "Processor": here.cpu,
            "Cores": f"{here.physical_cores} physical, {here.logical_cores} logical",
            "Instructions": ", ".join(here.isa),
            "Memory": words.size(here.memory_bytes),
            "GPU": named or "none",
            "Virtual": {True: "yes", False: "no", None: words.NOT_KNOWN}[here.virtual],
            "Load now": words.number(now.load_1m),
            "System": here.system,
            "Fingerprint": here.fingerprint,
        },
    )


def _gpus() -> None:
    reason = gpus.missing()
    if reason is not None:
        st.caption(reason)
    else:
        _live()


@st.fragment(run_every=2.0)
def _live() -> None:
    for found in gpus.live():
        cards.facts(model_frames.gpu_facts(found))
        cards.warning(f"gpu-{found.gpu.index}", *([found.warning] if found.warning else []))


def _able() -> None:
    rows = [(found.NAME, "runs models", found.missing()) for found in runtimes().values()]
    rows += [(found.NAME.replace("_", " "), f"meters: {found.SCOPE}", found.missing()) for found in meters().values()]
    cards.facts({name: f"{what}; {f'not here: {reason}' if reason else 'ready'}" for name, what, reason in rows})


def _cage() -> None:
    for level in levels.levels(sandbox.switched_off()):
        icon = ":material/lock:" if level.works else ":material/lock_open:"
        st.markdown(f"{icon} **{level.name.capitalize()}:** {level.sentence}")


def sources() -> None:
    """Everyone to be credited, and how old their figures are."""
    rows = [
        {
            "source": found.title,
            "licence": found.licence,
            "as of": found.as_of,
            "age": "older than two years" if found.is_stale() else "",
            "address": found.url,
        }
        for found in facts.sources()
    ]
    with cards.card("sources", "Sources", "Shipped with Rightsize; nothing is fetched while it runs."):
        tables.show(pd.DataFrame(rows), key="sources", alt="Every source with its licence and date.", height=560)
    claims_parts.equivalents()


def words_of_basis() -> None:
    """The five words that go with every number."""
    with cards.card("words", "Five words", "Every number carries one of them, and is drawn accordingly."):
        cards.legend()
