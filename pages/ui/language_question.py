"""The language page's question: which model, what load, on what, under which budget. All of it stands in the URL."""

from dataclasses import dataclass

import streamlit as st

from advisor.llm import configs, serve
from advisor.llm import memory as sizes
from advisor.llm.architecture import Architecture
from advisor.llm.sources import Source, again, size_file
from advisor.llm.step import Load
from data import tables
from data.settings import settings
from pages.ui import cards, state, work

KINDS = ("gpu", "tpu", "npu", "soc", "cpu")
WAYS = ("A known model", "A file", "Plain numbers")
SLOT = "sizing"
SUFFIXES = ["json", "gguf", "safetensors"]
PLAIN_STEMS = ("config", "model", "model.safetensors.index")  # names that say nothing
USUAL = "nvidia-h100-sxm5-80gb"
PERCENTILES = (50.0, 90.0, 95.0, 99.0)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question with its answer."""

    arch: Architecture
    stored: sizes.Precision
    on: tables.Device
    count: int
    load: Load
    budget: serve.Budget
    under: serve.Served


def question() -> Asked | None:
    """The model, its load and the device; None where something is missing or not possible (which is then said)."""
    way = st.segmented_control(
        "From", WAYS, default=WAYS[0], required=True, key="llm_from", bind="query-params", label_visibility="collapsed"
    )
    with cards.guard("llm"):
        source = {WAYS[0]: _known, WAYS[1]: _file, WAYS[2]: _numbers}[str(way)]()
        return None if source is None else _answered(source)
    return None


def _known() -> Source:
    names = list(configs.known())
    name = st.selectbox(
        "Model", names, index=names.index("Llama 3.1 8B"), key="llm_model", bind="query-params",
        help="Shapes as published; each total is held to the publisher's by a test.",
    )  # fmt: skip
    arch = configs.known()[name]
    return Source(arch=arch, stored=sizes.precision(arch.stored_as))


def _file() -> Source | None:
    """A file by upload or by path, read as a job; what it came to stays in the URL."""
    job = work.card(SLOT)
    if job is not None and job.result:
        left, right = st.columns([5, 1], vertical_alignment="center")
        left.markdown(f":material/description: **{cards.formats.name(job.title.removeprefix('Reading '), 80)}**")
        if right.button("Another file", icon=":material/swap_horiz:", key="llm-another", width="stretch"):
            state.done_with(SLOT)
            st.rerun()
        return again(job.result)
    if work.busy(SLOT):
        return None
    left, right = st.columns(2, gap="small")
    with left:
        uploads = st.file_uploader(
            "config.json, GGUF, safetensors, or their index with config.json or shards beside it", type=SUFFIXES,
            accept_multiple_files=True, key=f"llm-files-{st.session_state.setdefault('llm_turn', 0)}",
            max_upload_size=settings().upload_mb,
        )  # fmt: skip
        if uploads:
            path, main = state.received(uploads), min((upload.name for upload in uploads), key=_after)
            st.session_state["llm_turn"] += 1  # a new widget: the old one's bytes leave memory
            path = path if len(uploads) == 1 else path.parent / main
            stem = main.rpartition(".")[0]
            _read({"path": str(path), "name": "Your model" if stem in PLAIN_STEMS else stem, "move": True}, main)
    with right, st.form("llm-path-form", border=False):
        path = st.text_input("Path on this machine", placeholder="~/models/llama-3.1-8b/config.json")
        if st.form_submit_button("Read", icon=":material/folder_open:", width="stretch") and path.strip():
            _read({"path": path.strip()}, path.strip().rpartition("/")[2])
    st.caption("Headers and numbers alone are read, in a locked process; code that comes along is never run.")
    return None


def _after(name: str) -> int:
    """Which of several files leads: an index, then weights, then a configuration beside them."""
    ends = (".index.json", ".gguf", ".safetensors", ".json")
    return next((place for place, end in enumerate(ends) if name.lower().endswith(end)), len(ends))


def _read(arguments: dict[str, object], named: str) -> None:
    state.submit(size_file, arguments, title=f"Reading {named}", lane="quick", slot=SLOT)
    st.rerun()


def _numbers() -> Source:
    with st.grid(4, min_column_width=130, gap="small"):
        layers = st.number_input("Layers", 1, 1000, 32, key="llm_layers", bind="query-params")
        hidden = st.number_input("Width", 64, 100_000, 4096, step=64, key="llm_width", bind="query-params")
        heads = st.number_input("Heads", 1, 1024, 32, key="llm_heads", bind="query-params")
        kv_heads = st.number_input("Key-value heads", 1, 1024, 8, key="llm_kv_heads", bind="query-params")
        middle = st.number_input("Middle width", 64, 500_000, 14336, step=64, key="llm_middle", bind="query-params")
        words = st.number_input("Vocabulary", 100, 10_000_000, 128_256, key="llm_words", bind="query-params")
        experts = st.number_input("Experts", 0, 4096, 0, key="llm_experts", bind="query-params")
        each = st.number_input("Experts a token", 0, 256, 0, key="llm_each", bind="query-params")
    arch = configs.of_numbers(
        layers=layers, hidden=hidden, heads=heads, vocabulary=words, kv_heads=kv_heads, intermediate=middle,
        experts=experts, experts_per_token=each,
    )  # fmt: skip
    return Source(arch=arch, stored=sizes.precision(arch.stored_as))


def _answered(source: Source) -> Asked:
    names = {one.device_id: one.name for one in tables.devices() if one.kind in KINDS and one.memory_bytes_per_s}
    with st.grid(4, min_column_width=160, gap="small"):
        device = st.selectbox(
            "Device", list(names), index=list(names).index(USUAL), format_func=lambda one: names[one], key="llm_device",
            bind="query-params",
        )  # fmt: skip
        count = st.selectbox(
            "Devices of one node", (1, 2, 4, 8, 16), key="llm_count", bind="query-params",
            help="Tensor parallel: each holds a share of every layer, and they exchange activations twice a layer.",
        )  # fmt: skip
        stored = _weights(source)
        kv = st.selectbox(
            "Cache", ("usual", *sizes.KV_BITS), key="llm_kv", bind="query-params",
            help="What earlier tokens leave behind for later ones to attend to (keys and values).",
        )  # fmt: skip
        prompt, answer, batch = _tokens(source.arch)
    load = Load(
        context=prompt + answer, batch=batch, prompt=prompt, answer=answer, kv=kv if kv in sizes.KV_BITS else None
    )
    budget = _budget()
    on = tables.device(device)
    under = serve.served(source.arch, stored, on, int(count), load, budget)
    return Asked(source.arch, stored, on, int(count), load, budget, under)


def _weights(source: Source) -> sizes.Precision:
    """The precision chosen; at first the one the model is published in."""
    own = source.stored
    named = {own.precision: own, **{name: one for name, one in sizes.precisions().items() if name != own.precision}}
    chosen = st.selectbox(
        "Weights", list(named), format_func=lambda name: named[name].title,
        key=f"llm_weights_{own.precision}".replace(" ", "_"), bind="query-params",
        help="How weights are stored. Scales, zero points and what stays at 16 bits are counted.",
    )  # fmt: skip
    return named[chosen]


def _tokens(arch: Architecture) -> tuple[int, int, int]:
    """(tokens of a prompt, of an answer, sequences at once), within what the model was made for."""
    most = arch.most_positions or 10_000_000
    usual = (min(1024, max(1, most * 3 // 4)), min(300, max(1, most // 4)))
    short = "" if usual == (1024, 300) else f"_{most}"  # a model made for less keeps numbers of its own
    prompt = st.number_input(
        "Prompt tokens", 1, max(1, most - 1), usual[0], step=256, key=f"llm_prompt{short}", bind="query-params",
        help="Tokens read before the first is written. A word is about 1.3 tokens.",
    )  # fmt: skip
    answer = st.number_input(
        "Answer tokens", 1, most, usual[1], step=100, key=f"llm_answer{short}", bind="query-params"
    )
    batch = st.number_input(
        "Sequences at once", 1, 4096, 8, key="llm_batch", bind="query-params",
        help="Requests the server writes for in the same step (continuous batching).",
    )  # fmt: skip
    return int(prompt), int(answer), int(batch)


def _budget() -> serve.Budget:
    with (
        st.expander("Budget: what must hold, and how often", icon=":material/timer:", type="compact"),
        st.grid(3, min_column_width=160, gap="small"),
    ):
        first = st.number_input(
            "First token within (ms)", 0.0, None, 0.0, step=50.0, key="llm_ttft", bind="query-params",
            help="TTFT: from the request to the first written token, waiting included. 0 is no budget.",
        )  # fmt: skip
        token = st.number_input(
            "Each token within (ms)", 0.0, None, 0.0, step=5.0, key="llm_tpot", bind="query-params",
            help="TPOT: the mean time per token of one answer. 0 is no budget. People read about 5 tokens a second.",
        )  # fmt: skip
        percentile = st.selectbox(
            "holds for (%)", PERCENTILES, index=2, format_func="{:g}".format, key="llm_percentile", bind="query-params"
        )
    return serve.Budget(ttft_ms=first or None, time_per_token_ms=token or None, percentile=float(percentile))
