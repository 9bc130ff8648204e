"""The wind turbine and the conversions, by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import units
from data.estimate import Estimate


@pytest.mark.parametrize(
    "kwh, value, unit",
    [
        (8_778.0, 6.15, "hours"),
        (12.5e6, 1.0, "years"),
        (25e6, 2.0, "years"),
        (1.0, 2.523, "seconds"),
        (100.0, 4.205, "minutes"),
        (400_000.0, 1.669, "weeks"),
        (185_000.0, 5.402, "days"),
        (1e-9 / 3.6, 0.7008, "nanoseconds"),  # one millijoule
        (1e-12 / 3.6, 0.0007008, "nanoseconds"),
        (0.0, 0.0, "nanoseconds"),
    ],
)
def test_turbine_time_scales_itself(kwh, value, unit):
    found = units.turbine_time(kwh)
    assert found[1] == unit
    assert found[0] == pytest.approx(value, rel=1e-3)


@given(st.floats(min_value=1e-18, max_value=1e15))
def test_turbine_time_is_never_nothing_and_always_the_same_energy(kwh):
    value, unit = units.turbine_time(kwh)
    size = {name: size for size, name in units.TURBINE_UNITS}[unit]
    assert value > 0
    assert value >= 1 or unit == "nanoseconds"
    assert value * size == pytest.approx(units.turbine_s(kwh))


def test_a_turbine_of_ones_own():
    assert units.turbine_kwh_per_year(3.0, 2000.0) == 6_000_000
    assert units.turbine_years(6_000_000.0, 3.0, 2000.0) == 1.0
    assert units.turbine_time(6_000_000.0, 3.0, 2000.0) == (1.0, "years")


def test_intervals_convert_as_numbers_do():
    estimate = Estimate(low=1.0, mid=2.0, high=4.0, basis="measured")
    assert units.kwh_from_j(units.j_from_kwh(estimate)).mid == pytest.approx(2.0)
    assert units.turbine_s(estimate).high == pytest.approx(units.turbine_s(4.0))
    assert units.pflops_days_from_flop(units.flop_from_pflops_days(estimate)).low == pytest.approx(1.0)


def test_power_and_time_make_energy():
    assert units.kwh_from_w(250.0, 4.0) == 1.0
    assert units.j_from_kwh(units.kwh_from_w(1000.0, 1.0)) == 3_600_000


def test_growth_and_doubling_are_inverse():
    assert units.growth_ratio(7.2247, 24) == pytest.approx(10.0, rel=1e-4)
    assert units.doubling_months(10.0, 24) == pytest.approx(7.2247, rel=1e-4)
