"""What the language page shows: the verdict, memory, load, devices, precisions, jobs, training, the backtest."""

import json

import streamlit as st

from advisor.figures import llm as figures_llm
from advisor.figures import named as figures
from advisor.llm import backtest, frames, serve
from advisor.llm import memory as sizes
from advisor.llm.answer import sized
from advisor.llm.clip import of_sizing
from data import words
from pages.ui import cards, formats, style, trends_clip
from pages.ui import tables as shown
from pages.ui.language_question import Asked

TRAIN_TOKENS = 2048
SERVERS = ("bf16", "fp8", "int8", "int8_g128", "int4_g128", "int4_g32", "nf4", "mxfp4", "nvfp4", "bf16_2to4",
           "fp8_2to4")  # fmt: skip
FEW_DEVICES = ["device", "devices_count", "time_per_token_ms", "first_token_ms", "tokens_per_s", "energy_per_token_j",
               "million_tokens_usd"]  # fmt: skip


def verdict(asked: Asked) -> None:
    """Whether it fits and holds, in one line; what bounds it; what would hold it; the answer to take away."""
    found, under = asked.under.found, asked.under
    on = f"{asked.count} × {asked.on.name}"
    if found.fits is False:
        badge, icon, line = "Does not fit", ":material/block:", f"{asked.arch.name} does not fit on {on}"
    elif not under.holds:
        badge, icon, line = "Over the budget", ":material/timer_off:", f"{asked.arch.name} on {on} misses the budget"
    else:
        badge, icon, line = "Fits", ":material/check_circle:", f"{asked.arch.name} fits on {on}"
    with cards.hero("llm", badge, formats.name(line, 160), icon=icon):
        st.markdown("\n".join(f"- {formats.name(text, 240)}" for text in _told(asked)))
        with st.container(horizontal=True):
            answer = sized(asked.arch, asked.stored, asked.load, asked.on, asked.count, asked.budget)
            st.download_button(
                "Take the answer along (JSON)", json.dumps(answer, indent=2), "sizing.json", "application/json",
                icon=":material/download:", key="llm-export", on_click="ignore",
            )  # fmt: skip
            told = _told(asked)
            trends_clip.into_report(
                "llm", lambda address: of_sizing(answer, asked.on.name, told, address), page="language"
            )
        st.caption("The address of this page holds the whole question: keep it, or send it on.")


def _told(asked: Asked) -> list[str]:
    found, under = asked.under.found, asked.under
    said = [found.advice]
    if not asked.arch.encoder:
        said.append(
            f"Under load, for {asked.budget.percentile:g} in 100 requests: the first token within "
            f"{words.latency(under.ttft_ms.mid)}, then {words.latency(under.time_per_token_ms.mid)} a token; "
            f"{words.number(under.requests_per_s.mid)} requests a second."
        )
    if not under.holds:
        held = serve.fewest(asked.arch, asked.stored, asked.on, asked.load, asked.budget)
        said.append("No node of this device holds it." if held is None else f"{held.count} of them hold it.")
    elif asked.budget.ttft_ms or asked.budget.time_per_token_ms:
        most = serve.busiest(asked.arch, asked.stored, asked.on, asked.count, asked.load, asked.budget)
        if most is not None and most.batch > asked.load.batch:
            said.append(
                f"The budget leaves room for {most.batch} sequences at once: "
                f"{words.number(most.requests_per_s.mid)} requests a second."
            )
    return [*said, *asked.arch.notes]


def numbers(asked: Asked) -> None:
    """What it is, whether it fits, how fast it writes, what a token takes."""
    arch, found = asked.arch, asked.under.found
    some = arch.active_parameter_count != arch.parameter_count
    active = f"{words.count(arch.active_parameter_count)} active" if some else "all active"
    has = words.size(asked.on.memory_bytes) if asked.on.memory_bytes else "as built in"
    each = "read" if arch.encoder else "written"
    cards.metrics(
        "llm",
        [
            cards.Metric(label="Parameters", value=words.count(arch.parameter_count), note=active, help=ACTIVE),
            cards.estimate("Memory a device", found.memory_per_device_bytes, words.BYTES, note=f"of {has}"),
            cards.estimate("First token", found.ttft_ms, words.LATENCY, 1e-3, help=TTFT),
            cards.estimate("Time per token", found.time_per_token_ms, words.LATENCY, 1e-3, help=TPOT),
            cards.estimate("Tokens a second", found.tokens_per_s, words.COUNTS, note="all sequences together"),
            cards.estimate("Energy a token", found.j_per_token, words.JOULES, help=f"Of the devices, a token {each}."),
        ],
        columns=3,
    )


