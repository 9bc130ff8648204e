"""What decided a placement, in words: what binds, how far the next one is, what would change the answer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from advisor.latency.operators import parts
from advisor.placement.types import HERE, ORIGINAL, UTILISATION_LIMIT
from data import words
from data.own import SOURCE
from data.tables import device

if TYPE_CHECKING:
    from advisor.placement.options import Candidate, Here
    from advisor.placement.types import Placement
    from data.tables import Device

LIMITS = {
    "without_latency": "the latency budget", "without_memory": "the memory of the devices",
    "without_filters": "the filters", "without_price": "the price limit",
}  # fmt: skip
AMOUNTS = {"energy": words.energy_kwh, "carbon": words.carbon, "cost": words.usd, "latency": words.latency}
CONVERTED = ("tpu", "npu")
NEEDED = {"tdp_w": "rated power", "memory_bytes_per_s": "memory bandwidth"}  # without which nothing is predicted
LEAST_GAIN = 0.001  # a smaller gain is none
TELLING_FRAC = 0.005  # a smaller difference would be written as 0 %
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
    offer: pd.DataFrame, here: "Here | None" = None,
) -> Told:  # fmt: skip
    """The sentences for these ranked rows and the counts of everything that was judged."""
    if ranked.empty:
        return Told(headline=_nothing(counts, budget_ms, candidates, offer, here), binding=_binds(counts), margin="",
                    would_change=tuple(_relaxed(counts, None, objective)))  # fmt: skip
    best = ranked.iloc[0]
    gains = _relaxed(counts, float(best["value"]), objective)
    amount = _amount(objective, best["value"]) + ("" if objective == "latency" else " a year")
    titles = {one.variant_id: one.title for one in candidates}
    title = titles.get(best["variant_id"])
    return Told(
        headline=(
            (f"{title} {_at(best)}" if title else _name(best))
            + f": {int(best['instances'])} × {best['instance_type']}, batch {int(best['batch'])}, {amount}"
        ),
        binding=_binds(counts, float(best["value"])),
        margin=_margin(ranked, objective, titles),
        would_change=(*_turns(ranked, objective), *gains, *_grows(best)),
    )


def _turns(ranked: pd.DataFrame, objective: str) -> tuple[str, ...]:
    """How much worse the first may get before the next is better, and whether their intervals tell them apart."""
    best, other = ranked.iloc[0], _next(ranked)
    if other is None or not best["value"] or other["value"] < best["value"]:
        return ()
    more_frac = other["value"] / best["value"] - 1.0
    if more_frac < TELLING_FRAC:
        return ("The next is as good.",)
    more = words.percent(more_frac)
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
    others = (ranked["instance_type"] != best["instance_type"]) | (ranked["provider"] != best["provider"])
    place = int(others.to_numpy().argmax()) if others.any() else 1
    return ranked.iloc[place] if place < len(ranked) else None


def reasons(row: Mapping[Any, Any]) -> tuple[str, ...]:
    """What is to be known of one placement."""
    parts = (
        ("service_ms", "in the device"), ("fill_ms", "to fill the batch"), ("queue_ms", "in the queue"),
        ("network_ms", "on the way"),
    )  # fmt: skip
    found = [", ".join(f"{words.latency(row[name])} {where}" for name, where in parts if row[name]) + "."]
    if row["available"] is None:
        found.append("Whether this region has this instance is not known.")
    found.extend(_yours(row))
    if not row["pue_known"]:
        why = "You gave no PUE" if row["provider"] == SOURCE else "The provider publishes no PUE for this region"
        found.append(f"{why}: the world's average, {row['pue']:g}, stands for it.")
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


def _yours(row: Mapping[Any, Any]) -> Iterator[str]:
    """What of it is the user's own."""
    if row["provider"] == SOURCE:
        yield (
            "The device is yours: predicted from the figures you gave, taken to stand on this machine's grid; the "
            "idle power of the host it sits in is not known and not in its energy."
        )
    if row.get("price_source") == SOURCE and row.get("usd_per_year") is not None:
        yield "The price is yours."
    if row.get("grid_source") == SOURCE:
        yield "The carbon of its grid is yours."


def left_out(choices: pd.DataFrame, offer: pd.DataFrame, objective: str, here: "Here | None") -> tuple[str, ...]:
    """One sentence for each of the user's devices that cannot be ranked."""
    if here is None or not here.yours.devices:
        return ()
    rows = offer[offer["provider"] == SOURCE]
    known = set(choices["target_id"])
    found = []
    for row in rows.to_dict("records"):
        on = _device(row["device_id"], here)
        if row["target_id"] not in known:
            missing = [what for name, what in NEEDED.items() if getattr(on, name) is None]
            why = f"its {' and '.join(missing)} is not given" if missing else "it has no peak for what this computes in"
            found.append(f"{on.name} (yours) cannot be predicted: {why}.")
        elif objective == "cost" and pd.isna(row["usd_per_h"]):
            found.append(f"{on.name} (yours) has no price of yours, so it does not rank by cost.")
        elif objective == "carbon" and pd.isna(row["g_per_kwh"]):
            found.append(f"{on.name} (yours) does not rank by CO2e: choose the grid zone of this machine.")
    return tuple(found)


def _device(name: str, here: "Here | None") -> "Device":
    return (here.yours.device(name) if here is not None else None) or device(name)


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
    with_ = "the original" if with_ and other["variant_id"] == ORIGINAL else with_
    name = f"{_name(other)}, {other['instance_type']}" + (f", with {with_}" if with_ else "")
    if pd.isna(ratio):
        return f"Next: {name}."
    return f"Next: {name}: {_amount(objective, other['value'])}, {words.change(ratio)}."


def _nothing(
    counts: Any, budget_ms: float | None, candidates: Sequence["Candidate"], offer: pd.DataFrame, here: "Here | None"
) -> str:  # fmt: skip
    from advisor.placement.options import floor_ms

    if not offer.loc[offer["provider"].ne("here"), "allowed"].any():
        return "No region is left after these filters."
    fastest = counts["fastest_answer_ms"]
    floors = []
    on = [_device(name, here) for name in offer["device_id"].unique() if name != "here"]
    for one in candidates:
        if one.layers:
            apart = parts(one.layers, one.dtype, folds=True)
            apart = {dtype: ops.at_batch(1.0 / one.layers_batch) for dtype, ops in apart.items()}
            floors.append(floor_ms(apart, on))
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


def _at(row: Any) -> str:
    """Where, after what is placed there: "in aws eu-north-1", or "here"."""
    return "here" if row["provider"] == HERE else f"in {_name(row)}"


def _name(row: Any) -> str:
    region = row["region_id"]
    return str(row["provider"]) if pd.isna(region) else f"{row['provider']} {region}"
