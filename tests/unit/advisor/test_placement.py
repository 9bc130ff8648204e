"""Placement by hand on a planted option and region, its monotone properties, and its plain refusals."""

import math
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advisor.latency.operators import graph
from advisor.placement import choose as placement
from advisor.placement import offers as placement_offers
from advisor.placement.choose import Traffic, place
from advisor.placement.filters import Filters
from advisor.placement.offers import COLUMNS
from advisor.placement.options import NO_LIMIT, WATTS, Candidate, Here, floor_ms, options, targets
from data.errors import InputError
from data.estimate import Estimate, exact
from data.tables import device
from profiler.types import Layer

QUICK = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
DIMS = {"batch": 1, "m": 128, "n": 1024, "k": 1024}
LAYER = Layer(name="x", op="MatMul", flop=2 * 128 * 1024 * 1024, weight_bytes=1 << 22, read_bytes=1 << 19,
              written_bytes=1 << 19, dims=DIMS)  # fmt: skip


def option(target_id, service_ms, *, batch=1, kind="gpu", idle=10.0, busy=60.0, variant="v", number=0, **more):
    watts = dict(zip(WATTS, (idle, idle, idle, busy, busy, busy), strict=True))
    row = {
        "option_id": number, "variant_id": variant, "target_id": target_id, "kind": kind, "batch": batch,
        "low_ms": service_ms / 2, "mid_ms": service_ms, "high_ms": service_ms * 2, "basis": "predicted",
        "servers_per_instance": 1.0, "most_servers": NO_LIMIT, "fits": True, **watts,
    }  # fmt: skip
    return row | more


def offer(offer_id, target_id, **more):
    row = {
        "offer_id": offer_id, "target_id": target_id, "provider": "aws", "instance_type": f"i{target_id}",
        "device_id": "nvidia-t4", "region_id": f"r{offer_id}", "zone_id": "DE", "country": "DE", "latitude": 0.0,
        "longitude": 0.0, "usd_per_h": 0.5, "spot_usd_per_h": 0.1, "price_source": "instances/aws", "available": True,
        "pue_low": 1.2, "pue": 1.2, "pue_high": 1.2, "pue_known": True, "g_low_per_kwh": 300.0, "g_per_kwh": 400.0,
        "g_high_per_kwh": 500.0, "carbon_free_hourly_frac": None, "renewable_match_annual_frac": None, "allowed": True,
    }  # fmt: skip
    return row | more


@pytest.fixture
def planted(monkeypatch):
    """Asks `place` with these options and offers instead of the tables'."""

    def ask(choices, stands, traffic, **asked):
        rows = pd.DataFrame(stands, columns=[*COLUMNS, "allowed"])
        monkeypatch.setattr(placement, "offers", lambda filters, here: rows)
        found = pd.DataFrame([one | {"option_id": number} for number, one in enumerate(choices)])
        return place((), traffic, found=found, **asked)

    return ask


def test_one_placement_in_full_by_hand(planted):
    # 4.32 million a day are 50 a second, 100 at the peak (x 2). 100/s x 20 ms = 2 busy servers; at most 80 % busy: 3.
    # P(wait) = (2/3) ** (sqrt(8) - 1) = 0.4765; the 95th percentile waits ln(0.4765 / 0.05) x 0.625 x 20 / 1 ms.
    # A quarter of the equator is 10,007.5 km: there and back x 1.8 at 200 km a ms.
    traffic = Traffic(requests_per_day=4_320_000, peak_factor=2.0, budget_ms=400.0, users_at=("0,90",))
    answer = planted([option(1, 20.0)], [offer(0, 1)], traffic)
    best, row = answer.placements[0], answer.rows.iloc[0]
    assert (best.replicas, best.batch) == (3, 1)
    assert best.utilisation_frac == pytest.approx(2 / 3)
    wait = math.log((2 / 3) ** (math.sqrt(8) - 1) / 0.05) * 0.625 * 20
    assert row["queue_ms"] == pytest.approx(wait)
    assert best.network_ms == pytest.approx(math.pi / 2 * 6371 * 2 * 1.8 / 200)
    assert best.answer_ms == pytest.approx(20 + wait + best.network_ms)
    # 50/s x 20 ms over 3 servers: busy a third of the time: 3 x (10 + 50/3) = 80 W, x 1.33 x 1.2 x 8,760 h.
    assert best.kwh_per_year.mid == pytest.approx(80 * 1.33 * 1.2 * 8.76)
    assert best.g_co2e_per_year.mid == pytest.approx(80 * 1.33 * 1.2 * 8.76 * 400)
    assert best.usd_per_year.mid == pytest.approx(3 * 0.5 * 8760)
    assert answer.feasible_count <= answer.considered_count == 6  # six counts of servers were judged


