"""Any architecture the library knows, counted without numbers; and the closed forms against it."""

import json
import subprocess
import sys

import pytest

from advisor.llm.configs import known, of_config
from advisor.llm.traced import of_traced
from data import tables
from data.errors import InputError, Unavailable
from profiler.language import counted

VISION = {"hidden_size": 1152, "image_size": 896, "intermediate_size": 4304, "model_type": "siglip_vision_model",
          "num_attention_heads": 16, "num_hidden_layers": 27, "patch_size": 14, "vision_use_head": False}  # fmt: skip
GEMMA_3_4B = {
    "architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3", "mm_tokens_per_image": 256,
    "text_config": {"hidden_size": 2560, "intermediate_size": 10240, "model_type": "gemma3_text",
                    "num_hidden_layers": 34, "sliding_window": 1024}, "vision_config": VISION,
}  # fmt: skip
JAMBA = {
    "architectures": ["JambaForCausalLM"], "model_type": "jamba", "attn_layer_offset": 4, "attn_layer_period": 8,
    "expert_layer_offset": 1, "expert_layer_period": 2, "hidden_size": 4096, "intermediate_size": 14336,
    "mamba_conv_bias": True, "mamba_d_conv": 4, "mamba_d_state": 16, "mamba_dt_rank": 256, "mamba_expand": 2,
    "mamba_proj_bias": False, "max_position_embeddings": 262144, "num_attention_heads": 32, "num_experts": 16,
    "num_experts_per_tok": 2, "num_hidden_layers": 32, "num_key_value_heads": 8, "tie_word_embeddings": False,
    "vocab_size": 65536,
}  # fmt: skip
WHISPER = {
    "model_type": "whisper", "architectures": ["WhisperForConditionalGeneration"], "d_model": 1280,
    "encoder_layers": 32, "decoder_layers": 32, "encoder_attention_heads": 20, "decoder_attention_heads": 20,
    "encoder_ffn_dim": 5120, "decoder_ffn_dim": 5120, "vocab_size": 51866, "num_mel_bins": 128,
    "max_source_positions": 1500, "max_target_positions": 448, "is_encoder_decoder": True,
}  # fmt: skip
BART = {
    "model_type": "bart", "architectures": ["BartForConditionalGeneration"], "d_model": 1024, "encoder_layers": 12,
    "decoder_layers": 12, "encoder_attention_heads": 16, "decoder_attention_heads": 16, "encoder_ffn_dim": 4096,
    "decoder_ffn_dim": 4096, "vocab_size": 50265, "max_position_embeddings": 1024, "is_encoder_decoder": True,
}  # fmt: skip
BLOOM = {"model_type": "bloom", "architectures": ["BloomForCausalLM"], "n_layer": 30, "hidden_size": 4096,
         "n_head": 32, "vocab_size": 250880}  # fmt: skip
PHI_2 = {"model_type": "phi", "architectures": ["PhiForCausalLM"], "hidden_size": 2560, "intermediate_size": 10240,
         "num_hidden_layers": 32, "num_attention_heads": 32, "vocab_size": 51200,
         "auto_map": {"AutoConfig": "configuration_phi.PhiConfig"}}  # fmt: skip
DBRX = {
    "model_type": "dbrx", "architectures": ["DbrxForCausalLM"], "d_model": 6144, "n_heads": 48, "n_layers": 40,
    "max_seq_len": 32768, "vocab_size": 100352, "attn_config": {"kv_n_heads": 8, "clip_qkv": 8, "rope_theta": 500000},
    "ffn_config": {"ffn_hidden_size": 10752, "moe_num_experts": 16, "moe_top_k": 4},
}  # fmt: skip
# Totals as Hugging Face states of the weights ("safetensors.total"): Gemma 3 4B and Whisper seen in public copies of
# it, the others rest on the library's count alone.
PUBLISHED = {
    "gemma-3-4b": (GEMMA_3_4B, 4_300_079_472), "Jamba": (JAMBA, 51_570_323_328),
    "whisper-large-v3": (WHISPER, 1_543_490_560), "bart-large": (BART, 406_291_456),
    "bloom-7b1": (BLOOM, 7_069_016_064),
    "phi-2": (PHI_2, 2_779_683_840), "dbrx": (DBRX, 131_596_523_520),
}  # fmt: skip


def built(fields, name="x", **more):
    return of_traced(fields, name, counted(fields), **more)


@pytest.mark.parametrize("name", PUBLISHED)
def test_counted_without_numbers_as_published(name):
    fields, total = PUBLISHED[name]
    assert built(fields).parameter_count == total


def test_caches_of_unusual_layers():
    gemma, jamba, whisper = (built(fields) for fields in (GEMMA_3_4B, JAMBA, WHISPER))
    # 34 layers, every sixth without its window of 1,024; 4 heads of 256
    assert gemma.kv_elements(8192) == 2 * 4 * 256 * (5 * 8192 + 29 * 1024)
    assert gemma.tower_parameters > 400e6 and gemma.written_parameters + gemma.tower_parameters == gemma.parameter_count
    # 4 layers of 32 attend with 8 heads of 128; 28 keep 8,192 x (16 + 4) numbers whatever the length
    assert jamba.kv_elements(1000) == 1000 * 4 * 2 * 8 * 128 + 28 * 8192 * 20
    assert (jamba.experts, jamba.experts_per_token, jamba.expert_layers) == (16, 2, 16)
    assert jamba.active_parameter_count / 1e9 == pytest.approx(12.1, abs=0.1)
    # what it wrote, and 1,500 places of sound it heard, in 32 layers
    assert whisper.kv_elements(100) == 32 * 2 * 1280 * (100 + 1500)
    assert (whisper.heads, whisper.layers) == (20, 32)


