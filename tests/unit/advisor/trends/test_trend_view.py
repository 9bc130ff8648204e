"""What the page shows, in words and tables; classes and their costs; typed amounts; grid history."""

import numpy as np
import pytest

from advisor.trends import classes, grid, view, wording
from advisor.trends.amounts import amount
from advisor.trends.filters import Filter
from advisor.trends.fits import fit, scatter_factor
from advisor.trends.metrics import METRICS, in_unit
from advisor.trends.reference import reference_fit, reference_fits
from advisor.trends.rows import newest_year, rows
from advisor.trends.standing import MyModel
from data.errors import InputError

COMPUTE = METRICS["compute"]


def test_eras_of_the_paper():
    shown = view.view(COMPUTE, "sevilla_2022", Filter(scale="without low"), (2010.0, 2015.65))
    assert [era.title for era in shown.eras] == ["1952 to 2010", "2010 to Aug 2015", "Aug 2015 to 2022"]
    assert [era.n for era in shown.eras] == [19, 20, 79]
    known = reference_fit("sevilla-before-2010").line.slope_oom_per_year
    assert shown.eras[0].line.slope_oom_per_year == pytest.approx(known)
    assert wording.sentence(shown.eras[0]).startswith("1952 to 2010: doubles every 21.0 months")


def test_an_era_with_too_few_points_says_so():
    shown = view.view(COMPUTE, "sevilla_2022", Filter(), (1955.0,))
    assert shown.eras[0].line is None and "too few" in wording.sentence(shown.eras[0])
    assert shown.last is shown.eras[1]
    assert len(wording.fit_table(shown)) == 1


def test_a_break_outside_the_points_makes_no_era():
    assert len(view.view(COMPUTE, "frontier", Filter(), (1950.0, 2040.0)).eras) == 1


def test_nothing_left_is_a_view_too():
    shown = view.view(COMPUTE, "notable", Filter(text="no such model"))
    assert shown.eras == () and shown.points.empty and shown.last is None and wording.beside(shown) is None


def test_a_unit_scales_points_and_line_alike():
    kwh, mwh = METRICS["energy"], in_unit(METRICS["energy"], "MWh")
    one, other = (view.view(metric, "notable", Filter()) for metric in (kwh, mwh))
    assert np.allclose(one.points["value"], other.points["value"] * 1000)
    assert one.last.line.at(2020) == pytest.approx(other.last.line.at(2020) + 3)
    assert one.last.line.slope_oom_per_year == pytest.approx(other.last.line.slope_oom_per_year)


def test_the_published_figure_beside_the_line():
    known, same = wording.beside(view.view(COMPUTE, "frontier", Filter(from_year=2018.0)))
    assert known.id == "frontier-2018-26" and same
    known, same = wording.beside(view.view(COMPUTE, "notable", Filter(from_year=2022.0)))
    assert not same  # 5.7 months lies outside 3.9 to 5.5
    assert wording.beside(view.view(METRICS["energy"], "notable", Filter())) is None
    assert wording.beside(view.view(COMPUTE, "all", Filter())) is None
    known, same = wording.beside(view.view(COMPUTE, "sevilla_2022", Filter(scale="regular", from_year=2010.0)))
    assert known.published.months == 5.7 and same
    assert wording.beside(view.view(COMPUTE, "sevilla_2022", Filter())) is None


def test_the_published_figure_of_2022_counts_in_the_authors_months():
    """Their month has 30 days: 21.3 lies in 16.1 to 31.6, and the same line is 21.0 months of 30.4 days."""
    computed = {one.id: one for one in reference_fits()}["sevilla-before-2010"]
    assert wording.reference_table([computed])["doubling_months"].iloc[0] == pytest.approx(21.27, abs=0.01)


def test_groups_are_the_most_frequent_and_the_rest_is_other():
    points = view.view(COMPUTE, "notable", Filter(), colour_by="Country").points
    assert points["group"].nunique() == view.GROUPS + 1 and "Other" in set(points["group"])
    assert set(view.view(COMPUTE, "sevilla_2022", Filter()).points["group"]) == {"Systems"}


def test_multimodal_comes_before_its_parts():
    points = view.view(COMPUTE, "notable", Filter()).points.set_index("name")
    row = rows("notable").set_index("name")["domains"]
    name = row[row.str.contains("Multimodal", na=False)].index.intersection(points.index)[0]
    assert points.loc[name, "group"] == "Multimodal"


def test_a_guess_is_fainter():
    points = view.view(COMPUTE, "notable", Filter()).points
    mean = points.groupby("confidence")["opacity"].mean()
    assert mean["Confident"] > mean["Likely"] > mean["Speculative"]


