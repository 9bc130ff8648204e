"""The answer as other programs rely on it: what a language model needs, how fast it is, whether it fits and holds."""

from typing import Any

from advisor.llm import memory, serve
from advisor.llm.architecture import Architecture
from advisor.llm.memory import Precision
from advisor.llm.serve import Budget
from advisor.llm.step import Load
from data.estimate import Estimate
from data.records import to_plain
from data.tables import Device

LATER = ("ttft_ms", "time_per_token_ms", "tokens_per_s", "j_per_token", "fits")


def sized(
    arch: Architecture, stored: Precision, load: Load, device: Device | None = None, count: int = 1,
    budget: Budget | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Bytes by part; with a device also times, throughput, joules, what bounds them, and times at the percentile."""
    needed = memory.running(arch, stored, context=load.context, batch=load.batch, kv=load.kv)
    answer = {
        "architecture": arch.name, "parameter_count": arch.parameter_count,
        "active_parameter_count": arch.active_parameter_count, "weights": stored.precision,
        "weights_title": stored.title,
        "context": load.context, "batch": load.batch, "kv": load.kv or stored.kv_default,
        "weights_bytes": needed.weights_bytes, "kv_cache_bytes": needed.kv_cache_bytes,
        "kv_cache_bytes_per_token": memory.kv_cache_bytes(arch, 2, 1, load.kv or stored.kv_default)
        - memory.kv_cache_bytes(arch, 1, 1, load.kv or stored.kv_default),
        "activation_bytes": needed.activation_bytes, "overhead_bytes": interval(needed.overhead_bytes),
        "total_bytes": interval(needed.total_bytes), "notes": list(arch.notes), **dict.fromkeys(LATER),
    }  # fmt: skip
    return answer if device is None else answer | _on(arch, stored, load, device, count, budget or Budget())


def interval(value: Estimate | None) -> dict[str, Any] | None:
    """{"low", "mid", "high", "basis"} of an estimate."""
    return None if value is None else {key: to_plain(value)[key] for key in ("low", "mid", "high", "basis")}


def _on(
    arch: Architecture, stored: Precision, load: Load, device: Device, count: int, budget: Budget
) -> dict[str, Any]:
    under = serve.served(arch, stored, device, count, load, budget)
    made, held = under.found, serve.fewest(arch, stored, device, load, budget)
    return {
        "device": device.device_id, "count": count, "ttft_ms": interval(made.ttft_ms),
        "time_per_token_ms": interval(made.time_per_token_ms), "tokens_per_s": interval(made.tokens_per_s),
        "j_per_token": interval(made.j_per_token),
        "bound": {
            "memory_frac": made.memory_frac, "compute_frac": made.compute_frac, "exchange_frac": made.exchange_frac,
        },
        "fits": {
            "fits": made.fits, "per_device_bytes": interval(made.memory_per_device_bytes),
            "device_memory_bytes": device.memory_bytes, "fewest_devices": made.fewest_devices,
        },
        "under_load": {
            "percentile": budget.percentile, "ttft_ms": interval(under.ttft_ms),
            "time_per_token_ms": interval(under.time_per_token_ms), "requests_per_s": interval(under.requests_per_s),
            "budget_ttft_ms": budget.ttft_ms, "budget_time_per_token_ms": budget.time_per_token_ms,
            "holds": under.holds, "fewest_devices": held.count if held else None,
        },
        "advice": made.advice,
    }  # fmt: skip
