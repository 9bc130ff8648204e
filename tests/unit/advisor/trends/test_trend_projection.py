"""Ribbons widen, scenarios differ, and what is solved for is solved."""

import dataclasses
import math

import numpy as np
import pytest

from advisor.trends import growth
from advisor.trends.projection import (
    SCENARIOS,
    efficiency,
    growth_oom,
    months,
    project,
    years_to,
    years_until_affordable,
)
from advisor.trends.reference import reference_fit
from advisor.trends.rows import newest_year
from data.errors import InputError
from data.estimate import Estimate, exact

LINE = reference_fit("frontier-2018-26").line
ROBUST = dataclasses.replace(LINE, method="theil-sen")


@pytest.mark.parametrize("line", [LINE, ROBUST], ids=["least squares", "theil-sen"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_ribbon_widens_and_holds_its_middle(line, scenario):
    ribbon = project(line, scenario, 5.0)
    for low, high in ((ribbon.low_50, ribbon.high_50), (ribbon.low_90, ribbon.high_90)):
        assert np.all(np.diff(high - low) > 0)
        assert np.all((low < ribbon.mid) & (ribbon.mid < high))
    assert np.all(ribbon.high_90 > ribbon.high_50) and np.all(ribbon.low_90 < ribbon.low_50)
    assert ribbon.years[0] == newest_year() and ribbon.years[-1] == pytest.approx(newest_year() + 5)


def test_scenarios_start_alike_and_part():
    ends = {scenario: project(LINE, scenario).mid for scenario in SCENARIOS}
    assert len({round(float(mid[0]), 9) for mid in ends.values()}) == 1
    assert ends["fit"][-1] > ends["power-limited"][-1] > ends["flat"][-1] == pytest.approx(ends["flat"][0])


def test_power_limited_compute_grows_as_hardware_does():
    low, mid, high = growth_oom(LINE, "power-limited")
    assert mid == pytest.approx(efficiency("records").slope_oom_per_year)
    assert low < efficiency("tensor").slope_oom_per_year < mid < high
    with pytest.raises(InputError):
        growth_oom(LINE, "wishful")


def test_years_to_a_threshold():
    value = 10 ** (LINE.at(newest_year()) + LINE.slope_oom_per_year)
    arrival = years_to(LINE, value)
    assert arrival.years == pytest.approx(1.0, abs=1e-6)
    assert arrival.earliest_years == 0.0 and arrival.latest_years > 1.0
    assert years_to(LINE, value, "flat").years is None
    assert years_to(LINE, 1.0).years == 0.0
    with pytest.raises(InputError):
        years_to(LINE, 0.0)


def test_when_the_budget_is_met():
    arrival = years_until_affordable(4.0, 1.0, (1.19, 2.0, 4.0))
    assert (arrival.earliest_years, arrival.years) == (pytest.approx(1.0), pytest.approx(2.0))
    assert arrival.latest_years == pytest.approx(math.log(4) / math.log(1.19))
    assert years_until_affordable(1.0, 2.0, (1.1, 1.2, 1.3)).years == 0.0
    assert years_until_affordable(2.0, 1.0, (0.9, 1.0, 1.5)).years is None
    with pytest.raises(InputError):
        years_until_affordable(0.0, 1.0, (1.1, 1.2, 1.3))


def test_growth_comes_with_its_interval_and_source():
    compute = growth.model_compute_growth("frontier")
    assert compute.mid == pytest.approx(4.724, rel=1e-3) and compute.low < compute.mid < compute.high
    assert compute.basis == "modelled" and "Epoch" in compute.source
    assert growth.efficiency_growth("records").mid == pytest.approx(1.371, rel=1e-3)
    assert growth.efficiency_growth("tensor").mid == pytest.approx(1.190, rel=1e-3)
    assert growth.efficiency_growth("mixed").mid == pytest.approx(1.592, rel=1e-3)
    assert growth.price_growth().mid == pytest.approx(1.173, rel=1e-3)
    assert growth.demand_growth().mid == pytest.approx(6.5 ** (1 / 8)) and growth.demand_growth().basis == "claimed"
    assert growth.model_size_growth().mid == pytest.approx(2.202, rel=1e-3)
    for call in (growth.model_compute_growth, growth.efficiency_growth):
        with pytest.raises(InputError):
            call("unicorns")


def test_months_until_a_budget_breaks():
    broken = growth.months_until_break(2.0, exact(2.0), exact(2.0), easing=exact(2.0))
    assert broken.months == pytest.approx(12.0) and broken.earliest_months == broken.latest_months
    assert growth.months_until_break(2.0, exact(1.2), easing=exact(1.3)).months is None
    assert "never" in growth.months_until_break(2.0, exact(1.2), easing=exact(1.3)).text
    assert growth.months_until_break(0.5, exact(1.2)).months == 0.0
    with pytest.raises(InputError):
        growth.months_until_break(0.0, exact(1.2))
    with pytest.raises(InputError):
        growth.given(-1.0)


def test_a_wide_growth_gives_a_wide_answer():
    growing = Estimate(low=0.9, mid=1.5, high=2.0, basis="claimed")
    found = growth.months_until_break(4.0, growing)
    assert found.earliest_months == pytest.approx(24.0) and found.latest_months is None
    assert found.months == pytest.approx(12 * math.log(4) / math.log(1.5)) and "or never" in found.text


@pytest.mark.parametrize("factor", [1.1, 1.5, 3.0])
def test_more_headroom_lasts_longer_and_more_growth_breaks_sooner(factor):
    base = growth.months_until_break(2.0, growth.given(factor)).months
    assert growth.months_until_break(3.0, growth.given(factor)).months > base
    assert growth.months_until_break(2.0, growth.given(factor + 0.5)).months < base


def test_years_as_months():
    assert months(1.5) == 18.0 and months(None) is None
