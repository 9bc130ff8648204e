"""Every worked example of the talks and texts, through the function its page calls, within its tolerance."""

import pytest

from advisor import presets
from data.errors import DataError, InputError

EXAMPLES = presets.examples()

# The figures of the sources themselves, once more by hand, so that a slip in the table cannot hide.
BY_HAND = {
    "turbine.reference": 5 * 2500 / 1000,
    "turbine.households": 12.5e6 / 5000,
    "turbine.weeks_high": 0.104 * 365.25 / 7,
    "gpt3.gpu_seconds": 3.14e23 / 130e12,
    "gpt3.energy": 250 * 3.14e23 / 130e12 * 1.125 / 3.6e6,
    "gpt3.km": 250 * 3.14e23 / 130e12 * 1.125 / 3.6e6 * 449.06 / 120.4,
    "gpt3.reality": 3.14e23 / 24.6e12 / 3600 * 0.330 * 1.10 / 1000,
    "chatgpt.total": 28936 * 400 * 0.5 * 24 * 1.33 / 1e6,
    "chatgpt.continuous": 28936 * 400 * 0.5 * 24 * 1.33 / 1e6 * 365 / 12500,
    "vith14": 60000 * 110 * 1.33 / 1e6,
    "vith14.hours": 60000 * 110 * 1.33 / 1e6 / (12500 / 8760),
    "bloom.carbon": 1082990 * 0.4 * 57 / 1e6,
    "bloom.inference": 19 * 365 / 1000,
    "palm.540b": 780e9 * 3.28e12,
    "palm.cost": (6144 * 1200 + 3072 * 336) * 3.22,
    "palm.mfu": 2.56e24 / (8404992 * 3600 * 275e12),
    "llama2.fp32": 6738415616 * 4 / 1e9,
    "llama2.bits": 4.78e9 * 8 / 6738415616,
    "horowitz.add": 0.9 / 0.03,
    "horowitz.mult_7nm": 1.31 / 0.07,
    "horowitz.area_mult": 7700 / 282,
    "dram.multiplies_7nm": 1300 / 0.07,
    "kmeans.4x4": 16 * 32 / (16 * 2 + 4 * 32),
    "distil.gain": (60.8 - 58.9) / (61.1 - 58.9),
    "talk.growth": 2 ** (24 / 5),
    "rebound.2.1.11.energy": 2**0.11,
    "rebound.2.0.2": 1 - (1 - 2**-0.8) / 0.5,
    "patterson.t5": 512 * 20 * 24 * 310 * 1.12 / 1e6,
    "nameplate.bloom": 864.96 / 433.196,
}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.example_id)
def test_example_reproduces(example):
    assert example.value() == pytest.approx(example.expected, rel=example.tolerance_frac)
    assert example.reproduces()


@pytest.mark.parametrize("example_id, value", BY_HAND.items(), ids=BY_HAND)
def test_example_by_hand(example_id, value):
    assert presets.example(example_id).value() == pytest.approx(value, rel=1e-9)


def test_the_presets_of_the_app_are_there():
    named = set(presets.presets())
    assert {
        "GPT-3 by the Carbontracker method", "ChatGPT a day", "BLOOM", "ViT-H/14", "PaLM", "Llama 2 at 5 bits",
        "Two growth claims of one talk",
    } <= named  # fmt: skip
    assert len(EXAMPLES) >= 100


def test_where_the_published_figure_does_not_follow_it_is_said():
    assert all(example.follows in presets.FOLLOWS for example in EXAMPLES)
    wrong = {example.example_id for example in EXAMPLES if example.follows == "no"}
    assert {
        "gpt3.moon",
        "gpt3.shortfall",
        "llama2.fp32",
        "llama2.q5",
        "palm.62b",
        "talk.growth",
        "talk.doubling",
    } <= wrong
    assert "unit slip" in presets.example("llama2.fp32").verdict
    assert "19.7 % utilisation" in presets.example("gpt3.reality").verdict


def test_inputs_can_be_changed():
    gpt3 = presets.example("gpt3.energy")
    assert gpt3.value({"utilisation": 0.35}) == pytest.approx(gpt3.value() / 0.35)
    with pytest.raises(InputError, match="no input colour"):
        gpt3.value({"colour": 1.0})
    with pytest.raises(InputError):
        gpt3.value({"utilisation": 1.5})


def test_an_unknown_example_is_refused():
    with pytest.raises(InputError, match=r"gpt9\.energy"):
        presets.example("gpt9.energy")


def test_a_row_without_a_formula_is_a_broken_table(monkeypatch):
    presets.examples.cache_clear()
    monkeypatch.delitem(presets.FORMULAS, "turbine_gwh")
    with pytest.raises(DataError, match=r"turbine\.reference"):
        presets.examples()
    monkeypatch.undo()
    presets.examples.cache_clear()
