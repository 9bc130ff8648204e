"""Servers under load and budget; other devices and published figures; what a step is made of, by hand."""

import json
import math
import time
from dataclasses import replace
from statistics import NormalDist

import pytest

from advisor.__main__ import main
from advisor.llm import backtest, frames, memory, serve, speed, step
from advisor.llm.answer import sized
from advisor.llm.configs import known
from advisor.llm.step import Load
from data import tables
from data.errors import InputError

H100 = tables.device("nvidia-h100-sxm5-80gb")
BF16 = memory.precision("bf16")


def made(name="Llama 3.1 8B", weights="bf16", device="nvidia-h100-sxm5-80gb", count=1, **load):
    asked = Load(**{"context": 512} | load)
    return speed.predict(known()[name], memory.precision(weights), tables.device(device), count, asked)


def test_a_step_by_hand():
    arch, load = known()["Llama 3.1 8B"], Load(context=1000, batch=4)
    parts = step.parts_s(arch, BF16, step.on(H100, 2, BF16), load)
    read = arch.parameter_count - 128256 * 4096  # all but the table of words
    assert parts["weights"] == pytest.approx(2 * read / 2 / (3.35e12 * step.value("weight_bandwidth_frac")))
    cache = 4 * 1000 * 2 * 8 * 128 * 32 * 2
    assert parts["cache"] == pytest.approx(cache / 2 / (3.35e12 * step.value("cache_bandwidth_frac")))
    flop = 4 * (2 * read + 4 * 32 * 128 * 1000 * 32)
    assert parts["compute"] == pytest.approx(flop / 2 / (H100.bf16_flop_per_s * step.value("compute_frac")))
    # a ring of two sends each number once there and once back, twice a layer, over 450 GB/s
    passed = 2 * (2 - 1) / 2 * 4 * 4096 * 2 * 2
    exchange = 32 * (step.value("exchange_s") + passed / (4.5e11 * step.value("link_frac")))
    assert parts["exchange"] == pytest.approx(exchange)
    assert step.parts_s(arch, BF16, step.on(H100, 1, BF16), load)["exchange"] == 0


def test_caches_are_shared_out_by_key_value_heads():
    assert step.shares(known()["Qwen3 30B A3B"], 8) == 4  # it has four
    assert step.shares(known()["DeepSeek-V3"], 8) == 1  # a compressed cache is held whole by each
    assert step.shares(known()["Llama 3.1 8B"], 4) == 4


def test_a_percentile_by_hand():
    load, arch = Load(context=1300, batch=16, prompt=1000, answer=300), known()["Llama 3.1 8B"]
    under = serve.served(arch, BF16, H100, 1, load, serve.Budget(percentile=95))
    one, read = under.found.time_per_token_ms.mid, under.found.ttft_ms.mid
    prompts = 15 + NormalDist().inv_cdf(0.95) * math.sqrt(15)  # that fall into one answer
    assert under.time_per_token_ms.mid == pytest.approx(one + prompts * read / 300)
    busy = 16 * read / (300 * one + 15 * read)
    wait = min(15 * read, read / (2 * (1 - busy)) * math.log(busy / 0.05))
    assert under.ttft_ms.mid == pytest.approx(read + one + wait)
    assert serve.served(arch, BF16, H100, 1, load, serve.Budget(percentile=50)).ttft_ms.mid < under.ttft_ms.mid
    alone = serve.served(arch, BF16, H100, 1, replace(load, batch=1))
    assert alone.ttft_ms.mid == alone.found.ttft_ms.mid
    with pytest.raises(InputError, match="percentile"):
        serve.served(arch, BF16, H100, 1, load, serve.Budget(percentile=100))


