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


def test_a_tiny_year_is_told_in_amounts_that_can_be_read():
    """42.8 mg: / 120.4 g a km = 35.5 cm; 2.04 Wh of 2,500 kWh a year = 25.7 s; 4.76e-8 flights are none."""
    found = equivalents.told(exact(2.04e-3), exact(42.8e-3))
    said = {one.label: (told := equivalents.wording(one.label)).amount(one.amount) for one in found}
    assert said["km by a new EU car (2018)"] == "35.5 cm"
    assert said["Two-person household (Germany), electricity per year"] == "25.7 s"
    assert said["Air travel, 1 passenger, New York - San Francisco (Strubell)"] == "far less than one"
    assert said["One smartphone charge, electricity"] == "0.170"
    assert not any("10" + mark in text for text in said.values() for mark in "⁻⁰")
    assert told.what == "One smartphone charge, electricity"


def test_a_label_that_nobody_here_knows_is_told_as_a_count():
    foreign = equivalents.wording("<b>of another machine</b>")
    assert foreign.what == "<b>of another machine</b>"
    assert foreign.amount(exact(12.0)) == "12.0"
