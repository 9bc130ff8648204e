"""A config.json's numbers, checked as they are asked for, and the shape every family of language models has."""

from collections.abc import Mapping
from typing import Any

from data.errors import InputError
from data.text import plain

MOST = {"layers": 10_000, "width": 1 << 20, "vocabulary": 1 << 24, "experts": 1 << 14, "middle width": 1 << 24}
LARGEST = 1 << 40  # no single number of a configuration is larger


class Fields:
    """A configuration's numbers, checked as they are asked for."""

    def __init__(self, fields: Mapping[str, Any], name: str, kind: str) -> None:
        self.all, self.name, self.kind = fields, name, kind

    def number(self, *names: str, default: int | None = None) -> int:
        """The first of these fields that is there, a whole number of 0 or more. Raises InputError."""
        for name in names:
            value = self.all.get(name)
            if value is not None:
                if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST:
                    raise InputError(f'The configuration\'s "{name}" is not a whole number of 0 or more.')
                return value
        if default is None:
            raise InputError(f'The configuration does not say its "{names[0]}".', hint="Use the published config.json.")
        return default

    def positive(self, *names: str, default: int | None = None) -> int:
        """As `number`, above 0. Raises InputError."""
        value = self.number(*names, default=default)
        if value < 1:
            raise InputError(f'The configuration\'s "{names[0]}" is not above 0.')
        return value

    def flag(self, name: str, default: bool) -> bool:
        value = self.all.get(name)
        return default if value is None else bool(value)


