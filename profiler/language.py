"""What a file tells of a language model's shape, read in the locked child: headers and configurations, no weights."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data.errors import InputError
from data.text import plain
from profiler.tasks import ChildDesk, task
from profiler.torch_graph import roles
from profiler.types import WeightTensor

EXPERTS_USED = (
    "num_experts_per_tok", "num_experts_per_token", "experts_per_token", "moe_topk", "moe_top_k", "top_k_experts",
    "num_selected_experts", "moe_k", "num_moe_top_k", "expert_top_k", "top_k",
)  # fmt: skip
EXPERTS = ("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts")
POSITIONS = ("max_position_embeddings", "max_target_positions", "n_positions", "max_seq_len", "max_sequence_length")


@task
def of_config(desk: ChildDesk, *, path: str) -> dict[str, Any]:
    """`counted` of the configuration at `path`. Raises as it does."""
    from profiler.torch_graph.lean import lean

    desk.progress(0.1, "Building it without numbers")
    with lean():
        return counted(json.loads(Path(path).read_bytes()))


def counted(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters by role and what each layer keeps, of any architecture the library knows: built without numbers.

    Raises InputError where it cannot be built, Unavailable where the library does not know it."""
    from profiler.formats import hf_config

    config, module = hf_config.meta(fields)
    text = _decoding(config)
    text.allow_global_per_layer_attribute_access = True  # where layers differ: widths are read off each of them
    try:
        by_role, kept = roles.roles(module), roles.caches(module, text)
    except NotImplementedError:  # no table of words
        raise InputError("This is not the configuration of a language model.") from None
    return {
        "built_as": type(module).__name__, **by_role, "caches": [entry[:2] for entry in kept],
        "state_elements": _state(module) if any(entry[2] for entry in kept) else 0, **_numbers(config, text),
        "writes": _writes(config, module),
    }  # fmt: skip


@task
def of_tensors(desk: ChildDesk, *, paths: list[str]) -> dict[str, Any]:
    """{"tensors": [[name, dtype, shape, bytes]], "metadata"} of safetensors files (shards of one model) or of one GGUF
    file, from their headers alone. Raises InputError where one is damaged or cut off."""
    from profiler.formats import gguf, safetensors

    found: list[WeightTensor] = []
    metadata: dict[str, Any] = {}
    for done, path in enumerate(map(Path, paths)):
        desk.progress(done / len(paths), f"Reading header {done + 1} of {len(paths)}")
        with path.open("rb") as file:
            is_gguf = file.read(len(gguf.MAGIC)) == gguf.MAGIC
        if not is_gguf and path.suffix.lower() != ".safetensors":
            raise InputError("This file is neither GGUF nor safetensors.", hint="Or bring its config.json.")
        if is_gguf:
            metadata, tensors = gguf.header(path)
        else:
            tensors = safetensors.header(path)
        found += tensors
    if not found:
        raise InputError("This file holds no tensors.")
    table = [[one.name, one.dtype, list(one.shape), one.stored_bytes] for one in found]
    return {"tensors": table, "metadata": {plain(key, 80): _short(value) for key, value in metadata.items()}}


def _short(value: Any) -> Any:
    """A value of a header as JSON holds it; text cut to a line."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list):
        return value[:1024]
    return value if isinstance(value, bool | int | float) else plain(value, 80)


def _decoding(config: Any) -> Any:
    """The configuration of the language part: of an encoder-decoder its decoder's, where it has one of its own."""
    if getattr(config, "is_encoder_decoder", False):
        own = getattr(config, "decoder", None)
        return own if hasattr(own, "to_dict") else config
    return config.get_text_config()


def _numbers(config: Any, text: Any) -> dict[str, Any]:
    """Widths and counts by the names configurations share; None what is not said."""

    def first(*names: str) -> int | None:
        for holder in (text, config, getattr(text, "ffn_config", None)):
            for name in names:
                value = getattr(holder, name, None)
                if isinstance(value, int) and not isinstance(value, bool):
                    return value
        return None

    hidden, heads = first("hidden_size", "d_model", "n_embd", "dim"), None
    heads = first("decoder_attention_heads", "num_attention_heads", "n_head", "num_heads", "n_heads")
    middle = first("decoder_ffn_dim", "intermediate_size", "d_ff", "ffn_dim", "n_inner", "ffn_hidden_size")
    return {
        "hidden": hidden, "heads": heads, "vocabulary": first("vocab_size"), "intermediate": middle,
        "head_size": first("head_dim", "d_kv"), "experts_per_token": first(*EXPERTS_USED),
        "experts_said": first(*EXPERTS), "middle_of_expert": first("moe_intermediate_size", "expert_ffn_hidden_size"),
        "most_positions": first(*POSITIONS), "read_tokens": first("max_source_positions"),
        "encoder_decoder": bool(getattr(config, "is_encoder_decoder", False)),
    }  # fmt: skip


def _writes(config: Any, module: Any) -> bool:
    """Whether the module writes tokens: an encoder alone only reads."""
    named = type(module).__name__
    declared = bool(getattr(config, "is_encoder_decoder", False) or getattr(config, "is_decoder", False))
    return declared or any(part in named for part in ("CausalLM", "LMHead", "Generation"))


def _state(module: Any) -> int | None:
    """Numbers a sequence's recurrent layers keep, from one step without numbers; None where that cannot be followed."""
    import torch

    try:
        with torch.device("meta"), torch.no_grad():
            out = module(input_ids=torch.zeros((1, 1), dtype=torch.long), use_cache=True)
        kept: Any = getattr(out, "past_key_values", None) or getattr(out, "cache_params", None)
        held = 0
        for layer in kept.layers:
            for name, value in vars(layer).items():
                if isinstance(value, torch.Tensor) and name not in ("keys", "values") and value.ndim > 1:
                    held += value.numel()
                elif isinstance(value, dict | list):
                    many = value.values() if isinstance(value, dict) else value
                    held += sum(one.numel() for one in many if isinstance(one, torch.Tensor))
        return held or None
    except (RuntimeError, NotImplementedError, TypeError, ValueError, AttributeError, ImportError, IndexError):
        return None  # said as "not counted" by whoever sizes it
