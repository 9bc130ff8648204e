"""A report for another zone and traffic: the year follows them, what was measured stays, nothing runs."""

from dataclasses import replace

import pytest
import reports

from advisor import reported
from advisor.__main__ import main
from advisor.exporters.json import read
from advisor.retold import retold
from advisor.site import site
from advisor.types import Report
from data import tables
from data.errors import InputError
from data.home import home
from data.store import Store


@pytest.fixture
def told():
    """The report of reports.py (Germany, a million calls a day) for Sweden at three million."""
    return retold(reports.report(), "SE", 3e6, Store())


def test_the_year_is_that_of_the_zone_and_the_traffic(told):
    """8.1111 kWh x 3 = 24.333 kWh; x Sweden's grams; with the plan x 0.4."""
    first, sweden = reports.report(), tables.zone("SE").estimate()
    assert told.footprint_before.kwh_per_year.mid == pytest.approx(24.333333)
    assert told.footprint_before.g_co2e_per_year.mid == pytest.approx(24.333333 * sweden.mid)
    assert told.footprint_after.g_co2e_per_year.mid == pytest.approx(24.333333 * sweden.mid * 0.4, rel=1e-3)
    assert told.outlook.payback_days == pytest.approx(first.outlook.payback_days / 3)
    assert told.outlook.years[0].g_co2e == told.footprint_after.g_co2e_per_year
    assert all(one.footprint for one in told.recommendation.tried if one.energy_ratio), "every plan has its year"
    assert told.budget == replace(first.budget, zone="SE", requests_per_day=3e6)


def test_what_was_measured_stays_and_the_first_report_too(told):
    first = reports.report()
    assert told.id != first.id and told.created_at > first.created_at
    assert (told.baseline, told.measurements, told.variants) == (first.baseline, first.measurements, first.variants)
    assert told.recommendation.reasons == first.recommendation.reasons
    assert told.recommendation.plan.latency_ratio == first.recommendation.plan.latency_ratio
    assert told.placed is not None or told.notes[-1].startswith("It was not placed")


def test_the_same_question_told_again_is_the_same_report():
    first = reported.told_at(reports.report(), reports.report().budget, site("DE", Store()))
    assert reported.told_at(first, first.budget, site("DE", Store())) == first


def test_without_a_zone_there_is_no_carbon_and_nonsense_is_refused():
    assert retold(reports.report(), None, 1e6, Store()).footprint_before.g_co2e_per_year is None
    with pytest.raises(InputError):
        retold(reports.report(), "Atlantis", 1e6, Store())
    with pytest.raises(InputError, match="negative"):
        retold(reports.report(), "DE", -1.0, Store())


def test_the_command_tells_a_kept_report_for_another_zone(tmp_path, capsys):
    store = Store(home().store)
    store.save(reports.report())
    store.close()
    out = tmp_path / "report.json"
    assert main(["export", reports.report().id, "--zone", "SE", "--requests-per-day", "3e6", "--out", str(out)]) == 0
    assert read(out.read_bytes()).budget.zone == "SE"
    assert main(["export", reports.report().id, "--zone", "Atlantis", "--out", str(out)]) == 2
    store = Store(home().store)
    assert len(store.all(Report)) == 1, "only --keep keeps it"
    store.close()
