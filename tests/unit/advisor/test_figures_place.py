"""The map of regions and the front of cost against carbon, by hand."""

import pandas as pd
import pytest

from advisor.figures import place as figures_place
from data import tables


def test_the_front_is_what_nothing_beats_in_both():
    rows = pd.DataFrame({
        "placement": ["dear and clean", "cheap and dirty", "beaten", "between", "same price, dirtier"],
        "usd_per_year": [900.0, 100.0, 500.0, 400.0, 400.0], "g_co2e_per_year": [10.0, 800.0, 90.0, 80.0, 81.0],
    })  # fmt: skip
    assert list(figures_place.front(rows)["placement"]) == ["cheap and dirty", "between", "dear and clean"]
    drawn = figures_place.cost_carbon(rows, "dark")
    assert list(drawn.data[1].x) == [100.0, 400.0, 900.0] and list(drawn.data[1].y) == [0.8, 0.08, 0.01]


def test_regions_are_marked_where_something_meets_the_limits():
    ranked = pd.DataFrame({
        "provider": ["aws", "aws", "here"], "region_id": ["eu-north-1", "eu-north-1", None],
        "instance_type": ["best", "second", "this machine"], "answer_ms": [20.0, 10.0, 5.0],
    })  # fmt: skip
    rows = figures_place.region_rows(ranked)
    meets = rows[rows["meets_the_limits"]]
    assert list(meets["region"]) == ["aws eu-north-1"] and list(meets["instance"]) == ["best"]
    grams = tables.zone(tables.region("aws", "eu-north-1").zone_id).g_per_kwh
    assert meets["grid_g_per_kwh"].iloc[0] == pytest.approx(grams)
    drawn = figures_place.region_map(rows, "light", "aws eu-north-1", users=[(52.5, 13.4)])
    assert {trace.type for trace in drawn.data} == {"scatter"}  # no base map: nothing is fetched from outside
    assert drawn.layout.annotations[0].text == "aws eu-north-1"
