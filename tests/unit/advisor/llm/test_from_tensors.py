"""Headers of weight files tell shape, bits and bytes: GGUF by metadata, safetensors by names, shards by their index."""

import json
import math
import struct
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from advisor.__main__ import main
from advisor.llm import memory, sources
from advisor.llm.from_tensors import architecture, as_stored
from data.errors import InputError
from profiler.language import of_tensors

HIDDEN, NARROW, MIDDLE, VOCABULARY, LAYERS = 256, 64, 512, 1000, 3
PARTS = {
    "self_attn.q_proj": (HIDDEN, HIDDEN), "self_attn.k_proj": (NARROW, HIDDEN), "self_attn.v_proj": (NARROW, HIDDEN),
    "self_attn.o_proj": (HIDDEN, HIDDEN), "mlp.gate_proj": (MIDDLE, HIDDEN), "mlp.up_proj": (MIDDLE, HIDDEN),
    "mlp.down_proj": (HIDDEN, MIDDLE), "input_layernorm": (HIDDEN,), "post_attention_layernorm": (HIDDEN,),
}  # fmt: skip
COUNT = LAYERS * (2 * HIDDEN * HIDDEN + 2 * NARROW * HIDDEN + 3 * HIDDEN * MIDDLE + 2 * HIDDEN) + HIDDEN
COUNT += 2 * VOCABULARY * HIDDEN
CONFIG = {"model_type": "llama", "num_hidden_layers": LAYERS, "hidden_size": HIDDEN, "num_attention_heads": 4,
          "num_key_value_heads": 1, "intermediate_size": MIDDLE, "vocab_size": VOCABULARY}  # fmt: skip


def shapes():
    found = {"model.embed_tokens.weight": (VOCABULARY, HIDDEN), "model.norm.weight": (HIDDEN,)}
    for layer in range(LAYERS):
        found |= {f"model.layers.{layer}.{name}.weight": shape for name, shape in PARTS.items()}
    return found | {"lm_head.weight": (VOCABULARY, HIDDEN)}


def header_of(named, dtype="BF16", size=2):
    """A safetensors file cut off after its header."""
    entries, at = {}, 0
    for name, shape in named.items():
        end = at + size * math.prod(shape)
        entries[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, end]}
        at = end
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text


class Here:
    """A desk whose tasks run here."""

    def __init__(self):
        self.tasks = []

    def task(self, function, arguments, **_):
        self.tasks.append(function.__name__)
        return function(SimpleNamespace(progress=lambda *_: None), **arguments)


def read(path, **given):
    return sources.read(Here(), path, given)


