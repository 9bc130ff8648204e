"""A server under a budget: times at a percentile while requests come and go, the batch and the devices that hold it.

`batch` sequences write at once; each of them writes `answer` tokens, so batch / answer prompts are let in a step, and
reading one holds the writing up. Prompts come as independent requests do (Poisson): the number that fall into one
answer scatters by its root, and a prompt waits for others as in a queue with one server of fixed service time.
"""

import math
from dataclasses import dataclass, replace
from statistics import NormalDist

from advisor.llm import speed
from advisor.llm.architecture import Architecture
from advisor.llm.memory import Precision, running
from advisor.llm.speed import NODES, Speed
from advisor.llm.step import Load
from data.errors import InputError
from data.estimate import Estimate
from data.tables import Device

ENDS = ("low", "mid", "high")
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What must hold at the percentile: time to the first token, time per token; None where it does not matter."""

    ttft_ms: float | None = None
    time_per_token_ms: float | None = None
    percentile: float = 95.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One server under load: times at the percentile, requests it takes a second, whether all of it holds."""

    found: Speed
    count: int
    batch: int
    ttft_ms: Estimate
    time_per_token_ms: Estimate
    requests_per_s: Estimate
    holds: bool


def served(
    arch: Architecture, stored: Precision, device: Device, count: int, load: Load, budget: Budget | None = None
) -> Served:
    """The server under this load. Raises InputError as `speed.predict` does, and on a percentile out of range."""
    asked = budget or Budget()
    if not 50.0 <= asked.percentile < 100.0:
        raise InputError("A percentile is between 50 and 100.")
    found = speed.predict(arch, stored, device, count, load)
    step, read = found.time_per_token_ms, found.ttft_ms
    if arch.encoder:
        ends = [(getattr(read, end), getattr(step, end)) for end in ENDS]
    else:
        ends = [_under_load(getattr(step, end), getattr(read, end), load, asked.percentile) for end in ENDS]
    ttft, token = (
        Estimate(low=min(three), mid=three[1], high=max(three), basis="predicted", source=speed.SOURCE)
        for three in zip(*ends, strict=True)
    )
    inside = (asked.ttft_ms is None or ttft.mid <= asked.ttft_ms) and (
        asked.time_per_token_ms is None or token.mid <= asked.time_per_token_ms
    )
    return Served(
        found=found, count=count, batch=load.batch, ttft_ms=ttft, time_per_token_ms=token,
        requests_per_s=found.tokens_per_s * (1.0 / load.answer_tokens), holds=inside and found.fits is not False,
    )  # fmt: skip


def fewest(arch: Architecture, stored: Precision, device: Device, load: Load, budget: Budget) -> Served | None:
    """The smallest number of devices of one node that holds the model and the budget; None where none does."""
    memory = running(arch, stored, context=load.context, batch=load.batch, kv=load.kv)
    least = speed.fewest_devices(arch, memory, device)
    for count in NODES if least else ():
        if count >= (least or 1) and (found := served(arch, stored, device, count, load, budget)).holds:
            return found
    return None


def busiest(
    arch: Architecture, stored: Precision, device: Device, count: int, load: Load, budget: Budget
) -> Served | None:
    """The largest batch (in powers of two) that holds the budget: the most requests a second; None where not even one
    sequence does."""
    best = None
    for batch in BATCHES:
        found = served(arch, stored, device, count, replace(load, batch=batch), budget)
        if not found.holds:
            break
        best = found
    return best


def _under_load(step_ms: float, read_ms: float, load: Load, percentile: float) -> tuple[float, float]:
    """(time to the first token, time per token) at the percentile, in ms."""
    quantile = percentile / 100.0
    held_up = load.batch - 1 + NormalDist().inv_cdf(quantile) * math.sqrt(max(0, load.batch - 1))
    token_ms = step_ms + max(0.0, held_up) * read_ms / load.answer_tokens
    let_in_per_ms = load.batch / (load.answer_tokens * (step_ms + (load.batch - 1) * read_ms / load.answer_tokens))
    busy = min(0.98, let_in_per_ms * read_ms) if load.batch > 1 else 0.0
    # M/D/1: a wait beyond t has about the probability busy x exp(-2 t (1 - busy) / service).
    waiting = read_ms / (2.0 * (1.0 - busy)) * math.log(busy / (1.0 - quantile)) if busy > 1.0 - quantile else 0.0
    waiting = min(waiting, (load.batch - 1) * read_ms)  # no more than all others are before it
    in_progress = step_ms if load.batch > 1 else 0.0
    return read_ms + in_progress + waiting, token_ms
