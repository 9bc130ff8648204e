"""Variants as candidates, what a report keeps of a placement; HTML and JSON say the same of its years."""

import json
from dataclasses import replace

import pandas as pd
import pytest
import reports

from advisor.exporters import exporters
from advisor.latency.operators import OWN, from_layers, parts
from advisor.placement import placed, variants
from advisor.placement import words as placement_words
from advisor.placement.choose import Traffic, place
from advisor.placement.options import Candidate, options, targets
from advisor.placement.types import ORIGINAL
from advisor.report.contents import document
from advisor.report.credits import credited, with_sources
from advisor.types import Graph
from data import tables, units, words
from data.errors import Cancelled, MeasurementError
from data.estimate import Estimate
from data.home import home
from data.tables import device
from profiler.types import Layer

DIMS = {"batch": 1, "m": 128, "n": 1024, "k": 1024}
FLOAT = Layer(
    name="a", op="MatMul", flop=2 * 128 * 1024 * 1024, weight_bytes=1 << 22, read_bytes=1 << 19, written_bytes=1 << 19,
    dims=DIMS,
)  # fmt: skip
INTEGER = replace(FLOAT, dtype="int8", weight_bytes=1 << 20, read_bytes=1 << 17, written_bytes=1 << 17)
SUM = Layer(name="s", op="Softmax", flop=0, other_flop=1 << 17, read_bytes=1 << 19, written_bytes=1 << 19)
MODEL = replace(reports.MODEL, layers=(FLOAT, SUM) * 12, weight_bytes=12 << 22, peak_activation_bytes=1 << 20)


def graph(variant, layers):
    return Graph(
        sha256=variant.sha256, parent_sha256=MODEL.sha256, batch=1, weight_bytes=12 << 20, activation_bytes=1 << 20,
        layers=layers,
    )  # fmt: skip


@pytest.fixture(scope="module")
def report():
    made = reports.report(model=MODEL)
    known = {one.sha256: graph(one, (INTEGER, SUM) * 12) for one in made.variants if one.id == "int8"}
    return placed.place_report(made, known, "DE")


def test_a_graph_is_split_by_what_each_layer_computes_in():
    split = parts((INTEGER, SUM, FLOAT), OWN, folds=False)
    assert set(split) == {"int8", "fp32"}
    assert float(split["int8"].weight_bytes @ split["int8"].repeat) == 1 << 20  # as stored: not scaled again
    assert float(split["fp32"].flop @ split["fp32"].repeat) == FLOAT.flop
    assert set(parts((FLOAT,), "fp16", folds=False)) == {"fp16"}


def test_what_a_loop_moves_in_all_turns_is_counted_once():
    turns = replace(FLOAT, repeat=10, flop=FLOAT.flop * 10, weight_bytes=10 << 22, read_bytes=10 << 19)
    ops = from_layers((turns,), "fp32", folds=False)
    assert float(ops.weight_bytes @ ops.repeat) == 10 << 22 and float(ops.flop @ ops.repeat) == FLOAT.flop * 10


def test_an_8_bit_plan_is_not_offered_where_there_are_no_8_bit_rates():
    candidate = Candidate(variant_id="v", layers=(INTEGER, SUM), dtype=OWN, weight_bytes=1 << 20)
    offered = {one.target_id: one for one in targets()}
    served = {offered[place].device_id for place in options([candidate], None)["target_id"]}
    without = {one.device_id for one in offered.values() if device(one.device_id).int8_op_per_s is None}
    assert without and not served & without
    both = {offered[place].device_id for place in options([replace(candidate, layers=(FLOAT,))], None)["target_id"]}
    assert both & without


