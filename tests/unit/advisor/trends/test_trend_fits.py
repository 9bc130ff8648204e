"""The lines: known growth recovered, closed forms, intervals that mean what they say."""

import numpy as np
import pytest
from scipy import stats

from advisor.trends import fits
from data.errors import InputError


def synthetic(doubling_months=6.0, n=400, spread_oom=0.5, seed=3):
    generator = np.random.default_rng(seed)
    years = generator.uniform(2010, 2026, n)
    noise = generator.normal(0, spread_oom, n)
    noise -= np.polyval(np.polyfit(years, noise, 1), years)  # the noise has no trend of its own
    return years, 10 ** (np.log10(2) * 12 / doubling_months * (years - 2010) + 18 + noise)


def test_an_exact_line_is_found_exactly():
    years = np.array([2010.0, 2012.0, 2014.0, 2018.0, 2020.0])
    line = fits.fit(years, 10 ** (0.5 * (years - 2010) + 3))
    assert line.slope_oom_per_year == pytest.approx(0.5)
    assert line.at(2030.0) == pytest.approx(13.0)
    assert line.r2 == pytest.approx(1.0) and line.residual_sd_oom == pytest.approx(0.0, abs=1e-9)
    assert line.doubling()[1] == pytest.approx(12 * np.log10(2) / 0.5)
    assert line.x_per_year == pytest.approx(10**0.5)


@pytest.mark.parametrize("method", fits.METHODS)
@pytest.mark.parametrize("months", [3.0, 6.0, 21.3])
def test_a_known_doubling_time_is_recovered(method, months):
    """The noise is symmetric, so all three lines rise alike."""
    years, values = synthetic(months, spread_oom=0.05)
    low, mid, high = fits.fit(years, values, method, draws=1_000).doubling()
    assert mid == pytest.approx(months, rel=0.02)
    assert low <= mid <= high


def test_least_squares_agrees_with_scipy_on_noisy_points():
    years, values = synthetic(spread_oom=1.5)
    line = fits.fit(years, values)
    known = stats.linregress(years, np.log10(values))
    assert line.slope_oom_per_year == pytest.approx(known.slope)
    assert line.r2 == pytest.approx(known.rvalue**2)
    assert line.slope_high - line.slope_low == pytest.approx(2 * 1.966 * known.stderr, rel=0.15)


def test_theil_sen_is_not_moved_by_odd_points_and_least_squares_is():
    years, values = synthetic(spread_oom=0.1)
    odd = values.copy()
    odd[years > 2024] /= 1e6
    assert fits.fit(years, odd, "theil-sen").doubling()[1] == pytest.approx(6.0, rel=0.1)
    assert fits.fit(years, odd).doubling()[1] > 7.5


def test_the_quantile_line_has_nine_tenths_of_the_points_below_it():
    years, values = synthetic(spread_oom=1.0)
    line = fits.fit(years, values, "quantile", draws=200)
    assert np.mean(np.array(line.residuals) < 0) == pytest.approx(0.9, abs=0.01)
    assert line.slope_low < line.slope_oom_per_year < line.slope_high


def test_the_quantile_line_minimises_the_check_loss():
    years, values = synthetic(n=60, spread_oom=1.0)
    line = fits.fit(years, values, "quantile", draws=100)

    def loss(slope):
        left = np.log10(values) - slope * (years - years.mean())
        left -= np.quantile(left, 0.9)
        return np.sum(left * (0.9 - (left < 0)))

    best = min(np.linspace(0.3, 0.9, 2_001), key=loss)
    assert line.slope_oom_per_year == pytest.approx(best, abs=2e-3)


@pytest.mark.parametrize("method", fits.METHODS)
@pytest.mark.parametrize("coverage", [0.5, 0.9])
def test_a_band_holds_its_share_of_the_points(method, coverage):
    years, values = synthetic(spread_oom=1.0)
    low, high = fits.band(fits.fit(years, values, method, draws=100), years, coverage)
    inside = np.mean((np.log10(values) >= low) & (np.log10(values) <= high))
    assert inside == pytest.approx(coverage, abs=0.05)


def test_a_band_widens_with_the_horizon_and_is_wider_than_the_slopes_interval():
    line = fits.fit(*synthetic(spread_oom=1.0))
    ahead = np.array([2026.0, 2028.0, 2031.0])
    low, high = fits.band(line, ahead, 0.9)
    assert np.all(np.diff(high - low) > 0)
    assert np.all(high - low > (line.slope_high - line.slope_low) * (ahead - line.mean_year))


def test_a_fall_does_not_double():
    years, values = synthetic()
    assert fits.fit(years, 1.0 / values).doubling() == (None, None, None)


@pytest.mark.parametrize(
    ("years", "values", "method"),
    [
        ([2020.0, 2021.0], [1.0, 2.0], "least squares"),
        ([2020.0] * 6, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "least squares"),
        ([2020.0, 2021.0, 2022.0, 2023.0, 2024.0], [1.0, 2.0, 0.0, 4.0, 5.0], "least squares"),
        ([2020.0, 2021.0, 2022.0, 2023.0, 2024.0], [1.0, 2.0, 3.0, 4.0, 5.0], "by eye"),
    ],
)
def test_what_cannot_be_fitted_is_refused(years, values, method):
    with pytest.raises(InputError):
        fits.fit(np.array(years), np.array(values), method)


def test_the_same_points_give_the_same_interval():
    years, values = synthetic()
    assert fits.fit(years, values) == fits.fit(years, values)
