"""What a kWh means: the shipped zone, one's own row, one's setting; and what a report makes of a price."""

from dataclasses import replace

import pytest
import reports

from advisor.report.contents import document
from advisor.reported import yearly
from advisor.site import site
from data import own, tables
from data.errors import InputError
from data.home import home
from data.settings import put
from data.store import Store
from profiler import sandbox
from profiler.sandbox import Limits


def test_shipped_then_own_then_set():
    store = Store(home().store)
    assert site("DE", store).g_per_kwh == tables.zone("DE").estimate()
    assert site(None, store).g_per_kwh is None
    own.add_zone(store, "DE", 300.0)
    assert (site("DE", store).g_per_kwh.mid, site("DE", store).g_per_kwh.basis) == (300.0, "given")
    own.add_zone(store, "HOME", 12.0)
    assert site("HOME", store).g_per_kwh.mid == 12.0
    put("g_per_kwh", "DE=250")
    found = site("DE", store).g_per_kwh
    assert (found.low, found.mid, found.high, found.basis) == (250.0, 250.0, 250.0, "given")
    assert found.source == "carbon of DE, set on the page"
    with pytest.raises(InputError):
        site("Atlantis", store)


def test_a_price_becomes_dollars_in_the_report():
    put("usd_per_kwh", 0.25)
    made = reports.report()
    place = site("DE", Store(home().store))
    before = yearly(made.baseline.energy_j, made.budget, place)
    assert before.usd_per_year.mid == pytest.approx(8.1111111 * 0.25)
    shown = document(replace(made, footprint_before=before, footprint_after=before))
    (year,) = [one for one in shown.sections if one.id == "footprint"]
    (row,) = [row for row in year.tables[0].rows if row[0].text == "Electricity a year"]
    assert row[1].text == "$2.03 ($1.01 to $4.06)"
    assert row[1].path == "footprint_before.usd_per_year.mid"


def test_the_memory_that_is_set_bounds_every_child():
    put("memory_mb", 512)
    assert sandbox._as_set(Limits()).memory == 512 * 1024 * 1024
    assert sandbox._as_set(Limits(memory_bytes=7)).memory == 7
