"""Frontier, records and scale, on points small enough to work out by hand."""

import numpy as np
import pytest

from advisor.trends import rules


def test_the_bar_is_the_second_largest_so_far():
    years = np.array([2010.0, 2011.0, 2011.0, 2012.0, 2013.0])
    values = np.array([5.0, 3.0, 7.0, 4.0, 6.0])
    assert rules.frontier_bar(years, values, 2).tolist() == [-np.inf, 5.0, 5.0, 5.0, 6.0]
    assert rules.at_frontier(years, values, 2).tolist() == [True, False, True, False, True]


def test_records_include_ties():
    assert rules.record_setters(np.array([1.0, 3.0, 2.0, 3.0, 4.0])).tolist() == [True, True, False, True, True]


def test_z_is_taken_over_the_year_on_either_side():
    years = np.array([2000.0, 2020.0, 2020.5, 2021.0, 2030.0])
    z = rules.z_scores(years, np.array([9.0, 1.0, 2.0, 3.0, 9.0]))
    assert z[[0, 4]].tolist() == [0.0, 0.0]
    assert z[2] == pytest.approx(0.0, abs=1e-9)
    assert z[3] == pytest.approx(1.0 / np.std([1.0, 2.0, 3.0]))


def test_z_does_not_depend_on_the_order_of_the_points():
    generator = np.random.default_rng(0)
    years, values = generator.uniform(2010, 2020, 50), generator.normal(20, 2, 50)
    order = generator.permutation(50)
    assert rules.z_scores(years, values)[order] == pytest.approx(rules.z_scores(years[order], values[order]))


def test_scales_part_the_points():
    years = np.full(30, 2018.0)
    values = np.concatenate([np.full(26, 20.0), [10.0, 24.0, 24.0, 24.0]])
    scales = ("regular", "large", "without low")
    regular, large, without_low = (rules.of_scale(years, values, scale) for scale in scales)
    assert large.sum() == 3 and (~without_low).sum() == 1
    assert not np.any(regular & large) and np.array_equal(regular | large, without_low)
    assert rules.of_scale(years, values, "all").all()


def test_before_2010_nothing_is_an_outlier():
    years = np.full(30, 1990.0)
    values = np.concatenate([np.full(28, 5.0), [1.0, 9.0]])
    assert rules.of_scale(years, values, "regular").all()
