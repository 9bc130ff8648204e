"""Where the time of a call goes: operators as they ran, the roofline of this machine, and the table of layers."""

import streamlit as st

from advisor import layer_frames
from advisor.figures import named as figures
from advisor.find_sensitive import kept_ranking
from data import words
from pages.ui import cards, energy_parts, formats, state, style, tables
from profiler.peaks import kept_peaks
from profiler.run_types import OperatorProfile
from profiler.types import Model, Peaks

BY = {"operator": "By operator", "kind": "By kind"}


def newest(model: Model) -> OperatorProfile | None:
    """The newest profile of the original's operators."""
    rows = state.ask("newest_profile", model_sha256=model.sha256)
    return state.get(OperatorProfile, rows["id"].iloc[0]) if len(rows) else None


def times(found: OperatorProfile | None) -> None:
    """Where the time of a call goes, operator by operator or kind by kind."""
    if found is None:
        cards.nothing_yet("times", "Operators were not timed", todo="Measure again: they are timed with the call.")
        return
    by = st.segmented_control(
        "Bars", list(BY), default="operator", required=True, format_func=BY.get, key="times-by",
        label_visibility="collapsed",
    )  # fmt: skip
    table = layer_frames.operator_times(found)
    rows = table if by == "operator" else layer_frames.kinds(table)
    shares = ", ".join(
        f"{formats.name(row['name'], 40)} {words.percent(row['time_frac'])}" for row in rows.head(5).to_dict("records")
    )
    left, right = st.columns([2, 3], gap="medium")
    with left:
        figure = figures.where_the_time_goes(rows, style.mode())
        cards.chart(figure, key="times_chart", alt=f"Share of a call's time: {shares}.")
    with right:
        tables.show(
            table,
            key="times",
            alt="Every operator with its time, computation and speed, slowest first.",
            order=["name", "op", "time_frac", "time_ms", "flop_per_s", "layers_count"],
            more={"time_frac": tables.bar("Share of time", 100.0, "small")},
        )
    for note in found.notes:
        st.caption(formats.name(note, 200))


def peaks_for(profile: OperatorProfile | None) -> Peaks | None:
    """What this machine reaches on as many threads as the profile ran on; None where that was not measured."""
    if profile is None:
        return None
    device = profile.options.get("device", "cpu")
    found = kept_peaks(state.app().store, profile.workload.threads, device)
    return found if found and found.fp32_flop_per_s and found.memory_bytes_per_s else None


def roof(profile: OperatorProfile) -> None:
    """Each operator under the roof of this machine."""
    peaks = peaks_for(profile)
    if peaks is None or peaks.fp32_flop_per_s is None or peaks.memory_bytes_per_s is None:
        cards.nothing_yet("roof", "Peaks of this machine are not known", todo="Measure again: they are taken once.")
        return
    table = layer_frames.operator_times(profile)
    flop_per_s, bytes_per_s, cached = peaks.fp32_flop_per_s, peaks.memory_bytes_per_s, peaks.cache_bytes_per_s
    figure = figures.roofline(
        table, style.mode(), peak_flop_per_s=flop_per_s.mid, peak_bytes_per_s=bytes_per_s.mid,
        cache_bytes_per_s=cached.mid if cached else None,
    )  # fmt: skip
    speeds = f"{words.scaled(flop_per_s.mid, words.FLOP_PER_S)} and {words.size(bytes_per_s.mid)}/s from memory"
    said = f"Peaks: {speeds}" + (f", {words.size(cached.mid)}/s from the cache" if cached else "")
    shown = table[["name", "op", "intensity_flop_per_byte", "flop_per_s", "flop"]]
    cards.chart(figure, key="roof_chart", alt=f"Operators under this machine's roof. {said}.", table=shown)
    st.caption(f"{said}. Above the roof of memory: the data was in the cache. {cards.basis('measured')}")


def layers(model: Model, profile: OperatorProfile | None) -> None:
    """Layers with what each computes, moves, takes and is modelled to spend; operators where no graph is known."""
    if not model.layers:
        table = layer_frames.operators(model)
        tables.show(table, key="operators", alt="Operators of the graph and how many of each.")
        return
    peaks = peaks_for(profile)
    ridge = None
    if peaks and peaks.fp32_flop_per_s and peaks.memory_bytes_per_s:
        ridge = peaks.fp32_flop_per_s.mid / peaks.memory_bytes_per_s.mid
    ranking = kept_ranking(state.app().store, model.sha256)
    table = layer_frames.layers(model, profile, energy_parts.chip(), ridge, ranking)
    st.caption(_totals(layer_frames.totals(table), model))
    tables.show(
        table,
        key="layers",
        alt="Every layer with its computation, weights, bytes moved, intensity, time and modelled energy.",
        order=[name for name in table.columns if name != "basis" and table[name].notna().any()],
        more={"flop_frac": tables.bar("Share of FLOP", 100.0, "small")},
    )
    if table["sensitivity"].notna().any() and ranking is not None:
        st.caption(f"Sensitivity: 1 - cosine of the outputs with this layer alone in {ranking.bits} bits, measured on "
                   f"{ranking.calls} calls with {ranking.inputs} inputs (Compress ranks the layers).")  # fmt: skip
    st.download_button(
        "Layers as CSV", tables.csv(table), file_name=f"layers-{formats.short(model.sha256)}.csv",
        mime="text/csv", icon=":material/download:", key="layers-csv", on_click="ignore",
    )  # fmt: skip


def _totals(sums: dict[str, float | None], model: Model) -> str:
    time_ms = sums["time_ms"]
    parts = [
        f"{len(model.layers):,} layers: {words.flop(sums['flop'])}",
        f"{words.size(sums['weight_bytes'])} of weights read",
        f"{words.size(sums['moved_bytes'])} moved",
        f"{words.count(sums['parameter_count'])} parameters",
        f"{words.latency(time_ms)} {cards.basis('measured')}" if time_ms is not None else "",
        f"{words.energy(sums['energy_j'])} {cards.basis('modelled')}",
    ]
    return " · ".join(part for part in parts if part)
