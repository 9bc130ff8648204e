"""What a language model needs to be held and trained: weights, cache, activations, runtime. Closed forms."""

import re
from dataclasses import dataclass
from functools import cache

from advisor.llm.architecture import Architecture
from data import tables
from data.errors import InputError
from data.estimate import Estimate
from data.units import BITS_PER_BYTE, BYTES_PER_GIB

KV_BITS = {"fp32": 32.0, "fp16": 16.0, "bf16": 16.0, "fp8": 8.0, "int8": 8.0, "int4": 4.5}
# The CUDA context, the runtime's buffers and its allocator's slack: what runtimes show before the first request.
OVERHEAD_GIB = (0.6, 1.2, 2.5)
# Numbers a token holds at once while a prompt is read: residual, norm, attention in and out, and the gated middle.
HIDDEN_COPIES, MIDDLE_COPIES, ACTIVATION_BYTES = 6, 2, 2
MOST_TOKENS = 1_000_000_000
TRAINED_HIDDEN, TRAINED_MIDDLE = 8, 4
# Bytes of an optimizer's own states a parameter: Adam two moments of 32 bits, or of 8; SGD one; Adafactor's are rows
# and columns, next to nothing.
OPTIMIZERS = {"adam": 8, "adam8bit": 2, "sgd": 4, "adafactor": 0}
MASTER_BYTES, GRADIENT_BYTES = 4, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """How weights are stored: a name for commands and a title for people; bits of a linear weight, of those a mixed
    type treats better, of embedding and head; the arithmetic they are multiplied in, and the bytes of all of them,
    where files were read that say so."""

    precision: str
    title: str
    linear_bits: float
    better_bits: float
    embedding_bits: float
    head_bits: float
    compute: str
    kv_default: str
    meaning: str
    whole_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Bytes of one running model."""

    weights_bytes: int
    kv_cache_bytes: int
    activation_bytes: int
    overhead_bytes: Estimate

    @property
    def total_bytes(self) -> Estimate:
        """All of it, with the overhead's interval."""
        return self.overhead_bytes + float(self.weights_bytes + self.kv_cache_bytes + self.activation_bytes)


@cache
def precisions() -> dict[str, Precision]:
    """Every storage precision by name."""
    return {row.precision: row for row in tables.records(Precision, tables.frame("llm", "precisions"))}


def precision(name: str) -> Precision:
    """The precision of that name. Raises InputError where there is none."""
    found = precisions().get(name.lower()) or _groupwise(name.lower())
    if found is None:
        raise InputError(f"No precision is called '{name}'.", hint=f"Known: {', '.join(precisions())}.")
    return found


def _groupwise(name: str) -> Precision | None:
    """Any "int3_g128": integers of 2 to 8 bits in groups with a 16-bit scale and, below 8 bits, a zero point as wide as
    a weight; None where the name is none."""
    match = re.fullmatch(r"int([2-8])_g(\d{1,5})", name)
    if match is None or not 8 <= int(match[2]) <= 1 << 15:
        return None
    bits, group = int(match[1]), int(match[2])
    stored = bits + (16 + (bits if bits < 8 else 0)) / group
    return Precision(
        precision=name, title=f"{bits} bits, groups of {group}", linear_bits=stored, better_bits=stored,
        embedding_bits=16, head_bits=16, compute="bf16", kv_default="bf16",
        meaning=f"{bits}-bit weights alone, groups of {group}",
    )  # fmt: skip


def weights_bytes(arch: Architecture, stored: Precision) -> int:
    """Bytes of all weights: norms and what the precision leaves alone at 16 or 32 bits, scales included. Encoders and
    towers are stored as the rest."""
    if stored.whole_bytes is not None:
        return stored.whole_bytes
    better = _better(arch) if stored.better_bits != stored.linear_bits else 0.0
    experts = arch.routed_parameters
    linear = arch.attention_parameters + arch.dense_parameters + experts + arch.aside_parameters
    bits = (linear - better) * stored.linear_bits + better * stored.better_bits
    if stored.precision == "mxfp4":
        bits = experts * stored.linear_bits + (linear - experts) * stored.head_bits
    looked_up = arch.looked_up_parameters
    as_head = arch.embedding_parameters - looked_up + arch.head_parameters
    bits += looked_up * stored.embedding_bits + as_head * stored.head_bits
    bits += arch.norm_parameters * max(16.0, min(stored.linear_bits, 32.0))
    return round(bits / BITS_PER_BYTE)


def _better(arch: Architecture) -> float:
    """Weights that llama.cpp's "M" types store in the better type: the value and down projections of every layer in
    the first and last eighth, and of each third one between."""
    layers = arch.layers
    first, last = layers // 8, 7 * layers // 8
    chosen = sum(index < first or index >= last or (index - first) % 3 == 2 for index in range(layers))
    value = arch.hidden * (arch.latent or arch.kv_heads * arch.head_size)
    down = arch.dense_parameters / 3 / layers if not arch.experts else 0.0
    down += arch.expert_parameters / 3 * arch.experts * (arch.expert_layers / layers)
    return chosen * (value + down)


def kv_cache_bytes(arch: Architecture, context: int, batch: int, kind: str = "bf16") -> int:
    """Bytes of the key-value cache of `batch` sequences of `context` tokens. Raises InputError on an unknown kind."""
    if kind not in KV_BITS:
        raise InputError(f"A cache cannot be kept as '{kind}'.", hint=f"Known: {', '.join(KV_BITS)}.")
    return round(batch * arch.kv_elements(context) * KV_BITS[kind] / BITS_PER_BYTE)


