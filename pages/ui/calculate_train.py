"""Train it yourself: from parameters, steps, FLOP or chip-hours to hours, energy, carbon, dollars and turbine time."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from advisor import calculators, training
from advisor.figures.dots import log_dots
from advisor.training import Cluster, Run
from advisor.trends import regulation
from advisor.trends.amounts import amount
from advisor.turbine import Turbine
from data import own, units, words
from data.errors import InputError
from data.estimate import Estimate, exact
from pages.ui import calculate_parts as parts
from pages.ui import calculate_published, cards, formats, state, style, tables
from pages.ui.calculate_parts import TYPED, URL

KNOWN = {"6nd": "Parameters × tokens", "steps": "Steps of my model", "flop": "FLOP", "hours": "Chip-hours"}
CHIP, USUAL_PERCENT = "nvidia-h100-sxm5-80gb", 35.0
HELD = "Weights, gradients and Adam's two moments in float32; activations come on top."
# The inputs of published trainings, as their authors give them; what is not named goes back to its default.
PRESETS: dict[str, dict[str, Any]] = {
    "GPT-3 by the Carbontracker method": {
        "t_known": "flop", "t_flop": "3.14e23", "t_chip": TYPED, "t_peak": 130.0, "t_watts": 250.0, "t_chips": 1000,
        "t_busy": 100.0, "t_overhead": 1.0, "t_pue": 1.125, "t_grams": 449.06,
    },
    "GPT-3 as measured": {
        "t_known": "flop", "t_flop": "3.14e23", "t_chip": TYPED, "t_peak": 125.0, "t_watts": 330.0, "t_chips": 10000,
        "t_busy": 19.68, "t_overhead": 1.0, "t_pue": 1.1,
    },
    "BLOOM": {
        "t_known": "hours", "t_hours": "1082990", "t_chip": "nvidia-a100-sxm4-80gb", "t_chips": 384,
        "t_overhead": 1.0, "t_pue": 1.0, "t_grams": 57.0,
    },
    "PaLM": {
        "t_known": "hours", "t_hours": "8404992", "t_chip": TYPED, "t_peak": 275.0, "t_watts": 378.5, "t_chips": 6144,
        "t_busy": 30.8, "t_overhead": 1.0, "t_pue": 1.08, "t_usd": 3.22,
    },
    "ViT-H/14": {
        "t_known": "hours", "t_hours": "60000", "t_chip": TYPED, "t_peak": 61.5, "t_watts": 110.0, "t_chips": 1000,
        "t_overhead": 1.33, "t_pue": 1.0,
    },
}  # fmt: skip
USUAL: dict[str, Any] = {
    "t_known": "6nd", "t_flop": "8.4e22", "t_hours": "100k", "t_chip": CHIP, "t_peak": 312.0, "t_watts": 400.0,
    "t_chips": 8, "t_busy": USUAL_PERCENT, "t_grams": None, "t_usd": None, "t_trials": 1, "t_zone": None,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed: the compute of one run, what it runs on, and the sizes it follows from where they are known."""

    name: str
    flop: float
    cluster: Cluster
    trials: int
    parameters: float | None
    tokens: float | None


def show() -> None:
    """The inputs, the answer, the cheaper ways, the ladder, and the same in things people know."""
    preset = parts.preset("t", "Published trainings", PRESETS, USUAL)
    with cards.card("train-inputs", "The run"):
        asked, by = _asked()
    run = training.run(asked.flop, asked.cluster, asked.trials)
    cards.warning("train", *run.warnings)
    cards.metrics("train", _numbers(run, asked, by))
    left, right = st.columns([5, 4], gap="small")
    with left:
        _ladder(asked, run, by)
    with right:
        _ways(asked, by)
        _verdicts(run)
    parts.people_know("train", run.energy_kwh, run.g_co2e, by)
    if preset:
        calculate_published.of_preset("GPT-3 by the Carbontracker method" if preset.startswith("GPT-3") else preset)