def test_a_batch_waits_until_it_is_full_and_is_served_at_once(planted):
    traffic = Traffic(requests_per_day=864_000, peak_factor=1.0, budget_ms=1_000.0)  # 10 a second
    row = planted([option(1, 30.0, batch=4)], [offer(0, 1)], traffic).rows.iloc[0]
    assert row["fill_ms"] == pytest.approx(300.0)  # three more arrive within 300 ms
    assert row["utilisation_frac"] == pytest.approx(10 / 4 * 0.030)


def test_whole_instances_are_paid(planted):
    traffic = Traffic(requests_per_day=864_000, peak_factor=1.0, budget_ms=1_000.0)
    answer = planted([option(1, 30.0, servers_per_instance=8.0)], [offer(0, 1)], traffic)
    assert answer.placements[0].replicas == 8
    assert answer.placements[0].usd_per_year.mid == pytest.approx(0.5 * 8760)


def test_swapping_two_grids_reverses_the_ranking_of_their_regions(planted):
    traffic = Traffic(requests_per_day=864_000, budget_ms=1_000.0)
    clean, dirty = ({"g_low_per_kwh": g, "g_per_kwh": g, "g_high_per_kwh": g} for g in (20.0, 600.0))
    one, other = (
        planted([option(1, 20.0)], [offer(0, 1, **first), offer(1, 1, **second)], traffic, objective="carbon")
        for first, second in ((clean, dirty), (dirty, clean))
    )
    assert [found.region for found in one.placements] == ["r0", "r1"]
    assert [found.region for found in other.placements] == ["r1", "r0"]
    assert one.placements[0].g_co2e_per_year.mid * 30 == pytest.approx(one.placements[1].g_co2e_per_year.mid)


def test_a_cpu_goes_before_a_gpu_that_is_hardly_better(planted):
    traffic = Traffic(requests_per_day=864_000, budget_ms=1_000.0)
    stands = [offer(0, 1), offer(1, 2)]
    for idle, first in ((10.5, "i2"), (20.0, "i1")):
        choices = [option(1, 20.0), option(2, 20.0, kind="cpu", idle=idle)]
        assert planted(choices, stands, traffic).placements[0].instance == first


def test_what_binds_is_named_with_what_it_costs(planted):
    # The frugal option is too slow for the budget; without the budget it would win.
    choices = [option(1, 20.0, idle=100.0, busy=200.0), option(2, 300.0, idle=10.0, busy=20.0)]
    traffic = Traffic(requests_per_day=86_400, peak_factor=1.0, budget_ms=100.0)
    answer = planted(choices, [offer(0, 1), offer(1, 2)], traffic)
    assert answer.placements[0].instance == "i1"
    assert answer.binding_constraint == "the latency budget"
    assert answer.would_change[0].startswith("Without the latency budget it would be")


def test_memory_and_price_rule_out(planted):
    traffic = Traffic(requests_per_day=86_400, budget_ms=1_000.0)
    tight = planted([option(1, 20.0, fits=False)], [offer(0, 1)], traffic)
    assert not tight.placements and tight.binding_constraint == "the memory of the devices"
    dear = planted([option(1, 20.0)], [offer(0, 1)], traffic, filters=Filters(usd_per_year=100.0))
    assert not dear.placements and dear.binding_constraint == "the price limit"
    unknown = planted([option(1, 20.0, fits=None)], [offer(0, 1)], traffic)
    assert any("not known" in reason for reason in unknown.placements[0].reasons)


@QUICK
@given(first=st.floats(20, 2_000), second=st.floats(20, 2_000), objective=st.sampled_from(placement.OBJECTIVES))
def test_a_tighter_budget_never_picks_a_slower_answer_and_never_gains(planted, first, second, objective):
    loose, tight = max(first, second), min(first, second)
    choices = [
        option(target, service * batch**0.6, batch=batch, idle=watts, busy=3 * watts)
        for target, service, watts in ((1, 4.0, 60.0), (2, 40.0, 15.0), (3, 150.0, 4.0))
        for batch in (1, 4, 16)
    ]
    stands = [offer(number, number + 1, usd_per_h=price) for number, price in enumerate((3.0, 0.6, 0.1))]
    answers = [
        planted(choices, stands, Traffic(requests_per_day=2_000_000, budget_ms=budget), objective=objective)
        for budget in (loose, tight)
    ]
    if answers[1].placements:
        wide, narrow = (found.rows.iloc[0] for found in answers)
        assert narrow["answer_ms"] <= tight
        assert narrow["answer_ms"] <= wide["answer_ms"] * (1 + 1e-6) or wide["answer_ms"] <= tight
        assert narrow["ranked_by"] >= wide["ranked_by"] * (1 - 1e-9)