def test_a_variant_of_openvino_runs_on_cpus_alone():
    one = replace(
        reports.variant("int8_openvino", 100, 0.999), runtime="openvino", file="x/int8.xml", weight_bytes=12 << 20
    )
    found = variants.candidate(one, MODEL, None)
    assert found.kinds == ("cpu",) and {layer.dtype for layer in found.layers if layer.flop} == {"int8"}
    assert found.layers[0].weight_bytes == FLOAT.weight_bytes // 4
    kinds = {one.target_id: one.kind for one in targets()}
    assert {kinds[place] for place in options([found], None)["target_id"]} == {"cpu"}


def test_a_variant_whose_graph_is_not_known_is_named_not_guessed():
    choice = variants.of_report(reports.report(model=MODEL), {})
    assert [one.variant_id for one in choice.candidates] == ["original"]
    assert choice.not_placed and "its graph was not read" in choice.not_placed[0]


def test_a_report_is_placed_by_its_own_budget(report):
    best, said = report.placements[0], report.placed
    assert best.variant_id in ("int8", "original") and said.requests_per_day == 1e6 and said.budget_ms == 20.0
    assert best.latency_ms.basis == "predicted" or best.provider == "here"
    assert said.here is None or said.here.latency_ms.basis == "measured"
    assert sum(part.kwh_per_year for part in said.parts) == pytest.approx(best.kwh_per_year.mid)
    assert said.considered_count > said.feasible_count > 0 and said.runner_up_margin and said.would_change


def test_the_local_measurement_counts_on_this_machine_alone():
    made = reports.report(model=MODEL)
    known = {one.sha256: graph(one, (INTEGER, SUM) * 12) for one in made.variants}
    choice = variants.of_report(made, known, ["int8"])
    slow = replace(made, measurements=(reports.run(1e5), reports.run(9e4, "int8")), baseline=reports.run(1e5))
    other = variants.of_report(slow, known, ["int8"])
    traffic = Traffic(requests_per_day=1e6, budget_ms=20.0)
    first, second = place(choice.candidates, traffic), place(other.candidates, traffic)
    assert first.placements[0].kwh_per_year == second.placements[0].kwh_per_year


def test_year_five_is_the_same_by_hand_on_the_page_in_html_and_in_json(report):
    # kWh today x 1.2637...^5 of demand, over the trend's work per joule ^5; a turbine makes 12.5 GWh a year.
    year = report.placed.years[5]
    best, growth = report.placements[0], report.placed.years[1]
    demand = growth.demand_ratio.mid**5
    assert year.demand_ratio.mid == pytest.approx(demand)
    gain = growth.demand_ratio.mid * best.kwh_per_year.mid / growth.kwh_renewed.mid
    assert year.kwh_renewed.mid == pytest.approx(best.kwh_per_year.mid * demand / gain**5)
    assert year.turbine_years.mid == pytest.approx(year.kwh_renewed.mid / 12.5e6)
    plain = json.loads(exporters()["json"].render(report))["report"]["placed"]["years"][5]
    assert plain["turbine_years"]["mid"] == year.turbine_years.mid
    cells = [cell for section in document(report).sections for table in section.tables for row in table.rows
             for cell in row if cell.path == "placed.years.5.turbine_years.mid"]  # fmt: skip
    assert [cell.value for cell in cells] == [year.turbine_years.mid]
    told = words.interval(year.turbine_years, words.TURBINE, units.S_PER_YEAR)
    assert cells[0].text == told and told in exporters()["html"].render(report).decode()


def test_what_cannot_be_placed_says_why():
    made = placed.place_report(reports.report(), {}, None)
    assert made.placements == () or made.placed is not None
    bare = placed.place_report(reports.report(model=replace(MODEL, layers=())), {}, None)
    assert bare.placed is None and bare.notes[-1].startswith("It was not placed:")


class Broken:
    """A desk whose child dies, or is called off."""

    def __init__(self, error):
        self.error, self.home = error, home()

    def all(self, kind, **equal):
        return []

    def task(self, *given, **asked):
        raise self.error


