"""What decided a placement, in words: what binds, how far the next one is, what would change the answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from advisor.latency.operators import parts
from advisor.placement.types import UTILISATION_LIMIT
from data import words
from data.tables import device

if TYPE_CHECKING:
    from advisor.placement.options import Candidate, Here
    from advisor.placement.types import Placement

LIMITS = {
    "without_latency": "the latency budget", "without_memory": "the memory of the devices",
    "without_filters": "the filters", "without_price": "the price limit",
}  # fmt: skip
AMOUNTS = {"energy": words.energy_kwh, "carbon": words.carbon, "cost": words.usd, "latency": words.latency}
CONVERTED = ("tpu", "npu")
LEAST_GAIN = 0.001  # a smaller gain is none
TURNS = {  # what of the first placement alone turns the order when it rises
    "energy": "takes {more} more energy than modelled", "carbon": "has {more} more carbon on its grid",
    "cost": "costs {more} more", "latency": "takes {more} longer",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The sentences of an answer."""

    headline: str
    binding: str
    margin: str
    would_change: tuple[str, ...]


def told(
    ranked: pd.DataFrame, counts: Any, objective: str, budget_ms: float | None, candidates: Sequence["Candidate"],
    offer: pd.DataFrame,
) -> Told:  # fmt: skip
    """The sentences for these ranked rows and the counts of everything that was judged."""
    if ranked.empty:
        return Told(headline=_nothing(counts, budget_ms, candidates, offer), binding=_binds(counts), margin="",
                    would_change=tuple(_relaxed(counts, None, objective)))  # fmt: skip
    best = ranked.iloc[0]
    gains = _relaxed(counts, float(best["value"]), objective)
    amount = _amount(objective, best["value"]) + ("" if objective == "latency" else " a year")
    titles = {one.variant_id: one.title for one in candidates}
    title = titles.get(best["variant_id"])
    return Told(
        headline=(
            (f"{title} in " if title else "")
            + f"{_name(best)}: {int(best['instances'])} × {best['instance_type']}, batch {int(best['batch'])}, {amount}"
        ),
        binding=_binds(counts, float(best["value"])),
        margin=_margin(ranked, objective, titles),
        would_change=(*gains, *_turns(ranked, objective), *_grows(best)),
    )


def _turns(ranked: pd.DataFrame, objective: str) -> tuple[str, ...]:
    """How much worse the first may get before the next is better, and whether their intervals tell them apart."""
    best, other = ranked.iloc[0], _next(ranked)
    if other is None or not best["value"] or other["value"] < best["value"]:
        return ()
    more = words.percent(other["value"] / best["value"] - 1.0)
    said = f"The next is as good where the first {TURNS[objective].format(more=more)}"
    unsure = objective in ("energy", "carbon") and best["kwh_high"] > other["kwh_low"]
    return (f"{said}, as its interval allows." if unsure else f"{said}.",)


def _grows(best: Any) -> tuple[str, ...]:
    if best["utilisation_frac"] <= 0:
        return ()
    times = words.times(UTILISATION_LIMIT / best["utilisation_frac"])
    return (f"At {times} this traffic, at the latest, more servers are needed.",)


def _next(ranked: pd.DataFrame) -> Any:
    best = ranked.iloc[0]
    others = ranked[(ranked["instance_type"] != best["instance_type"]) | (ranked["provider"] != best["provider"])]
    others = others if len(others) else ranked.iloc[1:]
    return others.iloc[0] if len(others) else None


def reasons(row: Mapping[Any, Any]) -> tuple[str, ...]:
    """What is to be known of one placement."""
    parts = (
        ("service_ms", "in the device"), ("fill_ms", "to fill the batch"), ("queue_ms", "in the queue"),
        ("network_ms", "on the way"),
    )  # fmt: skip
    found = [", ".join(f"{words.latency(row[name])} {where}" for name, where in parts if row[name]) + "."]
    if row["available"] is None:
        found.append("Whether this region has this instance is not known.")
    if not row["pue_known"]:
        found.append("The provider publishes no PUE for this region: the world's average stands for it.")
    if row.get("part") is not None and row["part"] < 1.0 and row["kind"] != "cpu":
        found.append(
            f"It is {words.percent(row['part'])} of a shared accelerator, which waits for all who share it: how many "
            "do is not known, and the interval of its energy holds both ends."
        )
    if row["kind"] in CONVERTED:
        found.append("ONNX Runtime does not run on this kind of device: the model has to be converted for it first.")
    elif row["kind"] != "cpu" and row.get("bits8"):
        found.append("In 8 bits an accelerator needs an engine that knows this file's operators, such as TensorRT.")
    if row["fits"] is None:
        found.append("Whether the model fits this device's memory is not known.")
    return tuple(found)


