"""How each dense family of language models spells its shape in a config.json, and what it is made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from advisor.llm.architecture import Architecture
from advisor.llm.fields import Fields, possible, shape, windows


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a family's layers are made of: two or three matrices in the middle, biases, norms a layer and numbers a norm
    (1: a scale, 2: scale and shift), norms of queries and keys ("head": one head wide, "all": as wide as all), whether
    embeddings are tied by default, and what its own class assumes where the configuration is silent."""

    matrices: int = 3
    qkv_bias: bool = False
    out_bias: bool = False
    middle_bias: bool = False
    norms: int = 2
    norm_numbers: int = 1
    query_norms: str = ""
    tied: bool = False
    usual: Mapping[str, int] = field(default_factory=dict)
    window_every: int | None = None
    window: int | None = None
    windowed: bool = True  # whether "use_sliding_window" is taken as true where it is not said


GEMMA3 = {"layers": 26, "heads": 8, "kv_heads": 4, "head_size": 256, "vocabulary": 262_208}
LAYOUTS = {
    "llama": Layout(),
    "mistral": Layout(),
    "qwen2": Layout(qkv_bias=True, windowed=False),
    "qwen3": Layout(query_norms="head", windowed=False),
    "gemma": Layout(tied=True, usual={"head_size": 256}),
    "gemma2": Layout(norms=4, tied=True, usual={"head_size": 256}, window_every=2, window=4096),
    "gemma3": Layout(norms=4, tied=True, query_norms="head", usual=GEMMA3, window_every=6, window=4096),
    "phi3": Layout(),
    "olmo2": Layout(query_norms="all"),
    "granite": Layout(),
    "smollm3": Layout(tied=True, usual={"kv_heads": 4}, windowed=False),
    "starcoder2": Layout(
        matrices=2, qkv_bias=True, out_bias=True, middle_bias=True, norm_numbers=2, tied=True, usual={"kv_heads": 2}
    ),
    "gpt_neox": Layout(matrices=2, qkv_bias=True, out_bias=True, middle_bias=True, norm_numbers=2),
}


def attention(
    shape: Mapping[str, Any], *, qkv_bias: bool, out_bias: bool, query_norms: str = "", sinks: bool = False
) -> int:
    """Attention of one layer: query, key, value and output projections (grouped keys and values)."""
    hidden, size = shape["hidden"], shape["head_size"]
    wide, narrow = shape["heads"] * size, shape["kv_heads"] * size
    count = hidden * (wide + 2 * narrow) + wide * hidden
    count += (wide + 2 * narrow if qkv_bias else 0) + (hidden if out_bias else 0)
    count += {"": 0, "head": 2 * size, "all": wide + narrow}[query_norms]
    return int(count + (shape["heads"] if sinks else 0))


def table(shape: Mapping[str, Any], tied: bool) -> dict[str, Any]:
    """The embedding table, and the head where it is another."""
    count = shape["vocabulary"] * shape["hidden"]
    return {"tied": tied, "embedding_parameters": count, "head_parameters": 0 if tied else count}


def _decoder(f: Fields) -> Architecture:
    """A decoder of equal layers after its family's layout."""
    layout = LAYOUTS[f.kind]
    made = shape(f, layout.usual)
    layers, hidden, middle = made["layers"], made["hidden"], possible("middle width", f.number("intermediate_size"))
    said = "use_bias" if f.kind == "starcoder2" else "attention_bias"
    qkv, out = f.flag(said, layout.qkv_bias), f.flag(said, layout.out_bias) and f.kind != "qwen2"
    inside = f.flag("use_bias" if f.kind == "starcoder2" else "mlp_bias", layout.middle_bias)
    dense = layout.matrices * hidden * middle + ((layout.matrices - 1) * middle + hidden if inside else 0)
    one = attention(made, qkv_bias=qkv, out_bias=out, query_norms=layout.query_norms)
    return Architecture(
        **made, **table(made, f.flag("tie_word_embeddings", layout.tied)), intermediate=middle,
        attention_parameters=layers * one, dense_parameters=layers * dense,
        norm_parameters=(layout.norms * layers + 1) * layout.norm_numbers * hidden,
        windows=_windows_of(f, layout, layers),
    )  # fmt: skip


def _windows_of(f: Fields, layout: Layout, layers: int) -> tuple[int | None, ...]:
    if not f.flag("use_sliding_window", layout.windowed):
        return ()
    every = f.number("sliding_window_pattern", default=0) or layout.window_every
    found = windows(f, layers, every=every, usual=layout.window)
    late = f.kind in ("qwen2", "qwen3") and "layer_types" not in f.all  # windows begin above these layers
    most = f.number("max_window_layers", default=0) if late else 0
    return (None,) * min(most, layers) + found[most:] if found and most else found


def _gpt2(f: Fields) -> Architecture:
    """GPT-2, GPT-3-like and OPT: full attention with biases, two-matrix layers, learned positions, layer norms."""
    made = shape(f)
    layers, hidden = made["layers"], made["hidden"]
    middle = possible("middle width", f.number("n_inner", "ffn_dim", "intermediate_size", default=4 * hidden))
    positions = f.number("max_position_embeddings", "n_positions") + (2 if f.kind == "opt" else 0)
    one = attention(made, qkv_bias=True, out_bias=True)
    narrow = f.number("word_embed_proj_dim", default=hidden) if f.kind == "opt" else hidden  # OPT-350M's own
    reshaped = 0 if narrow == hidden else 2 * narrow * hidden
    last = 0 if f.kind == "opt" and not f.flag("do_layer_norm_before", True) else 1
    return Architecture(
        **made, intermediate=middle, tied=True, head_parameters=0, attention_parameters=layers * one,
        embedding_parameters=made["vocabulary"] * narrow + positions * hidden,
        dense_parameters=layers * (2 * hidden * middle + middle + hidden) + reshaped,
        norm_parameters=(2 * layers + last) * 2 * hidden,
    )  # fmt: skip


