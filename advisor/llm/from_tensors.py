"""An architecture read off a table of tensors: GGUF and safetensors files tell it by names and shapes."""

import math
import re
from collections.abc import Mapping

from advisor.llm.architecture import Architecture
from advisor.llm.memory import Precision
from data.errors import InputError
from data.units import BITS_PER_BYTE
from profiler.types import Model

LAYER = re.compile(r"(?:^|\.)(?:blk|layers|h|block)\.(\d+)\.")
EMBEDDING = ("token_embd.weight", "embed_tokens.weight", "wte.weight", "word_embeddings.weight")
HEAD = ("output.weight", "lm_head.weight")
QUERY, KEY = ("attn_q.weight", "q_proj.weight"), ("attn_k.weight", "k_proj.weight")
GATE = ("ffn_gate.weight", "gate_proj.weight", "ffn_up.weight", "up_proj.weight")
EXPERTS = ("_exps.", ".experts.")


def architecture(model: Model) -> Architecture:
    """The dense transformer these tensors make up. How wide one head is does not follow from them and does not matter:
    the cache and the arithmetic depend on all heads together. Raises InputError where they make up none."""
    shapes = {tensor.name: tensor.shape for tensor in model.tensors}
    if any(mark in name for name in shapes for mark in EXPERTS):
        raise InputError("A mixture of experts needs its config.json: its tensors do not tell how many a token uses.")
    numbers = [int(found.group(1)) for name in shapes if (found := LAYER.search(name))]
    embedding, query, key, gate = (_first(shapes, ends) for ends in (EMBEDDING, QUERY, KEY, GATE))
    if not numbers or embedding is None or query is None or key is None or gate is None:
        raise InputError(
            "These tensors are not those of a language model that is known here.", hint="Give its config.json."
        )
    layers, (vocabulary, hidden) = max(numbers) + 1, (embedding[0], embedding[1])
    if query[0] % key[0]:
        raise InputError("The query and key projections of this file contradict each other.")
    head = _first(shapes, HEAD)
    attention = _counted(model, ("attn", "attention"), ("norm",))
    norms = _counted(model, ("norm", "ln_"), ())
    tables, last = vocabulary * hidden, (head[0] * head[1] if head else 0)
    return Architecture(
        name=model.name, layers=layers, hidden=hidden, heads=query[0] // key[0], kv_heads=1, head_size=key[0],
        vocabulary=vocabulary, intermediate=gate[0], tied=head is None, embedding_parameters=tables,
        head_parameters=last, attention_parameters=attention, norm_parameters=norms,
        dense_parameters=model.parameter_count - tables - last - attention - norms,
        notes=("Read off the names and shapes of the file's tensors.",),
    )  # fmt: skip


def as_stored(model: Model) -> Precision:
    """The precision of the file as it is: its own average of bits a weight, multiplied at 16 bits."""
    bits = model.weight_bytes * BITS_PER_BYTE / max(1, model.parameter_count)
    return Precision(
        precision="as stored", linear_bits=bits, better_bits=bits, embedding_bits=bits, head_bits=bits, compute="bf16",
        kv_default="fp16", meaning="as the file stores them",
    )  # fmt: skip


def _first(shapes: Mapping[str, tuple[int, ...]], ends: tuple[str, ...]) -> tuple[int, ...] | None:
    found = (shape for end in ends for name, shape in shapes.items() if name.endswith(end) and len(shape) == 2)
    return next(found, None)


def _counted(model: Model, marks: tuple[str, ...], without: tuple[str, ...]) -> int:
    total = 0
    for tensor in model.tensors:
        if any(mark in tensor.name for mark in marks) and not any(mark in tensor.name for mark in without):
            total += math.prod(tensor.shape)
    return total
