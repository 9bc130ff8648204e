"""Numbers in words: units chosen, ends told apart, nothing that was something printed as 0.00."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import units, words
from data.estimate import Estimate, exact


def between(low, mid, high, basis="measured"):
    return Estimate(low=low, mid=mid, high=high, basis=basis)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (words.latency(11.84), "11.8 ms"),
        (words.latency(0.0123), "12.3 µs"),
        (words.latency(0.99996), "1.00 ms"),
        (words.latency(999.96), "1.00 s"),
        (words.latency(2500), "2.50 s"),
        (words.latency(0), "0 s"),
        (words.latency(None), "not known"),
        (words.latency(math.nan), "not known"),
        (words.size(318 * 1024 * 1024), "318 MiB"),
        (words.size(512), "512 bytes"),
        (words.size(1000), "1,000 bytes"),
        (words.energy(0.21), "210 mJ"),
        (words.energy_kwh(0.0123), "12.3 Wh"),
        (words.energy_kwh(12_500_000), "12.5 GWh"),
        (words.carbon(41_000), "41.0 kg"),
        (words.carbon(84_700_000), "84.7 t"),
        (words.count(1797), "1,797"),
        (words.count(25_600_000), "25.6 million"),
        (words.flop(8.2e9), "8.20 GFLOP"),
        (words.number(9.99999e-5), "1.00 × 10⁻⁴"),
        (words.number(-1.24e-7), "−1.24 × 10⁻⁷"),
        (words.number(1.5e20), "1.50 × 10²⁰"),
        (words.percent(0.00031), "0.031 %"),
        (words.percent(1.0), "100 %"),
        (words.percent(0.0), "0 %"),
        (words.change(0.37), "−63 %"),
        (words.change(2.6), "+160 %"),
        (words.change(1.0001), "±0 %"),
        (words.times(0.3712), "0.371×"),
        (words.usd(118.4), "$118.40"),
        (words.usd(12_345.6), "$12,346"),
        (words.duration(11.2), "12 s"),
        (words.duration(200), "3 min 20 s"),
        (words.duration(7500), "2 h 5 min"),
        (words.number(1.2345e-7), "1.23 × 10⁻⁷"),
        (words.number(-1234.5), "−1,230"),
    ],
)
def test_said(text, said):
    assert text == said


def test_one_tenth_of_a_joule_is_told_in_nanoseconds_of_a_turbine():
    """0.1 J of 12.5 GWh = 4.5e13 J is 2.22e-15 of a year of 31,536,000 s: 70.1 ns."""
    assert words.turbine(units.turbine_years(units.kwh_from_j(0.1))) == "70.1 ns"


def test_the_185_mwh_of_a_day_are_5_4_turbine_days():
    years = units.turbine_years(185_000.0)
    assert words.turbine(years) == "5.40 days"
    assert words.turbines(units.per_year(years)) == "5.40 turbines"
    assert words.turbines(years) == "1.5 % of one turbine"


def test_interval_in_one_unit():
    assert words.interval(between(11.8, 12.1, 12.4), words.LATENCY, 1e-3) == "12.1 ms (11.8–12.4)"
    assert words.interval(between(0.9, 1.2, 1500), words.LATENCY, 1e-3) == "1.20 ms (0.900–1,500)"
    assert words.interval(exact(3.0), words.LATENCY) == "3.00 s"
    assert words.interval(None, words.LATENCY) == "not known"


def test_interval_takes_as_many_digits_as_tell_its_ends_apart():
    assert words.interval(between(10.001, 10.002, 10.004), words.LATENCY, 1e-3) == "10.002 ms (10.001–10.004)"


def test_interval_of_words():
    assert words.interval_of(between(0.35, 0.37, 0.4), words.change) == "−63 % (−65 % to −60 %)"


@given(st.floats(min_value=1e-12, max_value=1e12))
def test_no_energy_is_printed_as_zero(years):
    said = words.turbine(years).split()[0].replace(",", "")
    assert float(said) > 0


@given(st.floats(min_value=1e-9, max_value=1e9), st.sampled_from([words.BYTES, words.KWH, words.GRAMS, words.LATENCY]))
def test_the_printed_value_is_within_half_a_percent(value, ladder):
    text, _, unit = words.scaled(value, ladder).partition(" ")
    if "×" not in unit:
        factor = next(factor for factor, name in ladder if name == unit)
        assert float(text.replace(",", "")) * factor == pytest.approx(value, rel=0.0051)


def test_many_things_and_one():
    assert words.many(1, "layer") == "1 layer"
    assert words.many(0, "layer") == "0 layers"
    assert words.many(89632, "weight") == "89,632 weights"
    assert words.many(2, "matrix", "matrices") == "2 matrices"