def test_the_fewest_devices_and_the_busiest_server_hold_the_budget():
    arch, load = known()["Llama 3.1 70B"], Load(context=1300, batch=16, prompt=1000, answer=300)
    budget = serve.Budget(ttft_ms=500, time_per_token_ms=30)
    held = serve.fewest(arch, BF16, H100, load, budget)
    assert held is not None and held.holds
    smaller = [count for count in serve.NODES if count < held.count]
    assert not any(serve.served(arch, BF16, H100, count, load, budget).holds for count in smaller)
    most = serve.busiest(arch, BF16, H100, held.count, load, budget)
    assert most is not None and most.batch >= 16
    assert not serve.served(arch, BF16, H100, held.count, replace(load, batch=2 * most.batch), budget).holds
    assert serve.fewest(arch, BF16, H100, load, serve.Budget(time_per_token_ms=0.1)) is None


def test_one_sequence_on_other_devices_is_near_what_others_measured():
    """llm/one_sequence: GPUs and Macs, llama.cpp and its types; nothing of it is in the fit, which is all H100."""
    every = backtest.one_sequence()
    ratio = every["predicted_ms"] / every["measured_ms"]
    assert len(every) == 44 and (ratio - 1).abs().median() <= 0.15
    whole = every["weights"] == "fp16"
    assert (ratio[whole] - 1).abs().median() <= 0.08  # of 4-bit weights its kernels waste bandwidth, the more there is
    assert every["inside"].mean() >= 0.80 and ratio.between(1 / 2.5, 2.5).all()


