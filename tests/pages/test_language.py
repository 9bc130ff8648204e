"""The language page: its numbers are the functions' own, every control has an effect, bad input is one line."""

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from advisor.llm import configs, frames, serve, speed
from advisor.llm.memory import precision
from data import tables, words

ROOT = Path(__file__).resolve().parents[2]
LOAD = speed.Load(context=1324, batch=8, prompt=1024, answer=300)


@pytest.fixture
def page():
    opened = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    opened.run()
    return opened.switch_page("pages/language.py").run()


def value(page, label):
    return next(one.value for one in page.metric if one.label == label)


def choose(page, label, option):
    next(one for one in page.selectbox if one.label == label).set_value(option)
    return page.run()


def number(page, label, given):
    next(one for one in page.number_input if one.label == label).set_value(given)
    return page.run()


def said(page):
    return " ".join(text.value.replace("\\", "") for text in page.markdown)


def test_its_numbers_are_the_functions(page):
    assert not page.exception
    arch, on = configs.known()["Llama 3.1 8B"], tables.device("nvidia-h100-sxm5-80gb")
    found = speed.predict(arch, precision("bf16"), on, 1, LOAD)
    assert value(page, "Parameters") == words.count(8_030_261_248)
    assert value(page, "First token") == words.latency(found.ttft_ms.mid)
    assert value(page, "Time per token") == words.latency(found.time_per_token_ms.mid)
    assert value(page, "Energy a token") == words.energy(found.j_per_token.mid)
    assert "fits on 1 × NVIDIA H100 SXM5 80GB" in " ".join(one.value.replace("\\", "") for one in page.header)
    listed = frames.devices(arch, precision("bf16"), LOAD)
    assert f"{listed['devices_count'].notna().sum()} of {len(listed)}" in said(page)


def test_controls_change_the_answer(page):
    before = value(page, "Time per token")
    choose(page, "Weights", "int4_g128")
    lighter = value(page, "Time per token")
    assert lighter != before
    choose(page, "Devices of one node", 2)
    assert value(page, "Memory a device") and value(page, "Time per token") != lighter
    choose(page, "Model", "Llama 3.1 405B")
    assert value(page, "Parameters") == words.count(405_853_388_800)
    assert not page.exception and "does not fit" in " ".join(one.value for one in page.header)
    choose(page, "Optimizer", "adam8bit")
    assert not page.exception


@pytest.mark.parametrize("name", ["BERT-base", "Flan-T5 base", "Mamba 130M", "DeepSeek-V3", "gpt-oss-20b", "GPT-2"])
def test_every_kind_of_model_has_its_page(page, name):
    choose(page, "Model", name)
    assert not page.exception
    assert value(page, "Parameters") == words.count(configs.known()[name].parameter_count)


def test_a_budget_at_a_percentile_is_judged(page):
    number(page, "Each token within (ms)", 5.0)
    assert "misses the budget" in " ".join(one.value for one in page.header)
    held = serve.fewest(
        configs.known()["Llama 3.1 8B"], precision("bf16"), tables.device("nvidia-h100-sxm5-80gb"), LOAD,
        serve.Budget(time_per_token_ms=5.0),
    )  # fmt: skip
    assert held is not None and f"{held.count} of them hold it" in said(page)
    number(page, "Each token within (ms)", 50.0)
    assert "leaves room for" in said(page)


def test_plain_numbers_and_contradictions(page):
    next(one for one in page.button_group if "Plain numbers" in one.options).set_value("Plain numbers")
    page.run()
    assert not page.exception and value(page, "Parameters") == words.count(8_030_261_248)
    number(page, "Heads", 7)
    assert not page.exception and "shared among 7 heads" in said(page)


def test_its_address_restores_the_question():
    opened = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    opened.run()
    for key, given in {"llm_model": "Qwen3 8B", "llm_batch": "32", "llm_device": "NVIDIA L4"}.items():
        opened.query_params[key] = given
    page = opened.switch_page("pages/language.py").run()
    on = tables.device("nvidia-l4")
    load = speed.Load(context=1324, batch=32, prompt=1024, answer=300)
    found = speed.predict(configs.known()["Qwen3 8B"], precision("bf16"), on, 1, load)
    assert value(page, "Time per token") == words.latency(found.time_per_token_ms.mid)


def test_a_file_is_read_as_a_job_and_what_is_wrong_is_said(page, tmp_path):
    from pages.ui import state

    def read(fields):
        path = tmp_path / "config.json"
        path.write_text(json.dumps(fields))
        next(one for one in page.text_input if one.label == "Path on this machine").set_value(str(path))
        next(one for one in page.button if one.label == "Read").click()
        page.run()
        job = page.query_params.get("sizing") or page.session_state["sizing"]
        state.app().jobs.wait(job[0] if isinstance(job, list) else job)
        page.run()

    next(one for one in page.button_group if "A file" in one.options).set_value("A file")
    page.run()
    read({"model_type": "phi", "architectures": ["PhiForCausalLM"], "hidden_size": 2560, "intermediate_size": 10240,
          "num_hidden_layers": 32, "num_attention_heads": 32, "vocab_size": 51200})  # fmt: skip
    assert not page.exception and value(page, "Parameters") == words.count(2_779_683_840)
    next(one for one in page.button if one.label == "Another file").click()
    page.run()
    read({"model_type": "martian", "hidden_size": 64})
    assert not page.exception and "does not say its layers" in said(page)


def test_precisions_are_told_in_words_on_the_page(page):
    weights = next(box for box in page.selectbox if box.label == "Weights")
    assert "4 bits, groups of 128" in weights.options and not any("int4_g128" in one for one in weights.options)
    rows = next(frame.value for frame in page.dataframe if "fewest_devices_count" in frame.value.columns)
    assert rows.columns[0] == "title" and "8 bits, groups of 128" in set(rows["title"])
    chart = next(element for element in page.get("plotly_chart") if "llm_precisions_chart" in element.proto.id)
    assert "int8_g128" not in chart.proto.spec and "8 bits, groups of 128" in chart.proto.spec
