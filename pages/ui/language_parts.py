"""What the language page is made of: the question, its numbers, memory, load, precisions, training, backtest."""

from dataclasses import dataclass

import streamlit as st

from advisor.figures import llm as figures_llm
from advisor.figures import named as figures
from advisor.llm import backtest, configs, frames, speed
from advisor.llm import memory as sizes
from advisor.llm.architecture import Architecture
from data import tables, words
from pages.ui import cards, formats, state, style
from pages.ui import tables as shown
from profiler.intake import discard

KINDS = ("gpu", "tpu", "npu")
WAYS = ("A known model", "A config.json", "Plain numbers")
TRAIN_TOKENS = 2048


@dataclass(frozen=True, slots=True)
class Asked:
    """One question with its answer."""

    arch: Architecture
    stored: sizes.Precision
    on: tables.Device
    count: int
    load: speed.Load
    found: speed.Speed


def question() -> Asked | None:
    """The model, its load and the device; None where something is missing or not possible (which is then said)."""
    way = st.segmented_control(
        "From", WAYS, default=WAYS[0], required=True, key="llm-from", label_visibility="collapsed"
    )
    with cards.guard("llm"):
        arch = {WAYS[0]: _known, WAYS[1]: _config, WAYS[2]: _numbers}[way]()
        if arch is None:
            return None
        return _answered(arch)
    return None


def _known() -> Architecture:
    names = list(configs.known())
    name = st.selectbox("Model", names, index=names.index("Llama 3.1 8B"), key="llm_model", bind="query-params")
    return configs.known()[name]


def _config() -> Architecture | None:
    upload = st.file_uploader("config.json", type=["json"], key="llm-config")
    if upload is None:
        st.caption("Published beside the weights of every model; nothing in it is executed.")
        return None
    path = state.received([upload])
    try:
        return configs.read(path)
    finally:
        discard(state.app().home, path)


def _numbers() -> Architecture:
    with st.grid(4, min_column_width=130, gap="small"):
        layers = st.number_input("Layers", 1, 1000, 32)
        hidden = st.number_input("Width", 64, 100_000, 4096, step=64)
        heads = st.number_input("Heads", 1, 1024, 32)
        kv_heads = st.number_input("Key-value heads", 1, 1024, 8)
        middle = st.number_input("Middle width", 64, 500_000, 14336, step=64)
        vocabulary = st.number_input("Vocabulary", 100, 10_000_000, 128_256)
        experts = st.number_input("Experts", 0, 4096, 0)
        each = st.number_input("Experts a token", 0, 256, 0)
    return configs.of_numbers(
        layers=layers, hidden=hidden, heads=heads, vocabulary=vocabulary, kv_heads=kv_heads, intermediate=middle,
        experts=experts, experts_per_token=each,
    )  # fmt: skip


def _answered(arch: Architecture) -> Asked:
    devices = [one for one in tables.devices() if one.kind in KINDS and one.memory_bytes and one.memory_bytes_per_s]
    names = {one.device_id: one.name for one in devices}
    usual = "nvidia-h100-sxm5-80gb"
    with st.grid(3, min_column_width=200, gap="small"):
        device = st.selectbox(
            "Device", list(names), index=list(names).index(usual), format_func=lambda one: names[one], key="llm_device",
            bind="query-params",
        )  # fmt: skip
        count = st.selectbox("Devices of one node", (1, 2, 4, 8, 16), key="llm_count", bind="query-params")
        precisions = list(sizes.precisions())
        weights = st.selectbox(
            "Weights", precisions, index=precisions.index(arch.stored_as), key=f"llm_weights_{arch.stored_as}",
            help="How the weights are stored; scales and what stays at 16 bits are counted.",
        )  # fmt: skip
        most = arch.most_positions or 1_000_000
        context = st.number_input("Tokens of a sequence", 1, most, min(4096, most), step=256, key="llm_context")
        batch = st.number_input("Sequences at once", 1, 4096, 8, key="llm_batch")
        kv = st.selectbox("Cache", ("as the weights' usual", *sizes.KV_BITS), key="llm_kv")
    stored, on = sizes.precision(weights), tables.device(device)
    load = speed.Load(context=int(context), batch=int(batch), kv=kv if kv in sizes.KV_BITS else None)
    return Asked(arch, stored, on, int(count), load, speed.predict(arch, stored, on, int(count), load))


