"""My model among the others, by hand where it can be counted."""

import numpy as np
import pytest

from advisor.trends.reference import reference_fit
from advisor.trends.rows import newest_year, rows
from advisor.trends.standing import MyModel, frontier_until, months_behind, standing

LINE = reference_fit("frontier-2018-26").line


def test_percentiles_are_counted():
    mine = MyModel(name="mine", training_flop=1e22, parameter_count=1e9, domain="Vision")
    found = {part.among: part for part in standing(mine, "training_flop", LINE).percentiles}
    notable = rows("notable")
    known = notable[notable["training_flop"].notna()]
    assert found["All"].n == 538
    assert found["All"].frac == pytest.approx(sum(known["training_flop"] < 1e22) / 538)
    recent = known[known["year"] >= newest_year() - 1]
    assert found["Last 12 months"].n == len(recent)
    same = known[known["parameter_count"].between(1e9 / 3, 3e9)]
    assert found["Its size class"].n == len(same)
    assert found["Vision"].n == sum(known["domains"].str.contains("Vision", na=False))


def test_frontier_until_is_the_day_the_tenth_larger_model_came_out():
    value = 1e23
    until, now = frontier_until(value, "training_flop")
    notable = rows("notable")
    larger = np.sort(notable.loc[(notable["training_flop"] > value) & (notable["year"] >= 2010), "year"])
    assert not now and until == pytest.approx(larger[9])


def test_the_ends_of_the_frontier():
    assert frontier_until(1e30, "training_flop") == (newest_year(), True)
    assert frontier_until(1.0, "training_flop") == (None, False)


def test_months_behind_is_log_ratio_over_slope():
    today = LINE.at(newest_year())
    behind = months_behind(10 ** (today - 1.0), LINE)
    assert behind.mid == pytest.approx(12 / LINE.slope_oom_per_year)
    assert behind.low == pytest.approx(12 / LINE.slope_high) and behind.high == pytest.approx(12 / LINE.slope_low)
    assert months_behind(10 ** (today + 1.0), LINE).mid == pytest.approx(-12 / LINE.slope_oom_per_year)


def test_what_is_not_known_has_no_standing():
    assert standing(MyModel(name="mine"), "training_flop", LINE) is None
    assert standing(MyModel(name="mine", training_flop=1e22), "training_usd", None) is None
