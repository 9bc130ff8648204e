"""Sums over models, next steps, comparisons of runs and regressions, by hand."""

import io
import json
from dataclasses import replace

import pandas as pd
import pytest
import reports

from advisor import history, model_frames, overview
from advisor.types import Footprint
from data.errors import InputError
from data.estimate import Estimate
from data.records import to_plain
from data.store import Store


def about(mid, low=None, high=None):
    return Estimate(low=low or mid, mid=mid, high=high or mid, basis="modelled", source="test")


def row(before=None, after=None, **more):
    texts = [None if one is None else json.dumps(to_plain(one)) for one in (before, after)]
    empty = {
        "sha256": "aa", "name": "m", "format": "onnx", "file_bytes": 10, "cannot_run": None, "p50_ms": None,
        "energy_j": None, "report_id": None, "verdict": None, "footprint_before": texts[0], "footprint_after": texts[1],
    }  # fmt: skip
    return {**empty, **more}


def test_totals_add_what_is_known():
    one = row(Footprint(kwh_per_year=about(10, 5, 20)), Footprint(kwh_per_year=about(4, 2, 8)))
    two = row(
        Footprint(kwh_per_year=about(1), g_co2e_per_year=about(300)),
        Footprint(kwh_per_year=about(1), g_co2e_per_year=about(300)),
    )
    before, after = overview.totals(pd.DataFrame([one, two, row()]))
    assert (before.kwh_per_year.low, before.kwh_per_year.mid, before.kwh_per_year.high) == (6, 11, 21)
    assert after.kwh_per_year.mid == 5 and after.g_co2e_per_year.mid == 300
    assert overview.saved(before.kwh_per_year, after.kwh_per_year) == pytest.approx(1 - 5 / 11)
    assert before.energy_j_per_call is None


@pytest.mark.parametrize(
    ("more", "step"),
    [
        ({"cannot_run": "weights only"}, "stored"),
        ({}, "measure"),
        ({"p50_ms": 3.0}, "plan"),
        ({"p50_ms": 3.0, "verdict": "compress"}, "compress"),
        ({"verdict": "keep the original"}, "keep the original"),
        ({"p50_ms": 3.0, "verdict": "nothing meets the budget"}, "nothing meets the budget"),
    ],
)
def test_what_to_do_next(more, step):
    frame = pd.DataFrame([row(**more)])
    assert overview.glance(frame)["next"].iloc[0] == overview.NEXT[step]


def test_a_target_stands_beside_today_and_the_plans():
    frame = overview.against_target(Footprint(kwh_per_year=about(10)), Footprint(kwh_per_year=about(4)), target=6.0)
    assert list(frame["kwh_per_year"]) == [10, 4, 6] and list(frame["basis"]) == ["modelled", "modelled", "given"]
    money = overview.against_target(
        Footprint(usd_per_year=about(3)), Footprint(usd_per_year=about(2, 1, 3)), None, "usd_per_year"
    )
    assert list(money["usd_low_per_year"]) == [3, 1] and list(money["usd_high_per_year"]) == [3, 3]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (10.0, "The plans keep to the target with 20 % to spare at least."),  # 8 of 10 at worst
        (1.0, "The plans miss the target by 100 % at least."),  # 2 over 1 at best
        (4.0, "The target lies within the interval of the plans: it may be kept or missed."),
    ],
)
def test_a_target_is_kept_missed_or_within_the_interval(target, said):
    assert overview.on_target(about(4, 2, 8), target) == said


def test_the_table_holds_a_year_today_and_planned():
    before = Footprint(kwh_per_year=about(10), usd_per_year=about(3), turbine_years=about(8e-7))
    after = Footprint(kwh_per_year=about(4), usd_per_year=about(1.2), turbine_years=about(3.2e-7))
    found = overview.glance(pd.DataFrame([row(before, after)])).iloc[0]
    assert (found["energy_today_kwh_per_year"], found["energy_planned_kwh_per_year"]) == (10, 4)
    assert found["electricity_planned_usd_per_year"] == 1.2
    assert found["turbine_today_s"] == pytest.approx(8e-7 * 365 * 24 * 3600)  # 25 s of one turbine
    assert found["carbon_today_g_co2e_per_year"] is None


