"""The place page: its numbers are the placement's own, every limit has an effect, refusals are plain sentences."""

from dataclasses import replace

import pytest
import reports

from advisor.placement import choose as placement
from advisor.placement import placed
from advisor.placement.choose import Filters, Traffic, place
from advisor.placement.inputs import candidates, this_machine
from advisor.placement.variants import of_report
from advisor.turbine import Turbine
from advisor.types import Graph
from data import own, units, words
from data.home import home
from data.settings import put
from data.store import Store
from pages.ui import state
from pages.ui.formats import name
from profiler.types import Layer

LAYER = Layer(
    name="x", op="MatMul", flop=2 * 128 * 1024 * 1024, weight_bytes=1 << 22, read_bytes=1 << 19,
    written_bytes=1 << 19, dims={"batch": 1, "m": 128, "n": 1024, "k": 1024},
)  # fmt: skip
MODEL = replace(reports.MODEL, layers=(LAYER,) * 24, weight_bytes=24 << 22, parameter_count=24 << 20)


@pytest.fixture
def kept(own_home):
    """A model of 24 matrix products and one slow run of it."""
    store = Store(home().store)
    for record in (MODEL, reports.run(1_000.0)):  # so slow that this machine alone cannot carry the traffic
        store.save(record)
    store.close()


def shown(test):
    return {metric.label: metric.value for metric in reversed(test.metric)}  # the recommendation's come first


def set_number(test, label, value):
    next(one for one in test.number_input if one.label == label).set_value(value)
    return test.run()


def test_its_numbers_are_the_placements(open_page, said, kept):
    test = open_page("place")
    judged = candidates(MODEL, ("fp32",))
    best = place(judged, Traffic(requests_per_day=1e6, budget_ms=100.0), objective="energy").placements[0]
    assert best.instance in said(test).replace("\\", "")
    assert shown(test)["Energy a year"] == words.energy_kwh(best.kwh_per_year.mid)
    assert shown(test)["CO₂e a year"] == words.carbon(best.g_co2e_per_year.mid)
    assert shown(test)["Wind-turbine time a year"] == words.turbine(units.turbine_years(best.kwh_per_year.mid))
    assert "predicted" in said(test) and "measured" in said(test)  # the recommendation, and this machine


def test_traffic_and_filters_change_the_answer(open_page, said, kept):
    test = open_page("place")
    before = shown(test)["Servers"]
    many = set_number(test, "Requests a day", 1_000_000_000)
    assert int(shown(many)["Servers"].replace(",", "")) > int(before)
    chosen = next(one for one in many.multiselect if one.label == "Countries").set_value(["SE"]).run()
    assert not chosen.exception
    wanted = place(
        candidates(MODEL, ("fp32",)), Traffic(requests_per_day=1e9, budget_ms=100.0), filters=Filters(countries=("SE",))
    ).placements[0]
    assert wanted.zone.startswith("SE") and wanted.instance in said(chosen).replace("\\", "")


def test_what_cannot_be_is_one_plain_sentence(open_page, said, kept):
    test = set_number(open_page("place"), "Latency budget (ms)", 0.0001)
    assert name("No device in the table can do this")[:30] in said(test) and not test.exception
    assert "Cost against CO₂e" not in said(test)
    greek = next(one for one in test.multiselect if one.label == "Countries").set_value(["GR"])
    assert name("No region is left after these filters.") in said(greek.run())
    none = set_number(test, "Requests a day", 0)
    assert name("Without requests there is nothing to place.") in said(none) and not none.exception


