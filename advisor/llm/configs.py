"""From a published config.json, from plain numbers, or from the shipped list to an architecture.

Configurations are data here: nothing in them is executed, and code they bring along (auto_map) is left alone.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from advisor.llm.architecture import Architecture
from advisor.llm.families import FAMILIES, Fields
from data import tables
from data.errors import InputError
from data.text import plain

LIMIT_BYTES = 1 << 22


def read(path: Path) -> Architecture:
    """The architecture of a config.json. Raises InputError where it is none, or its numbers contradict each other."""
    return of_config(fields_of(path), named(path))


def fields_of(path: Path) -> dict[str, Any]:
    """The fields of a config.json. Raises InputError where it is none."""
    if path.stat().st_size > LIMIT_BYTES:
        raise InputError("This JSON file is too large to be a model's configuration.")
    try:
        fields = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InputError("This JSON file is damaged.", details=str(error)) from error
    if not isinstance(fields, dict):
        raise InputError("This JSON file is not a model's configuration.")
    return fields


def named(path: Path) -> str:
    """What to call the model of this file: its folder's name, where the file has the usual one."""
    return plain(path.parent.name if path.name == "config.json" else path.stem, 60)


def of_config(fields: Mapping[str, Any], name: str) -> Architecture:
    """The architecture these published fields describe. Raises InputError on what is missing or contradictory."""
    text = {**fields, **fields["text_config"]} if isinstance(fields.get("text_config"), dict) else dict(fields)
    kind = str(text.get("model_type", "")).removesuffix("_text")
    if kind not in FAMILIES:
        raise InputError(
            f'The architecture "{plain(kind or "unnamed", 40)}" is not known here.',
            hint="Give its numbers instead: layers, width, heads and vocabulary (and experts).",
        )
    return FAMILIES[kind](Fields(text, name, kind))


def is_known(fields: Mapping[str, Any]) -> bool:
    """Whether the family these fields name is one whose counts are closed forms here."""
    text = {**fields, **fields["text_config"]} if isinstance(fields.get("text_config"), dict) else fields
    return str(text.get("model_type", "")).removesuffix("_text") in FAMILIES


def of_traced(fields: Mapping[str, Any], name: str, parameter_count: int) -> Architecture:
    """The architecture of another family: its parameters as counted by building it (profiler/formats/hf_config), its
    shape by the names families share. An encoder-decoder keeps a cache of what it wrote and one of what it read.

    Raises InputError on a mixture of experts, whose active share does not follow, and on what is missing."""
    text = {**fields, **fields["text_config"]} if isinstance(fields.get("text_config"), dict) else dict(fields)
    f = Fields(text, name, str(text.get("model_type", "")))
    if any("expert" in key and isinstance(value, int) and value > 1 for key, value in text.items()):
        raise InputError(f'How many experts a token of "{plain(f.kind, 40)}" uses is not known here.')
    both = bool(text.get("is_encoder_decoder"))
    layers = f.number("num_decoder_layers", "decoder_layers", "num_hidden_layers", "n_layer", "num_layers", "n_layers")
    hidden = f.number("hidden_size", "n_embd", "d_model", "dim")
    heads = f.number("num_attention_heads", "n_head", "num_heads", "decoder_attention_heads", "n_heads")
    size = f.number("head_dim", "d_kv", default=hidden // max(1, heads))
    embedding = f.number("vocab_size") * hidden
    if not 0 < embedding < parameter_count or layers < 1 or heads < 1:
        raise InputError("The numbers of this configuration contradict each other.")
    notes = ("Counted by building it; its parts are told apart only as embedding and the rest.",)
    return Architecture(
        name=name, layers=layers, hidden=hidden, heads=heads, head_size=size,
        kv_heads=f.number("num_key_value_heads", default=heads) * (2 if both else 1),
        vocabulary=f.number("vocab_size"),
        intermediate=f.number("intermediate_size", "d_ff", "ffn_dim", default=4 * hidden),
        tied=True, embedding_parameters=embedding, head_parameters=0, attention_parameters=0, norm_parameters=0,
        dense_parameters=parameter_count - embedding, encoder=not both and "Masked" in str(text.get("architectures")),
        notes=(*notes, "An encoder-decoder: the cache holds what it wrote and what it read.") if both else notes,
    )  # fmt: skip


def of_numbers(
    *, layers: int, hidden: int, heads: int, vocabulary: int, kv_heads: int | None = None,
    intermediate: int | None = None, experts: int = 0, experts_per_token: int = 0, tied: bool = False,
) -> Architecture:  # fmt: skip
    """A decoder with gated layers and root-mean-square norms, from plain numbers. Raises InputError as `of_config`."""
    fields: dict[str, Any] = {
        "model_type": "mixtral" if experts else "llama", "num_hidden_layers": layers, "hidden_size": hidden,
        "num_attention_heads": heads, "num_key_value_heads": kv_heads or heads, "vocab_size": vocabulary,
        "intermediate_size": intermediate or 4 * hidden, "tie_word_embeddings": tied, "num_local_experts": experts,
        "num_experts_per_tok": experts_per_token,
    }  # fmt: skip
    return of_config(fields, f"{layers} layers of {hidden}")


@cache
def known() -> dict[str, Architecture]:
    """Architectures that are shipped, by name."""
    rows = tables.frame("llm", "architectures")
    pairs = zip(rows["name"], rows["config"], strict=True)
    return {str(name): of_config(json.loads(config), str(name)) for name, config in pairs}