ACTIVE = "A mixture of experts keeps all its parameters in memory, and passes each token through a few: memory follows "
ACTIVE += "the total, time and energy the active ones."
TTFT = "TTFT: reading one prompt with nothing else to do (prefill). Bound by arithmetic."
TPOT = "TPOT: one step that writes a token for every sequence (decode). Bound by memory where few are written at once."


def memory(asked: Asked) -> None:
    """What fills one device."""
    rows = frames.parts_of_device(asked.arch, asked.under.found.memory, asked.count)
    figure = figures_llm.memory_bar(rows, style.mode(), asked.on.memory_bytes)
    used = words.size(asked.under.found.memory_per_device_bytes.mid)
    said = f"{used} of {words.size(asked.on.memory_bytes)}" if asked.on.memory_bytes else used
    cards.chart(figure, key="llm_memory", alt=f"Memory of one device: {said}.", table=rows)
    room = frames.room(asked.arch, asked.stored, asked.on, asked.count, asked.load)
    cards.facts(
        {
            "Used of one device": said,
            "Cache a token and sequence": words.size(room.token_bytes),
            f"Sequences of {asked.load.context:,} tokens that fit": _counted(room.sequences),
            f"Longest of {asked.load.batch:,} sequences that fit": _counted(room.tokens, " tokens"),
            "Fewest devices of one node": _counted(asked.under.found.fewest_devices),
        },
        key="llm-room",
    )  # fmt: skip


def _counted(count: int | None, unit: str = "") -> str:
    return "none" if count == 0 else "not bound" if count is None else f"{count:,}{unit}"


def load_curve(asked: Asked) -> None:
    """Throughput against time per token."""
    rows = frames.load_curve(asked.arch, asked.stored, asked.on, asked.count, asked.load)
    ends = f"{rows['tokens_per_s'].iloc[0]:,.0f} tokens a second alone, {rows['tokens_per_s'].iloc[-1]:,.0f} at 256"
    figure = figures_llm.load_curve(rows, style.mode(), asked.budget.time_per_token_ms)
    cards.chart(figure, key="llm_load_curve", alt=f"Predicted: {ends}.", table=rows)


def devices(asked: Asked) -> None:
    """Where it fits, how many it takes, how fast and how hungry it is there, what renting costs."""
    rows = frames.devices(asked.arch, asked.stored, asked.load, asked.budget)
    fitting = rows[rows["devices_count"].notna()]
    if fitting.empty:
        st.markdown("No node of up to 16 devices of the table holds this.")
        return
    best = fitting.sort_values("energy_per_token_j", na_position="last").iloc[0]
    alone = int((fitting["devices_count"] == 1).sum())
    st.markdown(
        f"It fits on **{len(fitting)} of {len(rows)}** kinds of device, on {alone} of them by one alone. "
        f"Least energy a token: **{formats.name(best['device'])}**."
    )
    shown.show(fitting, key="llm_devices", alt="Devices that hold the model, with speed and cost.", order=FEW_DEVICES)