def test_swapping_two_grids_moves_the_recommendation(open_page, said, kept, monkeypatch):
    def between(first, second):
        def swapped(filters, here):
            rows = kept_offers(filters, here)
            rows = rows[rows["region_id"].isin(["eu-north-1", "eu-central-1"]) & rows["provider"].eq("aws")].copy()
            clean = rows["region_id"].eq(first)
            for column in ("g_low_per_kwh", "g_per_kwh", "g_high_per_kwh"):
                rows[column] = clean.map({True: 20.0, False: 600.0})
            rows["pue_low"] = rows["pue"] = rows["pue_high"] = 1.1
            assert second in set(rows["region_id"])
            return rows.reset_index(drop=True)

        return swapped

    kept_offers = placement.offers
    for first, second in (("eu-north-1", "eu-central-1"), ("eu-central-1", "eu-north-1")):
        monkeypatch.setattr(placement, "offers", between(first, second))
        test = open_page("place")
        next(one for one in test.button_group if "Least CO₂e" in one.options).set_value("carbon")
        headline = test.run().header[1].value.replace("\\", "")
        assert f"aws {first}" in headline


def test_a_file_without_a_graph_says_so(open_page, said, seeded, own_home):
    store = Store(home().store)
    store.save(replace(reports.MODEL, layers=(), notes=("Weights without an architecture.",)))
    store.close()
    assert name("Where to run this model cannot be predicted.") in said(open_page("place"))


@pytest.fixture
def planned(own_home):
    """The same model with a report and the graph of its int8 variant, all layers in 8 bits."""
    made = reports.report(model=MODEL)
    int8 = next(one for one in made.variants if one.id == "int8")
    small = replace(LAYER, dtype="int8", weight_bytes=1 << 20, read_bytes=1 << 17, written_bytes=1 << 17)
    graph = Graph(
        sha256=int8.sha256, parent_sha256=MODEL.sha256, batch=1, weight_bytes=24 << 20, activation_bytes=1 << 20,
        layers=(small,) * 24,
    )  # fmt: skip
    store = Store(home().store)
    store.save(made, graph)
    store.close()
    return made, {graph.sha256: graph}


def button(test, label):
    return next(one for one in test.button if one.label == label)


def test_variants_are_placed_from_their_own_graphs_and_kept_in_the_report(open_page, said, planned):
    report, known = planned
    test = open_page("place")
    choice = of_report(report, known)
    traffic = Traffic(requests_per_day=1e6, budget_ms=20.0, users_at=("DE",))
    asked = replace(placed.asked_of(report.budget), traffic=traffic)
    best = placed.answer(choice, asked, this_machine(report.machine, "DE")).placements[0]
    assert best.instance in said(test).replace("\\", "") and best.variant_id == "int8"
    assert shown(test)["Energy a year"] == words.energy_kwh(best.kwh_per_year.mid)
    assert "INT8" in test.header[1].value
    assert state.report(MODEL.sha256).placed is None
    assert not button(test, "Put it into the report").click().run().exception
    kept = state.report(MODEL.sha256)
    assert kept.placements[0].instance == best.instance and kept.placed.titles["int8"] == "INT8"
    assert best.instance in said(open_page("report")).replace("\\", "")


def test_a_graph_that_was_not_read_can_be_read(open_page, planned):
    state.app().store.delete(Graph, parent_sha256=MODEL.sha256)
    test = open_page("place")
    assert not test.exception and button(test, "Read the graphs of the variants")


def test_sliders_and_parts_say_more(open_page, said, planned):
    test = open_page("place")
    test.select_slider(key="if-traffic").set_value(1_000.0).run()
    energy = [one for one in test.metric if one.label == "Energy a year"]
    assert len({one.value for one in energy}) == 2 and energy[-1].delta.startswith("+") and not energy[0].delta
    for part, words_ in (
        ("Years ahead", "carries the growth"), ("Hour of day", "No hourly shape is shipped"),
        ("Cloud or own room", "Location-based is the grid"), ("Where the energy goes", "unsold share"),
    ):  # fmt: skip
        more = next(one for one in test.button_group if "Years ahead" in one.options)
        test = more.set_value(part).run()
        assert not test.exception and words_ in said(test).replace("\\", ""), part


