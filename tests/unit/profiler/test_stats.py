"""Statistics against hand-computed values."""

import math
import random

import pytest

from profiler import stats


def test_a_percentile_needs_two_samples_beyond_it():
    assert [stats.samples_needed(q) for q in (50, 90, 95, 99)] == [4, 20, 40, 200]
    samples = list(range(1, 200))
    assert stats.percentile(samples, 99) is None
    assert stats.percentile([*samples, 200], 99) == pytest.approx(198.01)  # 1 + 0.99 * 199, interpolated
    assert stats.percentile([1, 2, 3], 50) is None
    assert stats.percentile([1, 2, 3, 10], 50) == 2.5


@pytest.mark.parametrize(
    ("count", "rank"),
    # Tables of the sign test: the 95 % interval of the median runs from x(r) to x(n+1-r), r = 1, 2, 3, 6, 40.
    [(6, 1), (9, 2), (12, 3), (20, 6), (100, 40)],
)
def test_the_interval_of_a_median_is_the_sign_tests(count, rank):
    low, mid, high = stats.median_interval(range(1, count + 1))
    assert (low, high) == (rank, count + 1 - rank)
    assert mid == (count + 1) / 2


def test_the_normal_approximation_continues_the_exact_ranks():
    exact = stats._lower_rank(1000)
    assert abs(stats._lower_rank(1002) - exact) <= 2


def test_the_interval_covers_the_true_median_19_times_in_20():
    generator = random.Random(7)
    hits = 0
    for _ in range(400):
        low, _, high = stats.median_interval([generator.expovariate(1.0) for _ in range(41)])
        hits += low <= math.log(2) <= high
    assert 0.93 <= hits / 400 <= 0.99


def test_paired_ratio_cancels_what_slowed_a_round():
    original = [10.0, 20.0, 30.0, 10.0, 20.0, 30.0, 15.0]
    variant = [value * 0.5 for value in original]
    ratio = stats.paired_ratio(variant, original)
    assert (ratio.low, ratio.mid, ratio.high, ratio.basis) == (0.5, 0.5, 0.5, "measured")


def test_paired_ratio_compares_the_medians_of_each_round():
    # Rounds of three calls; the first call of each is cold and must not count.
    original = [90.0, 10.0, 10.0] * 8
    variant = [10.0, 5.0, 5.0] * 8
    assert stats.paired_ratio(variant, original, 3).mid == 0.5
    with pytest.raises(ValueError, match="no common round"):
        stats.paired_ratio([], original, 3)


def test_spread_is_the_middle_half_over_the_median():
    assert stats.spread_frac([1, 2, 3, 4, 5]) == pytest.approx(2 / 3)
    assert stats.spread_frac([4.0]) == 0.0


def test_summary_of_known_samples():
    found = stats.summary([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0])
    assert found.mean_ms == 5.0
    assert found.std_ms == pytest.approx(2.13809, rel=1e-5)  # sqrt(32 / 7)
    assert found.p50_ms == 4.5
    assert found.p95_ms is None
    assert (found.median_low_ms, found.median_high_ms) == (2.0, 9.0)