def activation_bytes(arch: Architecture, tokens: int) -> int:
    """Bytes that reading a prompt holds at once for `tokens` tokens, and the scores of the last token's vocabulary;
    attention without stored scores."""
    middle = arch.intermediate * max(1, arch.experts_per_token)
    per_token = HIDDEN_COPIES * arch.hidden + MIDDLE_COPIES * middle
    return ACTIVATION_BYTES * (tokens * per_token) + 4 * arch.vocabulary


def running(
    arch: Architecture, stored: Precision, *, context: int, batch: int, kv: str | None = None, chunk: int = 2048
) -> Memory:
    """What serving `batch` sequences of `context` tokens needs; prompts are read in chunks of at most `chunk` tokens.

    Raises InputError on counts below 1 and on a context beyond what the model was made for."""
    if not 1 <= context <= MOST_TOKENS or not 1 <= batch <= MOST_TOKENS:
        raise InputError(f"Context and batch are 1 or more, and at most {MOST_TOKENS:,}.")
    if arch.most_positions and context > arch.most_positions:
        raise InputError(f"This model was made for {arch.most_positions:,} tokens; {context:,} is beyond that.")
    low, mid, high = (gib * BYTES_PER_GIB for gib in OVERHEAD_GIB)
    return Memory(
        weights_bytes=weights_bytes(arch, stored),
        kv_cache_bytes=kv_cache_bytes(arch, context, batch, kv or stored.kv_default),
        activation_bytes=activation_bytes(arch, min(chunk, context) * min(batch, 4)),
        overhead_bytes=Estimate(low=low, mid=mid, high=high, basis="modelled", source="context and runtime buffers"),
    )  # fmt: skip


def training(
    arch: Architecture, way: str, *, tokens: int, rank: int = 16, recompute: bool = True, optimizer: str = "adam"
) -> dict[str, int]:
    """Bytes of one training step by part: weights, gradients, optimizer, activations; parameters trained, and FLOP a
    token. `way` is "full", "lora", "qlora" or "head"; `tokens` those of one step on one device; LoRA adapts every
    attention projection at `rank`.

    Mixed precision: 16-bit weights (QLoRA: NF4), 32-bit master copies and the optimizer's states for what is trained.
    With recomputation one layer's activations and every layer's input are held, at the price of a second pass forward.
    Where the head alone is trained nothing is passed back through the layers. Raises InputError on another way.
    """
    count = arch.parameter_count
    head = arch.head_parameters or arch.vocabulary * arch.hidden
    trained = {"full": count, "lora": lora_parameters(arch, rank), "qlora": lora_parameters(arch, rank), "head": head}
    if way not in trained:
        raise InputError(f"No way to train is called '{way}'.", hint="Known: full, lora, qlora, head.")
    if optimizer not in OPTIMIZERS:
        raise InputError(f"No optimizer is called '{optimizer}'.", hint=f"Known: {', '.join(OPTIMIZERS)}.")
    weights = weights_bytes(arch, precision("nf4" if way == "qlora" else "bf16"))
    adapter = 0 if way in ("full", "head") else 2 * trained[way]
    return {
        "weights_bytes": weights + adapter, "gradients_bytes": GRADIENT_BYTES * trained[way],
        "optimizer_bytes": (OPTIMIZERS[optimizer] + MASTER_BYTES) * trained[way],
        "activation_bytes": _trained_activations(arch, tokens, recompute or way == "head", way != "head"),
        "trained_parameters": trained[way], "token_flop": _trained_flop(arch, way, trained[way], recompute),
    }  # fmt: skip


def summed(found: dict[str, int]) -> int:
    """All bytes of a training step."""
    return sum(value for key, value in found.items() if key.endswith("_bytes"))


def _trained_activations(arch: Architecture, tokens: int, recompute: bool, backward: bool) -> int:
    """Bytes kept for the way back: of a layer eight vectors as wide as the model and four as its middle (queries, keys,
    values, norms; gate, up, their product and its input), attention's scores recomputed; and the scores of the
    vocabulary with their gradients."""
    middle = arch.intermediate * max(1, arch.experts_per_token)
    layer = ACTIVATION_BYTES * tokens * (TRAINED_HIDDEN * arch.hidden + TRAINED_MIDDLE * middle)
    inputs = ACTIVATION_BYTES * tokens * arch.hidden * arch.layers if backward else 0
    scores = (ACTIVATION_BYTES + 4) * tokens * arch.vocabulary
    return (layer + inputs if recompute else layer * arch.layers) + scores


def _trained_flop(arch: Architecture, way: str, trained: int, recompute: bool) -> int:
    """FLOP a token: two a weight forward (four with recomputation), two back for the inputs' gradients, two for the
    gradients of what is trained."""
    passed = arch.active_parameter_count
    if way == "head":
        return 2 * passed + 4 * trained
    forward = 4 * passed if recompute else 2 * passed
    return forward + 2 * passed + 2 * (passed if way == "full" else trained)


def lora_parameters(arch: Architecture, rank: int) -> int:
    """Parameters of a LoRA adapter on query, key, value and output of every layer."""
    wide = arch.heads * arch.head_size
    narrow = sum(width for width, _ in arch.caches) / 2 / max(1, len(arch.caches)) or wide
    sides = (arch.hidden + wide) + 2 * (arch.hidden + narrow) + (wide + arch.hidden)
    return round(rank * sides * arch.layers)