def _bert(f: Fields) -> Architecture:
    """BERT-like encoders with their pooler (DistilBERT has neither pooler nor kinds of token): no cache."""
    made = shape(f)
    layers, hidden = made["layers"], made["hidden"]
    middle = possible("middle width", f.number("intermediate_size", "hidden_dim"))
    small = f.kind == "distilbert"
    kinds = 0 if small else f.number("type_vocab_size", default=2)
    rows = made["vocabulary"] + f.number("max_position_embeddings") + kinds
    pooler = 0 if small else hidden * hidden + hidden
    return Architecture(
        **made, intermediate=middle, tied=True,
        embedding_parameters=rows * hidden, head_parameters=0, encoder=True,
        attention_parameters=layers * attention(made, qkv_bias=True, out_bias=True),
        dense_parameters=layers * (2 * hidden * middle + middle + hidden) + pooler,
        norm_parameters=(2 * layers + 1) * 2 * hidden, notes=("An encoder: it reads, and keeps no cache.",),
    )  # fmt: skip


def _t5(f: Fields) -> Architecture:
    """T5 and its kin (version 1.1 and Flan have gated layers and a head of their own): an encoder and a decoder. Places
    are told by one table a side, in UMT5 by one a layer."""
    hidden, heads, size = f.positive("d_model"), f.positive("num_heads"), f.positive("d_kv", default=64)
    layers = possible("layers", f.number("num_layers"))
    written = possible("layers", f.number("num_decoder_layers", default=layers))
    middle = possible("middle width", f.number("d_ff"))
    vocabulary = possible("vocabulary", f.number("vocab_size"))
    wide, gated = heads * size, str(f.all.get("feed_forward_proj", "relu")).startswith("gated")
    buckets = f.number("relative_attention_num_buckets", default=32) * heads
    tables, read_tables = (written, layers) if f.kind == "umt5" else (1, 1)
    one, dense = 4 * possible("width", hidden) * wide, (3 if gated else 2) * hidden * middle
    tied = f.flag("tie_word_embeddings", True)
    return Architecture(
        name=f.name, kind=f.kind, layers=written, hidden=hidden, heads=heads, kv_heads=heads, head_size=size,
        vocabulary=vocabulary, intermediate=middle, tied=tied, embedding_parameters=vocabulary * hidden,
        head_parameters=0 if tied else vocabulary * hidden, attention_parameters=written * 2 * one + tables * buckets,
        dense_parameters=written * dense, norm_parameters=(3 * written + 1) * hidden,
        encoder_parameters=layers * (one + dense + 2 * hidden) + hidden + read_tables * buckets,
        cross_elements=2 * wide * written, notes=(READS_AND_WRITES,),
    )  # fmt: skip


def _mamba(f: Fields) -> Architecture:
    """Mamba: recurrent layers alone, whose state is as large whatever the length."""
    hidden, layers = possible("width", f.number("hidden_size", "d_model")), f.number("num_hidden_layers", "n_layer")
    inner = f.number("intermediate_size", default=f.number("expand", default=2) * hidden)
    state, kernel = f.positive("state_size", default=16), f.positive("conv_kernel", default=4)
    rank = f.all.get("time_step_rank", "auto")
    rank = -(-hidden // 16) if rank == "auto" else f.positive("time_step_rank")
    vocabulary = possible("vocabulary", f.number("vocab_size"))
    one = hidden * 2 * inner + inner * kernel + inner * (rank + 2 * state) + rank * inner + inner * hidden
    small = inner * f.flag("use_conv_bias", True) + inner + inner * state + inner
    small += (2 * inner + hidden) * f.flag("use_bias", False)
    tied = f.flag("tie_word_embeddings", True)
    return Architecture(
        name=f.name, kind=f.kind, layers=possible("layers", layers), hidden=hidden, heads=1, kv_heads=0, head_size=0,
        vocabulary=vocabulary, intermediate=inner, tied=tied, embedding_parameters=vocabulary * hidden,
        head_parameters=0 if tied else vocabulary * hidden, attention_parameters=0,
        dense_parameters=layers * (one + small), norm_parameters=(layers + 1) * hidden,
        state_elements=layers * inner * (state + kernel), stored_as="fp32" if "torch_dtype" not in f.all else "bf16",
        notes=("Recurrent layers: a sequence keeps a state of one size, and no cache that grows.",),
    )  # fmt: skip


READS_AND_WRITES = "An encoder-decoder: the cache holds up to as many tokens it read as it wrote."
DENSE: dict[str, Callable[[Fields], Architecture]] = {
    **dict.fromkeys(LAYOUTS, _decoder), "gpt2": _gpt2, "opt": _gpt2, "mamba": _mamba,
    **dict.fromkeys(("t5", "mt5", "umt5"), _t5),
    **dict.fromkeys(("bert", "roberta", "xlm-roberta", "camembert", "distilbert"), _bert),
}  # fmt: skip
