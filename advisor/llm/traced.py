"""From what the locked child counted (profiler/language) to an architecture: any the transformers library knows."""

from collections.abc import Mapping
from typing import Any

from advisor.llm.architecture import Architecture
from advisor.llm.families import READS_AND_WRITES
from advisor.llm.fields import stored_as, text_fields
from data.errors import InputError
from data.text import plain


def of_traced(fields: Mapping[str, Any], name: str, found: Mapping[str, Any], used: int = 0) -> Architecture:
    """The architecture of a configuration that was built without numbers; `used` experts a token, where it is not said.

    Raises InputError where how many experts a token uses is not known, and on numbers that contradict each other."""
    text = text_fields(fields)
    kind = plain(text.get("model_type", "unnamed"), 40)
    layers, hidden, heads = len(found["caches"]), int(found["hidden"] or 0), int(found["heads"] or 1)
    if layers < 1 or hidden < 1 or not found["vocabulary"]:
        raise InputError(f'"{kind}" is not a language model, or its layers are not told apart here.')
    count = int(found["experts_said"] or 0)
    if not count or found["expert"] % (count * max(1, found["expert_layers"])):
        count = int(found["experts"])
    routed = found["expert"] > 0 and count > 0
    each = int(found["experts_per_token"] or used) if routed else 0
    if routed and not 0 < each <= count:
        raise InputError(
            f'How many experts a token of "{kind}" uses is not known here.', hint="Say it: --experts-per-token N."
        )
    kept = [(width, window) for width, window in found["caches"] if width] if found["writes"] else []
    both = bool(found["encoder_decoder"])
    return Architecture(
        name=name, kind=kind, layers=layers, hidden=hidden, heads=heads, kv_heads=_groups(found, kept),
        head_size=int(found["head_size"] or hidden // max(1, heads)), vocabulary=found["vocabulary"],
        intermediate=int((found["middle_of_expert"] if routed else None) or found["intermediate"] or 4 * hidden),
        tied=found["head"] == 0, embedding_parameters=found["embedding"], head_parameters=found["head"],
        attention_parameters=found["attention"], dense_parameters=found["dense"], norm_parameters=found["norm"],
        expert_parameters=found["expert"] // (count * found["expert_layers"]) if routed else 0,
        experts=count if routed else 0, experts_per_token=each,
        expert_layers=found["expert_layers"] if routed else 0, encoder=not found["writes"],
        kv_widths=tuple(width for width, _ in kept), windows=tuple(window for _, window in kept),
        state_elements=int(found["state_elements"] or 0), encoder_parameters=found["encoder"],
        cross_elements=sum(width for width, _ in kept) if both else 0,
        read_tokens=found["read_tokens"] if both else None, tower_parameters=found["tower"],
        most_positions=found["most_positions"],
        stored_as=stored_as(text), notes=_notes(found, both),
    )  # fmt: skip


def _groups(found: Mapping[str, Any], kept: list[tuple[int, int | None]]) -> int:
    """Key-value heads, by which a cache is shared out among devices; 0 where none is kept."""
    size = int(found["head_size"] or 0) or (int(found["hidden"]) // max(1, int(found["heads"] or 1)))
    return max(1, kept[0][0] // (2 * size)) if kept else 0


def _notes(found: Mapping[str, Any], both: bool) -> tuple[str, ...]:
    notes = [f"Counted by building it without numbers, as {plain(found['built_as'], 60)}."]
    if both:
        notes.append(READS_AND_WRITES)
    elif not found["writes"]:
        notes.append("It reads, and keeps no cache.")
    if found["tower"]:
        notes.append("Its towers (sight, sound) are held and counted; a token of text does not pass them.")
    if found["state_elements"]:
        notes.append("Recurrent layers: a sequence keeps a state of one size in them, and no cache that grows.")
    if found["state_elements"] is None:
        notes.append("The state of its recurrent layers could not be followed and is not counted.")
    return tuple(notes)
