"""Before, after and the change of a plan agree, and a search for what got slower finds it among many runs."""

from dataclasses import replace

import pandas as pd
import pytest
import reports

from advisor.figures import history as history_figures
from advisor.reported import newest_profile, planned_j
from data.estimate import Estimate
from data.store import Store
from tests.fakes import Keeper


def test_modelled_energy_with_a_plan_is_the_original_s_times_the_paired_ratio():
    plan, original = reports.report().recommendation.plan, reports.run(10.0)
    ratio = Estimate(low=0.7, mid=0.775, high=0.84, basis="modelled", source="paired rounds, CPU time")
    found = planned_j(replace(plan, energy_ratio=ratio), original)
    assert found.mid == pytest.approx(0.08 * 0.775)
    assert (found.low, found.high) == (pytest.approx(0.04 * 0.7), pytest.approx(0.16 * 0.84))


def test_counted_energy_stays_what_was_counted():
    counted = Estimate(low=0.03, mid=0.031, high=0.032, basis="measured", source="RAPL")
    plan = replace(reports.report().recommendation.plan, energy_j=counted)
    assert planned_j(plan, reports.run(10.0)) == counted
    assert planned_j(replace(plan, energy_j=None), reports.run(10.0)) is None


def test_the_store_names_the_runs_that_got_slower():
    """Three files run twice each: one 30 % slower, one the same, one faster; a run of a variant is none of them."""
    store = Store()
    store.save(reports.report())
    for sha, first, second in (("1", 10.0, 13.0), ("2", 10.0, 10.1), ("3", 10.0, 5.0)):
        for turn, scale in enumerate((first, second)):
            run = replace(reports.run(scale), id=f"{sha}-{turn}", model_sha256=sha * 64)
            store.save(run)
    found = store.ask("slower", same=0.05)
    assert [(row.before_id, row.now_id) for row in found.itertuples()] == [("1-0", "1-1")]


def test_the_medians_of_one_file_over_time():
    """Two runs of 200 calls and one of a variant: order statistics 86 and 115 of 200 are the 95 % interval."""
    store = Store()
    store.save(reports.report())
    samples = tuple(float(k) for k in range(1, 201))
    store.save(replace(reports.run(10.0), id="later", samples_ms=samples))
    found = store.ask("medians", model_sha256=reports.MODEL.sha256, limit=10)
    assert len(found) == 2 and list(found["threads"]) == [1, 1]
    last = found.iloc[-1]
    assert (last["median_ms"], last["low_ms"], last["high_ms"]) == (100.5, 86.0, 115.0)


def test_a_line_for_every_way_it_was_run():
    rows = pd.DataFrame(
        {
            "when": ["2026-11-22T10:00:00.000+00:00"] * 3, "machine": ["a", "a", "b"], "runtime": ["onnxruntime"] * 3,
            "threads": [1, 1, 2], "median_ms": [10.0, 12.0, 5.0], "low_ms": [9.0, 11.0, 4.0],
            "high_ms": [11.0, 13.0, 6.0],
        }
    )  # fmt: skip
    drawn = history_figures.medians(rows, "light")
    assert [(trace.name, list(trace.y)) for trace in drawn.data] == [
        ("a, onnxruntime, 1 thread", [10.0, 12.0]), ("b, onnxruntime, 2 threads", [5.0]),
    ]  # fmt: skip
    assert list(drawn.data[0].error_y.array) == [1.0, 1.0]


def test_a_report_tells_the_newest_profile_of_the_original_on_its_machine():
    told = reports.with_operators().operators
    baseline = reports.report().baseline
    keeper = Keeper()
    assert newest_profile(keeper, baseline) is None
    keeper.save(told, replace(told, id="variant", variant_id="v"), replace(told, id="elsewhere", fingerprint="other"),
                replace(told, id="another", runtime="openvino"))  # fmt: skip
    assert newest_profile(keeper, baseline) is told
    keeper.save(replace(told, id="newer"))
    assert newest_profile(keeper, baseline).id == "newer"
