"""The turbine that is set: every report is told by it, whichever it was made with, and says which it is."""

import json

import pytest
import reports

from advisor import overview, turbine
from advisor.__main__ import main
from advisor.exporters import json as json_report
from advisor.placement import placed
from advisor.report import contents
from advisor.turbine import Turbine
from data import units
from data.settings import put
from data.store import Store


@pytest.fixture(scope="module")
def report():
    return placed.place_report(reports.report(), {}, "DE")


def turbines(plain, path=""):
    """Every (energy, turbine) pair of middles in a report, however deep."""
    if isinstance(plain, dict):
        energy = plain.get("kwh_renewed") or plain.get("kwh_per_year")
        if isinstance(plain.get("turbine_years"), dict) and isinstance(energy, dict):
            yield energy["mid"], plain["turbine_years"]["mid"]
        for name, value in plain.items():
            yield from turbines(value, f"{path}.{name}")
    elif isinstance(plain, list):
        for value in plain:
            yield from turbines(value, path)


def test_every_number_of_a_report_is_told_by_the_turbine_that_is_set(report):
    # 10 MW x 3,000 h are 30 GWh a year: a kWh is 1 / 30e6 of such a year.
    told = turbine.told_by(report, Turbine(rated_mw=10.0, full_load_h=3_000.0))
    pairs = list(turbines(json.loads(json_report.EXPORTER.render(told))))
    assert len(pairs) > 10  # before, after, plans, the years ahead of the report and of its placement
    for energy_kwh, years in pairs:
        assert years == pytest.approx(energy_kwh / 30e6)
    said = " ".join(next(one for one in contents.document(told).sections if one.id == "footprint").paragraphs)
    assert "30.0 GWh a year (the reference: 5 MW x 2,500 h = 12.5 GWh a year)" in said


def test_told_again_by_the_reference_it_is_the_report_that_was_made(report):
    away = turbine.told_by(report, Turbine(rated_mw=2.0, full_load_h=1_000.0))
    back = turbine.told_by(away, Turbine())
    assert back == report
    said = " ".join(next(one for one in contents.document(back).sections if one.id == "footprint").paragraphs)
    assert said.startswith("The reference is one wind turbine: 5 MW x 2,500 h = 12.5 GWh a year;")


def test_the_one_that_is_set_holds_on_the_overview_and_in_the_commands(capsys, own_home, report, tmp_path):
    put("turbine_mw", 10.0)
    put("turbine_h", 2_500.0)
    assert turbine.chosen().kwh_per_year == 25e6
    store = Store()
    store.save(report)
    row = overview.glance(store.ask("overview")).iloc[0]
    store.close()
    assert row["turbine_today_s"] == pytest.approx(row["energy_today_kwh_per_year"] / 25e6 * units.S_PER_YEAR)
    file, out = tmp_path / "report.json", tmp_path / "again.json"
    file.write_bytes(json_report.EXPORTER.render(report))
    assert main(["export", str(file), "--out", str(out)]) == 0
    assert all(years == pytest.approx(kwh / 25e6) for kwh, years in turbines(json.loads(out.read_bytes())))
    capsys.readouterr()
    assert main(["fleet", "10", "--watts", "400", "--json"]) == 0
    fleet = json.loads(capsys.readouterr().out)
    assert fleet["turbines"]["mid"] == pytest.approx(fleet["kwh_per_year"]["mid"] / 25e6)
    assert main(["train", "--flop", "1e20", "--json"]) == 0
    run = json.loads(capsys.readouterr().out)
    assert run["turbine_years"]["mid"] == pytest.approx(run["energy_kwh"]["mid"] / 25e6)