@pytest.mark.parametrize("name", sorted(known()))
def test_closed_forms_are_what_the_library_builds(name):
    row = tables.frame("llm", "architectures").set_index("name").loc[name]
    fields = json.loads(row["config"])
    if fields["model_type"] in ("kimi_k2", "llama4_text"):
        pytest.skip("a model type the library builds under another name, or with a tower")
    named = {"bert": ["BertModel"], "roberta": ["RobertaModel"], "distilbert": ["DistilBertModel"]}
    closed = known()[name]
    counted = built(fields | {"architectures": named.get(fields["model_type"])})
    # this version of the library ties the head of every T5, whatever its configuration says
    apart = closed.head_parameters if fields["model_type"] == "t5" else 0
    assert closed.parameter_count == counted.parameter_count + apart
    assert closed.active_parameter_count - closed.parameter_count == (
        counted.active_parameter_count - counted.parameter_count
    )
    assert closed.kv_elements(20_000) == counted.kv_elements(20_000)
    assert closed.encoder_parameters == counted.encoder_parameters


GEMMA_4 = {
    "architectures": ["Gemma4ForCausalLM"], "model_type": "gemma4_text", "hidden_size": 512, "intermediate_size": 1024,
    "num_hidden_layers": 12, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 64, "global_head_dim": 128,
    "vocab_size": 8000, "vocab_size_per_layer_input": 8000, "hidden_size_per_layer_input": 32, "sliding_window": 256,
    "num_kv_shared_layers": 4, "layer_types": (["sliding_attention"] * 5 + ["full_attention"]) * 2,
}  # fmt: skip


def test_layers_that_differ_and_layers_that_borrow_a_cache():
    """Gemma 4: wider heads where nothing is windowed, the last four of twelve keep nothing; a table a layer."""
    found = built(GEMMA_4)
    # of the first eight: seven windowed with 2 heads of 64, one whole with 2 heads of 128
    assert found.kv_elements(1000) == 7 * 256 * 2 * 2 * 64 + 1000 * 2 * 2 * 128
    assert found.state_elements == 0 and found.layers == 12
    assert found.looked_up_parameters == 8000 * 12 * 32  # the table of words is the head too, and multiplied
    assert built(GPT_2).looked_up_parameters == 1024 * 768  # places


GPT_2 = {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "n_layer": 12, "n_embd": 768, "n_head": 12,
         "vocab_size": 50257, "n_positions": 1024}  # fmt: skip


def test_what_cannot_be_built_is_one_line():
    with pytest.raises(Unavailable, match="does not know the model type"):
        built({"model_type": "martian"})
    with pytest.raises(InputError, match="No model can be built"):
        built({"model_type": "phi", "hidden_size": "wide"})
    with pytest.raises(InputError, match="not the configuration of a language"):
        built({"model_type": "resnet"})


def test_less_is_imported_and_the_same_is_counted(tmp_path):
    """A process of its own, as the locked child is: attention, a mixture with recurrent layers, speech, sight."""
    cases = {"bloom": BLOOM, "jamba": JAMBA, "whisper": WHISPER, "gemma": GEMMA_3_4B, "dbrx": DBRX}
    for name, fields in cases.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(fields))
    code = (
        "import json, sys\nfrom pathlib import Path\nfrom types import SimpleNamespace\n"
        "from profiler.language import of_config\nfrom profiler.torch_graph.lean import lean\n"
        "desk, paths = SimpleNamespace(progress=lambda *_: None), sorted(Path(sys.argv[1]).glob('*.json'))\n"
        "with lean():\n    found = {path.stem: of_config(desk, path=str(path)) for path in paths}\n"
        "heavy = [name for name in ('torch._dynamo', 'sympy', 'scipy', 'pandas') if name in sys.modules]\n"
        "import torch._dynamo.utils\n"  # what stood in for it has made way
        "print(json.dumps([found, heavy]))"
    )
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    found, heavy = json.loads(run.stdout)
    assert found == {name: json.loads(json.dumps(counted(fields))) for name, fields in cases.items()}
    assert heavy == []


def test_code_of_a_configuration_is_never_run(tmp_path, monkeypatch):
    evil = tmp_path / "configuration_phi.py"
    evil.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert built(PHI_2).parameter_count == 2_779_683_840
    assert not (tmp_path / "ran").exists()


def test_the_language_part_of_a_model_that_sees_is_a_closed_form_where_nothing_is_built():
    arch = of_config(GEMMA_3_4B | {"model_type": "gemma3"}, "x")
    assert arch.parameter_count == 4_300_079_472 - 419_816_304 and "vision tower" in arch.notes[-1]