@QUICK
@given(share=st.floats(0.01, 1.0), second=st.floats(0.01, 1.0))
def test_a_cleaner_grid_never_raises_carbon(planted, share, second):
    traffic = Traffic(requests_per_day=864_000, budget_ms=500.0)
    grids = [{"g_per_kwh": 400.0 * one, "g_low_per_kwh": 0.0, "g_high_per_kwh": 500.0} for one in (1.0, share, second)]
    before, after = (
        planted([option(1, 20.0)], [offer(0, 1, **mine), offer(1, 1, **grids[2])], traffic, objective="carbon")
        for mine in (grids[0], grids[1])
    )
    assert after.placements[0].g_co2e_per_year.mid <= before.placements[0].g_co2e_per_year.mid * (1 + 1e-9)


@QUICK
@given(per_day=st.floats(5e6, 5e8))
def test_a_thousand_times_the_traffic_needs_about_a_thousand_times_the_servers(planted, per_day):
    few, many = (
        planted([option(1, 20.0)], [offer(0, 1)], Traffic(requests_per_day=day, budget_ms=500.0)).placements[0]
        for day in (per_day, per_day * 1_000)
    )
    assert 600 * few.replicas <= many.replicas + 600 and many.replicas <= 1_000 * few.replicas


def test_real_tables_answer_and_this_machine_is_always_told():
    candidate = Candidate(
        variant_id="fp32", layers=(LAYER,) * 24, weight_bytes=24 << 22,
        measured_ms=Estimate(low=20.0, mid=25.0, high=30.0, basis="measured"),
    )  # fmt: skip
    here = Here(name="this machine", zone_id="DE", idle_w=exact(10.0, "modelled"), busy_w=exact(40.0, "modelled"))
    found = options([candidate], here)
    without = {one.target_id for one in targets() if device(one.device_id).int8_op_per_s is None}
    assert without and not without & set(options([replace(candidate, dtype="int8")], None)["target_id"])
    traffic = Traffic(requests_per_day=2_000_000, budget_ms=150.0, users_at=("DE", "aws/us-east-1"))
    answer = place([candidate], traffic, found=found, here=here)
    assert answer.placements and answer.considered_count > 50_000
    assert all(found.answer_ms <= 150.0 and found.network_ms > 80.0 for found in answer.placements)
    assert all(found.available for found in answer.placements)
    assert answer.here is not None and answer.here.latency_ms.basis == "measured"
    assert "over the 150 ms allowed" in answer.here.reasons[0]  # New York is 119 ms away
    strict = place([candidate], replace(traffic, budget_ms=1.0), found=found, here=here)
    assert not strict.placements and strict.here is not None and strict.headline.startswith("Nothing meets 1.00 ms")
    nothing = place([candidate], replace(traffic, budget_ms=0.0001), found=found)
    assert nothing.headline.startswith("No device in the table can do this")
    only = place([candidate], traffic, found=found, filters=Filters(countries=("SE",)))
    assert {found.zone.split("-")[0] for found in only.placements} <= {"SE"}


@pytest.mark.parametrize(
    ("traffic", "asked", "words"),
    [
        (Traffic(requests_per_day=0), {}, "nothing to place"),
        (Traffic(requests_per_day=1, peak_factor=0.5), {}, "below the average"),
        (Traffic(requests_per_day=1), {"objective": "speed"}, "no objective"),
        (Traffic(requests_per_day=1, users_at=("Atlantis",)), {}, "not known where"),
        (Traffic(requests_per_day=1), {"filters": Filters(providers=("acme",))}, "No provider"),
        (Traffic(requests_per_day=1, percentile=100), {}, "percentile"),
    ],
)
def test_refusals_are_one_plain_sentence(traffic, asked, words):
    with pytest.raises(InputError) as error:
        place((Candidate(variant_id="v", layers=(LAYER,)),), traffic, **asked)
    assert words in error.value.message


def test_prices_that_are_missing_stay_missing(planted):
    traffic = Traffic(requests_per_day=864_000, budget_ms=500.0)
    stands = [offer(0, 1, usd_per_h=None, available=None), offer(1, 1)]
    assert planted([option(1, 20.0)], stands, traffic).placements[0].usd_per_year is None
    by_cost = planted([option(1, 20.0)], stands, traffic, objective="cost")
    assert [found.region for found in by_cost.placements] == ["r1"]
    unknown = placement_offers.offers(Filters(unknown_too=True), None)
    assert unknown["available"].isna().any() and not placement_offers.offers(Filters(), None)["available"].isna().any()


def test_the_floor_is_bytes_over_bandwidth_or_flop_over_peak():
    ops, t4 = graph("resnet50"), device("nvidia-t4")
    flop = float(ops.flop @ ops.repeat)
    assert floor_ms({"fp32": ops}, [t4]) == (pytest.approx(flop / 8.141e12 * 1e3), t4.name)
