"""Filters combine, and every row left out is accounted for."""

import pandas as pd
import pytest

from advisor.trends import filters
from advisor.trends.filters import Filter
from advisor.trends.metrics import METRICS, in_format, in_unit, metric, nameplate_over_reported
from advisor.trends.rows import SETS, rows
from data.errors import InputError

FRAME = pd.DataFrame(
    {
        "name": ["a", "b", "c", "d", "e"],
        "year": [2010.0, 2015.0, 2020.0, None, 2022.0],
        "domains": ["Language", "Vision;Language", "Vision", "Language", None],
        "countries": ["France", "Germany;France", "China", "France", "China"],
        "training_flop": [1e18, 1e20, 1e22, 1e23, None],
    }
)


def kept(**wanted):
    selection = filters.select(FRAME, "training_flop", Filter(**wanted), "no compute")
    assert len(selection.rows) + sum(part.count for part in selection.dropped) == selection.total == 5
    return list(selection.rows["name"]), {part.reason: part.count for part in selection.dropped}


def test_without_a_filter_only_what_has_no_value_or_date_falls_out():
    assert kept() == (["a", "b", "c"], {"no compute": 1, "no date": 1})


def test_filters_combine():
    names, dropped = kept(domains=("Vision",), countries=("France", "Germany"))
    assert names == ["b"]
    assert dropped == {"no compute": 1, "no date": 1, "another domain": 1, "another country": 1}


def test_a_row_counts_once_for_its_first_reason():
    _, dropped = kept(from_year=2012.0, domains=("Vision",))
    assert dropped == {"no compute": 1, "no date": 1, "before 2012": 1}


def test_years_text_and_an_empty_span():
    assert kept(from_year=2012.0, to_year=2016.0)[0] == ["b"]
    assert kept(text=" B ")[0] == ["b"]
    with pytest.raises(InputError):
        kept(from_year=2016.0, to_year=2012.0)
    with pytest.raises(InputError):
        filters.select(FRAME, "unicorns", Filter())


def test_text_is_not_a_pattern():
    assert kept(text="(")[0] == []


def test_options_come_with_the_most_frequent_first():
    assert filters.options(FRAME, "domains") == ["Language", "Vision"]
    assert filters.options(FRAME, "hardware") == []


def test_the_shipped_notable_models():
    selection = filters.select(rows("notable"), "training_flop", Filter(from_year=2010.0), "no compute")
    assert (selection.total, len(selection.rows)) == (886, 476)
    assert {part.reason: part.count for part in selection.dropped} == {"no compute": 348, "before 2010": 62}


@pytest.mark.parametrize("key", METRICS)
def test_every_set_of_every_metric_has_points(key):
    for name in metric(key).sets:
        assert len(filters.select(rows(name), metric(key).column, Filter()).rows) >= 10, name


def test_every_set_is_of_some_metric():
    assert {name for known in METRICS.values() for name in known.sets} == set(SETS)


def test_energy_in_other_units():
    energy = metric("energy")
    assert in_unit(energy, "MWh").factor == 1e-3
    assert in_unit(energy, "turbine-years").factor == pytest.approx(1 / 12.5e6)
    assert in_unit(energy, "t CO2e", 400.0).factor == pytest.approx(4e-4)
    over, n = nameplate_over_reported()
    assert (f"{over:.2f}", n) == ("2.66", 7)
    assert in_unit(energy, "MWh, as reported").factor == pytest.approx(1e-3 / over)
    for unit in ("t CO2e", "horses"):
        with pytest.raises(InputError):
            in_unit(energy, unit)


def test_hardware_in_other_formats():
    assert in_format(metric("per_watt"), "INT8").column == "int8_op_per_j"
    assert in_format(metric("per_usd"), "FP32").column == "fp32_flop_per_s_per_usd"


def test_a_metric_that_is_none():
    with pytest.raises(InputError):
        metric("happiness")