def broken_here(found: "Placement", budget_ms: float | None, here: "Here") -> tuple[str, ...]:
    """What stands against this machine, one sentence each."""
    against = []
    if budget_ms is not None and found.answer_ms is not None and found.answer_ms > budget_ms:
        told = words.latency(found.answer_ms)
        against.append(f"Here it answers in {told}, over the {words.latency(budget_ms)} allowed.")
    if found.replicas > here.machines:
        against.append(f"This traffic needs {found.replicas:,} machines like this one; there is {here.machines}.")
    return tuple(against)


def _relaxed(counts: Any, best: float | None, objective: str) -> list[str]:
    """One sentence for each limit whose fall alone would give something better."""
    found = []
    for column, limit in LIMITS.items():
        value = counts[column]
        if pd.isna(value) or (best is not None and value >= best * (1.0 - LEAST_GAIN)):
            continue
        told = f"Without {limit} it would be {_amount(objective, value)}"
        found.append(told + (f", {words.change(value / best)}." if best else "."))
    return found


def _binds(counts: Any, best: float | None = None) -> str:
    """The limit whose fall alone would gain most; empty where none would."""
    known = {limit: counts[column] for column, limit in LIMITS.items() if pd.notna(counts[column])}
    gains = {limit: value for limit, value in known.items() if best is None or value < best * (1.0 - LEAST_GAIN)}
    return min(gains, key=lambda limit: gains[limit]) if gains else ""


def _margin(ranked: pd.DataFrame, objective: str, titles: Mapping[str, str]) -> str:
    best, other = ranked.iloc[0], _next(ranked)
    if other is None:
        return "Nothing else meets the limits."
    ratio = other["value"] / best["value"] if best["value"] else float("nan")
    with_ = titles.get(other["variant_id"], "") if other["variant_id"] != best["variant_id"] else ""
    name = f"{_name(other)}, {other['instance_type']}" + (f", with {with_.replace('The o', 'the o')}" if with_ else "")
    if pd.isna(ratio):
        return f"Next: {name}."
    return f"Next: {name}: {_amount(objective, other['value'])}, {words.change(ratio)}."


def _nothing(counts: Any, budget_ms: float | None, candidates: Sequence["Candidate"], offer: pd.DataFrame) -> str:
    from advisor.placement.options import floor_ms

    if not offer.loc[offer["provider"].ne("here"), "allowed"].any():
        return "No region is left after these filters."
    fastest = counts["fastest_answer_ms"]
    floors = []
    names = [name for name in offer["device_id"].unique() if name != "here"]
    for one in candidates:
        if one.layers:
            apart = parts(one.layers, one.dtype, folds=True)
            apart = {dtype: ops.at_batch(1.0 / one.layers_batch) for dtype, ops in apart.items()}
            floors.append(floor_ms(apart, [device(name) for name in names]))
    floor, where = min(floors) if floors else (0.0, "")
    if budget_ms is not None and floor > budget_ms:
        least = words.latency(floor)
        return f"No device in the table can do this: arithmetic and bytes alone take {least} on the {where}."
    if budget_ms is not None and pd.notna(fastest) and fastest > budget_ms:
        return f"Nothing meets {words.latency(budget_ms)}: the quickest answer is {words.latency(fastest)}."
    binds = _binds(counts)
    return "Nothing meets all limits at once" + (f": {binds} alone stands in the way." if binds else ".")


def _amount(objective: str, value: float) -> str:
    return AMOUNTS[objective](float(value))


def _name(row: Any) -> str:
    region = row["region_id"]
    return str(row["provider"]) if pd.isna(region) else f"{row['provider']} {region}"
