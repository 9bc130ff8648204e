"""Language models by published counts, closed forms and measured servers; one line for what is not possible."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.llm import backtest, memory, speed
from advisor.llm.configs import is_known, known, of_config, of_numbers, of_traced, read
from data import tables
from data.errors import InputError

# Counted by the publishers' own code (the transformers library, on the meta device), total and active.
COUNTS = {
    "Llama 2 7B": (6_738_415_616, 6_738_415_616),
    "Llama 3.1 8B": (8_030_261_248, 8_030_261_248),
    "Llama 3.1 70B": (70_553_706_496, 70_553_706_496),
    "Llama 3.1 405B": (405_853_388_800, 405_853_388_800),
    "Qwen3 8B": (8_190_735_360, 8_190_735_360),
    "Qwen3 32B": (32_762_123_264, 32_762_123_264),
    "Qwen3 30B A3B": (30_532_122_624, 3_353_032_704),
    "Qwen3 235B A22B": (235_093_634_560, 22_190_763_520),
    "Mixtral 8x7B": (46_702_792_704, 12_879_925_248),
    "gpt-oss-20b": (20_914_757_184, 4_187_440_704),
    "gpt-oss-120b": (116_829_156_672, 5_711_982_912),
    "DeepSeek-V3": (671_026_404_352, 37_552_282_624),
    "Llama 4 Scout": (107_769_861_120, 17_172_894_720),
    "GPT-2 large": (774_030_080, 774_030_080),
    "OPT 1.3B": (1_315_758_080, 1_315_758_080),
    "BERT-large": (335_141_888, 335_141_888),
}
H100 = "nvidia-h100-sxm5-80gb"


@pytest.mark.parametrize("name", COUNTS)
def test_counts_are_the_publishers(name):
    arch = known()[name]
    assert (arch.parameter_count, arch.active_parameter_count) == COUNTS[name]


def test_llama_2_by_hand():
    arch = known()["Llama 2 7B"]
    assert memory.weights_bytes(arch, memory.precision("fp32")) == pytest.approx(26.95e9, rel=1e-3)
    assert memory.weights_bytes(arch, memory.precision("q5_k_m")) == pytest.approx(4.78e9, rel=0.01)
    # keys and values x 32 layers x 4,096 numbers x 2 bytes
    assert memory.kv_cache_bytes(arch, 1, 1, "fp16") == 2 * 32 * 4096 * 2
    assert memory.kv_cache_bytes(arch, 4096, 3, "fp16") == 3 * 4096 * 2 * 32 * 4096 * 2
    # int4 in groups of 128: 4 bits, a 16-bit scale and a 4-bit zero point a group; embedding, head, norms at 16 bits
    linear, rest = arch.attention_parameters + arch.dense_parameters, 2 * 32000 * 4096 + arch.norm_parameters
    assert memory.weights_bytes(arch, memory.precision("int4_g128")) == pytest.approx(
        linear * (4 + 20 / 128) / 8 + rest * 2, rel=1e-9
    )


def test_caches_follow_the_kind_of_attention():
    grouped, windowed, latent = known()["Llama 3.1 8B"], known()["gpt-oss-20b"], known()["DeepSeek-V3"]
    assert grouped.kv_elements(1000) == 1000 * 2 * 8 * 128 * 32
    assert windowed.kv_elements(1000) == 2 * 8 * 64 * (12 * 1000 + 12 * 128)
    assert latent.kv_elements(1000) == 1000 * 576 * 61
    assert known()["BERT-large"].kv_elements(512) == 0


def test_training_memory_by_hand_and_in_order():
    arch = known()["Llama 2 7B"]
    full = memory.training(arch, "full", tokens=2048)
    count = arch.parameter_count
    parts = full["weights_bytes"], full["gradients_bytes"], full["optimizer_bytes"]
    assert parts == (2 * count, 2 * count, 12 * count)
    # rank 16 on four square projections of 32 layers
    assert memory.lora_parameters(arch, 16) == 16 * 4 * 2 * 4096 * 32
    totals = [
        sum(value for key, value in memory.training(arch, way, tokens=2048).items() if key.endswith("_bytes"))
        for way in ("qlora", "lora", "full")
    ]
    assert totals == sorted(totals)
    kept = memory.training(arch, "lora", tokens=2048, recompute=False)
    assert kept["activation_bytes"] > memory.training(arch, "lora", tokens=2048)["activation_bytes"]
    with pytest.raises(InputError):
        memory.training(arch, "magic", tokens=1)


def test_measured_servers_are_met():
    found = backtest.errors()
    assert found["rows_count"] == 218
    assert found["time_median_frac"] <= 0.25 and found["energy_median_frac"] <= 0.30
    every = backtest.rows()
    inside = (every["measured_ms"] / every["predicted_ms"]).between(0.66, 1.62).mean()
    assert 0.85 <= inside <= 0.95


def at(name="Llama 3.1 8B", weights="bf16", count=1, **load):
    return speed.predict(
        known()[name], memory.precision(weights), tables.device(H100), count, speed.Load(**{"context": 1024} | load)
    )


def test_writing_one_token_is_bound_by_memory_and_weights_alone_help():
    plain, integer, weights = at(), at(weights="int8"), at(weights="int4_g128")
    assert plain.memory_frac > 0.9 and "weight-only" in plain.advice
    assert weights.time_per_token_ms.mid < integer.time_per_token_ms.mid < plain.time_per_token_ms.mid
    assert "arithmetic" in at(batch=512, context=64).advice


def test_a_mixture_costs_memory_by_all_and_time_by_the_active():
    mixture, dense = at("Qwen3 30B A3B"), at("Qwen3 32B")
    assert mixture.memory.weights_bytes > 0.9 * dense.memory.weights_bytes
    assert mixture.time_per_token_ms.mid < 0.5 * dense.time_per_token_ms.mid


def test_what_does_not_fit_says_how_many_would():
    found = at("Llama 3.1 70B")
    assert not found.fits and found.fewest_devices == 2
    assert at("Llama 3.1 70B", count=2).fits


@given(
    batch=st.integers(1, 512), context=st.integers(16, 8192), count=st.sampled_from([1, 2, 4, 8]),
    name=st.sampled_from(sorted(COUNTS)),
)  # fmt: skip
def test_more_work_never_takes_less(batch, context, count, name):
    if known()[name].most_positions and context + 1 > known()[name].most_positions:
        return
    here = at(name, batch=batch, context=context, count=count)
    assert at(name, batch=batch + 1, context=context, count=count).time_per_token_ms.mid >= here.time_per_token_ms.mid
    longer = at(name, batch=batch, context=context + 1, count=count)
    assert longer.time_per_token_ms.mid >= here.time_per_token_ms.mid
    assert longer.memory.kv_cache_bytes >= here.memory.kv_cache_bytes


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"model_type": "llama", "num_hidden_layers": 2, "hidden_size": 10, "num_attention_heads": 3,
          "vocab_size": 5}, "shared"),
        ({"model_type": "llama", "num_hidden_layers": -1, "hidden_size": 8, "num_attention_heads": 2,
          "vocab_size": 5}, "whole number"),
        ({"model_type": "llama", "num_hidden_layers": 2, "hidden_size": 8, "num_attention_heads": 2}, "vocab_size"),
        ({"model_type": "mixtral", "num_hidden_layers": 2, "hidden_size": 8, "num_attention_heads": 2, "vocab_size": 5,
          "intermediate_size": 8, "num_local_experts": 2, "num_experts_per_tok": 3}, "experts"),
        ({"model_type": "llama", "num_hidden_layers": 10**9, "hidden_size": 8, "num_attention_heads": 2,
          "vocab_size": 5}, "not possible"),
        ({"model_type": "unheard-of"}, "not known"),
    ],
)  # fmt: skip
def test_impossible_numbers_are_one_line(fields, word):
    with pytest.raises(InputError, match=word) as caught:
        of_config(fields, "x")
    assert "\n" not in caught.value.message and len(caught.value.message) <= 200


def test_files_that_are_no_configuration(tmp_path):
    for content in (b"", b"[]", b"{", b"[" * 100_000):
        path = tmp_path / "config.json"
        path.write_bytes(content)
        with pytest.raises(InputError):
            read(path)
    remote = {**json.loads(tables.frame("llm", "architectures")["config"].iloc[0]), "auto_map": {"AutoModel": "x.Evil"}}
    path.write_text(json.dumps(remote))
    assert read(path).parameter_count > 0  # the code it names is never looked at


def test_plain_numbers_are_enough():
    assert of_numbers(
        layers=32, hidden=4096, heads=32, vocabulary=32000, intermediate=11008
    ).parameter_count == 6_738_415_616


def test_other_families_are_counted_by_building_them_and_shaped_by_shared_names():
    fields = {
        "model_type": "t5", "d_model": 512, "d_kv": 64, "d_ff": 2048, "num_layers": 6, "num_decoder_layers": 6,
        "num_heads": 8, "vocab_size": 32128, "is_encoder_decoder": True,
    }  # fmt: skip
    assert not is_known(fields)
    arch = of_traced(fields, "t5", 60_506_624)
    assert arch.parameter_count == 60_506_624
    assert arch.kv_elements_per_token == 2 * (2 * 8 * 64) * 6  # what it wrote, and what it read
    with pytest.raises(InputError, match="experts"):
        of_traced({**fields, "num_experts": 8}, "x", 10**9)
    with pytest.raises(InputError, match="contradict"):
        of_traced(fields, "x", 1000)
