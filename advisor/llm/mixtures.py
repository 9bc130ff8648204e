"""How each family with a mixture of experts spells its shape in a config.json, and what it is made of."""

from collections.abc import Callable
from typing import Any

from advisor.llm.architecture import Architecture
from advisor.llm.families import attention, table
from advisor.llm.fields import Fields, experts, possible, shape, windows


def _mixture(f: Fields) -> Architecture:
    """Mixtral, Qwen-MoE, OLMoE and gpt-oss: layers route each token to a few of many gated experts; Qwen2-MoE adds a
    shared expert with a gate of its own, Qwen's may have dense layers between."""
    made = shape(f)
    layers, hidden = made["layers"], made["hidden"]
    count, each = experts(f)
    middle = possible("middle width", f.number("moe_intermediate_size", "intermediate_size"))
    oss, qwen2 = f.kind == "gpt_oss", f.kind == "qwen2_moe"
    bias = f.flag("attention_bias", oss)
    norms = {"qwen3_moe": "head", "olmoe": "all"}.get(f.kind, "")
    one = attention(made, qkv_bias=bias or qwen2, out_bias=bias, query_norms=norms, sinks=oss)
    routed = _routed_layers(f, layers)
    always = hidden * count + (count if oss else 0)
    if qwen2:
        always += 3 * hidden * f.number("shared_expert_intermediate_size") + hidden
    dense = routed * always + (layers - routed) * 3 * hidden * f.number("intermediate_size", default=middle)
    return Architecture(
        **made, **table(made, f.flag("tie_word_embeddings", False)), intermediate=middle,
        attention_parameters=layers * one, dense_parameters=dense, norm_parameters=(2 * layers + 1) * hidden,
        expert_parameters=3 * hidden * middle + (2 * middle + hidden if oss else 0), experts=count,
        experts_per_token=each, expert_layers=routed,
        windows=windows(f, layers) if f.flag("use_sliding_window", not f.kind.startswith("qwen")) else (),
    )  # fmt: skip


def _routed_layers(f: Fields, layers: int) -> int:
    """How many layers have experts: every `decoder_sparse_step`-th that is not named as dense."""
    if not f.kind.startswith("qwen"):
        return layers
    step, dense = f.positive("decoder_sparse_step", default=1), f.all.get("mlp_only_layers") or []
    return sum((layer + 1) % step == 0 and layer not in dense for layer in range(layers))


def _llama4(f: Fields) -> Architecture:
    """Llama 4: experts in every n-th layer with one expert shared by all tokens; the text part of a model that sees."""
    made = shape(f)
    layers, hidden = made["layers"], made["hidden"]
    middle = possible("middle width", f.number("intermediate_size"))
    count, each = experts(f)
    routed = layers // f.positive("interleave_moe_layer_step", default=1)
    dense = (layers - routed) * 3 * hidden * f.number("intermediate_size_mlp") + routed * (
        3 * hidden * middle + hidden * count
    )
    return Architecture(
        **made, **table(made, False), intermediate=middle,
        attention_parameters=layers * attention(made, qkv_bias=False, out_bias=False),
        dense_parameters=dense, norm_parameters=(2 * layers + 1) * hidden, expert_parameters=3 * hidden * middle,
        experts=count, experts_per_token=each, expert_layers=routed, notes=(TEXT_ALONE,),
    )  # fmt: skip


def _deepseek(f: Fields) -> Architecture:
    """DeepSeek V2 and V3, Kimi K2: latent attention, a few dense layers first, then shared and routed experts."""
    made = shape(f)
    layers, hidden, heads = made["layers"], made["hidden"], made["heads"]
    nope, rope, value = f.positive("qk_nope_head_dim"), f.positive("qk_rope_head_dim"), f.positive("v_head_dim")
    rank, query_rank = f.positive("kv_lora_rank"), f.number("q_lora_rank", default=0)
    query = heads * (nope + rope)
    one = hidden * query_rank + query_rank + query_rank * query if query_rank else hidden * query
    one += hidden * (rank + rope) + rank + rank * heads * (nope + value) + heads * value * hidden
    return Architecture(
        **{**made, "head_size": nope + rope}, **table(made, False), intermediate=f.number("intermediate_size"),
        attention_parameters=layers * one, norm_parameters=(2 * layers + 1) * hidden, latent=rank + rope,
        **_shared_and_routed(f, layers, hidden), notes=(UNCOUNTED_LAYERS,),
    )  # fmt: skip


def _glm(f: Fields) -> Architecture:
    """GLM-4.5: grouped attention, a few dense layers first, then shared and routed experts."""
    made = shape(f)
    layers, hidden = made["layers"], made["hidden"]
    bias, norms = f.flag("attention_bias", False), "head" if f.flag("use_qk_norm", False) else ""
    return Architecture(
        **made, **table(made, f.flag("tie_word_embeddings", False)), intermediate=f.number("intermediate_size"),
        attention_parameters=layers * attention(made, qkv_bias=bias, out_bias=False, query_norms=norms),
        norm_parameters=(2 * layers + 1) * hidden, **_shared_and_routed(f, layers, hidden), notes=(UNCOUNTED_LAYERS,),
    )  # fmt: skip


def _shared_and_routed(f: Fields, layers: int, hidden: int) -> dict[str, Any]:
    """The middles of layers of which the first are dense and the others have shared and routed experts."""
    count, each = experts(f)
    first, middle = f.number("first_k_dense_replace", default=0), f.number("moe_intermediate_size")
    possible("middle width", middle)
    routed = layers - min(first, layers)
    dense = (layers - routed) * 3 * hidden * f.number("intermediate_size")
    dense += routed * (hidden * count + f.number("n_shared_experts", default=0) * 3 * hidden * middle)
    return {
        "dense_parameters": dense, "expert_parameters": 3 * hidden * middle, "experts": count,
        "experts_per_token": each, "expert_layers": routed,
    }  # fmt: skip


TEXT_ALONE = "The language part alone: a vision tower is not counted."
UNCOUNTED_LAYERS = "Multi-token-prediction layers are not counted: they are optional."
MIXTURES: dict[str, Callable[[Fields], Architecture]] = {
    **dict.fromkeys(("mixtral", "qwen2_moe", "qwen3_moe", "gpt_oss", "olmoe"), _mixture), "llama4": _llama4,
    **dict.fromkeys(("deepseek_v2", "deepseek_v3", "kimi_k2"), _deepseek), "glm4_moe": _glm,
}  # fmt: skip