def precisions(asked: Asked) -> None:
    """The same model at every precision."""
    rows = frames.by_precision(asked.arch, asked.on, asked.count, asked.load, asked.stored)
    kinds = st.segmented_control(
        "Precisions", ("For servers", "GGUF", "All"), default="For servers", required=True, key="llm_kinds",
        bind="query-params", label_visibility="collapsed",
    )  # fmt: skip
    of_servers = rows["precision"].isin(SERVERS)
    gguf = rows["meaning"].str.startswith("GGUF") | (rows["precision"] == "bf16")
    rows = rows[{"For servers": of_servers, "GGUF": gguf, "All": of_servers | True}[str(kinds)]]
    figure = figures.bars(
        rows.assign(basis="predicted"), style.mode(), name="title", value="time_per_token_ms", say=words.latency,
        basis="basis", highlight=asked.stored.title,
    )  # fmt: skip
    cards.chart(figure, key="llm_precisions_chart", alt="Time per token by precision, predicted.")
    alt = "Memory, speed and energy at every precision, all predicted."
    shown.show(rows, key="llm_precisions", alt=alt, more={"title": "Weights", "precision": "In commands"})
    st.caption(f"{cards.basis('predicted')} times, energy · {cards.basis('claimed')} quality, by who is named")


def right_size(asked: Asked) -> None:
    """Energy of a request beside published tasks and smaller members of the family, the smallest first."""
    rows = frames.right_size(asked.arch, asked.on, asked.count, asked.load)
    figure = figures.bars(
        rows, style.mode(), name="what", value="request_j", say=words.energy, basis="basis",
        highlight=frames.request_name(asked.arch, asked.load),
    )  # fmt: skip
    cards.chart(figure, key="llm_job", alt="Energy of one request of this model and of others.", table=rows)
    smaller = frames.family(asked.arch)
    order = " → ".join(formats.name(one.name) for one in (*smaller, asked.arch))
    start = f"Start small, and stop at the first that is good enough: {order}. " if smaller else ""
    st.caption(f"{start}Published: one job by a BERT-class model took 0.32 g CO₂e for 1,000 queries, by general models "
               "2.66 g (8.3 ×) and 4.67 g (14.6 ×).")  # fmt: skip


def training(asked: Asked) -> None:
    """Memory and arithmetic of one training step by way."""
    with st.grid(3, min_column_width=130, gap="small"):
        tokens = st.number_input("Tokens of a step", 1, 10_000_000, TRAIN_TOKENS, key="llm_train", bind="query-params")
        rank = st.number_input("Rank of LoRA", 1, 1024, 16, key="llm_rank", bind="query-params", help=RANK)
        optimizer = st.selectbox("Optimizer", list(sizes.OPTIMIZERS), key="llm_optimizer", bind="query-params")
    rows = frames.training(asked.arch, int(tokens), int(rank), optimizer)
    figure = figures_llm.training(rows, style.mode(), asked.on.memory_bytes)
    cards.chart(figure, key="llm_training_chart", alt="Memory of one training step by way and part.", table=rows)
    adapter = sizes.lora_parameters(asked.arch, int(rank))
    st.caption(
        f"An adapter of this rank has {words.count(adapter)} parameters, "
        f"{words.percent(adapter / asked.arch.parameter_count)} of the model's, and weighs {words.size(2 * adapter)}. "
        "Cost ratio: the arithmetic of a token over that of training all weights."
    )


RANK = "How wide the two thin matrices of an adapter are, on queries, keys, values and outputs of every layer."


def backtest_told() -> None:
    """The median errors against measured servers, and every row behind them."""
    found, unseen = backtest.errors(), backtest.errors("held_out_as")
    st.markdown(
        f"Against {found['rows_count']:.0f} measured servers (one to eight H100): the median error of the time per "
        f"token is {words.percent(found['time_median_frac'])}, of the energy a token "
        f"{words.percent(found['energy_median_frac'])}. On {unseen['rows_count']:.0f} servers of models the fit never "
        f"saw: {words.percent(unseen['time_median_frac'])} and {words.percent(unseen['energy_median_frac'])}. "
        "Intervals are made to hold 90 in 100 servers of a model never seen (each model left out of the fit once, and "
        f"weighing the same); of those they hold {words.percent(unseen['time_held_frac'])} in time and "
        f"{words.percent(unseen['energy_held_frac'])} in energy."
    )
    with st.expander("Every row", icon=":material/table_rows:", type="compact"):
        shown.show(backtest.rows(), key="llm_backtest", alt="Predicted and measured time and energy a token.")
