"""How fast a language model reads and writes on devices of the table, and what a token costs in joules.

The parameters (llm/serving) are fitted on measured servers. Everything is predicted, with the interval that leaving
each model out showed.
"""

from dataclasses import dataclass, replace

from advisor.llm import step
from advisor.llm.architecture import Architecture
from advisor.llm.memory import Memory, Precision, precisions, running
from advisor.llm.step import Load, On
from data.errors import InputError
from data.estimate import Estimate
from data.tables import Device
from data.units import MS_PER_S

__all__ = ["Load", "Speed", "by_precision", "fewest_devices", "predict"]

SOURCE = "llm/serving, devices"
USABLE_FRAC = 0.92  # of a device's memory: the rest stays with driver and display
NODES = (1, 2, 4, 8, 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """One configuration: times in ms, tokens a second, joules a token; what bounds the writing; whether it fits (None
    where memory is as much as one builds in)."""

    ttft_ms: Estimate
    time_per_token_ms: Estimate
    tokens_per_s: Estimate
    j_per_token: Estimate | None
    memory_frac: float
    compute_frac: float
    exchange_frac: float
    memory: Memory
    memory_per_device_bytes: Estimate
    fits: bool | None
    fewest_devices: int | None
    advice: str


def predict(arch: Architecture, stored: Precision, device: Device, count: int, load: Load) -> Speed:
    """Time to the first token, time per token, throughput and energy on `count` devices of one node.

    Raises InputError where the device's bandwidth is not known, or it has no rate for the arithmetic."""
    on = step.on(device, count, stored)
    memory = running(arch, stored, context=load.context, batch=load.batch, kv=load.kv)
    if arch.encoder:
        return _reading(arch, stored, on, load, memory)
    parts = step.parts_s(arch, stored, on, load)
    step_s, ttft_ms = sum(parts.values()), _ttft_ms(arch, stored, on, load)
    per_device, shared = _per_device(arch, memory, count), parts["exchange"] + parts["experts"]
    memory_frac, compute_frac = (parts["weights"] + parts["cache"]) / step_s, parts["compute"] / step_s
    writing = writing_frac(step_s, step.read_s(arch, on, load.prompt_tokens), load)
    return Speed(
        ttft_ms=ttft_ms, time_per_token_ms=_spread(step_s * MS_PER_S, "time_ratio"),
        tokens_per_s=_inverse(load.batch * writing / step_s),
        j_per_token=_joules(arch, stored, on, load, step_s, writing), memory_frac=memory_frac,
        compute_frac=compute_frac, exchange_frac=shared / step_s, memory=memory, memory_per_device_bytes=per_device,
        fits=None if device.memory_bytes is None else per_device.mid <= USABLE_FRAC * device.memory_bytes,
        fewest_devices=fewest_devices(arch, memory, device), advice=_advice(parts, load, count),
    )  # fmt: skip


def _reading(arch: Architecture, stored: Precision, on: On, load: Load, memory: Memory) -> Speed:
    """An encoder: it reads `batch` prompts at once and writes nothing; times and joules are of a token read."""
    flop, parts = load.batch * step.read_flop(arch, load.prompt_tokens), step.parts_s(arch, stored, on, load)
    mid, low, high = step.parameters()["prefill_compute_frac"]
    fixed = parts["launch"] + parts["software"] + step.exchange_s(arch, on, load.batch * load.prompt_tokens)
    ends = [max(flop / on.count / (on.rate * share), parts["weights"]) + fixed for share in (high, mid, low)]
    tokens, seconds = load.batch * load.prompt_tokens, ends[1]
    whole = Estimate(
        low=ends[0] * MS_PER_S, mid=seconds * MS_PER_S, high=ends[2] * MS_PER_S, basis="predicted", source=SOURCE
    )
    per_device = _per_device(arch, memory, on.count)
    used = flop / on.count / on.rate / seconds
    drawn = min(1.0, step.value("idle_power_frac") + step.value("compute_power_frac") * used)
    joules = on.count * (on.device.tdp_w or 0.0) * drawn * seconds / tokens
    return Speed(
        ttft_ms=whole, time_per_token_ms=whole * (1.0 / tokens), tokens_per_s=_inverse(tokens / seconds),
        j_per_token=_spread(joules, "energy_ratio") if on.device.tdp_w else None,
        memory_frac=min(1.0, parts["weights"] / seconds), compute_frac=min(1.0, (seconds - fixed) / seconds),
        exchange_frac=0.0, memory=memory, memory_per_device_bytes=per_device,
        fits=None if on.device.memory_bytes is None else per_device.mid <= USABLE_FRAC * on.device.memory_bytes,
        fewest_devices=fewest_devices(arch, memory, on.device),
        advice="An encoder reads all tokens at once and writes none: times and joules are of a token read.",
    )  # fmt: skip


def writing_frac(step_s: float, read_s: float, load: Load) -> float:
    """Share of the time in which tokens are written: `batch` sequences that each write `answer` tokens let in
    batch / answer new prompts a step, whose arithmetic (`read_s` each) is done in between."""
    return step.value("throughput_frac") / (1.0 + read_s * load.batch / load.answer_tokens / step_s)


def fewest_devices(arch: Architecture, memory: Memory, device: Device) -> int | None:
    """The smallest number of devices of one node (1, 2, 4, 8, 16) that holds it; None where none does."""
    if device.memory_bytes is None:
        return 1
    usable = USABLE_FRAC * device.memory_bytes
    return next((count for count in NODES if _per_device(arch, memory, count).mid <= usable), None)


def by_precision(arch: Architecture, on: Device, count: int, load: Load) -> dict[str, Speed]:
    """The same model at every precision the device has arithmetic for, for the table of what compression would buy."""
    found = {}
    for name, stored in precisions().items():
        if name == "mxfp4" and not arch.experts:
            continue  # of a mixture's experts alone
        try:
            found[name] = predict(arch, stored, on, count, load)
        except InputError:
            continue
    return found


def _per_device(arch: Architecture, memory: Memory, count: int) -> Estimate:
    """Bytes one of `count` devices holds: its share of weights and activations, its share of the cache, a runtime."""
    cache = memory.kv_cache_bytes / step.shares(arch, count)
    return memory.overhead_bytes + ((memory.weights_bytes + memory.activation_bytes) / count + cache)


def _ttft_ms(arch: Architecture, stored: Precision, on: On, load: Load) -> Estimate:
    """Time until the first token of one prompt: its arithmetic, or the weights its tokens touch once where that takes
    longer; then what devices exchange and kernels take to start."""
    tokens = load.prompt_tokens
    flop = step.read_flop(arch, arch.read_tokens or tokens)
    mid, low, high = step.parameters()["prefill_compute_frac"]
    first = step.parts_s(arch, stored, on, replace(load, batch=1))
    fixed = step.exchange_s(arch, on, tokens) + first["launch"] + first["experts"] + first["software"]
    seconds = [max(flop / on.count / (on.rate * share), step.weights_s(arch, stored, on, tokens)) + fixed
               for share in (high, mid, low)]  # fmt: skip
    fast, typical, slow = (each * MS_PER_S for each in seconds)
    return Estimate(low=fast, mid=typical, high=slow, basis="predicted", source=SOURCE)


def _joules(
    arch: Architecture, stored: Precision, on: On, load: Load, step_s: float, writing: float
) -> Estimate | None:
    """Joules a written token: watts of all devices over tokens a second; None where the rated power is not known. The
    watts rise with the shares of peak arithmetic and of memory bandwidth in use, up to the rated power."""
    if on.device.tdp_w is None:
        return None
    moved = step.touched_bytes(arch, stored, load.batch) / on.count
    moved += step.cache_bytes(arch, stored, load) / step.shares(arch, on.count)
    bandwidth_frac = moved / (on.device.memory_bytes_per_s or 1.0) / step_s
    arithmetic_frac = step.written_flop(arch, load) / on.count / on.rate / step_s
    drawn = step.value("idle_power_frac") + step.value("compute_power_frac") * arithmetic_frac
    drawn += step.value("memory_power_frac") * bandwidth_frac
    joules = on.count * on.device.tdp_w * min(1.0, drawn) * step_s / (load.batch * writing)
    return _spread(joules, "energy_ratio")


def _advice(parts: dict[str, float], load: Load, count: int) -> str:
    memory, compute = parts["weights"] + parts["cache"], parts["compute"]
    many = f"{load.batch} token{'s' if load.batch > 1 else ''} at once"
    if parts["launch"] + step.value("step_s") > max(memory, compute, parts["exchange"]):
        return f"Writing {many} takes mostly what every step takes, whatever the model: no precision makes it faster."
    if parts["exchange"] > max(memory, compute):
        return f"Writing {many} on {count} devices is bound by what they exchange: fewer devices write about as fast."
    if memory > compute and parts["cache"] > parts["weights"]:
        return f"Writing {many} is bound by reading the cache: a smaller cache (FP8) or a shorter context helps most."
    if memory > compute:
        return f"Writing {many} is bound by memory: weight-only quantization makes it faster, INT8 arithmetic does not."
    return "Writing so many tokens at once is bound by arithmetic: FP8 or INT8 arithmetic makes it faster."


def _spread(mid: float, name: str) -> Estimate:
    _, low, high = step.parameters()[name]
    return Estimate(low=mid * low, mid=mid, high=mid * high, basis="predicted", source=SOURCE)


def _inverse(mid: float) -> Estimate:
    """A rate with the interval of the time it is the inverse of."""
    _, low, high = step.parameters()["time_ratio"]
    return Estimate(low=mid / high, mid=mid, high=mid / low, basis="predicted", source=SOURCE)
