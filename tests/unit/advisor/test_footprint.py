"""The chain from joules to turbines, against figures worked out by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor import footprint
from data.errors import InputError
from data.estimate import Estimate, exact

CALL = Estimate(low=1.8, mid=3.6, high=7.2, basis="measured", source="meter")
GRID = Estimate(low=300.0, mid=350.0, high=400.0, basis="modelled", source="grid/electricity_maps")


def test_the_chain_by_hand():
    """1e6 calls a day of 3.6 J: 1 kWh a day, 365 kWh a year; x 1.33 x 1.2 = 582.54 kWh; x 350 g = 203,889 g."""
    found = footprint.yearly(CALL, 1e6, GRID, 1.2, overhead=1.33, usd_per_kwh=0.25)
    assert found.energy_j_per_call == CALL
    assert found.kwh_per_year.mid == pytest.approx(582.54)
    assert (found.kwh_per_year.low, found.kwh_per_year.high) == pytest.approx((291.27, 1165.08))
    assert found.g_co2e_per_year.mid == pytest.approx(203_889.0)
    assert found.g_co2e_per_year.low == pytest.approx(291.27 * 300)
    assert found.g_co2e_per_year.high == pytest.approx(1165.08 * 400)
    assert found.turbine_years.mid == pytest.approx(582.54 / 12_500_000)
    assert found.usd_per_year.mid == pytest.approx(145.635)
    assert found.kwh_per_year.basis == "measured"
    assert found.g_co2e_per_year.basis == "modelled"
    assert found.g_co2e_per_year.source == "meter; grid/electricity_maps"


def test_idle_by_hand():
    """10 W all year is 87.6 kWh; with the 365 kWh of the calls 452.6; x PUE 1.5 = 678.9."""
    found = footprint.yearly(CALL, 1e6, None, 1.5, idle_w=exact(10.0, "measured"))
    assert found.kwh_per_year.mid == pytest.approx(678.9)
    assert found.idle_kwh_per_year.mid == pytest.approx(131.4)
    chain = footprint.stages(CALL, 1e6, 1.5, idle_w=exact(10.0, "measured"))
    assert [stage.name for stage in chain] == ["device", "idle", "server", "facility"]
    assert [stage.kwh_per_year.mid for stage in chain] == pytest.approx([365.0, 452.6, 452.6, 678.9])
    assert chain[3].factor.mid == 1.5 and chain[1].factor is None


def test_what_is_not_known_stays_none():
    found = footprint.yearly(CALL, 1e6, None)
    assert found.g_co2e_per_year is None
    assert found.usd_per_year is None
    assert found.idle_kwh_per_year is None
    assert found.embodied_g_co2e_per_year is None


def test_embodied_is_off_until_it_is_given():
    """164 kg over 4 years, 2 devices: 82,000 g a year."""
    share = footprint.embodied_g_co2e(exact(164.0, "modelled"), 4.0, 2)
    assert share.mid == pytest.approx(82_000.0)
    without, with_it = (footprint.yearly(CALL, 1e6, GRID, embodied_g_co2e_per_year=part) for part in (None, share))
    assert with_it.g_co2e_per_year.mid - without.g_co2e_per_year.mid == pytest.approx(82_000.0)
    assert with_it.embodied_g_co2e_per_year == share


def test_rent_and_electricity_add_up():
    found = footprint.yearly(CALL, 1e6, None, usd_per_kwh=0.2, usd_per_h=0.5, on_h_per_year=1000.0)
    assert found.usd_per_year.mid == pytest.approx(365 * 0.2 + 500.0)


def test_a_turbine_of_another_size():
    assert footprint.yearly(CALL, 1e6, None, turbine_mw=1, turbine_full_load_h=365).turbine_years.mid == pytest.approx(
        0.001
    )


def test_lifetime_by_hand():
    """Loading 36 kJ twice: 0.02 kWh; 100 days of 1e6 calls: 100 kWh; idle 5 W x 2,400 h: 12 kWh."""
    args = {"load_j": exact(36_000.0), "loads": 2, "idle_w": exact(5.0)}
    assert footprint.lifetime_kwh(CALL, 1e6, 100, **args).mid == pytest.approx(112.02)
    assert footprint.lifetime_kwh(CALL, 2e6, 100, **args).mid == pytest.approx(212.02)


@given(requests=st.floats(0, 1e12), idle=st.floats(0, 1e5), pue=st.floats(1, 3))
def test_doubling_requests_doubles_the_calls_and_leaves_idle(requests, idle, pue):
    once, twice = (footprint.yearly(CALL, n, None, pue, idle_w=exact(idle)) for n in (requests, 2 * requests))
    assert once.idle_kwh_per_year == twice.idle_kwh_per_year
    calls = [found.kwh_per_year.mid - found.idle_kwh_per_year.mid for found in (once, twice)]
    scale = twice.kwh_per_year.mid
    assert calls[1] == pytest.approx(2 * calls[0], rel=1e-6, abs=1e-9 * scale + 1e-12)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: footprint.yearly(CALL, -1, None),
        lambda: footprint.yearly(CALL, 1, None, 0.9),
        lambda: footprint.yearly(CALL, 1, None, overhead=0.5),
        lambda: footprint.yearly(CALL, 1, None, on_h_per_year=-1),
        lambda: footprint.embodied_g_co2e(exact(1.0), 0),
        lambda: footprint.lifetime_kwh(CALL, 1, -1),
    ],
)
def test_impossible_inputs_are_refused(wrong):
    with pytest.raises(InputError) as error:
        wrong()
    assert error.value.hint


def test_a_fleet_by_hand():
    """100 devices x 400 W x 0.5 x 24 h = 480 kWh; x 1.33 x 1.1 = 702.24 kWh."""
    found = footprint.fleet_kwh(100, exact(400.0), 24, utilisation=0.5, overhead=1.33, pue=1.1)
    assert found.mid == pytest.approx(702.24)
    with pytest.raises(InputError):
        footprint.fleet_kwh(1, exact(400.0), 24, utilisation=1.1)


def test_moving_to_a_better_place_by_hand():
    """PUE 1.8 to 1.2 and 20 % to 40 % busy: 1.2 / 1.8 x 0.2 / 0.4 = 1/3."""
    assert footprint.move_ratio(1.8, 1.2, 0.2, 0.4).mid == pytest.approx(1 / 3)
    assert footprint.move_ratio(1.5, 1.5).mid == 1.0
    with pytest.raises(InputError):
        footprint.move_ratio(1.5, 1.2, 0.0, 0.5)
