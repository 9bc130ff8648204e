"""Footprints told in things people know."""

import pytest

from advisor import equivalents
from data.errors import InputError
from data.estimate import Estimate, exact

CARBON = Estimate(low=1e6, mid=84_738_490.0, high=1e8, basis="modelled", source="grid/ember")


def test_gpt3_in_kilometres():
    told = equivalents.of_carbon(CARBON, "car_km_eu_new_2018")
    assert told.amount.mid == pytest.approx(703_808, rel=1e-5)
    assert told.amount.low == pytest.approx(1e6 / 120.4)
    assert told.amount.basis == "claimed"
    assert told.source == "energy/carbontracker_2020"
    assert told.amount.source == "grid/ember; energy/carbontracker_2020"


def test_a_turbine_is_five_thousand_households():
    assert equivalents.of_energy(exact(12.5e6), "household_2p_annual_kwh").amount.mid == pytest.approx(5000)


def test_flights_and_phone_charges():
    assert equivalents.of_carbon(exact(899_927.0), "flight_ny_sf_strubell").amount.mid == pytest.approx(1.0)
    assert equivalents.of_energy(exact(1.2), "smartphone_charge_kwh").amount.mid == pytest.approx(100.0)


def test_only_what_follows_is_told():
    assert {told.equivalent_id for told in equivalents.told(exact(1.0), None)} == set(equivalents.OF_ENERGY)
    both = equivalents.told(exact(1.0), CARBON)
    assert len(both) == len(equivalents.OF_ENERGY) + len(equivalents.OF_CARBON)
    assert all(told.label and told.source for told in both)
    assert equivalents.told(None, None) == ()


def test_an_unknown_equivalent_is_refused():
    with pytest.raises(InputError):
        equivalents.of_carbon(CARBON, "blue_whales")