def offline(name, device, count, prompt, answer):
    """Tokens a second of `count` devices at the batch and the split that give most."""
    best = 0.0
    for tensor in (1, 2, 4, 8):
        for batch in (64, 128, 256, 512, 1024, 2048) if count % tensor == 0 else ():
            load = {"context": prompt + answer // 2, "batch": batch, "prompt": prompt, "answer": answer, "kv": "fp8"}
            found = made(name, "fp8", device, tensor, **load)
            best = max(best, found.tokens_per_s.mid * count / tensor) if found.fits else best
    return best


@pytest.mark.parametrize(
    ("benchmark", "name", "device", "prompt", "answer"),
    [
        ("llama2-70b-99", "Llama 2 70B", "nvidia-h100-sxm5-80gb", 294, 294),
        ("llama2-70b-99", "Llama 2 70B", "nvidia-h200-sxm-141gb", 294, 294),
        ("llama2-70b-99", "Llama 2 70B", "nvidia-h100-pcie-80gb", 294, 294),
        ("llama2-70b-99", "Llama 2 70B", "amd-mi300x", 294, 294),
        ("mixtral-8x7b", "Mixtral 8x7B", "nvidia-h100-sxm5-80gb", 300, 145),
        ("mixtral-8x7b", "Mixtral 8x7B", "nvidia-h200-sxm-141gb", 300, 145),
    ],
)
def test_measured_throughput_elsewhere(benchmark, name, device, prompt, answer):
    """MLPerf Inference 4.1, closed, offline: other servers, software and devices than the fit's. FP8 throughout."""
    rows = tables.frame("devices", "mlperf")
    rows = rows[(rows["benchmark"] == benchmark) & (rows["scenario"] == "Offline") & (rows["device_id"] == device)]
    rows = rows[rows["devices_count"] == 8]
    measured = float(rows["value"].median())
    assert measured / 1.6 <= offline(name, device, 8, prompt, answer) <= measured * 1.6


@pytest.mark.parametrize(
    "device", ["nvidia-l4", "nvidia-a100-sxm4-80gb", "nvidia-b200-sxm-180gb", "amd-mi300x", "apple-m2-max"]
)
@pytest.mark.parametrize("name", ["Llama 3.2 1B", "Llama 3.1 8B", "Llama 3.1 405B", "Qwen3 30B A3B", "DeepSeek-V3"])
def test_one_sequence_is_bound_by_memory_and_order_holds(name, device):
    one = made(name, "bf16", device)
    parts = step.parts_s(known()[name], BF16, step.on(tables.device(device), 1, BF16), Load(context=512))
    assert parts["weights"] + parts["cache"] > parts["compute"]
    assert made(name, "int4_g128", device).time_per_token_ms.mid < made(name, "int8", device).time_per_token_ms.mid
    assert made(name, "int8_g128", device).time_per_token_ms.mid < one.time_per_token_ms.mid
    assert made(name, "bf16", device, batch=64).time_per_token_ms.mid > one.time_per_token_ms.mid
    assert made(name, "bf16", device, batch=64).j_per_token.mid < one.j_per_token.mid
    assert made(name, "bf16", device, context=4096).time_per_token_ms.mid > one.time_per_token_ms.mid


def test_a_small_model_is_bound_by_what_every_step_takes():
    assert "no precision" in made("SmolLM2 135M").advice
    assert "weight-only" in made("Llama 3.1 8B").advice


def test_a_context_nobody_asked_for_is_one_the_model_bears(capsys):
    assert main(["size", "GPT-2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["context"] == 1024
    assert main(["size", "GPT-2", "--context", "4096", "--json"]) == 2  # one that was asked for is refused
    assert "1,024 tokens" in json.loads(capsys.readouterr().out)["error"]
    assert main(["size", "Llama 3.1 8B", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["context"] == 4096


def test_more_devices_write_large_models_faster():
    times = [made("Llama 3.1 405B", "fp8", count=count).time_per_token_ms.mid for count in (1, 2, 4, 8)]
    assert times == sorted(times, reverse=True)
    assert "exchange" in made("Llama 3.2 1B", count=8).advice  # and small ones not


def test_sparse_weights_are_for_devices_that_multiply_them():
    with pytest.raises(InputError, match="2:4"):
        made(weights="bf16_2to4", device="nvidia-v100-sxm2-32gb")
    assert made(weights="bf16_2to4").time_per_token_ms.mid < made().time_per_token_ms.mid


def test_an_encoder_reads_all_tokens_at_once():
    found = made("BERT-base", context=512, batch=8)
    assert found.time_per_token_ms.mid == pytest.approx(found.ttft_ms.mid / (8 * 512))
    # 12 layers of 12 x 768^2 weights, the pooler, biases and norms: its tables are looked up, multiplied with nothing
    layers, pooler = 12 * (12 * 768**2 + 13 * 768), 768 * 769
    assert step.multiplied(known()["BERT-base"]) == layers + pooler + 2 * 768
    assert "reads all tokens" in found.advice


def test_the_right_size_starts_small():
    arch = known()["Qwen2.5 7B"]
    rows = frames.right_size(arch, H100, 1, Load(context=500, batch=8, prompt=200, answer=300))
    assert list(rows["request_j"]) == sorted(rows["request_j"])
    of = dict(zip(rows["what"], rows["request_j"], strict=True))
    assert of["Flan-T5-XL: one class"] / of["BERT-class: one class"] == pytest.approx(2.66 / 0.32)
    assert of["BLOOMz-7B: one class"] / of["BERT-class: one class"] == pytest.approx(4.67 / 0.32)
    # 0.32 g for 1,000 at 297.6 g a kWh
    assert of["BERT-class: one class"] == pytest.approx(0.32 / 1000 / 297.6 * 3.6e6)
    assert of["Qwen2.5 0.5B: 300 tokens"] < of["Qwen2.5 3B: 300 tokens"] < of["Qwen2.5 7B: 300 tokens"]
    assert [one.name for one in frames.family(arch)] == ["Qwen2.5 0.5B", "Qwen2.5 1.5B", "Qwen2.5 3B"]


def test_devices_are_listed_by_how_few_hold_it():
    rows = frames.devices(known()["Llama 3.1 70B"], BF16, Load(context=2048, batch=4)).set_index("device_id")
    # 141 GB of weights: one device of 192 GB, two of 141, four of 80 (two leave nothing for the rest), eight of 24
    counts = {"amd-mi300x": 1, "nvidia-h200-sxm-141gb": 2, "nvidia-h100-sxm5-80gb": 4, "nvidia-l4": 8}
    assert {device: int(rows.loc[device, "devices_count"]) for device in counts} == counts
    priced = rows.loc["nvidia-h100-sxm5-80gb"]
    assert priced["million_tokens_usd"] > 0


def test_room_is_what_the_memory_leaves():
    arch, load = known()["Llama 3.1 8B"], Load(context=2048, batch=8)
    room = frames.room(arch, BF16, H100, 1, load)
    assert room.token_bytes == 2 * 8 * 128 * 32 * 2
    assert made(context=2048, batch=room.sequences).fits and not made(context=2048, batch=room.sequences + 1).fits
    assert made(context=room.tokens, batch=8).fits and not made(context=room.tokens + 1, batch=8).fits


def test_training_costs_in_order():
    rows = frames.training(known()["Llama 2 7B"], 2048).set_index("way")
    assert rows.loc["Head only", "cost_ratio"] < rows.loc["LoRA", "cost_ratio"] < rows.loc["All weights", "cost_ratio"]
    assert rows.loc["All weights", "token_flop"] == 8 * 6_738_415_616  # two forward, twice over, and four back
    less = frames.training(known()["Llama 2 7B"], 2048, optimizer="adam8bit").set_index("way")
    assert (rows["optimizer_bytes"] - less["optimizer_bytes"])["All weights"] == 6 * 6_738_415_616
    with pytest.raises(InputError):
        memory.training(known()["Llama 2 7B"], "full", tokens=1, optimizer="magic")


def test_a_further_what_if_is_quick():
    arch, load = known()["DeepSeek-V3"], Load(context=4096, batch=8)
    fp8 = memory.precision("fp8")

    def everything():
        sized(arch, fp8, load, H100, 8)
        frames.devices(arch, fp8, load)
        frames.by_precision(arch, H100, 8, load)
        frames.load_curve(arch, fp8, H100, 8, load)

    everything()
    best = min(_cpu_s(everything) for _ in range(5))
    assert best < 0.05


def _cpu_s(work):
    start = time.process_time()
    work()
    return time.process_time() - start


@pytest.mark.parametrize("table", ["precisions", "devices", "load", "training", "job"])
def test_the_command_has_the_pages_tables(table, capsys):
    assert main(["size", "Llama 3.1 8B", "--device", "nvidia-l4", "--table", table, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) >= 4


def test_the_command_judges_a_budget(capsys):
    words = ["size", "Llama 3.1 8B", "--device", "nvidia-l4", "--prompt", "500", "--context", "800", "--token-ms", "20"]
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert not found["under_load"]["holds"] and found["under_load"]["fewest_devices"] in (4, 8, 16)
    assert found["fits"]["fits"] and found["time_per_token_ms"]["basis"] == "predicted"
    assert main(["size", "Llama 3.1 8B", "--table", "load"]) == 2
    assert main(["size", "Llama 3.1 8B", "--context", "-5"]) == 2
    assert main(["size", "Llama 3.1 8B", "--context", str(10**12)]) == 2
    assert main(["size", "--layers", "4"]) == 2


def test_a_sizing_stands_in_a_report_as_sentences():
    import reports

    from advisor import clip
    from advisor.exporters import exporters
    from advisor.llm.clip import of_sizing

    answer = sized(known()["Llama 3.1 8B"], BF16, Load(context=1324, batch=8, prompt=1024), H100)
    clipping = of_sizing(answer, H100.name, ["It is bound by memory."], "language?llm_batch=8")
    report = clip.put(reports.report(), clipping)
    assert any(one.id == "llm/serving" for one in report.sources)
    page = exporters()["markdown"].render(report).decode()
    assert "Llama 3.1 8B on 1 × NVIDIA H100 SXM5 80GB" in page and "8.03 billion parameters" in page
    assert "predicted" in clipping.says[2] and clipping.address == "language?llm_batch=8"