def text_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the language part: those of a nested text_config over the outer ones."""
    nested = next((fields[key] for key in ("text_config", "llm_config") if isinstance(fields.get(key), dict)), None)
    return {**fields, **nested} if nested else dict(fields)


def has_tower(fields: Mapping[str, Any]) -> bool:
    """Whether the model also sees or hears."""
    return any(isinstance(fields.get(f"{sense}_config"), dict) for sense in ("vision", "audio"))


def shape(f: Fields, usual: Mapping[str, int] | None = None) -> dict[str, Any]:
    """What every family has, with contradictions refused; `usual` is what a family's own class assumes."""
    usual = usual or {}
    layers = f.number("num_hidden_layers", "n_layer", "n_layers", "num_layers", default=usual.get("layers"))
    hidden = f.number("hidden_size", "n_embd", "d_model", "dim")
    heads = f.number("num_attention_heads", "n_head", "n_heads", "num_heads", default=usual.get("heads"))
    vocabulary = f.number("vocab_size", default=usual.get("vocabulary"))
    kv_heads = f.number("num_key_value_heads", default=usual.get("kv_heads", heads))
    possible("layers", layers)
    possible("width", hidden)
    possible("vocabulary", vocabulary)
    size = f.all.get("head_dim") or usual.get("head_size")
    if heads < 1 or (size is None and hidden % heads):
        raise InputError(f"A width of {hidden} cannot be shared among {heads} heads.")
    if kv_heads < 1 or heads % kv_heads:
        raise InputError(f"{heads} attention heads cannot share {kv_heads} key-value heads.")
    head_size = f.number("head_dim", default=size or hidden // heads)
    possible("width", heads * head_size)
    return {
        "name": f.name, "kind": f.kind, "layers": layers, "hidden": hidden, "heads": heads, "kv_heads": kv_heads,
        "head_size": head_size, "vocabulary": vocabulary,
        "most_positions": f.number("max_position_embeddings", "n_positions", default=0) or None,
        "stored_as": stored_as(f.all),
    }  # fmt: skip


def possible(what: str, value: int) -> int:
    """The value, where a model can have it. Raises InputError."""
    if not 0 < value <= MOST[what]:
        raise InputError(f"A model with {value:,} for its {what} is not possible.")
    return value


def stored_as(fields: Mapping[str, Any]) -> str:
    """The precision the weights are published in: of a quantized checkpoint the method's, where it is known, else the
    number type's."""
    found = fields.get("quantization_config")
    named = str(fields.get("torch_dtype") or fields.get("dtype") or "bfloat16").removeprefix("torch.")
    plainly = {"float32": "fp32", "float16": "fp16"}.get(named, "bf16")
    return plainly if not isinstance(found, dict) else quantized(found) or plainly


def unknown_quantization(fields: Mapping[str, Any]) -> str:
    """A sentence where a configuration names a quantization that is not known here; nothing where it is."""
    found = text_fields(fields).get("quantization_config")
    if not isinstance(found, dict) or quantized(found):
        return ""
    method = plain(found.get("quant_method", "an unnamed method"), 30)
    return f'Its weights are quantized by "{method}", which is not known here: sized at 16 bits unless told otherwise.'


def quantized(found: Mapping[str, Any]) -> str | None:
    """The precision of a published "quantization_config"; None where method or width are not known here."""
    method, algorithm = str(found.get("quant_method", "")).lower(), str(found.get("quant_algo", "")).lower()
    if method in ("fp8", "fbgemm_fp8", "mxfp4") or (method == "modelopt" and algorithm in ("fp8", "nvfp4")):
        return {"mxfp4": "mxfp4", "nvfp4": "nvfp4"}.get(algorithm or method, "fp8")
    if method == "bitsandbytes":
        nf4 = str(found.get("bnb_4bit_quant_type", "fp4")) == "nf4"
        return "int8" if not found.get("load_in_4bit") else "nf4" if nf4 else "int4_g64"
    bits, group = found.get("bits", found.get("w_bit")), found.get("group_size", found.get("q_group_size", 128))
    if method == "compressed-tensors":
        bits, group = _compressed(found)
    if bits == "fp8" or (bits == 8 and group in (-1, None) and method not in ("gptq", "awq")):
        return "fp8" if bits == "fp8" else "int8"
    if method not in ("gptq", "awq", "compressed-tensors", "auto-round", "autoround", "hqq") or bits not in range(2, 9):
        return None
    return f"int{bits}_g{group if isinstance(group, int) and group >= 8 else 128}"


def _compressed(found: Mapping[str, Any]) -> tuple[Any, Any]:
    """(bits, group) of llm-compressor's first group of weights; bits are "fp8" for 8-bit floats."""
    groups = found.get("config_groups")
    first: Any = next(iter(groups.values()), {}) if isinstance(groups, dict) else {}
    weights = first.get("weights") if isinstance(first, dict) else None
    weights = weights if isinstance(weights, dict) else {}
    bits = weights.get("num_bits")
    return ("fp8" if weights.get("type") == "float" and bits == 8 else bits), weights.get("group_size")


def windows(f: Fields, layers: int, *, every: int | None = None, usual: int | None = None) -> tuple[int | None, ...]:
    """Each layer's window, where the configuration names one; every `every`-th layer has none."""
    window = f.all.get("sliding_window", usual) if f.all.get("use_sliding_window", True) else None
    kinds = f.all.get("layer_types")
    if isinstance(window, bool) or not isinstance(window, int) or window <= 0:
        return ()
    if isinstance(kinds, list):
        if len(kinds) != layers:
            raise InputError(f"The configuration has {layers} layers and names the kinds of {len(kinds)}.")
        return tuple(window if kind == "sliding_attention" else None for kind in kinds)
    if every:
        return tuple(window if (layer + 1) % every else None for layer in range(layers))
    return (window,) * layers


def experts(f: Fields) -> tuple[int, int]:
    """(experts, experts per token). Raises InputError where a token would pass through more than there are."""
    count = f.number("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts")
    each = f.number("num_experts_per_tok", "experts_per_token", "moe_top_k", "moe_k")
    if not 0 < each <= count <= MOST["experts"]:
        raise InputError(f"A token cannot pass through {each} of {count} experts.")
    return count, each
