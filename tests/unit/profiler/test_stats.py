"""Statistics against hand-computed values."""

import math
import random

import numpy as np
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


def test_the_rank_is_exact_where_samples_are_many():
    count = 1501
    low, _, high = stats.median_interval(range(1, count + 1))
    outside = sum(math.comb(count, successes) for successes in range(int(low)))  # P(binomial < low), in whole numbers
    assert outside / 2**count <= 0.025 < (outside + math.comb(count, int(low))) / 2**count
    assert high == count + 1 - low


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


def test_percentile_interval_by_order_statistics():
    """For n = 100 and p = 0.95 the binomial leaves P(B < 90) = 1.15 % and P(B >= 100) = 0.59 %: x(90) to
    x(100); P(B < 91) = 2.82 % is too much, P(B >= 99) = 3.71 % too."""
    samples = [float(value) for value in range(1, 101)]
    found = stats.percentile_interval(samples, 95)
    assert (found.low, found.high) == (90.0, 100.0)
    assert found.mid == pytest.approx(95.05)
    assert found.basis == "measured"


def test_percentile_interval_needs_a_sample_beyond():
    """For n = 40 even P(B < 40) = 1 - 0.95^40 = 87 % is below 97.5 %: no sample bounds p95 from above."""
    assert stats.percentile([1.0] * 40, 95) == 1.0
    assert stats.percentile_interval([1.0] * 40, 95) is None
    assert stats.percentile_interval([1.0] * 20, 95) is None


def test_percentile_interval_covers_95_of_100():
    generator = np.random.default_rng(7)
    truth = -np.log(0.05)  # the 95th percentile of a standard exponential
    found = [stats.percentile_interval(generator.exponential(size=300), 95) for _ in range(400)]
    covered = sum(one.low <= truth <= one.high for one in found)
    assert 0.93 <= covered / 400 <= 0.99


def test_the_ranks_of_an_interval_are_found_once_for_a_number_of_calls(monkeypatch):
    """A page asks for twelve percentiles of runs of 80,000 calls at each rerun: half of its time went there."""
    from scipy import special

    samples, asked = list(range(3_000)), []
    first = stats.percentile_interval(samples, 95.0)
    real = special.bdtr
    monkeypatch.setattr(special, "bdtr", lambda *of: asked.append(of) or real(*of))
    assert stats.percentile_interval(samples, 95.0) == first and not asked
    assert stats.percentile_interval(samples[:2_999], 95.0) != first and asked
