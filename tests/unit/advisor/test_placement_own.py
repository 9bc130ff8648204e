"""The user's own devices, zone values and prices in a placement: they win where better, and say whose they are."""

import json
from dataclasses import replace

import pytest
import reports
import small_models

from advisor.__main__ import main
from advisor.placement import choose, placed
from advisor.placement.choose import Traffic, place
from advisor.placement.filters import Filters
from advisor.placement.inputs import candidates, this_machine
from advisor.placement.offers import offers
from advisor.placement.options import options
from advisor.report import contents
from data import own, tables
from data.errors import InputError
from data.store import Store
from profiler.types import Layer

LAYER = Layer(
    name="x", op="MatMul", flop=2 * 128 * 1024 * 1024, weight_bytes=1 << 22, read_bytes=1 << 19,
    written_bytes=1 << 19, dims={"batch": 1, "m": 128, "n": 1024, "k": 1024},
)  # fmt: skip
MODEL = replace(reports.MODEL, layers=(LAYER,) * 24, weight_bytes=24 << 22, parameter_count=24 << 20)
MACHINE = reports.report().machine
JUDGED = candidates(MODEL, ("fp32",))
TRAFFIC = Traffic(requests_per_day=1e6, budget_ms=100.0)


def card(name="Frugal card", **changes):
    """A device with the peaks of an H100 on 5 W: nothing shipped comes near it."""
    figures = {"tdp_w": 5.0, "fp32_tflop_per_s": 60.0, "memory_gib": 80.0, "memory_gb_per_s": 3_000.0}
    return own.device_of(name, "gpu", **{**figures, **changes})


@pytest.fixture
def store():
    opened = Store()
    yield opened
    opened.close()


def asked(store, objective="energy", zone="DE", **more):
    here = this_machine(MACHINE, zone, yours=own.yours(store))
    return place(JUDGED, TRAFFIC, objective=objective, here=here, **more)


def test_an_own_device_of_five_watts_wins_and_says_whose_it_is(store):
    shipped = asked(store).placements[0]
    own.add_device(store, card(pue=1.0))
    answer = asked(store)
    best, second = answer.placements[:2]
    assert (best.provider, best.instance, best.region, best.zone) == ("yours", "own-frugal-card", "", "DE")
    assert second.instance == shipped.instance and not answer.left_out
    assert any("The device is yours" in reason for reason in best.reasons)
    # Servers of 5 W at most, 1.33 for the rest of a server, PUE 1 as given, 8,760 h.
    assert 0.0 < best.kwh_per_year.mid < best.replicas * 5.0 * 1.33 * 8.76
    grid = tables.zone("DE")
    assert best.g_co2e_per_year.mid == pytest.approx(best.kwh_per_year.mid * grid.g_per_kwh)
    assert best.usd_per_year is None


def test_an_own_device_has_the_pue_it_was_given_and_else_the_worlds(store):
    found = {}
    for name, pue in (("Desk card", 1.0), ("Room card", 1.3), ("Untold card", None)):
        own.add_device(store, card(name, pue=pue))
        mine = asked(store, filters=Filters(providers=("yours",))).placements
        found[name] = next(one for one in mine if one.instance == f"own-{name.lower().replace(' ', '-')}")
        own.remove(store, "device", found[name].instance)
    desk, room, untold = (one.kwh_per_year for one in found.values())
    assert room.mid == pytest.approx(1.3 * desk.mid) and untold.mid == pytest.approx(1.56 * desk.mid)
    assert untold.low == pytest.approx(1.26 * desk.low) and untold.high == pytest.approx(1.86 * desk.high)
    said = {name: " ".join(one.reasons) for name, one in found.items()}
    assert "You gave no PUE: the world's average, 1.56" in said["Untold card"]
    assert "PUE" not in said["Desk card"] and "PUE" not in said["Room card"]
    with pytest.raises(InputError, match="pue is"):
        own.add_device(store, card("Impossible", pue=0.5))


def test_an_own_device_ranks_by_cost_at_its_own_price_alone(store):
    own.add_device(store, card())
    unpriced = asked(store, "cost")
    assert all(one.provider != "yours" for one in unpriced.placements)
    assert unpriced.left_out == ("Frugal card (yours) has no price of yours, so it does not rank by cost.",)
    own.add_price(store, "yours", "own-frugal-card", "here", 0.002)
    answer = asked(store, "cost")
    best = answer.placements[0]
    assert best.provider == "yours" and not answer.left_out
    assert best.usd_per_year.mid == pytest.approx(best.replicas * 0.002 * 8_760) and best.usd_per_year.basis == "given"
    assert best.usd_per_year.source == "yours" and "The price is yours." in best.reasons


def test_an_own_device_obeys_the_filters_and_is_never_left_out_in_silence(store):
    own.add_device(store, card())
    own.add_device(store, card("No bandwidth", memory_gb_per_s=None))
    own.add_device(store, card("No peak", fp32_tflop_per_s=None, fp16_tflop_per_s=90.0))
    found = asked(store, filters=Filters(providers=("aws",)))
    assert {one.provider for one in found.placements} == {"aws"}
    mine = asked(store, filters=Filters(providers=("yours",)))
    assert {one.instance for one in mine.placements} == {"own-frugal-card"}
    assert mine.left_out == (
        "No bandwidth (yours) cannot be predicted: its memory bandwidth is not given.",
        "No peak (yours) cannot be predicted: it has no peak for what this computes in.",
    )