def test_the_command_reads_the_shape_off_the_header(tmp_path, capsys):
    path = tmp_path / "tiny.safetensors"
    path.write_bytes(header_of(shapes()))  # no weights follow: they are not read
    assert main(["size", str(path), "--context", "128", "--batch", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["parameter_count"] == COUNT
    assert found["weights_bytes"] == 2 * COUNT
    assert found["kv_cache_bytes"] == 2 * 128 * 2 * NARROW * LAYERS * 2


def sharded(folder, files=2):
    named = list(shapes().items())
    names = [f"model-{number:05d}-of-{files:05d}.safetensors" for number in range(1, files + 1)]
    for position, name in enumerate(names):
        (folder / name).write_bytes(header_of(dict(named[position::files])))
    index = {"metadata": {"total_size": 2 * COUNT},
             "weight_map": {name: names[position % files] for position, (name, _) in enumerate(named)}}  # fmt: skip
    path = folder / "model.safetensors.index.json"
    path.write_text(json.dumps(index))
    return path, names


def test_an_index_is_its_shards_headers_together(tmp_path):
    path, names = sharded(tmp_path)
    found = read(path)
    assert found.arch.parameter_count == COUNT
    assert memory.weights_bytes(found.arch, found.stored) == 2 * COUNT
    assert read(tmp_path / names[0]).arch == replace_name(found.arch, names[0])  # one of the shards leads to all
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    assert read(path).arch.heads == 4  # told by the configuration beside them


def replace_name(arch, name):
    return replace(arch, name=Path(name).stem)


def test_an_index_without_its_shards_needs_the_configuration(tmp_path):
    path, names = sharded(tmp_path)
    (tmp_path / names[1]).unlink()
    with pytest.raises(InputError, match="1 of them are not beside it"):
        read(path)
    with pytest.raises(InputError, match="one of 2 parts"):
        read(tmp_path / names[0])
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    found = read(path)
    assert found.arch.parameter_count == COUNT
    assert memory.weights_bytes(found.arch, found.stored) == 2 * COUNT


@pytest.mark.parametrize("files", [["../../etc/passwd"], ["/etc/passwd"], [], ["a b\n.safetensors"]])
def test_an_index_that_leads_elsewhere_is_refused(tmp_path, files):
    path = tmp_path / "model.safetensors.index.json"
    path.write_text(json.dumps({"weight_map": {f"t{number}": file for number, file in enumerate(files)}}))
    with pytest.raises(InputError, match="lead elsewhere"):
        read(path)


# GGUF

F32, F16, Q4_K, Q6_K, Q8_0 = 0, 1, 12, 14, 8


def text(value):
    return struct.pack("<Q", len(value)) + value.encode()


def gguf(metadata, tensors, version=3):
    """A GGUF file cut off after its table of tensors; shapes are given outermost first."""
    body = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(metadata))
    for key, value in metadata.items():
        body += text(key)
        if isinstance(value, str):
            body += struct.pack("<I", 8) + text(value)
        elif isinstance(value, list):
            body += struct.pack("<IIQ", 9, 4, len(value)) + b"".join(struct.pack("<I", one) for one in value)
        else:
            body += struct.pack("<II", 4, value)
    for name, (shape, kind) in tensors.items():
        body += text(name) + struct.pack("<I", len(shape))
        body += b"".join(struct.pack("<Q", size) for size in reversed(shape)) + struct.pack("<IQ", kind, 0)
    return body


def blocks(moe=False):
    found = {"token_embd.weight": ((VOCABULARY, HIDDEN), Q4_K), "output.weight": ((VOCABULARY, HIDDEN), Q6_K),
             "output_norm.weight": ((HIDDEN,), F32)}  # fmt: skip
    for layer in range(LAYERS):
        stem = f"blk.{layer}."
        found |= {f"{stem}attn_q.weight": ((HIDDEN, HIDDEN), Q4_K), f"{stem}attn_k.weight": ((NARROW, HIDDEN), Q4_K),
                  f"{stem}attn_v.weight": ((NARROW, HIDDEN), Q6_K),
                  f"{stem}attn_output.weight": ((HIDDEN, HIDDEN), Q4_K),
                  f"{stem}attn_norm.weight": ((HIDDEN,), F32)}  # fmt: skip
        if moe:
            found |= {f"{stem}ffn_{part}_exps.weight": ((8, MIDDLE, HIDDEN), Q4_K) for part in ("gate", "up")}
            found |= {f"{stem}ffn_down_exps.weight": ((8, HIDDEN, MIDDLE), Q8_0)}
        else:
            found |= {f"{stem}ffn_{part}.weight": ((MIDDLE, HIDDEN), Q4_K) for part in ("gate", "up")}
            found |= {f"{stem}ffn_down.weight": ((HIDDEN, MIDDLE), Q8_0)}
    return found


METADATA = {"general.architecture": "llama", "llama.context_length": 8192, "llama.attention.head_count": 4,
            "llama.attention.head_count_kv": 1, "llama.block_count": LAYERS}  # fmt: skip
BITS = {F32: 32.0, F16: 16.0, Q4_K: 4.5, Q6_K: 6.5625, Q8_0: 8.5}


def bytes_of(tensors):
    return sum(math.prod(shape) * BITS[kind] / 8 for shape, kind in tensors.values())


def test_a_gguf_header_is_sized_by_its_true_bits(tmp_path):
    path = tmp_path / "tiny.gguf"
    path.write_bytes(gguf(METADATA, blocks()))
    found = read(path)
    assert found.arch.heads == 4 and found.arch.most_positions == 8192
    assert found.arch.kv_elements(100) == 100 * LAYERS * 2 * NARROW
    assert memory.weights_bytes(found.arch, found.stored) == bytes_of(blocks())
    assert found.arch.parameter_count == COUNT - HIDDEN * LAYERS  # one norm a layer here
    assert found.stored.head_bits == 6.5625 and found.stored.embedding_bits == 4.5


def test_a_gguf_mixture_tells_its_experts(tmp_path):
    path = tmp_path / "moe.gguf"
    path.write_bytes(gguf(METADATA | {"llama.expert_count": 8, "llama.expert_used_count": 2}, blocks(moe=True)))
    arch = read(path).arch
    assert (arch.experts, arch.experts_per_token, arch.expert_layers) == (8, 2, LAYERS)
    assert arch.expert_parameters == 3 * HIDDEN * MIDDLE
    assert arch.parameter_count - arch.active_parameter_count == 6 * 3 * HIDDEN * MIDDLE * LAYERS
    path.write_bytes(gguf(METADATA, blocks(moe=True)))
    with pytest.raises(InputError, match="do not tell how many"):
        read(path)
    with pytest.raises(InputError, match="do not tell how many"):  # how many there are is not told either
        read(path, experts_per_token=2)


def test_gguf_windows_take_turns(tmp_path):
    path = tmp_path / "gemma.gguf"
    gemma = {"general.architecture": "gemma2", "gemma2.attention.sliding_window": 64, "gemma2.attention.head_count": 4}
    path.write_bytes(gguf(gemma, blocks()))
    assert read(path).arch.kv_elements(100) == 2 * NARROW * (64 + 100 + 64)


@pytest.mark.parametrize("cut", [3, 11, 30, 200, -1])
def test_headers_that_are_cut_off_are_one_line(tmp_path, cut):
    path = tmp_path / "cut.gguf"
    path.write_bytes(gguf(METADATA, blocks())[:cut])
    with pytest.raises(InputError) as caught:
        read(path)
    assert "\n" not in caught.value.message and len(caught.value.message) < 200


@pytest.mark.parametrize("name", ["model.gguf", "notes.txt"])
def test_what_is_no_weights_is_not_called_damaged_safetensors(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"hello, I am neither")
    with pytest.raises(InputError, match="neither GGUF nor safetensors"):
        of_tensors(SimpleNamespace(progress=lambda *_: None), paths=[str(path)])


def test_absurd_headers_are_one_line(tmp_path):
    path = tmp_path / "x.gguf"
    deep = b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("k") + struct.pack("<I", 9)
    endless = b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 1 << 60)
    for content in (deep + struct.pack("<IQ", 9, 1) * 50_000, endless, endless + struct.pack("<Q", 1 << 62),
                    deep + struct.pack("<IQ", 4, 1 << 62)):  # fmt: skip
        path.write_bytes(content)
        with pytest.raises(InputError):
            read(path)
    tensors = tmp_path / "x.safetensors"
    for content in (b"", struct.pack("<Q", 1 << 62) + b"{}", struct.pack("<Q", 40) + b"{}",
                    struct.pack("<Q", 2) + b"[]", struct.pack("<Q", 8) + b'{"a":{}}',
                    header_of({"a": (2,)}).replace(b"[0, 4]", b"[9, 4]")):  # fmt: skip
        tensors.write_bytes(content)
        with pytest.raises(InputError):
            read(tensors)


def test_other_weights_ask_for_the_configuration():
    def table(*names):
        return {"tensors": [[name, "float16", [4, 4], 32] for name in names], "metadata": {}}

    for names, said in ((["conv.weight"], "not those"), (["model.layers.0.mlp.up_proj.qweight"], "packed")):
        with pytest.raises(InputError, match=said):
            architecture(table(*names), "x")
    assert as_stored(table("a")).linear_bits == 16.0


def test_the_library_and_this_reader_agree(tmp_path):
    import torch
    from safetensors.torch import save_file

    path = tmp_path / "real.safetensors"
    save_file({name: torch.zeros(shape, dtype=torch.float16) for name, shape in shapes().items()}, path)
    found = of_tensors(SimpleNamespace(progress=lambda *_: None), paths=[str(path)])
    assert {name: tuple(shape) for name, _, shape, _ in found["tensors"]} == shapes()
    assert architecture(found, "x").parameter_count == COUNT
