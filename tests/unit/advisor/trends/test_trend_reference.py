"""The shipped fits, recomputed: the printed digits of the published and of the reference table."""

import time

import pytest

from advisor.trends.reference import reference_fit, reference_fits
from advisor.trends.rows import rows
from data import tables
from data.errors import DataError, InputError

EXPECTED = tables.frame("trends", "fits").set_index("fit_id").to_dict("index")


@pytest.fixture(scope="module")
def computed():
    started = time.process_time()
    found = {fit.id: fit for fit in reference_fits()}
    assert time.process_time() - started < 5.0
    return found


@pytest.mark.parametrize("fit_id", EXPECTED)
def test_a_fit_is_that_of_the_reference(computed, fit_id):
    line, known = computed[fit_id].line, EXPECTED[fit_id]
    assert line.n == known["expected_n_count"]
    assert line.slope_oom_per_year == pytest.approx(known["expected_slope"], rel=1e-5)
    assert line.r2 == pytest.approx(known["expected_r2"], rel=1e-5)
    assert line.residual_sd_oom == pytest.approx(known["expected_residual_sd_oom"], rel=1e-5)
    doubling = line.doubling(computed[fit_id].days_per_month)[1]
    assert doubling == pytest.approx(known["expected_doubling_months"], rel=5e-6)  # six digits are printed


@pytest.mark.parametrize("fit_id", EXPECTED)
def test_its_interval_is_that_of_the_reference_within_the_draws(computed, fit_id):
    """Another 4,000 draws move an end by some percent of the width; with 11 to 20 points by up to a sixth."""
    line, known = computed[fit_id].line, EXPECTED[fit_id]
    width = known["expected_slope_high"] - known["expected_slope_low"]
    tolerance = 0.06 if line.n > 20 else 0.17
    assert line.slope_low == pytest.approx(known["expected_slope_low"], abs=tolerance * width)
    assert line.slope_high == pytest.approx(known["expected_slope_high"], abs=tolerance * width)


@pytest.mark.parametrize(
    ("fit_id", "printed"),
    [
        ("sevilla-regular-2010-22", "5.8 [5.3-6.5]"),
        ("notable-2010-26", "5.7 [5.4-6.0]"),
        ("frontier-2018-26", "5.4 [4.9-5.9]"),
    ],
)
def test_the_doubling_times_to_the_printed_digit(computed, fit_id, printed):
    low, mid, high = computed[fit_id].line.doubling(computed[fit_id].days_per_month)
    assert f"{mid:.1f} [{low:.1f}-{high:.1f}]" == printed


def test_before_2010_and_large_scale_to_the_printed_digit(computed):
    low, mid, high = computed["sevilla-before-2010"].line.doubling(30)
    assert (f"{mid:.1f}", f"{low:.0f}", f"{high:.0f}") == ("21.3", "16", "32")
    assert f"{computed['sevilla-large-notebook'].line.doubling(30)[1]:.1f}" == "10.7"


def test_what_was_published_and_whether_it_reproduces(computed):
    assert computed["sevilla-before-2010"].reproduces is True
    assert computed["sevilla-before-2010"].published.months == 21.3
    assert computed["revised-large-2015-22"].reproduces is False
    assert computed["frontier-2010-26"].reproduces is None
    assert sum(fit.published is not None for fit in computed.values()) == 30


def test_the_vintage_moves_the_systems_the_paper_is_remembered_for():
    then = rows("sevilla_2022").set_index("name")["training_flop"]
    now = rows("sevilla_2026").set_index("name")["training_flop"]
    assert then["AlphaGo Zero"] == 3.41e23 and now["AlphaGo Zero"] == pytest.approx(6.49e20, rel=1e-2)
    assert then["AlphaGo Master"] == 1.5e23 and now["AlphaGo Master"] == pytest.approx(3.41e20, rel=1e-2)
    ratio = (rows("sevilla_2022")["training_flop_2026"] / rows("sevilla_2022")["training_flop_2022"]).dropna()
    assert len(ratio) == 122 and ((ratio > 2) | (ratio < 0.5)).sum() == 36


def test_derived_columns():
    gpt3 = rows("notable").set_index("name").loc["GPT-3 175B (davinci)"]
    assert gpt3["training_kwh"] == pytest.approx(gpt3["training_w"] * gpt3["training_h"] / 1000)
    assert gpt3["flop_per_j"] == pytest.approx(gpt3["training_flop"] / (gpt3["training_kwh"] * 3.6e6))
    assert gpt3["training_turbine_years"] == pytest.approx(gpt3["training_kwh"] / 12.5e6)
    a100 = rows("hardware").set_index("name").loc["NVIDIA A100 PCIe"]
    assert a100["tensor_fp16_flop_per_j"] == pytest.approx(312e12 / 300)


def test_names_that_lead_nowhere():
    with pytest.raises(InputError):
        rows("unicorns")
    with pytest.raises(DataError):
        reference_fit("unicorns")
