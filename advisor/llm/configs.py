"""From a published config.json, from plain numbers, or from the shipped list to an architecture.

Configurations are data here: nothing in them is executed, and code they bring along (auto_map) is left alone.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from advisor.llm.architecture import Architecture
from advisor.llm.families import DENSE
from advisor.llm.fields import Fields, has_tower, possible, text_fields
from advisor.llm.mixtures import MIXTURES, TEXT_ALONE
from data import tables
from data.errors import InputError
from data.text import plain

LIMIT_BYTES = 1 << 22
MOST_PARAMETERS = 10**14  # attention and tables of words alone; the largest models published have 2e12 in all
FAMILIES = {**DENSE, **MIXTURES}
WAY_OUT = "Give its numbers instead: layers, width, heads and vocabulary (and experts)."
# Plain numbers by the names families share, and how they are called here.
PLAIN = {
    "layers": ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "num_decoder_layers", "decoder_layers"),
    "hidden": ("hidden_size", "n_embd", "d_model", "dim", "model_dim"),
    "heads": ("num_attention_heads", "n_head", "n_heads", "num_heads", "decoder_attention_heads"),
    "vocabulary": ("vocab_size", "n_vocab", "padded_vocab_size"),
}


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
    text = text_fields(fields)
    kind = _kind(text)
    if kind not in FAMILIES:
        raise InputError(f'The architecture "{plain(kind or "unnamed", 40)}" is not known here.', hint=WAY_OUT)
    found = FAMILIES[kind](Fields(text, name, kind))
    if not has_tower(fields) or TEXT_ALONE in found.notes:
        return found
    return _noted(found, TEXT_ALONE)


def is_known(fields: Mapping[str, Any]) -> bool:
    """Whether the family these fields name is one whose counts are closed forms here, towers aside."""
    return _kind(text_fields(fields)) in FAMILIES and not has_tower(fields)


def refuse_absurd(fields: Mapping[str, Any]) -> None:
    """Raises InputError where a number, or all of them together, is beyond any model, before one is built of it."""
    f = Fields(text_fields(fields), "", "")
    of = {what: f.number(*names, default=0) for what, names in PLAIN.items()}
    for what, value in of.items():
        possible("layers" if what == "layers" else "vocabulary" if what == "vocabulary" else "width", value or 1)
    whole = (4 * of["layers"] * of["hidden"] + of["vocabulary"]) * of["hidden"]
    if whole > MOST_PARAMETERS:
        raise InputError(f"A model of {whole:,} parameters, as these numbers would have, is not possible.")


def of_plain_fields(
    fields: Mapping[str, Any], name: str, given: Mapping[str, int | None] | None = None
) -> Architecture:
    """An architecture nobody here knows, sized as a gated decoder from the numbers its configuration does say and those
    `given` in their place. Raises InputError naming what is missing."""
    text, known = text_fields(fields), given or {}
    f = Fields(text, name, _kind(text) or "unnamed")
    numbers = {what: known.get(what) or f.number(*names, default=0) for what, names in PLAIN.items()}
    missing = [what for what, value in numbers.items() if not value]
    if missing:
        raise InputError(
            f'The architecture "{plain(f.kind, 40)}" is not known here, and its configuration does not say its '
            f"{' and '.join(missing)}.", hint=f"Give {', '.join(f'--{what} N' for what in missing)}.",
        )  # fmt: skip
    count = f.number("num_local_experts", "num_experts", "n_routed_experts", default=0)
    middle = ("moe_intermediate_size",) if count else ()
    made = of_numbers(
        layers=numbers["layers"], hidden=numbers["hidden"], heads=numbers["heads"], vocabulary=numbers["vocabulary"],
        kv_heads=known.get("kv_heads") or f.number("num_key_value_heads", "num_kv_heads", default=0) or None,
        intermediate=known.get("intermediate")
        or f.number(*middle, "intermediate_size", "d_ff", "ffn_dim", "ffn_hidden_size", "n_inner", default=0) or None,
        experts=known.get("experts") or count, tied=f.flag("tie_word_embeddings", False),
        experts_per_token=known.get("experts_per_token") or f.number("num_experts_per_tok", "moe_top_k", default=0),
    )  # fmt: skip
    named = f'"{plain(f.kind, 40)}" is not known here' if _kind(text) else "It names no model_type"
    said = f"{named}: sized from its plain numbers as a gated decoder, so not exact."
    return _noted(made, said, name)


def of_numbers(
    *, layers: int, hidden: int, heads: int, vocabulary: int, kv_heads: int | None = None,
    intermediate: int | None = None, experts: int = 0, experts_per_token: int = 0, tied: bool = False,
) -> Architecture:  # fmt: skip
    """A decoder with gated layers and root-mean-square norms, from plain numbers. Raises InputError as `of_config`."""
    if experts_per_token and not experts:
        raise InputError(f"A token cannot pass through {experts_per_token} of 0 experts.")
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


def _kind(text: Mapping[str, Any]) -> str:
    return str(text.get("model_type", "")).removesuffix("_text")


def _noted(found: Architecture, note: str, name: str | None = None) -> Architecture:
    return replace(found, notes=(*found.notes, note), name=name or found.name)