def test_an_own_price_flips_the_ranking_of_two_regions(store):
    before = asked(store, "cost").placements
    dear = next(one for one in before if one.instance != before[0].instance)
    own.add_price(store, dear.provider, dear.instance, dear.region, 1e-6)
    best = asked(store, "cost").placements[0]
    assert (best.provider, best.instance, best.region) == (dear.provider, dear.instance, dear.region)
    assert best.usd_per_year.mid == pytest.approx(best.replicas * 1e-6 * 8_760)
    assert (best.usd_per_year.basis, best.usd_per_year.source) == ("given", "yours")
    other = next(one for one in asked(store, "cost").placements if one.instance == before[0].instance)
    assert other.usd_per_year == before[0].usd_per_year  # that of the shipped table


def test_an_own_price_makes_an_instance_known_to_be_there(store):
    unknown = offers(Filters(unknown_too=True), None)
    row = unknown[unknown["available"].isna()].iloc[0]
    own.add_price(store, row["provider"], row["instance_type"], row["region_id"], 0.5)
    rows = offers(Filters(), this_machine(MACHINE, None, yours=own.yours(store)))
    at = rows[rows["instance_type"].eq(row["instance_type"]) & rows["region_id"].eq(row["region_id"])]
    assert at["usd_per_h"].tolist() == [0.5] and at["price_source"].tolist() == ["yours"]


def test_an_own_value_of_a_zone_moves_the_cleanest_place(store):
    before = asked(store, "carbon").placements
    own.add_zone(store, before[0].zone, 2_000.0)
    after = asked(store, "carbon").placements
    assert after[0].zone != before[0].zone
    there = asked(store, "carbon", filters=Filters(regions=(f"{before[0].provider}/{before[0].region}",)), limit=200)
    first = next(one for one in there.placements if one.region == before[0].region)
    assert first.g_co2e_per_year.mid == pytest.approx(first.kwh_per_year.mid * 2_000.0)
    assert first.g_co2e_per_year.basis == "modelled" and "yours" in first.g_co2e_per_year.source
    assert "The carbon of its grid is yours." in first.reasons


def test_a_zone_of_ones_own_is_where_this_machine_and_its_devices_stand(store):
    own.add_zone(store, "Our roof", 30.0)
    own.add_device(store, card())
    best = asked(store, zone="Our roof").placements[0]
    assert best.zone == "Our roof"
    assert best.g_co2e_per_year.mid == pytest.approx(best.kwh_per_year.mid * 30.0)


def test_what_is_yours_tells_two_answers_apart_and_nothing_else_does(store):
    def version():
        here = this_machine(MACHINE, "DE", yours=own.yours(store))
        return choose.version(TRAFFIC, "energy", Filters(), here)

    seen = [version()]
    for change in (
        lambda: own.add_device(store, card()), lambda: own.add_zone(store, "FR", 11.0),
        lambda: own.add_price(store, "aws", "c5.2xlarge", "us-east-1", 0.1),
        lambda: own.add_price(store, "aws", "c5.2xlarge", "us-east-1", 0.2),
        lambda: own.remove(store, "zone", "FR"),
    ):  # fmt: skip
        change()
        seen.append(version())
        assert version() == seen[-1]
    assert len(set(seen)) == len(seen)


def test_a_price_of_a_device_one_does_not_have_is_refused(store):
    for names in (("yours", "own-frugal-card", "here"), ("yours", "own-frugal-card", "us-east-1")):
        with pytest.raises(InputError, match="You have no device"):
            own.add_price(store, *names, 1.0)


def test_the_report_says_what_is_yours(store):
    own.add_device(store, card())
    own.add_zone(store, "DE", 100.0)
    made = placed.place_report(reports.report(model=MODEL), {}, "DE", own.yours(store))
    best = made.placements[0]
    assert best.provider == "yours" and best.g_co2e_per_year.mid == pytest.approx(best.kwh_per_year.mid * 100.0)
    section = next(one for one in contents.document(made).sections if one.id == "placement")
    said = " ".join([*section.points, *(cell.text for table in section.tables for row in table.rows for cell in row)])
    assert "The device is yours" in said and "own-frugal-card, with your carbon" in said and "yours (DE)" in said


def test_the_command_places_on_what_is_yours(capsys, tmp_path, own_home):
    file = small_models.mlp(tmp_path / "mlp.onnx", width=1024)
    figures = ["--tdp-w", "1", "--fp32-tflop-per-s", "60", "--memory-gib", "80", "--memory-gb-per-s", "3000"]
    assert main(["own", "--device", "Frugal card", *figures]) == 0
    assert main(["own", "--price", "yours/own-frugal-card/here=0.002"]) == 0
    capsys.readouterr()
    ask = ["place", str(file), "--zone", "DE", "--objective"]
    for objective in ("energy", "cost"):
        assert main([*ask, objective, "--json"]) == 0
        best = json.loads(capsys.readouterr().out)["placements"][0]
        assert (best["provider"], best["instance"], best["usd_per_year"]["source"]) == (
            "yours", "own-frugal-card", "yours",
        )  # fmt: skip
    assert main(["own", "--forget", "price/yours/own-frugal-card/here"]) == 0
    capsys.readouterr()
    assert main([*ask, "cost"]) == 0
    assert "has no price of yours" in capsys.readouterr().out


def test_options_without_own_devices_are_the_shipped_ones(store):
    own.add_device(store, card())
    here = this_machine(MACHINE, "DE", yours=own.yours(store))
    with_it, without = options(JUDGED, here), options(JUDGED, replace(here, yours=own.Yours()))
    assert len(with_it) == len(without) + 6  # one device at six batches
