"""How each family of language models spells its shape in a config.json, and what it is made of."""

from collections.abc import Callable, Mapping
from typing import Any

from advisor.llm.architecture import Architecture
from data.errors import InputError

MOST = {"layers": 10_000, "hidden": 1 << 20, "vocabulary": 1 << 24, "experts": 1 << 14}


class Fields:
    """A configuration's numbers, checked as they are asked for."""

    def __init__(self, fields: Mapping[str, Any], name: str, kind: str) -> None:
        self.all, self.name, self.kind = fields, name, kind

    def number(self, *names: str, default: int | None = None) -> int:
        """The first of these fields that is there, a whole number above 0. Raises InputError."""
        for name in names:
            value = self.all.get(name)
            if value is not None:
                if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                    raise InputError(f'The configuration\'s "{name}" is not a whole number of 0 or more.')
                return value
        if default is None:
            raise InputError(f'The configuration does not say its "{names[0]}".', hint="Use the published config.json.")
        return default

    def flag(self, name: str, default: bool) -> bool:
        value = self.all.get(name)
        return default if value is None else bool(value)


def _shape(f: Fields) -> dict[str, Any]:
    """What every family has, with contradictions refused."""
    layers = f.number("num_hidden_layers", "n_layer")
    hidden = f.number("hidden_size", "n_embd", "d_model")
    heads = f.number("num_attention_heads", "n_head")
    vocabulary = f.number("vocab_size")
    kv_heads = f.number("num_key_value_heads", default=heads)
    for word, value in (("layers", layers), ("hidden", hidden), ("vocabulary", vocabulary)):
        if not 0 < value <= MOST[word]:
            raise InputError(f"A model with {value} for its {word} is not possible.")
    if heads < 1 or (f.all.get("head_dim") is None and hidden % heads):
        raise InputError(f"A width of {hidden} cannot be shared among {heads} heads.")
    if kv_heads < 1 or heads % kv_heads:
        raise InputError(f"{heads} attention heads cannot share {kv_heads} key-value heads.")
    return {
        "name": f.name, "layers": layers, "hidden": hidden, "heads": heads, "kv_heads": kv_heads,
        "head_size": f.number("head_dim", default=hidden // heads), "vocabulary": vocabulary,
        "most_positions": f.number("max_position_embeddings", "n_positions", default=0) or None,
        "stored_as": _stored_as(f),
    }  # fmt: skip


def _stored_as(f: Fields) -> str:
    method = (f.all.get("quantization_config") or {}).get("quant_method")
    if method in ("fp8", "mxfp4"):
        return str(method)
    named = str(f.all.get("torch_dtype") or f.all.get("dtype") or "bfloat16")
    return {"float32": "fp32", "float16": "fp16"}.get(named, "bf16")


def _grouped(shape: Mapping[str, Any], *, qkv_bias: bool, out_bias: bool, head_norms: bool, sinks: bool = False) -> int:
    """Attention of one layer: query, key, value and output projections (grouped keys and values)."""
    hidden, size = shape["hidden"], shape["head_size"]
    wide, narrow = shape["heads"] * size, shape["kv_heads"] * size
    count = hidden * (wide + 2 * narrow) + wide * hidden
    count += (wide + 2 * narrow if qkv_bias else 0) + (hidden if out_bias else 0)
    return int(count + (2 * size if head_norms else 0) + (shape["heads"] if sinks else 0))


def _windows(f: Fields, layers: int) -> tuple[int | None, ...]:
    """Each layer's window, where the configuration names one."""
    window = f.all.get("sliding_window") if f.all.get("use_sliding_window", True) else None
    kinds = f.all.get("layer_types")
    if not isinstance(window, int) or window <= 0:
        return ()
    if isinstance(kinds, list):
        if len(kinds) != layers:
            raise InputError(f"The configuration has {layers} layers and names the kinds of {len(kinds)}.")
        return tuple(window if kind == "sliding_attention" else None for kind in kinds)
    return (window,) * layers


def _experts(f: Fields) -> tuple[int, int]:
    """(experts, experts per token). Raises InputError where a token would pass through more than there are."""
    experts = f.number("num_local_experts", "num_experts", "n_routed_experts")
    each = f.number("num_experts_per_tok", "experts_per_token")
    if not 0 < each <= experts <= MOST["experts"]:
        raise InputError(f"A token cannot pass through {each} of {experts} experts.")
    return experts, each


def _llama(f: Fields) -> Architecture:
    """Llama, Mistral, Qwen2 and Qwen3: grouped attention, gated layers, root-mean-square norms."""
    shape = _shape(f)
    layers, hidden, middle = shape["layers"], shape["hidden"], f.number("intermediate_size")
    bias = f.flag("attention_bias", f.kind == "qwen2")
    attention = _grouped(
        shape, qkv_bias=bias, out_bias=bias and f.kind != "qwen2", head_norms=f.kind in ("qwen3", "qwen3_moe")
    )
    tied = f.flag("tie_word_embeddings", False)
    dense = 3 * hidden * middle + (2 * middle + hidden if f.flag("mlp_bias", False) else 0)
    return Architecture(
        **shape, intermediate=middle, tied=tied, embedding_parameters=shape["vocabulary"] * hidden,
        head_parameters=0 if tied else shape["vocabulary"] * hidden, attention_parameters=layers * attention,
        dense_parameters=layers * dense, norm_parameters=(2 * layers + 1) * hidden, windows=_windows(f, layers),
    )  # fmt: skip


def _mixture(f: Fields) -> Architecture:
    """Mixtral, Qwen3-MoE and gpt-oss: every layer routes each token to a few of many gated experts."""
    shape = _shape(f)
    layers, hidden = shape["layers"], shape["hidden"]
    experts, each = _experts(f)
    middle = f.number("moe_intermediate_size", "intermediate_size")
    oss = f.kind == "gpt_oss"
    bias = f.flag("attention_bias", oss)
    attention = _grouped(shape, qkv_bias=bias, out_bias=bias, head_norms=f.kind == "qwen3_moe", sinks=oss)
    expert = 3 * hidden * middle + (2 * middle + hidden if oss else 0)
    tied = f.flag("tie_word_embeddings", False)
    return Architecture(
        **shape, intermediate=middle, tied=tied, embedding_parameters=shape["vocabulary"] * hidden,
        head_parameters=0 if tied else shape["vocabulary"] * hidden, attention_parameters=layers * attention,
        dense_parameters=layers * (hidden * experts + (experts if oss else 0)),
        norm_parameters=(2 * layers + 1) * hidden, expert_parameters=expert, experts=experts, experts_per_token=each,
        expert_layers=layers, windows=_windows(f, layers),
    )  # fmt: skip


def _llama4(f: Fields) -> Architecture:
    """Llama 4: experts in every n-th layer with one expert shared by all tokens; the text part of a model that sees."""
    shape = _shape(f)
    layers, hidden, middle = shape["layers"], shape["hidden"], f.number("intermediate_size")
    experts, each = _experts(f)
    routed = layers // f.number("interleave_moe_layer_step", default=1)
    dense = (layers - routed) * 3 * hidden * f.number("intermediate_size_mlp") + routed * (
        3 * hidden * middle + hidden * experts
    )
    return Architecture(
        **shape, intermediate=middle, tied=False, embedding_parameters=shape["vocabulary"] * hidden,
        head_parameters=shape["vocabulary"] * hidden,
        attention_parameters=layers * _grouped(shape, qkv_bias=False, out_bias=False, head_norms=False),
        dense_parameters=dense, norm_parameters=(2 * layers + 1) * hidden, expert_parameters=3 * hidden * middle,
        experts=experts, experts_per_token=each, expert_layers=routed,
        notes=("The language part alone: a vision tower is not counted.",),
    )  # fmt: skip


def _deepseek(f: Fields) -> Architecture:
    """DeepSeek V2 and V3: latent attention, a few dense layers first, then shared and routed experts."""
    shape = _shape(f)
    layers, hidden, heads = shape["layers"], shape["hidden"], shape["heads"]
    nope, rope, value = f.number("qk_nope_head_dim"), f.number("qk_rope_head_dim"), f.number("v_head_dim")
    rank, query_rank = f.number("kv_lora_rank"), f.number("q_lora_rank", default=0)
    query = heads * (nope + rope)
    attention = hidden * query_rank + query_rank + query_rank * query if query_rank else hidden * query
    attention += hidden * (rank + rope) + rank + rank * heads * (nope + value) + heads * value * hidden
    experts, each = _experts(f)
    first, middle = f.number("first_k_dense_replace", default=0), f.number("moe_intermediate_size")
    routed = layers - first
    dense = first * 3 * hidden * f.number("intermediate_size")
    dense += routed * (hidden * experts + f.number("n_shared_experts", default=0) * 3 * hidden * middle)
    return Architecture(
        **{**shape, "head_size": nope + rope}, intermediate=f.number("intermediate_size"), tied=False,
        embedding_parameters=shape["vocabulary"] * hidden, head_parameters=shape["vocabulary"] * hidden,
        attention_parameters=layers * attention, dense_parameters=dense, norm_parameters=(2 * layers + 1) * hidden,
        expert_parameters=3 * hidden * middle, experts=experts, experts_per_token=each, expert_layers=routed,
        latent=rank + rope, notes=("Multi-token-prediction layers are not counted: they are optional.",),
    )  # fmt: skip


def _gpt2(f: Fields) -> Architecture:
    """GPT-2, GPT-3-like and OPT: full attention with biases, two-matrix layers, learned positions, layer norms."""
    shape = _shape(f)
    layers, hidden = shape["layers"], shape["hidden"]
    middle = f.number("n_inner", "ffn_dim", "intermediate_size", default=4 * hidden)
    positions = f.number("max_position_embeddings", "n_positions") + (2 if f.kind == "opt" else 0)
    attention = _grouped(shape, qkv_bias=True, out_bias=True, head_norms=False)
    return Architecture(
        **shape, intermediate=middle, tied=True, embedding_parameters=(shape["vocabulary"] + positions) * hidden,
        head_parameters=0, attention_parameters=layers * attention,
        dense_parameters=layers * (2 * hidden * middle + middle + hidden),
        norm_parameters=(2 * layers + 1) * 2 * hidden,
    )  # fmt: skip


def _bert(f: Fields) -> Architecture:
    """BERT-like encoders with their pooler: no cache, since nothing is written."""
    shape = _shape(f)
    layers, hidden, middle = shape["layers"], shape["hidden"], f.number("intermediate_size")
    rows = shape["vocabulary"] + f.number("max_position_embeddings") + f.number("type_vocab_size", default=2)
    return Architecture(
        **shape, intermediate=middle, tied=True,
        embedding_parameters=rows * hidden, head_parameters=0, encoder=True,
        attention_parameters=layers * _grouped(shape, qkv_bias=True, out_bias=True, head_norms=False),
        dense_parameters=layers * (2 * hidden * middle + middle + hidden) + hidden * hidden + hidden,
        norm_parameters=(2 * layers + 1) * 2 * hidden, notes=("An encoder: it reads, and keeps no cache.",),
    )  # fmt: skip


FAMILIES: dict[str, Callable[[Fields], Architecture]] = {
    "llama": _llama, "mistral": _llama, "qwen2": _llama, "qwen3": _llama, "mixtral": _mixture, "qwen3_moe": _mixture,
    "gpt_oss": _mixture, "llama4": _llama4, "deepseek_v2": _deepseek, "deepseek_v3": _deepseek, "gpt2": _gpt2,
    "opt": _gpt2, "bert": _bert,
}  # fmt: skip