def _asked() -> tuple[Asked, Turbine]:
    model = state.model()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        known = st.segmented_control(
            "The compute is known by", list(KNOWN), default=USUAL["t_known"], required=True, wrap=True,
            format_func=KNOWN.__getitem__, key="t_known", **URL,
        )  # fmt: skip
        by = parts.turbine()
    with st.grid(4, min_column_width=200, gap="small"):
        sizes = _sizes(str(known), model)
        chip = parts.device("t", USUAL["t_chip"])
        peak, watts = _typed_chip() if chip is None else (training.peak_flop_per_s(chip), calculators.power_of(chip))
        chips = st.number_input("Chips", 1, 10_000_000, USUAL["t_chips"], key="t_chips", **URL)
        busy = st.number_input(
            "Share of the peak reached (%)", 0.1, 100.0, USUAL_PERCENT, 1.0, "%g", key="t_busy",
            help="Model FLOP over peak, all stops included: 30 to 40 is usual, 100 is never reached.", **URL,
        )  # fmt: skip
        overhead, pue = parts.overheads("t", "Server over chips")
        grid = parts.carbon("t")
        usd = _rent(chip.device_id if chip else None)
        trials = st.number_input(
            "Training runs in all", 1, 1_000_000, USUAL["t_trials"], key="t_trials", help="Every trial counts.", **URL
        )
    share = training.default_utilisation() if busy == USUAL_PERCENT else calculators.typed(words.fraction(busy))
    if known == "hours":
        share = exact(share.mid, share.basis, share.source)
    flop = sizes["flop"] or training.flop_of_chip_h(sizes["hours"] or 0.0, peak, share.mid)
    cluster = Cluster(
        chips=float(chips), flop_per_s=peak, chip_w=watts, utilisation=share, overhead=calculators.typed(overhead),
        pue=calculators.typed(pue), grid=grid, usd_per_chip_h=usd,
    )  # fmt: skip
    name = model.name if model and known in ("6nd", "steps") else "Yours"
    return Asked(name, flop, cluster, int(trials), sizes["parameters"], sizes["tokens"]), by


def _sizes(known: str, model: Any) -> dict[str, float | None]:
    """flop, hours, parameters, tokens, where they are known."""
    found: dict[str, float | None] = dict.fromkeys(("flop", "hours", "parameters", "tokens"))
    if known == "flop":
        found["flop"] = _needed("Training compute (FLOP)", USUAL["t_flop"], "t_flop")
    elif known == "hours":
        found["hours"] = _needed("Chip-hours", USUAL["t_hours"], "t_hours")
    elif known == "steps":
        return found | _steps(model)
    else:
        count = model.parameter_count if model and model.parameter_count else None
        found["parameters"] = _needed("Parameters", f"{count:,}" if count else "7B", "t_parameters")
        found["tokens"] = _needed("Training tokens or samples", "2T" if not count else "1B", "t_tokens")
        found["flop"] = training.training_flop(found["parameters"], found["tokens"])
    return found


def _steps(model: Any) -> dict[str, float | None]:
    """A forward pass of the user's own graph, times three, times the steps."""
    if model is None or not model.flop:
        raise InputError("There is no model here whose FLOP are known.", hint="Add one, or choose another way above.")
    steps = _needed("Steps of its batch", "100k", "t_steps")
    st.caption(f"One forward pass of {formats.name(model.name, 40)}: {words.flop(model.flop)}, counted in its graph.")
    return {"flop": training.flop_of_steps(model.flop, steps), "parameters": float(model.parameter_count)}


def _needed(title: str, usual: str, key: str) -> float:
    found = amount(st.text_input(title, usual, key=key, **URL), title)
    if found is None:
        raise InputError(f"{title} is empty.", hint="Write it like 7B, 2T or 4.2e22.")
    return found


def _typed_chip() -> tuple[float, Estimate]:
    peak = st.number_input("Peak of one chip (TFLOP/s)", 0.001, 1e6, USUAL["t_peak"], None, "%g", key="t_peak", **URL)
    watts = st.number_input("Power of one chip (W)", 0.1, 1e5, USUAL["t_watts"], None, "%g", key="t_watts", **URL)
    return peak * units.FLOP_PER_TFLOP, calculators.typed(watts)


def _rent(device_id: str | None) -> Estimate | None:
    mine = own.yours(state.app().store).prices
    known = calculators.usd_per_chip_h(device_id, mine) if device_id else None
    usual = "not known"
    if known is not None:
        usual = f"{known.mid:.2f}, {'yours' if known.basis == 'given' else 'median of rents'}"
    usd = st.number_input("US$ a chip and hour", 0.0, 1e4, None, 0.1, key="t_usd", placeholder=usual, **URL)
    return known if usd is None else calculators.typed(usd)


