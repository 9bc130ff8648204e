"""The language page: its numbers are the functions' own, every control has an effect, bad input is one line."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from advisor.llm import configs, speed
from advisor.llm.memory import precision
from data import tables, words

ROOT = Path(__file__).resolve().parents[2]


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


def test_its_numbers_are_the_functions(page):
    assert not page.exception
    arch, on = configs.known()["Llama 3.1 8B"], tables.device("nvidia-h100-sxm5-80gb")
    found = speed.predict(arch, precision("bf16"), on, 1, speed.Load(context=4096, batch=8))
    assert value(page, "Parameters") == words.count(8_030_261_248)
    assert value(page, "Time per token") == words.latency(found.time_per_token_ms.mid)
    assert value(page, "Energy a token") == words.energy(found.j_per_token.mid)


def test_controls_change_the_answer(page):
    before = value(page, "Time per token")
    choose(page, "Weights", "int4_g128")
    lighter = value(page, "Time per token")
    assert lighter != before
    choose(page, "Devices of one node", 2)
    assert value(page, "Memory a device") and value(page, "Time per token") != lighter
    choose(page, "Model", "Llama 3.1 405B")
    assert value(page, "Parameters") == words.count(405_853_388_800)
    assert not page.exception


def test_plain_numbers_and_contradictions(page):
    next(one for one in page.button_group if "Plain numbers" in one.options).set_value("Plain numbers")
    page.run()
    assert not page.exception and value(page, "Parameters") == words.count(8_030_261_248)
    next(one for one in page.number_input if one.label == "Heads").set_value(7)
    page.run()
    assert not page.exception and any("shared among 7 heads" in text.value.replace("\\", "") for text in page.markdown)
