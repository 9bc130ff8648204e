"""One step of a language model that writes: seconds by part, from bytes, FLOP and exchanges. Pure, but for the table.

A step that writes a token for each of `batch` sequences reads the weights they touch and their caches, multiplies,
starts its kernels, exchanges activations between devices, and is prepared for every sequence by the server's software.
"""

from dataclasses import dataclass
from functools import cache

from advisor.llm.architecture import Architecture
from advisor.llm.memory import KV_BITS, Precision, weights_bytes
from data import tables
from data.errors import InputError
from data.tables import Device
from data.units import BITS_PER_BYTE

RATES = {
    "fp32": "fp32_flop_per_s", "fp16": "fp16_flop_per_s", "bf16": "bf16_flop_per_s", "fp8": "fp8_flop_per_s",
    "int8": "int8_op_per_s", "fp4": "fp4_flop_per_s",
}  # fmt: skip
SPARSE_SINCE = "2020-05"  # NVIDIA's Ampere and later multiply two of four weights at twice the dense rate
EXCHANGES, EXCHANGED_BYTES = 2, 2  # a layer: after attention and after its middle; numbers of 16 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is asked: tokens of a sequence (`context`), sequences at once, tokens of the prompt and of the answer, how
    the cache is kept."""

    context: int
    batch: int = 1
    prompt: int | None = None
    answer: int | None = None
    kv: str | None = None

    @property
    def prompt_tokens(self) -> int:
        """Tokens read before the first is written."""
        return self.prompt or self.context

    @property
    def answer_tokens(self) -> int:
        """Tokens written a request: what is said, else what the context leaves of the prompt, else a chat's answer."""
        left = self.context - self.prompt if self.prompt and self.prompt < self.context else None
        return self.answer or left or REQUEST_TOKENS


REQUEST_TOKENS = 300  # an answer of a chat


@dataclass(frozen=True, slots=True, kw_only=True)
class On:
    """What multiplies: a device, how many of them in one node, the FLOP/s of one, bytes/s it exchanges."""

    device: Device
    count: int
    rate: float
    link: float


def on(device: Device, count: int, stored: Precision) -> On:
    """Devices and their rates. Raises InputError where bandwidth or the arithmetic's rate is not known."""
    if count < 1:
        raise InputError("At least one device is needed.")
    if device.memory_bytes_per_s is None:
        raise InputError(f"The memory of {device.name} is not in the table.")
    return On(device=device, count=count, rate=rate(device, stored), link=_link(device.device_id))


def rate(device: Device, stored: Precision) -> float:
    """FLOP/s of the arithmetic; weights stored smaller than the device computes are multiplied at 16 bits, or 32.
    Raises InputError where it has none, or where it does not multiply 2:4-sparse weights."""
    named, sparse = stored.compute.removesuffix("_sparse"), stored.compute.endswith("_sparse")
    if sparse and not (device.vendor == "NVIDIA" and (device.release_date or "") >= SPARSE_SINCE):
        raise InputError(f"{device.name} does not multiply 2:4-sparse weights faster.")
    order = [named, "bf16", "fp16", "fp32"] if named != "fp32" else ["fp32"]
    for name in order:
        found = getattr(device, RATES[name])
        if found is not None:
            return float(found) * (2.0 if sparse else 1.0)
    raise InputError(f"{device.name} has no rate in the table for {named}.")


def parts_s(arch: Architecture, stored: Precision, on: On, load: Load) -> dict[str, float]:
    """Seconds of one step that writes, by part."""
    bandwidth = on.device.memory_bytes_per_s or 1.0
    return {
        "weights": weights_s(arch, stored, on, load.batch),
        "cache": cache_bytes(arch, stored, load) / shares(arch, on.count)
        / (bandwidth * value("cache_bandwidth_frac")),
        "compute": written_flop(arch, load) / on.count / (on.rate * value("compute_frac")),
        "launch": arch.layers * value("launch_s"),
        "exchange": exchange_s(arch, on, load.batch),
        "experts": arch.expert_layers * value("expert_s"),
        "software": value("step_s") + load.batch * value("sequence_s"),
    }  # fmt: skip