def _numbers(run: Run, asked: Asked, by: Turbine) -> list[cards.Metric]:
    likely = training.likely_kwh(run.energy_kwh)
    ratio = training.nameplate_ratio()
    dollars = run.usd
    return [
        cards.Metric(
            label="Compute", value=f"{run.flop:.2e} FLOP".replace("e+", "e"), basis="modelled",
            note=f"{words.number(units.pflops_days_from_flop(run.flop))} PF/s-days",
        ),
        cards.estimate("Time on the clock", run.wall_h * units.S_PER_H, words.SECONDS,
                       note=f"{words.number(run.chip_h.mid)} chip-hours"),
        cards.estimate("Energy", run.energy_kwh, words.KWH, help="Rated power × time × server × PUE."),
        cards.Metric(
            label="As usually reported", value=words.energy_kwh(likely.mid), basis="modelled",
            spread=words.ends(likely, words.KWH),
            help=f"Rated power × time is {ratio.low:.1f} to {ratio.high:.1f} times (median {ratio.mid:.2f}) the energy "
            "that seven published runs reported.",
        ),
        cards.estimate("CO₂e", run.g_co2e, words.GRAMS, note="" if run.g_co2e else "choose a grid"),
        cards.Metric(
            label="Cost", value=words.NOT_KNOWN if dollars is None else f"${words.scaled(dollars.mid, words.COUNTS)}",
            basis=dollars.basis if dollars else None,
            spread="" if dollars is None or dollars.low == dollars.high else words.interval(dollars, words.COUNTS)
            .partition("(")[2].rstrip(")"),
            note="" if dollars else "type a price", help=parts.source_of(dollars) if dollars else None,
        ),
        cards.estimate("Wind-turbine time", by.years(run.energy_kwh), words.TURBINE, units.S_PER_YEAR),
        cards.Metric(label="Share of the peak", value=words.percent(run.utilisation.mid), basis=run.utilisation.basis,
                     note=f"{words.percent(run.utilisation.low)}–{words.percent(run.utilisation.high)}"
                     if run.utilisation.low != run.utilisation.high else ""),
    ]  # fmt: skip


def _verdicts(run: Run) -> None:
    with cards.card("train-rules", "Rules", "At the compute of one of these runs."):
        for verdict in regulation.verdicts(run.flop / run.trials):
            icon = ":material/gavel:" if verdict.over and verdict.binding else ":material/check:"
            st.markdown(f"{icon} {formats.name(verdict.text, 200)}")


def _ladder(asked: Asked, run: Run, by: Turbine) -> None:
    with cards.card("train-ladder", "Among published trainings", "Energy as reported; yours by rated power. Log axis."):
        rows = calculators.rungs(asked.name, run.energy_kwh, by)
        drawn = rows.rename(columns={"energy_kwh": "value", "energy_low_kwh": "low", "energy_high_kwh": "high",
                                     "corrected_kwh": "other"})  # fmt: skip
        figure = log_dots(
            drawn, style.mode(), say=words.energy_kwh, axis="Energy of the training (kWh)", title="As reported",
            other_title="Corrected later", name_limit=26,
        )  # fmt: skip
        mine = int(rows.index[rows["yours"]][0])
        alt = f"Yours, {words.energy_kwh(run.energy_kwh.mid)}, is number {mine + 1} of {len(rows)} by energy."
        cards.chart(figure, key="train_ladder_chart", alt=alt, table=rows.drop(columns=["yours"]))
        low = rows.loc[rows["corrected_kwh"].notna()]
        for row in low.itertuples(index=False):
            st.caption(f":material/error: {formats.name(row.name, 60)}: {formats.name(row.note, 200)}")


def _ways(asked: Asked, by: Turbine) -> None:
    with cards.card("train-ways", "Train, or adapt?", "The same model on the same chips, four ways."):
        if asked.parameters is None or asked.tokens is None:
            cards.nothing_yet("ways", "No sizes", todo="Choose Parameters × tokens above.", icon=":material/tune:")
            return
        with st.grid(3, min_column_width=120, gap="small"):
            seen = _needed("Tokens to adapt on", "100M", "t_tune")
            adapters = st.number_input("LoRA adds (%)", 0.001, 50.0, 0.5, None, "%g", key="t_lora", **URL)
            head = st.number_input("A head adds (%)", 0.001, 50.0, 0.1, None, "%g", key="t_head", **URL)
        added = (asked.parameters * words.fraction(share) for share in (adapters, head))
        found = training.ways(asked.parameters, asked.tokens, seen, *added, asked.cluster)
        rows = calculators.ways(found, by)
        drawn = rows.rename(columns={"way": "name", "energy_kwh": "value", "energy_low_kwh": "low",
                                     "energy_high_kwh": "high"})  # fmt: skip
        figure = log_dots(drawn, style.mode(), say=words.energy_kwh, axis="Energy (kWh)", title="Energy")
        told = [f"{row.way} {words.energy_kwh(float(row.energy_kwh))}" for row in rows.itertuples(index=False)]
        cards.chart(figure, key="train_ways_chart", alt="; ".join(told), table=rows)
        ways = pd.DataFrame(_told(rows))
        named = {name: st.column_config.Column(name) for name in ways}
        tables.show(ways, key="train_ways", alt="Each way with its compute, memory, turbine time and cost.", more=named)
        st.caption(HELD)


def _told(rows: pd.DataFrame) -> list[dict[str, str]]:
    return [
        {
            "Way": str(row.way), "Compute": f"{row.compute_flop:.1e}".replace("e+", "e"),
            "Memory": words.size(float(row.held_bytes)), "One turbine": words.turbine(float(row.turbine_years)),
            "Cost": words.NOT_KNOWN if pd.isna(row.cost_usd) else f"${words.scaled(float(row.cost_usd), words.COUNTS)}",
        }
        for row in rows.itertuples(index=False)
    ]  # fmt: skip
