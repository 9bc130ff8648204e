"""The years ahead by hand: turbines at year five, the year a device changes or a budget breaks, days to pay back."""

import pandas as pd
import pytest
from test_placement import offer, option

from advisor.footprint import yearly
from advisor.placement import choose as placement
from advisor.placement import through_time
from advisor.placement.choose import Traffic
from advisor.placement.filters import Filters
from advisor.placement.offers import COLUMNS
from advisor.types import Footprint
from data.errors import InputError
from data.estimate import Estimate, exact


@pytest.fixture
def world(monkeypatch):
    """Two devices: a frugal one of 10 W that is slow, and a hungry one of 100 W that is fast."""
    stands = pd.DataFrame([offer(0, 1), offer(1, 2)], columns=[*COLUMNS, "allowed"])
    monkeypatch.setattr(placement, "offers", lambda filters, here: stands)
    choices = [option(1, 80.0, idle=5.0, busy=10.0, kind="cpu"), option(2, 2.0, idle=20.0, busy=60.0)]
    return pd.DataFrame([one | {"option_id": number} for number, one in enumerate(choices)])


def test_joules_a_call_to_turbine_years_at_year_five():
    # 2 J x 1e8 a day x 365 = 20,277.8 kWh a year; demand x 1.5 a year: x 7.59375 at year five; 12.5 GWh a turbine.
    today = yearly(exact(2.0), 1e8, exact(400.0))
    year = through_time.years_of(today, exact(1.5))[-1]
    kwh = 2 * 1e8 * 365 / 3.6e6 * 1.5**5
    assert year.kwh.mid == pytest.approx(kwh)
    assert year.turbine_years.mid == pytest.approx(kwh / 12.5e6)
    assert year.g_co2e.mid == pytest.approx(kwh * 400)


def test_renewed_hardware_eases_in_steps_and_ends_stay_ends():
    today = Footprint(kwh_per_year=exact(100.0, "modelled"))
    demand = Estimate(low=1.0, mid=2.0, high=3.0, basis="claimed")
    years = through_time.years_of(today, demand, exact(1.5), renewed_every_years=2, years=3)
    assert [year.kwh.mid for year in years] == pytest.approx([100, 200, 400 / 1.5**2, 800 / 1.5**2])
    assert (years[2].kwh.low, years[2].kwh.high) == pytest.approx((100 / 2.25, 900 / 2.25))
    assert years[2].g_co2e is None


def test_a_growth_of_demand_flips_the_device(world):
    traffic = Traffic(requests_per_day=864_000, peak_factor=1.0, budget_ms=200.0)  # 10 a second
    slow, fast = (
        through_time.placed_years((), traffic, exact(growth), found=world, filters=Filters()) for growth in (1.05, 4.0)
    )
    assert through_time.first_move(slow) is None
    assert slow[0].answer.placements[0].instance == "i1"
    moved = through_time.first_move(fast)
    assert moved is not None and fast[moved].answer.placements[0].instance == "i2"
    assert fast[moved - 1].answer.placements[0].instance == "i1"


def test_the_year_a_budget_breaks_follows_from_the_growth(world):
    # 0.50 USD an hour is 4,380 a year: one server. 2 ms a call and 80 % busy are 400 a second: year 2, and no more.
    limit = Filters(usd_per_year=5_000.0)
    traffic = Traffic(requests_per_day=8_640_000, peak_factor=1.0, budget_ms=200.0)  # 100 a second
    years = through_time.placed_years((), traffic, exact(2.0), found=world, filters=limit, objective="cost")
    broken = [year.years_ahead for year in years if not year.answer.placements]
    assert broken == [3, 4, 5]
    assert years[3].answer.binding_constraint == "the price limit"
    told = through_time.budget_holds(8_000.0, 4_000.0, exact(2.0))
    assert told.months == pytest.approx(12.0)


def test_growth_eats_up_a_saving():
    # Half the energy: a doubling a year eats it in one year, 20 % a year in ln 2 / ln 1.2.
    demand = Estimate(low=1.0, mid=1.2, high=2.0, basis="claimed")
    earliest, middle, latest = through_time.years_until_eaten(0.5, demand)
    assert (earliest, latest) == (pytest.approx(1.0), None)
    assert middle == pytest.approx(3.80178, rel=1e-5)
    assert through_time.years_until_eaten(1.1, demand) == (0.0, 0.0, 0.0)


def test_days_to_pay_back():
    # Making took 3.6 MJ = 1 kWh; 365 kWh a year become 265: 100 saved a year, 1 in 3.65 days.
    before, after = (Footprint(kwh_per_year=exact(kwh, "modelled")) for kwh in (365.0, 265.0))
    assert through_time.payback_days(exact(3.6e6), before, after).mid == pytest.approx(3.65)
    assert through_time.payback_days(exact(3.6e6), after, before) is None
    assert through_time.payback_days(exact(3.6e6), before, Footprint()) is None


@pytest.mark.parametrize(
    "work",
    [
        lambda: through_time.years_of(Footprint(), exact(1.5), years=6),
        lambda: through_time.grown(exact(-1.0), 2),
        lambda: through_time.budget_holds(0.0, 1.0, exact(1.5)),
        lambda: through_time.years_until_eaten(0.0, exact(1.5)),
    ],
)
def test_refusals(work):
    with pytest.raises(InputError):
        work()


def test_nobody_counts_hundreds_of_months():
    """387 months are 32 years; within three years months tell more."""
    assert through_time._span(387.0) == "32 years" and through_time._span(35.4) == "35 months"
