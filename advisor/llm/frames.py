"""A language model's numbers as the rows of tables and charts."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import pandas as pd

from advisor.llm import memory, speed
from advisor.llm.architecture import Architecture
from advisor.llm.configs import known
from advisor.llm.serve import Budget, fewest, served
from advisor.llm.speed import Load
from advisor.llm.step import shares
from data import tables
from data.errors import InputError
from data.tables import Device
from data.units import BYTES_PER_GIB, J_PER_KWH, S_PER_H

BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
WAYS = {"full": "All weights", "lora": "LoRA", "qlora": "QLoRA", "head": "Head only"}
REQUESTS = 1000
STUDY_G_PER_KWH = 297.6  # AWS us-west-2 in Luccioni, Jernite, Strubell 2024, whose queries the claims are of
KINDS = ("gpu", "tpu", "npu", "soc")
NOT_READ = " (from general knowledge, not read again)"
SINCE, LEAST_GIB = "2017", 8.0


def parts(found: memory.Memory) -> pd.DataFrame:
    """part, size_bytes, basis: what the memory is made of."""
    return pd.DataFrame(
        {
            "part": ["Weights", "Key-value cache", "Activations", "Runtime"],
            "size_bytes": [
                found.weights_bytes, found.kv_cache_bytes, found.activation_bytes, round(found.overhead_bytes.mid),
            ],
            "basis": ["modelled"] * 4,
        }
    )  # fmt: skip


def parts_of_device(arch: Architecture, found: memory.Memory, count: int) -> pd.DataFrame:
    """The same of one of `count` devices: weights and activations are shared out, the cache by key-value heads, and
    each has a runtime of its own."""
    rows = parts(found)
    by = {"Weights": count, "Activations": count, "Key-value cache": shares(arch, count)}
    rows["size_bytes"] = [
        size // by.get(str(part), 1) for part, size in zip(rows["part"], rows["size_bytes"], strict=True)
    ]
    return rows


def by_precision(
    arch: Architecture, on: Device, count: int, load: Load, own: memory.Precision | None = None
) -> pd.DataFrame:
    """One row a precision: weights, what one device holds, fits, predicted time, energy and their ratios to `own` (else
    bf16); and what others claim of its quality. Nothing here was measured on this model."""
    claims = _claims()
    base = speed.predict(arch, own or memory.precision("bf16"), on, count, load)
    rows = []
    for name, found in speed.by_precision(arch, on, count, load).items():
        claimed = claims.get(name, {"claim": "", "source": ""})
        rows.append(
            {
                "title": memory.precision(name).title, "precision": name, "weights_bytes": found.memory.weights_bytes,
                "per_device_bytes": found.memory_per_device_bytes.mid, "fits": found.fits,
                "fewest_devices_count": found.fewest_devices, "time_per_token_ms": found.time_per_token_ms.mid,
                "time_ratio": found.time_per_token_ms.mid / base.time_per_token_ms.mid,
                "token_j": found.j_per_token.mid if found.j_per_token else None,
                "energy_ratio": found.j_per_token.mid / base.j_per_token.mid
                if found.j_per_token and base.j_per_token else None,
                "claimed_quality": claimed["claim"], "claimed_by": claimed["source"],
                "meaning": memory.precision(name).meaning,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _claims() -> dict[str, dict[str, str]]:
    """What is claimed of each precision's quality, and by whom; what was not read again in its source says so."""
    rows = tables.frame("llm", "claims").set_index("precision")
    rows["source"] += rows["unverified_fields"].map({"claim": NOT_READ}).fillna("")
    return {str(name): {"claim": row["claim"], "source": row["source"]} for name, row in rows.iterrows()}