def test_hours_of_a_zone_with_a_shape(open_page, said, planned):
    test = open_page("place")
    more = next(one for one in test.button_group if "Years ahead" in one.options)
    test = more.set_value("Hour of day").run()
    test = test.selectbox(key="hours-zone").set_value("US-CAL-CISO").run()
    assert "11:00 to 15:00" in said(test) and not test.exception


def test_growth_of_demand_moves_the_placement_in_a_later_year(open_page, said, planned):
    test = open_page("place")
    more = next(one for one in test.button_group if "Years ahead" in one.options)
    test = more.set_value("Years ahead").run()
    test = test.number_input(key="ahead-growth").set_value(0.0).run()
    test = test.toggle(key="ahead-place").set_value(True).run()
    assert "It stays where it is." in said(test) and not test.exception
    test = test.number_input(key="ahead-growth").set_value(2_000.0).run()
    assert "another place is the best" in said(test) and not test.exception


def card():
    return own.device_of("Frugal card", "gpu", tdp_w=5.0, fp32_tflop_per_s=60.0, memory_gib=80.0, memory_gb_per_s=3e3)


def test_what_is_yours_counts_at_once_and_is_marked(open_page, said, kept):
    test = open_page("place")
    test = test.selectbox(key="place-zone").set_value("DE").run()
    shipped = test.header[1].value
    own.add_device(state.app().store, card())
    assert not any("yours" in one.value for one in test.dataframe)
    mine = test.run()
    assert "Frugal card (yours)" in mine.header[1].value.replace("\\", "") and not mine.exception
    assert name("The device is yours")[:19] in said(mine) and "On Frugal card" in said(mine).replace("\\", "")
    assert any("device" in set(one.value["yours"]) for one in mine.dataframe if "yours" in one.value)
    own.remove(state.app().store, "device", "own-frugal-card")
    assert test.run().header[1].value == shipped


def test_an_own_price_and_an_own_value_move_a_kept_answer(open_page, said, kept):
    test = open_page("place")
    goal = next(one for one in test.button_group if "Least CO₂e" in one.options)
    test = goal.set_value("cost").run()
    dear = judged_first("cost", other=True)
    assert f"{dear.instance} in {dear.provider} {dear.region}" not in test.header[1].value.replace("\\", "")
    own.add_price(state.app().store, dear.provider, dear.instance, dear.region, 1e-6)
    assert f"{dear.instance} in {dear.provider} {dear.region}" in test.run().header[1].value.replace("\\", "")
    assert "given" in said(test) and name("The price is yours.") in said(test)
    goal = next(one for one in test.button_group if "Least CO₂e" in one.options)
    test = goal.set_value("carbon").run()
    region = judged_first("carbon")
    assert f"{region.provider} {region.region}" in test.header[1].value.replace("\\", "")
    own.add_zone(state.app().store, region.zone, 2_400.0)
    assert f"{region.provider} {region.region}" not in test.run().header[1].value.replace("\\", "")


def judged_first(objective, other=False):
    """The best placement, or the best on another instance, with nothing of the user's own."""
    found = place(candidates(MODEL, ("fp32",)), Traffic(requests_per_day=1e6, budget_ms=100.0), objective=objective)
    first = found.placements[0]
    return next(one for one in found.placements if one.instance != first.instance) if other else first


def test_the_turbine_that_is_set_holds_here_and_in_the_report(open_page, planned):
    put("turbine_mw", 10.0)
    put("turbine_h", 3_000.0)
    report, known = planned
    test = open_page("place")
    choice = of_report(report, known)
    best = placed.answer(choice, placed.asked_of(report.budget), this_machine(report.machine, "DE")).placements[0]
    test = test.multiselect(key="place-users").set_value([]).run()
    told = Turbine(rated_mw=10.0, full_load_h=3_000.0).years(best.kwh_per_year).mid
    assert shown(test)["Wind-turbine time a year"] == words.turbine(told)
    assert not button(test, "Put it into the report").click().run().exception
    years = state.report(MODEL.sha256).placed.years
    assert all(one.turbine_years.mid == pytest.approx(one.kwh_renewed.mid / 30e6) for one in years) and years
