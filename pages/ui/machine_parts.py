"""What the machine tab of About is made of: hardware, what it reaches, what it can run and meter, its load now."""

import streamlit as st

from advisor import model_frames
from advisor.figures import named as figures
from data import words
from pages.ui import cards, formats, gpu_parts, state, style, work
from profiler import levels, sandbox
from profiler.machine import load, machine
from profiler.meters import meters
from profiler.peaks import all_peaks, measure_peaks
from profiler.runtimes import runtimes
from profiler.triage.examine import SHOWN
from profiler.types import Machine

SLOT = "peaks"
YES = {True: "yes", False: "no", None: words.NOT_KNOWN}


def this_machine() -> None:
    """Processor, memory, what it reaches at best, and what can be run and metered here."""
    here = machine()
    left, right = st.columns(2, gap="small")
    with left:
        with cards.card("machine", "Hardware"):
            cards.facts(_hardware(here), key="hardware")
        with cards.card("versions", "Libraries", "A new version is a new machine: its figures are kept apart."):
            cards.facts(dict(here.versions), key="versions")
        with cards.card("cage", "How untrusted files are held", CAGE):
            _cage()
    with right:
        with cards.card("peaks", "What it reaches", "The roofs of the roofline, measured here once."):
            _peaks(here)
        with cards.card("gpu", "GPU now"):
            gpu_parts.panel()
        with cards.card("able", "What it can do"):
            _able()
        with cards.card("home", "Where data lives", "Set RIGHTSIZE_HOME to keep it elsewhere."):
            st.code(str(state.app().home.root), language=None, wrap_lines=True)


CAGE = "Every model is read and run in a locked child process."


def _hardware(here: Machine) -> dict[str, str]:
    now = load()
    gpus = ", ".join(f"{gpu.name} ({words.size(gpu.memory_bytes)})" for gpu in here.gpus)
    return {
        "Processor": here.cpu,
        "Cores": f"{here.physical_cores} physical, {here.logical_cores} logical",
        "INT8 in one step": "yes (VNNI or AMX)" if here.has_vnni else "no: INT8 may be no faster here",
        "bfloat16": "yes" if here.has_bf16 else "no",
        "Instructions": ", ".join(here.isa),
        "Caches": ", ".join(f"{name} {words.size(size)}" for name, size in here.caches_bytes.items()),
        "Memory": words.size(here.memory_bytes),
        "GPU": gpus or "none",
        "Virtual": YES[here.virtual],
        "Clock governor": here.governor or words.NOT_KNOWN,
        "Load now": words.number(now.load_1m),
        "Tasks waiting": f"{words.percent(now.cpu_pressure_frac)} of the last 10 s",
        "System": here.system,
        "Fingerprint": here.fingerprint,
    }


def _peaks(here: Machine) -> None:
    counts = sorted({1, here.physical_cores})
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    threads = left.segmented_control("Threads", counts, default=counts[-1], required=True, key="peaks-threads")
    if right.button("Measure", icon=":material/speed:", key="peaks-go", width="stretch", disabled=work.busy(SLOT)):
        arguments = {"threads": int(threads or 1)}
        state.submit(measure_peaks, arguments, title="Peaks of this machine", lane="device", slot=SLOT)
        st.rerun()
    work.take_result(SLOT)
    found = all_peaks(state.app().store, here)
    if not found:
        cards.nothing_yet(
            "peaks", "Not measured yet", todo="Takes about 20 s; a first profile does it, too.", icon=":material/speed:"
        )
        return
    arithmetic, streams = model_frames.arithmetic(found), model_frames.streams(found)
    for key, rows, say in (("arithmetic", arithmetic, words.operations), ("streams", streams, words.stream)):
        said = ", ".join(f"{row['name']} {say(row['value'])}" for row in rows.to_dict("records"))
        figure = figures.bars(rows, style.mode(), name="name", value="value", say=say, low="low", high="high")
        cards.chart(figure, key=f"peaks-{key}", alt=f"Peaks of this machine: {said}.", table=rows)
    st.caption(f"{cards.basis('measured')} The fastest tenth of the calls; the line spans the median and the fastest. "
               "A multiply-add is two operations.")  # fmt: skip
    busy = [one for one in found if (one.cpu_pressure_frac or 0) > BUSY_FRAC]
    cards.warning("peaks-busy", *([BUSY] if busy else []))
    for one in found:
        for note in one.notes:
            st.caption(cards.formats.name(f"{one.threads} threads, {note}", 200))


BUSY_FRAC = 0.1
BUSY = "Other work ran while these were measured: they may be too low. Measure again when it is quiet."


def _able() -> None:
    rows = [(found.NAME, "runs models", found.missing()) for found in runtimes().values()]
    rows += [(found.NAME.replace("_", " "), f"meters: {found.SCOPE}", found.missing()) for found in meters().values()]
    cards.facts({name: f"{what}; {f'not here: {reason}' if reason else 'ready'}" for name, what, reason in rows})


def _cage() -> None:
    for level in levels.levels(sandbox.switched_off()):
        said = f"**{level.name.capitalize()}:** {level.sentence}"
        if level.works:
            st.markdown(f":material/lock: {said}")
        else:
            cards.warning(f"cage-{level.name}", f"{said} Why: {formats.name(level.reason)}.")
    opened = sandbox.allowed_formats()
    refused = [title for name, title in SHOWN.items() if name not in opened]
    st.caption("Every format is opened here." if not refused else f"Not opened here: {', '.join(refused)}.")