def test_a_graph_that_cannot_be_read_does_not_cost_the_report(own_home):
    made = reports.report(model=MODEL)
    folder = home().variants(MODEL.sha256) / "int8"
    folder.mkdir(parents=True)
    (folder / "int8.onnx").write_bytes(b"x")
    found = placed.place_found(Broken(MeasurementError("The child died.")), made, None)
    assert found.notes[-1] == "The variants' graphs were not read: The child died."
    assert found.placements and {one.variant_id for one in found.placements} == {"original"}
    assert found.placed.not_placed
    with pytest.raises(Cancelled):
        placed.place_found(Broken(Cancelled("Called off.")), made, None)


def test_a_report_owes_what_it_holds_and_nothing_more(report):
    """Its energy rests on the rated power, its turbine on the talk; after another placement, nobody of the first."""
    ids = {one.id for one in report.sources}
    first = report.placements[0]
    assert {"energy/talk_s0", "latency/power", "grid/electricity_maps", "trends/rebound"} <= ids
    assert first.region and {f"regions/{one}" for one in tables.region(first.provider, first.region).source_ids} <= ids
    assert {f"devices/{one}" for one in tables.device(first.device_id).source_ids} <= ids
    bare = with_sources(replace(report, placements=(), placed=None))
    left = {one.id for one in bare.sources}
    assert "latency/power" not in left and not any(name.startswith(("instances/", "regions/")) for name in left)


def test_the_rated_power_of_a_family_is_credited_to_the_catalogue_it_sums_up():
    told = Estimate(low=1, mid=2, high=3, basis="modelled", source="CPU seconds x rated power (energy/rated_power)")
    assert [one.id for one in credited({"energy": told})] == ["energy/device_catalogue"]


def test_the_headline_year_is_that_of_the_whole_service_once_it_is_placed(report):
    """1 million calls of 0.08 J are 8 kWh; the server that waits for them is on all year."""
    shown = {one.label: one.cell for one in document(report).highlights}
    first = report.placements[0]
    where = f"in {first.provider} {first.region}"
    assert "CO2e a year" not in shown and shown[f"CO2e a year {where}"].path == "placements.0.g_co2e_per_year.mid"
    assert shown[f"CO2e a year {where}"].value == first.g_co2e_per_year.mid
    assert shown[f"Wind turbine a year {where}"].value == pytest.approx(
        units.turbine_years(report.placements[0].kwh_per_year).mid
    )
    year = next(one for one in document(report).sections if one.id == "footprint").tables[0]
    energy = next(row for row in year.rows if row[0].text == "Energy a year")
    assert year.columns[-1] == "The service, placed" and energy[-1].value == report.placements[0].kwh_per_year.mid
    alone = {one.label for one in document(reports.report()).highlights}
    assert "CO2e a year" in alone and not any(" in " in label for label in alone)


def test_sentences_name_this_machine_and_the_original_as_people_do():
    """Not "in here", and a variant whose own title begins so keeps its letters."""
    row = {"provider": "here", "region_id": None, "instance_type": "this machine", "instances": 1, "batch": 1,
           "value": 2.0, "utilisation_frac": 0.1, "variant_id": ORIGINAL, "kwh_low": 1.0, "kwh_high": 3.0}  # fmt: skip
    there = {"provider": "aws", "region_id": "eu-north-1", "instance_type": "c6g", "variant_id": "v"}
    other = {**row, **there, "value": 3.0}
    named = [
        Candidate(variant_id=ORIGINAL, title="The original", layers=()),
        Candidate(variant_id="v", title="The one", layers=()),
    ]
    counts = pd.Series({name: float("nan") for name in placement_words.LIMITS})
    first = placement_words.told(pd.DataFrame([row, other]), counts, "energy", None, named, pd.DataFrame())
    assert first.headline.startswith("The original here: 1 × this machine") and "with The one" in first.margin
    second = placement_words.told(pd.DataFrame([other, row]), counts, "energy", None, named, pd.DataFrame())
    assert second.headline.startswith("The one in aws eu-north-1: ") and "with the original" in second.margin
