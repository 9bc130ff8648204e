"""A file of weights tells its own shape; the command sizes it as it is stored."""

import json

import pytest

from advisor.__main__ import main
from advisor.llm.from_tensors import architecture, as_stored
from data.errors import InputError
from profiler.types import Model, WeightTensor

HIDDEN, NARROW, MIDDLE, VOCABULARY, LAYERS = 64, 16, 160, 300, 3
NAMES = {
    "self_attn.q_proj": (HIDDEN, HIDDEN), "self_attn.k_proj": (NARROW, HIDDEN), "self_attn.v_proj": (NARROW, HIDDEN),
    "self_attn.o_proj": (HIDDEN, HIDDEN), "mlp.gate_proj": (MIDDLE, HIDDEN), "mlp.up_proj": (MIDDLE, HIDDEN),
    "mlp.down_proj": (HIDDEN, MIDDLE), "input_layernorm": (HIDDEN,), "post_attention_layernorm": (HIDDEN,),
}  # fmt: skip


def shapes():
    found = {"model.embed_tokens.weight": (VOCABULARY, HIDDEN), "model.norm.weight": (HIDDEN,)}
    for layer in range(LAYERS):
        found |= {f"model.layers.{layer}.{name}.weight": shape for name, shape in NAMES.items()}
    return found | {"lm_head.weight": (VOCABULARY, HIDDEN)}


@pytest.fixture
def file(tmp_path):
    import torch
    from safetensors.torch import save_file

    path = tmp_path / "tiny.safetensors"
    save_file({name: torch.zeros(shape, dtype=torch.float16) for name, shape in shapes().items()}, path)
    return path


def test_the_command_reads_the_shape_off_the_file(file, capsys):
    assert main(["size", str(file), "--context", "128", "--batch", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    attention, dense = 2 * HIDDEN * HIDDEN + 2 * NARROW * HIDDEN, 3 * HIDDEN * MIDDLE
    count = LAYERS * (attention + dense + 2 * HIDDEN) + HIDDEN + 2 * VOCABULARY * HIDDEN
    assert found["parameter_count"] == count
    assert found["weights_bytes"] == 2 * count
    assert found["kv_cache_bytes"] == 2 * 128 * 2 * NARROW * LAYERS * 2


def test_mixtures_and_other_files_ask_for_the_configuration():
    def model(names):
        tensors = tuple(WeightTensor(name=name, dtype="float16", shape=(4, 4), stored_bytes=32) for name in names)
        return Model(
            sha256="", name="x", format="gguf", file_bytes=1, parameter_count=16, parameters_by_dtype={},
            weight_bytes=32, tensors=tensors,
        )  # fmt: skip

    for names in (["blk.0.ffn_up_exps.weight"], ["conv.weight"]):
        with pytest.raises(InputError, match=r"config\.json|not those"):
            architecture(model(names))
    assert as_stored(model(["a"])).linear_bits == 16.0
