"""How fast a language model reads and writes on devices of the table, and what a token costs in joules.

One step that writes a token for each of `batch` sequences reads the weights they touch and their caches, multiplies,
starts its kernels, and exchanges activations between devices; the parameters (llm/serving) are fitted on measured
servers. Everything is predicted, with the interval that leaving each model out showed.
"""

from dataclasses import dataclass
from functools import cache

from advisor.llm.architecture import Architecture
from advisor.llm.memory import KV_BITS, Memory, Precision, precisions, running, weights_bytes
from data import tables
from data.errors import InputError
from data.estimate import Estimate
from data.tables import Device
from data.units import BITS_PER_BYTE, MS_PER_S

SOURCE = "llm/serving, devices"
USABLE_FRAC = 0.92  # of a device's memory: the rest stays with driver and display
RATES = {
    "fp32": "fp32_flop_per_s", "fp16": "fp16_flop_per_s", "bf16": "bf16_flop_per_s", "fp8": "fp8_flop_per_s",
    "int8": "int8_op_per_s",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is asked: tokens of the prompt and so far written (`context`), sequences at once, how the cache is kept."""

    context: int
    batch: int = 1
    prompt: int | None = None
    kv: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """One configuration: times in ms, tokens a second, joules a token; what bounds the writing; whether it fits."""

    ttft_ms: Estimate
    time_per_token_ms: Estimate
    tokens_per_s: Estimate
    j_per_token: Estimate | None
    memory_frac: float
    compute_frac: float
    exchange_frac: float
    memory: Memory
    memory_per_device_bytes: Estimate
    fits: bool
    fewest_devices: int | None
    advice: str


def predict(arch: Architecture, stored: Precision, on: Device, count: int, load: Load) -> Speed:
    """Time to the first token, time per token, throughput and energy on `count` devices of one node.

    Raises InputError where the device's memory or bandwidth is not known, or it has no rate for the arithmetic."""
    if count < 1:
        raise InputError("At least one device is needed.")
    if on.memory_bytes is None or on.memory_bytes_per_s is None:
        raise InputError(f"The memory of {on.name} is not in the table.")
    rate = _rate(on, stored)
    memory = running(arch, stored, context=load.context, batch=load.batch, kv=load.kv)
    parts = _step_s(arch, stored, on, count, load, rate)
    step_s = sum(parts.values())
    time_ms = _spread(step_s * MS_PER_S, "time_ratio")
    per_device = memory.overhead_bytes + (memory.total_bytes + (-1.0) * memory.overhead_bytes.mid) * (1.0 / count)
    throughput = _parameter("throughput_frac")
    per_s = Estimate(
        low=load.batch * throughput[1] / (time_ms.high / MS_PER_S), mid=load.batch * throughput[0] / step_s,
        high=load.batch * throughput[2] / (time_ms.low / MS_PER_S), basis="predicted", source=SOURCE,
    )  # fmt: skip
    memory_frac, compute_frac = (parts["weights"] + parts["cache"]) / step_s, parts["compute"] / step_s
    return Speed(
        ttft_ms=_prefill_ms(arch, on, count, load, rate), time_per_token_ms=time_ms, tokens_per_s=per_s,
        j_per_token=_joules(arch, on, count, load, rate, step_s), memory_frac=memory_frac, compute_frac=compute_frac,
        exchange_frac=(parts["exchange"] + parts["experts"]) / step_s, memory=memory,
        memory_per_device_bytes=per_device, fits=per_device.mid <= USABLE_FRAC * on.memory_bytes,
        fewest_devices=fewest_devices(memory, on), advice=_advice(memory_frac, compute_frac, load),
    )  # fmt: skip


def fewest_devices(memory: Memory, on: Device) -> int | None:
    """The smallest number of devices of one node (1, 2, 4, 8, 16) that holds it; None where none does."""
    shared = memory.total_bytes.mid - memory.overhead_bytes.mid
    for count in (1, 2, 4, 8, 16):
        if on.memory_bytes and memory.overhead_bytes.mid + shared / count <= USABLE_FRAC * on.memory_bytes:
            return count
    return None


def _step_s(
    arch: Architecture, stored: Precision, on: Device, count: int, load: Load, rate: float
) -> dict[str, float]:
    """Seconds of one step by part."""
    bandwidth = on.memory_bytes_per_s or 0.0
    kv_bytes = KV_BITS[load.kv or stored.kv_default] / BITS_PER_BYTE
    cache = load.batch * arch.kv_elements(load.context) * kv_bytes / count
    layers = arch.layers
    return {
        "weights": _touched_bytes(arch, stored, load.batch)
        / (count * bandwidth * _parameter("weight_bandwidth_frac")[0]),
        "cache": cache / (bandwidth * _parameter("cache_bandwidth_frac")[0]),
        "compute": _flop(arch, load) / count / (rate * _parameter("compute_frac")[0]),
        "launch": layers * _parameter("launch_s")[0],
        "exchange": layers * _parameter("exchange_s")[0] * (count > 1),
        "experts": arch.expert_layers * _parameter("expert_s")[0],
    }  # fmt: skip


def _touched_bytes(arch: Architecture, stored: Precision, batch: int) -> float:
    """Bytes of weights a step reads: all outside the experts but the embedding table, and the experts that at least
    one of the batch's tokens is routed to (if routing is even)."""
    total = weights_bytes(arch, stored)
    embedding = 0.0 if arch.tied else arch.embedding_parameters * stored.embedding_bits / BITS_PER_BYTE
    if not arch.experts:
        return total - embedding
    expert_bytes = arch.expert_parameters * stored.linear_bits / BITS_PER_BYTE * arch.expert_layers
    touched = arch.experts * (1.0 - (1.0 - arch.experts_per_token / arch.experts) ** batch)
    return total - embedding - expert_bytes * (arch.experts - touched)


def _flop(arch: Architecture, load: Load) -> float:
    """FLOP of one step: two for each weight a token passes, and attention over its context."""
    weights = arch.active_parameter_count - (0 if arch.tied else arch.embedding_parameters)
    attention = 4.0 * arch.heads * arch.head_size * load.context * arch.layers
    return load.batch * (2.0 * weights + attention)


def _prefill_ms(arch: Architecture, on: Device, count: int, load: Load, rate: float) -> Estimate:
    """Time until the first token of one prompt: its arithmetic, or the weights once where that takes longer."""
    tokens = load.prompt or load.context
    weights = arch.active_parameter_count - (0 if arch.tied else arch.embedding_parameters)
    flop = tokens * 2.0 * weights + 2.0 * arch.heads * arch.head_size * tokens**2 * arch.layers
    mid, low, high = _parameter("prefill_compute_frac")
    least = 2.0 * weights / count / ((on.memory_bytes_per_s or 1.0) * _parameter("weight_bandwidth_frac")[0])
    fixed = arch.layers * (_parameter("exchange_s")[0] * (count > 1) + _parameter("launch_s")[0])
    seconds = [max(flop / count / (rate * share), least) + fixed for share in (high, mid, low)]
    fast, typical, slow = (each * MS_PER_S for each in seconds)
    return Estimate(low=fast, mid=typical, high=slow, basis="predicted", source=SOURCE)


def _joules(arch: Architecture, on: Device, count: int, load: Load, rate: float, step_s: float) -> Estimate | None:
    """Joules a written token: watts of all devices over tokens a second; None where the rated power is not known."""
    if on.tdp_w is None:
        return None
    share = _flop(arch, load) / count / rate / step_s
    watts = on.tdp_w * min(1.0, _parameter("idle_power_frac")[0] + _parameter("compute_power_frac")[0] * share)
    joules = count * watts * step_s / (load.batch * _parameter("throughput_frac")[0])
    return _spread(joules, "energy_ratio")


def _rate(on: Device, stored: Precision) -> float:
    """FLOP/s of the arithmetic; weights stored smaller than the device computes are multiplied at 16 bits."""
    order = [stored.compute, "bf16", "fp16", "fp32"] if stored.compute != "fp32" else ["fp32"]
    for name in order:
        rate = getattr(on, RATES[name])
        if rate is not None:
            return float(rate)
    raise InputError(f"{on.name} has no rate in the table for {stored.compute}.")


def _advice(memory_frac: float, compute_frac: float, load: Load) -> str:
    if memory_frac > compute_frac:
        return (
            f"Writing {load.batch} token{'s' if load.batch > 1 else ''} at once is bound by memory: weight-only "
            "quantization makes it faster, INT8 arithmetic does not."
        )
    return "Writing so many tokens at once is bound by arithmetic: FP8 or INT8 arithmetic makes it faster."


def _spread(mid: float, name: str) -> Estimate:
    _, low, high = _parameter(name)
    return Estimate(low=mid * low, mid=mid, high=mid * high, basis="predicted", source=SOURCE)


@cache
def _parameters() -> dict[str, tuple[float, float, float]]:
    rows = tables.frame("llm", "serving")[["name", "value", "low", "high"]]
    return {str(name): (float(mid), float(low), float(high)) for name, mid, low, high in rows.itertuples(index=False)}


def _parameter(name: str) -> tuple[float, float, float]:
    """(value, low, high) of a serving parameter."""
    return _parameters()[name]


def by_precision(arch: Architecture, on: Device, count: int, load: Load) -> dict[str, Speed]:
    """The same model at every precision the device has arithmetic for, for the table of what compression would buy."""
    found = {}
    for name, stored in precisions().items():
        try:
            found[name] = predict(arch, stored, on, count, load)
        except InputError:
            continue
    return found
