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
    if path.stat().st_size > LIMIT_BYTES:
        raise InputError("This JSON file is too large to be a model's configuration.")
    try:
        fields = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InputError("This JSON file is damaged.", details=str(error)) from error
    if not isinstance(fields, dict):
        raise InputError("This JSON file is not a model's configuration.")
    return of_config(fields, plain(path.parent.name if path.name == "config.json" else path.stem, 60))


def of_config(fields: Mapping[str, Any], name: str) -> Architecture:
    """The architecture these published fields describe. Raises InputError on what is missing or contradictory."""
    text = {**fields, **fields["text_config"]} if isinstance(fields.get("text_config"), dict) else dict(fields)
    kind = str(text.get("model_type", "")).removesuffix("_text")
    if kind not in FAMILIES:
        raise InputError(
            f'The architecture "{plain(kind or "unnamed", 40)}" is not known here.',
            hint="Give its numbers instead: --layers, --hidden, --heads, --vocabulary (and --experts).",
        )
    return FAMILIES[kind](Fields(text, name, kind))


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