def weights_s(arch: Architecture, stored: Precision, on: On, tokens: int) -> float:
    """Seconds in which the weights that so many tokens touch are read once."""
    bandwidth = (on.device.memory_bytes_per_s or 1.0) * value("weight_bandwidth_frac")
    return touched_bytes(arch, stored, tokens) / on.count / bandwidth


def cache_bytes(arch: Architecture, stored: Precision, load: Load) -> float:
    """Bytes of all sequences' caches, as they are kept."""
    return load.batch * arch.kv_elements(load.context) * KV_BITS[load.kv or stored.kv_default] / BITS_PER_BYTE


def shares(arch: Architecture, count: int) -> int:
    """Among how many of `count` devices the cache is shared out: by key-value heads, so that further devices hold
    copies; a compressed cache is held whole by each."""
    if arch.latent:
        return 1
    return min(count, arch.kv_heads) if arch.kv_heads else count


def exchange_s(arch: Architecture, on: On, tokens: int) -> float:
    """Seconds in which devices add up activations of so many tokens, twice a layer: the start, and the bytes of a ring
    of `count`."""
    if on.count == 1:
        return 0.0
    passed = 2.0 * (on.count - 1) / on.count * tokens * arch.hidden * EXCHANGED_BYTES * EXCHANGES
    return arch.layers * (value("exchange_s") + passed / (on.link * value("link_frac")))


def touched_bytes(arch: Architecture, stored: Precision, batch: int) -> float:
    """Bytes of weights a step reads: all outside the experts but tables of embeddings and what stands aside, and the
    experts that at least one of the batch's tokens is routed to (if routing is even)."""
    total = weights_bytes(arch, stored) - arch.aside_parameters * stored.linear_bits / BITS_PER_BYTE
    embedding = arch.looked_up_parameters * stored.embedding_bits / BITS_PER_BYTE
    if not arch.experts:
        return total - embedding
    expert_bytes = arch.expert_parameters * stored.linear_bits / BITS_PER_BYTE * arch.expert_layers
    touched = arch.experts * (1.0 - (1.0 - arch.experts_per_token / arch.experts) ** batch)
    return total - embedding - expert_bytes * (arch.experts - touched)


def multiplied(arch: Architecture) -> int:
    """Weights one written token is multiplied with: all it passes but what is looked up."""
    return arch.written_parameters - arch.looked_up_parameters


def written_flop(arch: Architecture, load: Load) -> float:
    """FLOP of one step that writes: two for each weight a token passes, and attention over what it attends to."""
    attention = 4.0 * arch.heads * arch.head_size * arch.attended_tokens(load.context)
    return load.batch * (2.0 * multiplied(arch) + attention)


def read_flop(arch: Architecture, tokens: int) -> float:
    """FLOP of reading a prompt: each token attends to half of the others on average, within its window."""
    per_token = multiplied(arch) if not arch.encoder_parameters else arch.encoder_parameters
    attended = sum(min(tokens, 2 * window if window else tokens) for _, window in arch.caches) or tokens * arch.layers
    written = 2.0 * multiplied(arch) if arch.encoder_parameters else 0.0
    return tokens * 2.0 * per_token + written + 2.0 * arch.heads * arch.head_size * tokens * attended


def read_s(arch: Architecture, on: On, tokens: int) -> float:
    """Seconds of reading a prompt between steps that write: its arithmetic, and what devices exchange."""
    flop = read_flop(arch, arch.read_tokens or tokens)
    return flop / on.count / (on.rate * value("prefill_compute_frac")) + exchange_s(arch, on, tokens)


@cache
def parameters() -> dict[str, tuple[float, float, float]]:
    """(value, low, high) of every serving parameter."""
    rows = tables.frame("llm", "serving")[["name", "value", "low", "high"]]
    return {str(name): (float(mid), float(low), float(high)) for name, mid, low, high in rows.itertuples(index=False)}


def value(name: str) -> float:
    """A serving parameter."""
    return parameters()[name][0]


@cache
def _link(device_id: str) -> float:
    """Bytes/s one device sends the others of its node, each way."""
    rows = tables.frame("llm", "links").set_index("device_id")["link_bytes_per_s"]
    return float(rows.get(device_id, rows["any"]))