def load_curve(arch: Architecture, stored: memory.Precision, on: Device, count: int, load: Load) -> pd.DataFrame:
    """batch, tokens_per_s, its ends, time_per_token_ms and at the 95th percentile, ttft_p95_ms, token_j, fits:
    continuous batching, from one to 256 at once."""
    rows = []
    for batch in BATCHES:
        under = served(arch, stored, on, count, replace(load, batch=batch), Budget())
        found = under.found
        rows.append(
            {
                "batch": batch, "tokens_per_s": found.tokens_per_s.mid, "low_per_s": found.tokens_per_s.low,
                "high_per_s": found.tokens_per_s.high, "time_per_token_ms": found.time_per_token_ms.mid,
                "time_per_token_p95_ms": under.time_per_token_ms.mid, "ttft_p95_ms": under.ttft_ms.mid,
                "token_j": found.j_per_token.mid if found.j_per_token else None, "fits": found.fits is not False,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def training(arch: Architecture, tokens: int, rank: int = 16, optimizer: str = "adam") -> pd.DataFrame:
    """One row a way to train: bytes by part and in all, with one layer recomputed at a time and with all kept; what is
    trained, and the arithmetic of a token beside that of training all of it."""
    if rank < 1 or not 1 <= tokens <= memory.MOST_TOKENS:
        raise InputError("A rank and a number of tokens are 1 or more.")
    rows = []
    for way, title in WAYS.items():
        found = memory.training(arch, way, tokens=tokens, rank=rank, optimizer=optimizer)
        kept = memory.training(arch, way, tokens=tokens, rank=rank, optimizer=optimizer, recompute=False)
        rows.append(
            {
                "way": title, "trained_frac": found["trained_parameters"] / arch.parameter_count,
                **{key: value for key, value in found.items() if key.endswith("_bytes")},
                "total_bytes": memory.summed(found), "without_recomputation_bytes": memory.summed(kept),
                "token_flop": found["token_flop"],
                "cost_ratio": found["token_flop"] / memory.training(arch, "full", tokens=tokens)["token_flop"],
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def devices(arch: Architecture, stored: memory.Precision, load: Load, budget: Budget | None = None) -> pd.DataFrame:
    """One row a device of the table that is of use: how many of one node hold the model (and the budget), and then time
    a token, throughput, energy, what renting them costs (the cheapest list price) for a million written tokens."""
    prices, rows = _usd_per_device_h(), []
    for device in _served_on():
        try:
            found = fewest(arch, stored, device, load, budget or Budget())
        except InputError:
            continue
        made = found.found if found else None
        usd_per_h = prices.get(device.device_id)
        rows.append(
            {
                "device_id": device.device_id, "device": device.name, "memory_bytes": device.memory_bytes,
                "devices_count": found.count if found else None,
                "time_per_token_ms": made.time_per_token_ms.mid if made else None,
                "first_token_ms": made.ttft_ms.mid if made else None,
                "tokens_per_s": made.tokens_per_s.mid if made else None,
                "energy_per_token_j": made.j_per_token.mid if made and made.j_per_token else None,
                "million_tokens_usd": usd_per_h * found.count / S_PER_H / made.tokens_per_s.mid * 1e6
                if found and made and usd_per_h else None,
            }
        )  # fmt: skip
    order = ["devices_count", "energy_per_token_j"]
    return pd.DataFrame(rows).sort_values(order, na_position="last", ignore_index=True)


def right_size(arch: Architecture, on: Device, count: int, load: Load) -> pd.DataFrame:
    """what, request_j, thousand_kwh, basis: a request to this model, to smaller ones of its family, and what published
    measurements give for smaller jobs; the smallest first, which is the order to try them in."""
    rows = [_request(request_name(arch, load), arch, on, count, load)]
    if not arch.encoder:
        rows.append(_request(f"{arch.name}: one class", arch, on, count, replace(load, answer=1)))
    for smaller in family(arch):
        rows.append(_request(request_name(smaller, load), smaller, on, count, load))
    for told in (*_of_study(), *_of_queries()):
        rows.append({"what": told[0], "request_j": told[1], "basis": "claimed"})
    made = pd.DataFrame([row for row in rows if row]).sort_values("request_j", ignore_index=True)
    made["thousand_kwh"] = made["request_j"] * REQUESTS / J_PER_KWH
    return made


def family(arch: Architecture) -> list[Architecture]:
    """Smaller members of the model's family, as they are shipped here; of a family that is not, smaller models of the
    same architecture. The smallest first."""
    rows = tables.frame("llm", "architectures").set_index("name")["family"].to_dict()
    mine = rows.get(arch.name)
    found = [
        one for name, one in known().items()
        if (rows[name] == mine if mine else one.kind == arch.kind) and one.parameter_count < arch.parameter_count
    ]  # fmt: skip
    return sorted(found, key=lambda one: one.active_parameter_count)


def request_name(arch: Architecture, load: Load) -> str:
    """The name of a request's row."""
    if arch.encoder:
        return f"{arch.name}: {load.prompt_tokens:,} read"
    return f"{arch.name}: {load.answer_tokens:,} tokens"


def _request(what: str, arch: Architecture, on: Device, count: int, load: Load) -> dict[str, object] | None:
    """Energy of one request, in the precision the model is published in; None where it cannot be told."""
    try:
        context = min(load.context, arch.most_positions or load.context)
        asked = replace(load, context=context, prompt=min(load.prompt_tokens, context), answer=load.answer_tokens)
        made = speed.predict(arch, memory.precision(arch.stored_as), on, count, asked)
    except InputError:
        return None
    if made.j_per_token is None:
        return None
    tokens = asked.prompt_tokens if arch.encoder else asked.answer_tokens
    return {"what": what, "request_j": made.j_per_token.mid * tokens, "basis": "predicted"}


def _of_study() -> list[tuple[str, float]]:
    """(task, joules) of text tasks, the mean over the models of one published study."""
    measured = tables.frame("energy", "inference")
    of_text = measured["task"].str.contains("text|question|language|token|summar") & (measured["per"] == "inference")
    rows = measured[of_text & measured["model"].str.startswith("mean over")]
    pairs = zip(rows["task"], rows["energy_j"], strict=True)
    return [(str(task), float(joules)) for task, joules in pairs]


def _of_queries() -> list[tuple[str, float]]:
    """(model and task, joules) of the queries claimed in g CO2e, at the grid of the study they are from."""
    claims = tables.frame("claims", "claims")
    rows = claims[claims["kind"] == "task energy"]
    return [
        (_short(str(name)), float(grams) / REQUESTS / STUDY_G_PER_KWH * J_PER_KWH)
        for name, grams in zip(rows["claim"], rows["value"], strict=True)
    ]


def _short(name: str) -> str:
    model = name.partition(",")[0]
    return f"{'BERT-class' if model.startswith('bert') else model}: one class"


@cache
def _served_on() -> tuple[Device, ...]:
    """Accelerators with memory and bandwidth that one would serve on: released in the last ten years."""
    return tuple(
        one for one in tables.devices()
        if one.kind in KINDS and one.memory_bytes and one.memory_bytes_per_s and (one.release_date or "") >= SINCE
        and one.memory_bytes >= LEAST_GIB * BYTES_PER_GIB
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What else would fit: sequences of this length, tokens of so many sequences; None where nothing bounds them. And
    what a token more of one sequence takes."""

    token_bytes: int
    sequences: int | None
    tokens: int | None


def room(arch: Architecture, stored: memory.Precision, on: Device, count: int, load: Load) -> Room:
    """How far the memory of `count` devices reaches at this load, found by halving."""

    def fits(context: int, batch: int) -> bool:
        return speed.predict(arch, stored, on, count, replace(load, context=context, batch=batch)).fits is not False

    kind, most = load.kv or stored.kv_default, arch.most_positions or 1 << 24
    token = memory.kv_cache_bytes(arch, load.context + 1, 1, kind) - memory.kv_cache_bytes(arch, load.context, 1, kind)
    if on.memory_bytes is None or not memory.kv_cache_bytes(arch, load.context, 1, kind):
        return Room(token_bytes=token, sequences=None, tokens=None)
    return Room(
        token_bytes=token, sequences=_most(lambda batch: fits(load.context, batch), 1 << 20),
        tokens=_most(lambda context: fits(context, load.batch), most),
    )  # fmt: skip


def _most(fits: Callable[[int], bool], limit: int) -> int:
    """The largest number up to `limit` that fits; 0 where not even 1 does."""
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


@cache
def _usd_per_device_h() -> dict[str, float]:
    """The cheapest list price of one device an hour, by device."""
    holds = {(one.provider, one.instance_type): one for one in tables.instances() if one.accelerator_device_id}
    found: dict[str, float] = {}
    for price in tables.prices():
        instance = holds.get((price.provider, price.instance_type))
        if instance is None or not instance.accelerator_device_id or instance.accelerator_count < 1:
            continue
        each = price.usd_per_h / instance.accelerator_count
        known_usd = found.get(instance.accelerator_device_id)
        found[instance.accelerator_device_id] = each if known_usd is None else min(each, known_usd)
    return found