def test_one_system_and_one_that_is_none():
    assert wording.find("notable", "GPT-3 175B (davinci)")["training_flop"] == 3.14e23
    with pytest.raises(InputError):
        wording.find("notable", "Skynet")


def test_months_as_the_papers_print_them():
    assert [view.months(value) for value in (5.706, 21.27, 137.7, None)] == ["5.7", "21.3", "138", "∞"]


def test_claims_that_contradict_each_other_keep_their_correction():
    claims = wording.growth_claims()
    assert len(claims) == 2 and all("7.2 months" in claim["correction"] for claim in claims)


def test_the_spread_is_a_factor_around_the_line():
    years = np.repeat(np.arange(2010.0, 2020.0), 2)
    values = 10 ** (0.3 * (years - 2010) + np.tile([0.5, -0.5], 10))
    line = fit(years, values)
    # Student's t with 18 degrees of freedom at 95 %: 1.734; residual sd of +-0.5 over 18.
    sd = 0.5 * np.sqrt(20 / 18)
    assert np.log10(scatter_factor(line, 0.9)) == pytest.approx(1.7341 * sd * np.sqrt(1 + 1 / 20), rel=1e-3)


MINE = MyModel(name="mine", training_flop=8.4e22, parameter_count=7e9, training_usd=1e6)


def test_classes_offered_follow_what_is_known():
    assert classes.offered(COMPUTE, None) == ["shown", "frontier", "notable"]
    assert classes.offered(COMPUTE, MINE) == list(classes.CLASSES)
    assert classes.offered(METRICS["per_watt"], MINE) == ["shown"]


def test_class_lines():
    frontier = classes.class_line("frontier", COMPUTE)
    assert frontier.slope_oom_per_year == reference_fit("frontier-2018-26").line.slope_oom_per_year
    frame = rows("notable")
    frame = frame[(frame["year"] >= 2010) & frame["training_flop"].notna()]
    assert classes.class_line("size", COMPUTE, MINE).n == frame["parameter_count"].between(7e9 / 3, 21e9).sum()
    assert classes.class_line("cost", COMPUTE, MINE).n == frame["training_usd"].between(1e6 / 3, 3e6).sum()
    for name, mine in (("size", None), ("unicorns", MINE)):
        with pytest.raises(InputError):
            classes.class_line(name, COMPUTE, mine)


def test_a_training_gets_cheaper_as_hardware_does():
    today = newest_year()
    now, later = (classes.cost_of(1e23, year) for year in (today, today + 1))
    assert now.mid / later.mid == pytest.approx(1.404, rel=1e-3)  # FLOP per dollar grow 1.40x a year
    assert now.low < now.mid < now.high and now.basis == "modelled"
    now, later = (classes.energy_of(1e23, year) for year in (today, today + 1))
    assert now.mid / later.mid == pytest.approx(1.581, rel=1e-3)
    assert classes.cost_of(2e23, today).mid == pytest.approx(2 * classes.cost_of(1e23, today).mid)


@pytest.mark.parametrize(
    ("typed", "value"),
    [("7B", 7e9), (" 2T ", 2e12), ("4.2e22", 4.2e22), ("1,000", 1000.0), ("1.5m", 1.5e6), ("60k", 6e4), ("", None)],
)
def test_amounts_as_people_type_them(typed, value):
    assert amount(typed) == (None if value is None else pytest.approx(value))


@pytest.mark.parametrize("typed", ["many", "-3", "0", "7BB", "1e99", "nan", "1/2", "７B" * 2])
def test_amounts_that_are_none(typed):
    with pytest.raises(InputError):
        amount(typed, "Parameters")


def test_grid_history():
    found = grid.of_zones(("Germany",), 2010, 2020)
    assert list(found["year"]) == list(range(2010, 2021))
    change = grid.change_a_year(found).iloc[0]
    ratio = found["g_per_kwh"].iloc[-1] / found["g_per_kwh"].iloc[0]
    assert change["change_frac"] == pytest.approx(ratio - 1)
    assert (1 + change["change_a_year_frac"]) ** 10 == pytest.approx(ratio)
    assert grid.latest_g_per_kwh("Germany")[1] >= 2024
    assert grid.of_zones((), 2010, 2020).empty
    with pytest.raises(InputError):
        grid.of_zones(("Germany",), 2020, 2010)
    with pytest.raises(InputError):
        grid.latest_g_per_kwh("Atlantis")
    assert set(grid.FIRST_CHOICE) <= set(grid.zones())
