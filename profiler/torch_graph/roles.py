"""What the parameters of a language model's module are for, and what each of its layers keeps of a token.

Told by names and shapes alone: the module is made of tensors without numbers.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

TOWER = re.compile(r"vision|visual|image|audio|multi_modal|multimodal|talker|code2wav|token2wav|mtp")
ATTENTION = re.compile(r"attn|attention|qkv|query_key_value", re.IGNORECASE)
KEY, VALUE = ("k_proj", "key", "k_lin", "wk", "k"), ("v_proj", "value", "v_lin", "wv", "v")
FUSED = ("qkv_proj", "query_key_value", "c_attn", "Wqkv", "qkv", "qkv_lin")


def roles(module: "nn.Module") -> dict[str, int]:
    """Parameters by role (embedding, head, attention, dense, norm, expert, encoder, tower), shared ones once; and how
    many layers have how many experts."""
    from torch import nn

    head = _output(module)
    embedding = {name for name, part in module.named_modules() if isinstance(part, nn.Embedding)}
    counts = dict.fromkeys(("embedding", "head", "attention", "dense", "norm", "expert", "encoder", "tower"), 0)
    encoding = bool(getattr(module.config, "is_encoder_decoder", False))
    routed: dict[str, set[int]] = {}
    for name, parameter in module.named_parameters():
        owner = name.rpartition(".")[0]
        parts = owner.split(".")
        if any(TOWER.search(part) for part in parts):
            role = "tower"
        elif encoding and "encoder" in parts:
            role = "encoder"
        elif owner in embedding or "position_embedding" in name:
            role = "embedding"
        elif head is not None and any(parameter is own for own in head.parameters(recurse=False)):
            role = "head"
        elif "experts" in parts:
            role = "expert"
            _routed(routed, name, parts, tuple(parameter.shape))
        elif parameter.ndim < 2 and not name.endswith("bias"):
            role = "norm"
        else:
            role = "attention" if ATTENTION.search(owner) and "linear_attn" not in owner else "dense"
        counts[role] += parameter.numel()
    most = max((max(found) for found in routed.values()), default=0)
    return {**counts, "experts": most, "expert_layers": len(routed)}


def _routed(routed: dict[str, set[int]], name: str, parts: list[str], shape: tuple[int, ...]) -> None:
    """Notes how many experts the layer of this parameter has: numbered parts of a list, or the first axis."""
    place = parts.index("experts")
    after = [*parts[place + 1 :], ""][0]
    count = int(after) + 1 if after.isdigit() else (shape[0] if len(shape) > 1 else 0)
    routed.setdefault(".".join(parts[:place]), set()).add(count)


def _output(module: "nn.Module") -> Any:
    """The head, where it is not the embedding table itself."""
    head, table = module.get_output_embeddings(), module.get_input_embeddings()  # type: ignore[operator]
    shared = head is None or getattr(head, "weight", None) is getattr(table, "weight", None)
    return None if shared else head


def caches(module: "nn.Module", text: Any) -> list[tuple[int, int | None, bool]]:
    """(numbers a token adds to the layer's cache, window, whether it is recurrent) of every layer that writes; `text`
    is the configuration of the language part."""
    latent = getattr(text, "kv_lora_rank", None)
    compressed = latent + getattr(text, "qk_rope_head_dim", 0) if latent else None
    kinds, window = getattr(text, "layer_types", None), getattr(text, "sliding_window", None)
    found = []
    for number, layer in enumerate(_layers(module)):
        names = [name for name, _ in layer.named_modules()]
        borrows = any(getattr(part, "is_kv_shared_layer", False) for part in layer.modules())
        width = 0 if borrows else _width(layer, text)
        if width and compressed and any("kv_a" in name or "kv_b" in name for name in names):
            width = compressed
        kind = kinds[number] if kinds and number < len(kinds) else None
        windowed = kind in ("sliding_attention", "chunked_attention") if kinds else bool(window)
        bound = window if kind != "chunked_attention" else getattr(text, "attention_chunk_size", window)
        recurrent = not (width or borrows) or any("linear_attn" in name for name in names)
        found.append((width, bound if windowed and width else None, recurrent))
    return found


def _layers(module: "nn.Module") -> Iterator["nn.Module"]:
    """The layers that write: the longest list of like modules outside towers, the encoder and mixtures."""
    from torch import nn

    encoding = bool(getattr(module.config, "is_encoder_decoder", False))
    best: Any = []
    for name, part in module.named_modules():
        parts = name.split(".")
        aside = any(TOWER.search(one) for one in parts) or (encoding and "encoder" in parts) or "experts" in parts
        if isinstance(part, nn.ModuleList) and not aside and len(part) > len(best):
            best = part
    yield from best


def _width(layer: "nn.Module", text: Any) -> int:
    """Numbers a token adds to this layer's cache; 0 where it keeps none. Cross attention is not counted."""
    sizes = {
        name: tuple(part.weight.shape)
        for name, part in layer.named_modules()
        if getattr(part, "weight", None) is not None and part.weight.ndim == 2
        if not re.search(r"cross|encoder_attn|encdec|linear_attn", name, re.IGNORECASE)
    }
    key, value = _ending(sizes, KEY), _ending(sizes, VALUE)
    if key and value:
        return int(key[0] + value[0])
    if key and any(vars(part).get("v_proj", part) is None for part in layer.modules()):  # keys serve as values too
        return int(2 * key[0])
    heads = getattr(text, "num_key_value_heads", None) or getattr(text, "num_attention_heads", 0)
    if getattr(text, "multi_query", False) and not getattr(text, "new_decoder_architecture", False):
        heads = 1
    if key or _ending(sizes, FUSED) or any("kv_" in name for name in sizes):
        size = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
        return 2 * int(heads or 0) * int(size)
    return 0


def _ending(sizes: dict[str, tuple[int, ...]], ends: tuple[str, ...]) -> tuple[int, ...] | None:
    return next((shape for name, shape in sizes.items() if name.rpartition(".")[2] in ends), None)