def numbers(asked: Asked) -> None:
    """What it is, whether it fits, how fast it writes, what a token takes."""
    arch, found = asked.arch, asked.found
    active = f"{words.count(arch.active_parameter_count)} active" if arch.experts else "all active"
    fits = "fits" if found.fits else f"does not fit; {_devices(found.fewest_devices)}"
    cards.metrics(
        "llm",
        [
            cards.Metric(label="Parameters", value=words.count(arch.parameter_count), note=active),
            cards.estimate("Memory a device", found.memory_per_device_bytes, words.BYTES, note=fits),
            cards.estimate("First token", found.ttft_ms, words.LATENCY, 1e-3),
            cards.estimate("Time per token", found.time_per_token_ms, words.LATENCY, 1e-3),
            cards.estimate("Tokens a second", found.tokens_per_s, words.COUNTS),
            cards.estimate("Energy a token", found.j_per_token, words.JOULES),
        ],
        columns=3,
    )
    st.markdown(f":material/lightbulb: {formats.name(found.advice, 240)}")
    cards.warning("llm", *(formats.name(note, 200) for note in arch.notes))


def _devices(count: int | None) -> str:
    return "no node of this device holds it" if count is None else f"{count} would hold it"


def memory(asked: Asked) -> None:
    """What fills one device."""
    rows = frames.parts(asked.found.memory)
    shared = rows["part"].ne("Runtime")
    rows.loc[shared, "size_bytes"] = rows.loc[shared, "size_bytes"] // asked.count
    figure = figures_llm.memory_bar(rows, style.mode(), asked.on.memory_bytes)
    said = f"{words.size(asked.found.memory_per_device_bytes.mid)} of {words.size(asked.on.memory_bytes)}"
    cards.chart(figure, key="llm_memory", alt=f"Memory of one device: {said}.", table=rows)


def load_curve(asked: Asked) -> None:
    """Throughput against time per token."""
    rows = frames.load_curve(asked.arch, asked.stored, asked.on, asked.count, asked.load)
    ends = f"{rows['tokens_per_s'].iloc[0]:,.0f} tokens a second alone, {rows['tokens_per_s'].iloc[-1]:,.0f} at 256"
    cards.chart(figures_llm.load_curve(rows, style.mode()), key="llm_load_curve", alt=f"Predicted: {ends}.", table=rows)


def precisions(asked: Asked) -> None:
    """The same model at every precision."""
    rows = frames.by_precision(asked.arch, asked.on, asked.count, asked.load)
    shown.show(rows, key="llm_precisions", alt="Memory, speed and energy at every precision, all predicted.")


def right_size(asked: Asked) -> None:
    """Energy of a request beside published tasks, the smallest first."""
    rows = frames.right_size(asked.found)
    figure = figures.bars(
        rows, style.mode(), name="what", value="request_j", say=words.energy, basis="basis",
        highlight="This model, an answer of 300 tokens",
    )  # fmt: skip
    cards.chart(figure, key="llm_job", alt="Energy of one request of this model and of published tasks.", table=rows)


def training(asked: Asked) -> None:
    """Memory of one training step by way."""
    shown.show(
        frames.training(asked.arch, TRAIN_TOKENS), key="llm_training", alt="Memory of one training step, by way."
    )


def backtest_told() -> None:
    """The median errors against measured servers, and every row behind them."""
    found = backtest.errors()
    st.markdown(
        f"Against {found['rows_count']:.0f} measured configurations (one to eight H100): the median error of the time "
        f"per token is {words.percent(found['time_median_frac'])}, of the energy a token "
        f"{words.percent(found['energy_median_frac'])}. Intervals hold 90 in 100 of them with each model left out."
    )
    with st.expander("Every row", icon=":material/table_rows:", type="compact"):
        shown.show(backtest.rows(), key="llm_backtest", alt="Predicted and measured time and energy a token.")
