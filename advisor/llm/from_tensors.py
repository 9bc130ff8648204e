"""An architecture read off the headers of weight files: safetensors tell it by names and shapes, GGUF files also by
their metadata."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from advisor.llm.architecture import Architecture
from advisor.llm.memory import Precision
from data.errors import InputError
from data.text import plain
from data.units import BITS_PER_BYTE

LAYER = re.compile(r"(?:^|\.)(?:blk|layers|h|blocks?)\.(\d+)\.")
EMBEDDING = ("token_embd.weight", "embed_tokens.weight", "wte.weight", "word_embeddings.weight", "embed_in.weight")
HEAD = ("output.weight", "lm_head.weight", "embed_out.weight")
QUERY, KEY = ("attn_q.weight", "q_proj.weight"), ("attn_k.weight", "k_proj.weight")
VALUE, LATENT = ("attn_v.weight", "v_proj.weight"), ("attn_kv_a_mqa.weight", "kv_a_proj_with_mqa.weight")
FUSED = ("attn_qkv.weight", "qkv_proj.weight", "query_key_value.weight")
OUT = ("attn_output.weight", "o_proj.weight", "attention.dense.weight")
MIDDLE = ("ffn_gate.weight", "gate_proj.weight", "ffn_up.weight", "up_proj.weight", "dense_h_to_4h.weight")
EXPERT_MIDDLE = ("ffn_gate_exps.weight", "ffn_up_exps.weight")
ROLES = ("attention", "norm", "expert", "dense", "embedding", "head")
PACKED = ("qweight", "qzeros", "absmax", "quant_map", "_blocks", "weight_packed")
SCALES = re.compile(r"(^|[._])(scales?|weight_scale(_inv)?|input_scale|zeros)$")
# Families of llama.cpp whose layers take turns between a window and the whole context: every n-th has none.
TURNS = {"gemma2": 2, "gemma3": 6, "gpt-oss": 2, "cohere2": 4}


class Tensors:
    """A table of tensors ([name, dtype, shape, bytes]) with the metadata of its header."""

    def __init__(self, found: Mapping[str, Any]) -> None:
        self.rows = [(str(name), tuple(shape), int(size)) for name, _, shape, size in found["tensors"]]
        self.metadata = found["metadata"]
        self.family = str(self.metadata.get("general.architecture", ""))

    def told(self, key: str) -> int | None:
        """A whole number of the metadata by its name within the family; of a list its largest."""
        value = self.metadata.get(f"{self.family}.{key}")
        value = max(value, default=None) if isinstance(value, list) else value
        return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None

    def shape(self, ends: Sequence[str], layer: int | None = None) -> tuple[int, ...] | None:
        """The shape of the first matrix whose name ends so (in this layer)."""
        for name, shape, _ in self.rows:
            if len(shape) > 1 and name.endswith(tuple(ends)) and (layer is None or _layer(name) == layer):
                return shape
        return None

    def by_role(self) -> dict[str, tuple[int, int]]:
        """{role: (parameters, bytes)}; scales count as bytes of what they scale, not as parameters."""
        found: dict[str, list[int]] = {}
        for name, shape, size in self.rows:
            scale = bool(SCALES.search(name.removesuffix(".weight")))
            held = found.setdefault(_role(name, shape), [0, 0])
            held[0] += 0 if scale else math.prod(shape)
            held[1] += size
        return {role: (count, size) for role, (count, size) in found.items()}


def architecture(found: Mapping[str, Any], name: str, used: int = 0) -> Architecture:
    """The transformer these tensors make up; `used` experts a token, where the file does not say. Raises InputError
    where they make up none that is told apart here."""
    tensors = Tensors(found)
    if any(mark in row[0] for row in tensors.rows for mark in PACKED):
        raise InputError("These weights are packed: the config.json tells their shape.", hint="Put it beside them.")
    embedding, layers = tensors.shape(EMBEDDING), _layers(tensors)
    if embedding is None or not layers:
        raise InputError(
            "These tensors are not those of a language model that is known here.", hint="Give its config.json."
        )
    roles = tensors.by_role()
    counts = {role: roles.get(role, (0, 0))[0] for role in ROLES}
    kept, hidden = _caches(tensors, layers), embedding[1]
    heads = tensors.told("attention.head_count") or _heads(tensors)
    return Architecture(
        name=name, layers=layers, hidden=hidden, heads=heads, kv_heads=0, head_size=_wide(tensors, hidden) // heads,
        vocabulary=embedding[0], intermediate=_middle(tensors, hidden), tied=counts["head"] == 0,
        embedding_parameters=counts["embedding"], head_parameters=counts["head"],
        attention_parameters=counts["attention"], dense_parameters=counts["dense"], norm_parameters=counts["norm"],
        **_routed(tensors, counts["expert"], used), kv_widths=tuple(kept), windows=_windows(tensors, len(kept)),
        state_elements=_state(tensors), most_positions=tensors.told("context_length"),
        notes=(f"Read off the header of a GGUF file of the family {plain(tensors.family, 30)}."
               if tensors.family else "Read off the names and shapes of the file's tensors.",),
    )  # fmt: skip


def as_stored(found: Mapping[str, Any], name: str = "as stored") -> Precision:
    """The precision of the files as they are: true bits a weight by role, and all of their bytes."""
    tensors = Tensors(found)
    roles = tensors.by_role()

    def bits(*named: str) -> float:
        count = sum(roles.get(role, (0, 0))[0] for role in named)
        return sum(roles.get(role, (0, 0))[1] for role in named) * BITS_PER_BYTE / count if count else 16.0

    linear = bits("attention", "dense", "expert")
    kinds = {str(dtype) for _, dtype, shape, _ in found["tensors"] if len(shape) > 1}
    compute = "fp8" if any("float8_e4m3" in kind for kind in kinds) else "fp32" if kinds == {"float32"} else "bf16"
    return Precision(
        precision=name, title=name, linear_bits=linear, better_bits=linear, embedding_bits=bits("embedding"),
        head_bits=bits("head" if roles.get("head") else "embedding"), compute=compute,
        kv_default="fp32" if compute == "fp32" else "fp16", meaning="as the file stores them",
        whole_bytes=sum(size for _, _, size in tensors.rows),
    )  # fmt: skip


def _layer(name: str) -> int | None:
    found = LAYER.search(name)
    return int(found.group(1)) if found else None


def _layers(tensors: Tensors) -> int:
    numbers = {number for name, _, _ in tensors.rows if (number := _layer(name)) is not None}
    return max(numbers) + 1 if numbers and len(numbers) == max(numbers) + 1 else 0


def _role(name: str, shape: tuple[int, ...]) -> str:
    if name.endswith(EMBEDDING) or name.endswith(("position_embd.weight", "wpe.weight")):
        return "embedding"
    if name.endswith(HEAD) and _layer(name) is None:
        return "head"
    if "_exps" in name or ".experts." in name:
        return "expert"
    if "norm" in name or "ln_" in name or len(shape) < 2:
        return "norm"
    return "attention" if "attn" in name or "attention" in name else "dense"


def _caches(tensors: Tensors, layers: int) -> list[int]:
    """Numbers a token adds to each layer that attends."""
    by_layer: dict[int, dict[str, tuple[int, ...]]] = {}
    for name, shape, _ in tensors.rows:
        number = _layer(name)
        if number is None or len(shape) < 2:
            continue
        for kind, ends in (("key", KEY), ("value", VALUE), ("latent", LATENT), ("fused", FUSED), ("out", OUT)):
            if name.endswith(ends):
                by_layer.setdefault(number, {})[kind] = shape
    found = []
    for number in range(layers):
        held = by_layer.get(number, {})
        if "latent" in held:
            found.append(held["latent"][0])
        elif "key" in held and "value" in held:
            found.append(held["key"][0] + held["value"][0])
        elif "fused" in held and "out" in held:
            found.append(held["fused"][0] - held["out"][1])
    if any(width < 1 for width in found) or (not found and not tensors.told("ssm.state_size")):
        raise InputError("The query and key projections of this file contradict each other, or are not told apart.")
    return found


def _wide(tensors: Tensors, hidden: int) -> int:
    """Numbers of all query heads together."""
    out, query = tensors.shape(OUT), tensors.shape(QUERY)
    return out[1] if out else query[0] if query else hidden


def _heads(tensors: Tensors) -> int:
    """How many key-value groups share the queries: how wide one head is does not follow from shapes and does not
    matter, since the cache and the arithmetic depend on all heads together."""
    query, key = tensors.shape(QUERY), tensors.shape(KEY)
    return query[0] // key[0] if query and key and query[0] % key[0] == 0 else 1


def _middle(tensors: Tensors, hidden: int) -> int:
    stacked = tensors.shape(EXPERT_MIDDLE)
    found = tensors.shape(MIDDLE)
    told = tensors.told("expert_feed_forward_length") or tensors.told("feed_forward_length")
    return stacked[1] if stacked and len(stacked) == 3 else told or (found[0] if found else 4 * hidden)


def _routed(tensors: Tensors, parameters: int, used: int) -> dict[str, Any]:
    """Experts, those of a token, their size and layers. Raises InputError where the file does not say how many a token
    passes."""
    if not parameters:
        return {}
    names = [name for name, _, _ in tensors.rows if "_exps" in name or ".experts." in name]
    numbered = {int(found.group(1)) for name in names if (found := re.search(r"\.experts\.(\d+)\.", name))}
    count = tensors.told("expert_count") or (max(numbered) + 1 if numbered else 0)
    each = tensors.told("expert_used_count") or used
    if not 0 < each <= count:
        raise InputError(
            "A mixture of experts: these tensors do not tell how many a token uses.",
            hint="Give its config.json, or --experts-per-token N.",
        )
    layers = len({_layer(name) for name in names})
    return {
        "experts": count, "experts_per_token": each, "expert_layers": layers,
        "expert_parameters": parameters // (count * layers),
    }  # fmt: skip


def _windows(tensors: Tensors, layers: int) -> tuple[int | None, ...]:
    window, turn = tensors.told("attention.sliding_window"), TURNS.get(tensors.family)
    if not window or not turn:
        return ()
    return tuple(window if (layer + 1) % turn else None for layer in range(layers))


def _state(tensors: Tensors) -> int:
    """Numbers a sequence keeps in recurrent layers (llama.cpp's "ssm" tensors)."""
    inner, state, kernel = (tensors.told(f"ssm.{key}") for key in ("inner_size", "state_size", "conv_kernel"))
    recurrent = {_layer(name) for name, _, _ in tensors.rows if ".ssm_" in name}
    return len(recurrent) * (inner or 0) * ((state or 0) + (kernel or 0))
