"""The training calculator, by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor import training
from data import tables
from data.errors import InputError
from data.estimate import Estimate, exact


def cluster(**changes):
    given = {"chips": 8, "flop_per_s": 312e12, "chip_w": exact(400.0, "claimed")}
    return training.Cluster(**given | changes)


def test_six_n_d():
    assert training.training_flop(175e9, 300e9) == pytest.approx(3.15e23)


def test_the_cheaper_ways_by_hand():
    """N = 100, 10 added, D = 1,000: 6ND = 600,000; LoRA (4 x 100 + 6 x 10) D; head (2 x 100 + 6 x 10) D."""
    flop = {way: training.training_flop(100, 1000, way, 10) for way in training.WAYS}
    assert flop == {"pretrain": 600_000, "fine-tune": 600_000, "lora": 460_000, "head": 260_000}


def test_memory_of_full_training_is_four_times_the_weights():
    """accelerate: bert-base 413 MiB of weights, 1.61 GiB to train with Adam."""
    weights = 413 * 1024**2
    assert training.memory_bytes(weights / 4) / 1024**3 == pytest.approx(1.61, rel=0.05)
    assert training.memory_bytes(1000, "lora", 10) == (1010 * 4 + 10 * 12)
    assert training.memory_bytes(1000, "head", 10, bytes_per_parameter=2, activation_bytes=7) == 1010 * 2 + 10 * 10 + 7


@given(
    parameters=st.floats(1e3, 1e12),
    share=st.floats(1e-6, 0.3),
    tokens=st.floats(1e3, 1e12),
    longer=st.floats(1.01, 1e6),
)
def test_lora_is_below_fine_tuning_is_below_pretraining(parameters, share, tokens, longer):
    small = parameters * share
    lora = training.training_flop(parameters, tokens, "lora", small)
    head = training.training_flop(parameters, tokens, "head", small)
    tune = training.training_flop(parameters, tokens, "fine-tune")
    assert head < lora < tune < training.training_flop(parameters, tokens * longer)
    held = [training.memory_bytes(parameters, way, small) for way in ("head", "lora", "fine-tune", "pretrain")]
    assert held[0] == held[1] < held[2] == held[3]


def test_a_run_by_hand():
    """3.12e18 FLOP at 0.5 x 312 TFLOP/s: 20,000 chip-s = 5.556 chip-h; on 8 chips 0.694 h; x 0.4 kW x 1.33 x 1.1."""
    run = training.run(
        3.12e18,
        cluster(
            utilisation=exact(0.5), overhead=exact(1.33), pue=exact(1.1), grid=exact(300.0), usd_per_chip_h=exact(2.0)
        ),
    )
    assert run.chip_h.mid == pytest.approx(5.5556, rel=1e-4)
    assert run.wall_h.mid == pytest.approx(0.69444, rel=1e-4)
    assert run.energy_kwh.mid == pytest.approx(3.25111, rel=1e-5)
    assert run.g_co2e.mid == pytest.approx(975.333, rel=1e-5)
    assert run.usd.mid == pytest.approx(11.1111, rel=1e-5)
    assert run.turbine_years.mid == pytest.approx(3.25111 / 12.5e6, rel=1e-5)
    assert run.warnings == ()


def test_utilisation_is_a_third_unless_given_and_never_one():
    run = training.run(1e20, cluster())
    assert (run.utilisation.low, run.utilisation.mid, run.utilisation.high) == (0.30, 0.35, 0.40)
    assert run.chip_h.low < run.chip_h.mid < run.chip_h.high
    assert run.chip_h.basis == "modelled"
    full = training.run(1e20, cluster(utilisation=exact(1.0)))
    assert any("never reached" in warning for warning in full.warnings)


def test_what_is_not_known_stays_none():
    run = training.run(1e20, cluster())
    assert run.g_co2e is None and run.usd is None


def test_trials_multiply_and_warn():
    once, ten = (training.run(1e20, cluster(), trials) for trials in (1, 10))
    assert ten.energy_kwh.mid == pytest.approx(10 * once.energy_kwh.mid)
    assert ten.flop == 10 * once.flop
    assert training.TRIALS_WARNING in ten.warnings and not once.warnings


def test_measured_steps():
    assert training.flop_of_steps(2e9, 1000) == 6e12


def test_nameplate_is_one_and_a_half_to_three_and_a_half_times_what_is_reported():
    ratio = training.nameplate_ratio()
    assert (ratio.low, ratio.mid, ratio.high) == pytest.approx((1.41, 2.66, 3.39), abs=0.005)
    likely = training.likely_kwh(exact(1811.8))
    assert likely.low < likely.mid < 1287 < likely.high * 1.01
    assert likely.high == pytest.approx(1287, rel=1e-3)


def test_the_ladder_has_yours_in_its_place():
    rungs = training.ladder("mine", exact(1000.0))
    names = [rung.name for rung in rungs]
    assert names.index("DistilGPT2") < names.index("mine") < names.index("ViT-H/14 on JFT")
    assert names.index("ViT-H/14 on JFT") < names.index("GPT-3 175B (davinci)") < names.index("PaLM (540B)")
    assert [rung.energy_kwh.mid for rung in rungs] == sorted(rung.energy_kwh.mid for rung in rungs)
    assert [rung.name for rung in rungs if rung.yours] == ["mine"]


def test_the_architecture_search_never_stands_without_its_correction():
    (nas,) = (rung for rung in training.ladder("mine", exact(1.0)) if rung.name.startswith("NAS"))
    assert nas.corrected_kwh == pytest.approx(656_347 / 88) and "88 times too high" in nas.note


def test_the_peak_a_device_trains_at():
    assert training.peak_flop_per_s(tables.device("nvidia-a100-sxm4-80gb")) == pytest.approx(312e12)
    assert training.peak_flop_per_s(tables.device("nvidia-v100-sxm2-16gb")) == pytest.approx(125e12, rel=0.01)
    with pytest.raises(InputError, match="No training peak"):
        training.peak_flop_per_s(tables.device("mcu-stm32l4r5zi"))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: training.training_flop(1, 1, "guess"),
        lambda: training.training_flop(-1, 1),
        lambda: training.training_flop(1, 1, "lora"),
        lambda: training.chip_s(1.0, 1.0, exact(0.0)),
        lambda: training.chip_s(1.0, 1.0, Estimate(low=0.5, mid=0.9, high=1.1, basis="given")),
        lambda: training.chip_s(1.0, 0.0),
        lambda: training.chips_needed(exact(1.0), 0),
        lambda: training.run(1.0, cluster(chips=0)),
        lambda: training.run(1.0, cluster(), 0),
        lambda: training.run(1.0, cluster(pue=exact(0.9))),
    ],
)
def test_impossible_inputs_are_refused(wrong):
    with pytest.raises(InputError) as error:
        wrong()
    assert error.value.hint


def test_ways_on_one_cluster_fall_in_order():
    """A model of 1e9 parameters: 1e12 tokens to pretrain, 1e8 to tune, 1e7 in adapters, 1e6 in a head."""
    found = training.ways(1e9, 1e12, 1e8, 1e7, 1e6, cluster())
    assert list(found) == list(training.WAYS)
    flop = [run.flop for run, _ in found.values()]
    assert flop == pytest.approx([6e21, 6e17, 4.06e17, 2.006e17])
    turbine = [run.turbine_years.mid for run, _ in found.values()]
    assert turbine == sorted(turbine, reverse=True)
    assert [held for _, held in found.values()] == pytest.approx([16e9, 16e9, 4.16e9, 4.016e9])