def test_interleaved_runs_are_compared_in_pairs():
    """The same noise in both: the paired ratio is exactly 0.4, as its interval."""
    one, other = reports.run(10.0), reports.run(4.0, "int8")
    found = history.latency_ratio(one, other)
    assert (found.low, found.mid, found.high) == pytest.approx((0.4, 0.4, 0.4))
    alone = history.latency_ratio(one, replace(other, group_id="another"))
    assert alone.mid == pytest.approx(0.4) and alone.low < 0.4 < alone.high


def test_comparison_rows():
    rows = history.compare(reports.run(10.0), replace(reports.run(4.0), id="b", group_id="g")).set_index("quantity")
    told = ["Latency, median", "Latency, p95", "CPU time, median", "Energy per call", "Peak memory"]
    assert list(rows.index) == told  # p99 has too few beyond it
    assert list(rows["unit"]) == ["ms", "ms", "ms", "j", "bytes"]
    # Both modelled from CPU time on one machine: the watts cancel, and with them their interval.
    assert rows.loc["Energy per call", "ratio_high"] < 0.5 < rows.loc["Energy per call", "first"].high / 0.08
    assert rows.loc["Energy per call", "ratio"] == pytest.approx(0.4)
    assert rows.loc["Latency, p95", "ratio_low"] <= 0.4 <= rows.loc["Latency, p95", "ratio_high"]


def test_what_differs_is_said():
    one, other = reports.run(10.0), replace(reports.run(4.0, "int8"), stable=False)
    assert history.comparable(one, one) == ()
    assert history.comparable(one, other) == ("The two runs differ in variant.", "The second run was noisy.")


def test_a_slower_run_is_flagged_and_the_same_is_not():
    old, same, slow = (replace(reports.run(scale), id=str(scale), group_id=str(scale)) for scale in (10.0, 10.1, 12.0))
    assert history.regressions([old, same]) == []
    ((before, now, ratio),) = history.regressions([old, same, slow])
    assert (before, now) == (same, slow) and ratio.low > 1.05
    elsewhere = replace(slow, machine=replace(slow.machine, fingerprint="other"))
    assert history.regressions([old, elsewhere]) == []


def test_a_run_from_another_machine_comes_in_as_it_was():
    run = reports.run(10.0)
    assert history.read_measurement(json.dumps({**to_plain(run), "p50_ms": 10.0}).encode()) == run
    for content in (b"", b"[]", b"{}", b'{"id": "x"}', b"\xff"):
        with pytest.raises(InputError, match="not a measurement"):
            history.read_measurement(content)


def test_exports_hold_the_rows_and_no_formula():
    rows = pd.DataFrame({"name": ["=1+1", "plain"], "value": [1.5, -2.0]})
    assert history.as_csv(rows).decode().splitlines() == ["name,value", "'=1+1,1.5", "plain,-2.0"]
    assert pd.read_parquet(io.BytesIO(history.as_parquet(rows))).equals(rows)


def test_percentiles_of_a_run_say_their_interval_or_none():
    rows = model_frames.percentiles(reports.run(10.0)).set_index("percentile")
    assert rows.loc["p50", "latency_low_ms"] < rows.loc["p50", "latency_ms"] < rows.loc["p50", "latency_high_ms"]
    assert rows["samples_count"].tolist() == [200] * 4


def test_throughput_is_batch_over_the_median():
    run = replace(reports.run(10.0), samples_ms=(10.0,) * 100)
    run = replace(run, workload=replace(run.workload, batch_size=8))
    assert model_frames.throughput(run).mid == pytest.approx(800.0)


def test_facts_of_a_model_leave_out_what_is_not_known():
    facts = model_frames.facts(reports.MODEL)
    assert facts["Inputs"] == "x float32 batch × 784"
    assert facts["Format"] == "onnx, opset 17" and "Made by" not in facts
    assert facts["Computation"] == "198 kFLOP a call"


def test_two_runs_are_named_by_what_tells_them_apart():
    store, made = Store(), reports.report()
    store.save(made)
    original, int8, *_ = made.measurements
    assert history.file_name(store, int8) == f"{made.model.name}, INT8"
    assert history.labels(store, original, int8) == ("original", "INT8")
    later = replace(original, id="later", created_at="2026-11-23T10:00:00.000+00:00")
    assert history.labels(store, original, later) == (model_frames.when(original), model_frames.when(later))
    again = replace(original, id="again")
    assert [name.partition(",")[0] for name in history.labels(store, original, again)] == ["Earlier", "Later"]
    assert history.file_name(Store(), int8).endswith("a variant"), "its record may not be kept here"
