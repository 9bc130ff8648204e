"""The energy of a call: what the meter says, power x time, and where it goes by published picojoules."""

import streamlit as st

from advisor import layer_frames, model_frames, physics
from advisor.figures import named as figures
from advisor.layer_frames import Chip
from data import words
from pages.ui import cards, formats, style
from profiler.profile import energy_above_idle
from profiler.types import Measurement, Model

MEMORIES = {"dram_ddr": "DDR", "dram_hbm2": "HBM2", "dram_gddr6": "GDDR6"}
FAMILY = "This processor tells only its family: the interval spans the rated power of all its members."
CACHED = " The model fits a cache of 1 MiB: where calls follow each other it stays there, which is the low end."
NODE, MEMORY = "node", "memory"


def chip() -> Chip:
    """The chip chosen on this page."""
    chosen = st.session_state
    return Chip(node_nm=int(chosen.get(NODE) or 7), memory=str(chosen.get(MEMORY) or "dram_ddr"))


def metered(run: Measurement | None) -> None:
    """One call by the best meter there is: watts x seconds = joules, and idle beside it."""
    if run is None or run.energy_j is None:
        cards.nothing_yet("metered", "Energy was not metered", todo="Measure the model; a note says what is missing.")
        return
    energy, power, idle = run.energy_j, run.power_w, run.idle_w
    cards.facts(
        {
            "Meter": energy.source,
            "Power": words.interval(power, words.WATTS) if power else words.NOT_KNOWN,
            "Time": f"{words.latency(energy.mid / power.mid * 1e3)} a call" if power else words.NOT_KNOWN,
            "Energy": words.interval(energy, words.JOULES),
            "A million calls": words.energy_kwh(model_frames.million_kwh(energy)),
            "Idle": words.interval(idle, words.WATTS) if idle else "no counter here tells it",
        },
        key="metered",
    )
    above = energy_above_idle(run)
    if above is not None and st.toggle("Leave out what is drawn idle", key="above-idle"):
        cards.metrics("above-idle", [cards.estimate("Energy above idle", above, words.JOULES)], columns=1)
    wide = FAMILY if energy.source.endswith("(energy/rated_power)") else ""
    st.caption(f"{cards.basis(energy.basis)} Power × time of a call = energy. {wide}")


def split(model: Model, run: Measurement | None) -> None:
    """Arithmetic and memory traffic of one call, for a chip of a given node and memory."""
    left, right = st.columns(2)
    node = left.segmented_control("Chip", (7, 45), default=7, required=True, format_func="{} nm".format, key=NODE)
    memory = right.selectbox("Memory", physics.MEMORIES, format_func=MEMORIES.get, key=MEMORY)
    if not model.layers:
        cards.nothing_yet("split", "No layers to reckon with", todo="The graph of this file could not be followed.")
        return
    found = physics.of_model(model, node_nm=int(node or 7), memory=str(memory))
    rows = layer_frames.energy_split(found)
    parts = ", ".join(f"{row['part']} {words.energy(row['energy_j'])}" for row in rows.to_dict("records"))
    alt = f"Modelled energy of one call by where it goes: {parts}."
    cards.chart(figures.energy_split(rows, style.mode()), key="split_chart", alt=alt, table=rows)
    total = words.interval(found.total_j, words.JOULES)
    st.caption(
        f"{cards.basis('modelled')} {total} a call, of which DRAM takes {words.percent(found.dram_frac)}. "
        f"Instructions and control are not in it.{CACHED if found.dram_j.low == 0 else ''}{_beside(found, run)}"
    )
    for op in found.not_modelled:
        st.caption(f"Not in it: {formats.name(op, 40)}, whose number type has no published figure.")


def _beside(found: physics.Split, run: Measurement | None) -> str:
    """How the meter's figure stands to this one, for a run of one sample."""
    if run is None or run.energy_j is None or run.workload.batch_size != 1 or not found.total_j.mid:
        return ""
    ratio = words.number(run.energy_j.mid / found.total_j.mid)
    return f" The meter's {words.energy(run.energy_j.mid)} are {ratio} times that."
