"""The rebound formulas, by the worked examples."""

import pytest

from advisor import rebound
from data.errors import InputError
from data.estimate import exact


@pytest.mark.parametrize(
    ("gain", "elasticity", "ratio", "share"),
    [(2, 0.2, 0.5743, 0.1487), (2, 0.5, 0.7071, 0.4142), (2, 1, 1, 1), (2, 1.11, 1.0792, 1.1585), (4, 0.5, 0.5, 1 / 3)],
)
def test_worked_examples(gain, elasticity, ratio, share):
    assert rebound.energy_ratio(gain, elasticity) == pytest.approx(ratio, rel=1e-3)
    assert rebound.rebound_frac(gain, elasticity) == pytest.approx(share, rel=1e-3)
    assert rebound.energy_ratio_at(share, gain) == pytest.approx(ratio, rel=1e-3)


def test_only_the_share_of_cost_that_falls_counts():
    """An efficient chip at the same price an hour changes only the energy bill: R = 3 %."""
    assert rebound.rebound_frac(2, 1.11, 0.04) == pytest.approx(0.03, abs=0.002)
    assert rebound.rebound_frac(2, 1.11, 1.0) == pytest.approx(1.16, abs=0.005)


def test_data_centres_2010_to_2018():
    """Instances +550 %, energy +6 %: eps = 6.5 / 1.06 = 6.13, R = 107 %."""
    gain = 6.5 / 1.06
    preset = next(preset for preset in rebound.presets() if preset.id == "data-centres")
    assert rebound.energy_ratio(gain, preset.elasticity) == pytest.approx(1.06, rel=0.01)
    assert rebound.rebound_frac(gain, preset.elasticity) == pytest.approx(1.07, abs=0.01)


def test_small_gains_tend_to_the_elasticity():
    assert rebound.rebound_frac(1.0 + 1e-9, 0.4, 0.5) == pytest.approx(0.2, abs=1e-3)
    assert rebound.rebound_frac(1.0, 0.4, 0.5) == pytest.approx(0.2)


def test_off_is_the_engineering_saving():
    before = exact(100.0, "measured", "meter")
    after = rebound.energy_after(before, 0.0, 4.0)
    assert after.mid == 25.0 and after.basis == "measured"
    assert rebound.energy_after(before, 1.0, 4.0).mid == 100.0
    assert rebound.energy_after(before, 1.5, 4.0).mid == 137.5


def test_break_even_demand():
    assert rebound.break_even_demand_frac(0.3) == pytest.approx(0.428571, rel=1e-5)
    assert rebound.break_even_demand_frac(0.0) == 0.0
    saving = 0.75
    growth = rebound.break_even_demand_frac(saving)
    assert (1 - saving) * (1 + growth) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("share", "name"),
    [
        (-0.1, "super-conservation"),
        (0.0, "no rebound"),
        (0.5, "partial rebound"),
        (1.0, "full rebound"),
        (1.2, "backfire"),
    ],
)
def test_kinds(share, name):
    assert rebound.kind(share) == name


def test_every_preset_says_what_it_rests_on_and_the_default_is_none():
    presets = rebound.presets()
    assert presets[0].elasticity == 0.0
    assert all(
        preset.basis and preset.elasticity_low <= preset.elasticity <= preset.elasticity_high for preset in presets
    )
    assert all(preset.caution for preset in presets if not preset.causal and preset.elasticity)


@pytest.mark.parametrize("saving", [-0.1, 1.0, 2.0])
def test_savings_that_are_none(saving):
    with pytest.raises(InputError):
        rebound.break_even_demand_frac(saving)


def test_gains_that_are_none():
    with pytest.raises(InputError):
        rebound.energy_ratio(0.0, 1.0)
    with pytest.raises(InputError):
        rebound.energy_ratio_at(0.5, -1.0)
