"""The verdict follows the samples: planted gains, losses and budgets flip it."""

import dataclasses

import numpy as np
import pytest

from advisor.paired import Candidate, candidate_plan
from advisor.recommend import recommend
from advisor.types import Budget, Quality, Step, Variant
from data import words
from data.estimate import Estimate
from profiler.types import Machine, Measurement, Workload

HERE = Machine(fingerprint="f", cpu="c", isa=(), physical_cores=1, logical_cores=1, memory_bytes=1)
NOISE = np.random.default_rng(0).normal(1.0, 0.01, 200)


def run(ms, *, cpu_ms=None, stable=True, noise=NOISE, peak_bytes=None, basis="modelled"):
    cpu = noise * (cpu_ms or ms)
    return Measurement(
        id="m", group_id="g", created_at="", model_sha256="s", machine=HERE, runtime="onnxruntime", provider="CPU",
        options={}, workload=Workload(), samples_ms=tuple(noise * ms), cpu_samples_ms=tuple(cpu), warmup_ms=(),
        load_ms=1.0, stable=stable, peak_bytes=peak_bytes,
        energy_j=Estimate(low=cpu.mean() / 2, mid=cpu.mean(), high=cpu.mean() * 2, basis=basis),
    )  # fmt: skip


def candidate(name, ms, *, loss=0.001, size=0.25, original=None, calibrated_on="", steps=1, failed=None, **timing):
    quality = Quality(kind="agreement", samples=10, cosine=1 - loss)
    variant = Variant(
        id=name, sha256=name, parent_sha256="s", steps=tuple(Step(technique=name, title=name) for _ in range(steps)),
        file=name, file_bytes=int(1000 * size), quality=quality, calibrated_on=calibrated_on, failed=failed,
    )  # fmt: skip
    return Candidate(
        variant=variant, measured=run(ms, **timing), original=original or run(10.0), original_file_bytes=1000
    )


def verdict(*candidates, original=None, **budget):
    return recommend(Budget(**budget), original or run(10.0), candidates)


def test_a_planted_gain_wins_and_its_ratio_is_read_back():
    found = verdict(candidate("fast", 4.0), candidate("faster", 3.0))
    assert (found.verdict, found.plan.variant_id, found.runner_up.variant_id) == ("compress", "faster", "fast")
    ratio = found.plan.latency_ratio
    assert ratio.mid == pytest.approx(0.3, rel=1e-9) and ratio.basis == "measured"
    assert "0.40" in found.runner_up_margin and found.binding_constraint == "objective"


@pytest.mark.parametrize("ms", [9.8, 10.0, 10.3, 60.0])
def test_no_gain_beyond_the_noise_keeps_the_original(ms):
    found = verdict(candidate("same", ms))
    assert (found.verdict, found.plan) == ("keep the original", None)
    assert found.tried[0].ruled_out


def test_the_same_samples_with_a_planted_loss_lose():
    assert verdict(candidate("lossy", 3.0, loss=0.02), max_loss=0.01).verdict == "keep the original"
    assert verdict(candidate("lossy", 3.0, loss=0.02), max_loss=0.03).verdict == "compress"


def test_a_loss_that_could_not_be_measured_never_wins():
    unknown = candidate("unknown", 3.0)
    variant = dataclasses.replace(unknown.variant, quality=None)
    assert verdict(dataclasses.replace(unknown, variant=variant)).verdict == "keep the original"


def test_a_better_plan_that_breaks_a_limit_is_named_as_what_binds():
    found = verdict(candidate("lossy", 2.0, loss=0.5), candidate("good", 4.0))
    assert found.plan.variant_id == "good"
    assert "lossy would gain more" in found.binding_constraint and "0.5" in found.binding_constraint


def test_a_latency_budget_that_only_the_variant_meets_compresses_and_a_tighter_one_is_a_near_miss():
    assert verdict(candidate("fast", 4.0), latency_ms=5.0).verdict == "compress"
    found = verdict(candidate("fast", 4.0), latency_ms=3.0)
    assert found.verdict == "nothing meets the budget" and found.runner_up.variant_id == "fast"
    p95 = np.percentile(NOISE * 4.0, 95)
    assert f"{words.percent(p95 / 3.0 - 1.0)} over" in found.headline


def test_the_original_is_kept_only_where_it_meets_the_budget_itself():
    assert verdict(candidate("same", 10.0), latency_ms=20.0).verdict == "keep the original"
    assert verdict(candidate("same", 10.0), latency_ms=9.0).verdict == "nothing meets the budget"
    assert verdict(latency_ms=20.0).verdict == "keep the original"


def test_memory_limits_hold():
    assert verdict(candidate("big", 3.0, peak_bytes=10**9), memory_bytes=10**8).verdict == "keep the original"
    large = run(10.0, peak_bytes=10**9)
    found = verdict(candidate("small", 3.0, peak_bytes=10**7), original=large, memory_bytes=10**8)
    assert found.verdict == "compress" and "memory" in " ".join(found.reasons)


def test_a_noisy_run_is_judged_by_cpu_time_and_says_so():
    wild = np.random.default_rng(1).lognormal(0.0, 1.0, 200)
    noisy = candidate("fast", 3.0, stable=False, original=run(10.0))
    noisy = dataclasses.replace(noisy, measured=dataclasses.replace(noisy.measured, samples_ms=tuple(wild)))
    plan = candidate_plan(noisy, 95.0)
    assert plan.latency_basis == "CPU time" and plan.latency_ratio.mid == pytest.approx(0.3)


def test_a_gpu_is_judged_by_wall_time_even_where_it_was_noisy():
    noisy = candidate("gpu", 3.0, cpu_ms=9.9, stable=False)
    on_gpu = dataclasses.replace(noisy, measured=dataclasses.replace(noisy.measured, options={"device": "cuda:0"}))
    assert candidate_plan(on_gpu, 95.0).latency_basis == "wall"
    assert candidate_plan(on_gpu, 95.0).latency_ratio.mid == pytest.approx(0.3)


def test_a_busy_machine_must_show_a_larger_gain():
    quiet, busy = candidate("fast", 8.4), candidate("fast", 8.4, stable=False)
    assert verdict(quiet).verdict == "compress"
    kept = verdict(busy)
    assert kept.verdict == "keep the original"
    assert "the machine was busy" in kept.tried[0].ruled_out and "15 %" in kept.tried[0].ruled_out
    assert verdict(candidate("faster", 8.0, stable=False)).verdict == "compress"


def test_what_is_surely_no_gain_is_not_called_noise():
    worse = verdict(candidate("worse", 10.8)).tried[0].ruled_out
    assert worse.startswith("No gain in")


def test_a_gain_that_is_real_and_small_is_told_and_not_worth_another_file():
    found = verdict(candidate("a little", 8.9))
    assert found.verdict == "keep the original"
    assert found.tried[0].ruled_out.startswith("Too little to be worth another file: 0.89")
    assert verdict(candidate("a little more", 8.4)).verdict == "compress"


def test_each_objective_ranks_by_its_own_number():
    small = candidate("small", 9.9, cpu_ms=9.9, size=0.1)
    quick = candidate("quick", 3.0, cpu_ms=9.9, size=0.9)
    thrifty = candidate("thrifty", 6.0, cpu_ms=2.0, size=0.9)
    everyone = (small, quick, thrifty)
    assert verdict(*everyone, objective="size").plan.variant_id == "small"
    assert verdict(*everyone, objective="latency").plan.variant_id == "quick"
    assert verdict(*everyone, objective="cost").plan.variant_id == "quick"
    assert verdict(*everyone, objective="energy").plan.variant_id == "thrifty"


def test_a_slower_plan_is_never_recommended_unless_size_is_asked_for_within_a_latency_budget():
    slow = candidate("slow", 20.0, size=0.1)
    assert verdict(slow, objective="size").verdict == "keep the original"
    assert verdict(slow, objective="size", latency_ms=30.0).verdict == "compress"
    assert verdict(slow, objective="energy", latency_ms=30.0).verdict == "keep the original"


def test_ties_go_to_data_before_random_inputs_and_to_fewer_steps():
    random = candidate("random", 3.00, calibrated_on="random inputs")
    data = candidate("data", 3.05, calibrated_on="the given inputs")
    assert verdict(random, data).plan.variant_id == "data"
    chain, single = candidate("chain", 3.00, steps=2), candidate("single", 3.05)
    assert verdict(chain, single).plan.variant_id == "single"


def test_what_failed_says_why_and_the_others_go_on():
    broken = candidate("broken", 1.0, failed="It does not run.")
    found = verdict(broken, candidate("good", 4.0))
    assert found.plan.variant_id == "good" and found.tried[-1].ruled_out == "It does not run."


def test_measured_energy_of_both_gives_a_measured_ratio():
    counted = candidate("counted", 4.0, basis="measured", original=run(10.0, basis="measured"))
    assert candidate_plan(counted, 95.0).energy_ratio.basis == "measured"
    assert candidate_plan(candidate("billed", 4.0), 95.0).energy_ratio.basis == "modelled"


@pytest.mark.parametrize("budget_ms", [1.0, 3.5, 5.0, 8.0, 12.0])
def test_a_tighter_budget_never_picks_a_slower_plan(budget_ms):
    everyone = [candidate(str(ms), ms, size=ms / 20) for ms in (3.0, 4.5, 7.0, 9.0)]
    wide, tight = (verdict(*everyone, latency_ms=ms) for ms in (budget_ms * 1.5, budget_ms))
    if wide.plan and tight.plan:
        assert tight.plan.latency_ratio.mid <= wide.plan.latency_ratio.mid


def test_where_nothing_could_be_applied_that_is_what_is_said():
    broken = candidate("broken", 1.0, failed="The model is already quantized.")
    broken = dataclasses.replace(broken, variant=dataclasses.replace(broken.variant, file=""), measured=None)
    assert verdict(broken).headline == "Keep the original: no technique could be applied to it."


def test_one_load_is_widened_and_several_hold_their_spread():
    """0.9 in one load may be anything from 0.857 to 0.945; three loads at 0.8, 0.9, 1.0 are no gain at all."""
    once = candidate_plan(candidate("once", 9.0), 95.0).latency_ratio
    assert (once.low, once.high) == pytest.approx((0.9 / 1.05, 0.9 * 1.05))
    parts = np.concatenate([np.full(60, ratio) for ratio in (0.8, 0.9, 1.0)])
    spread = dataclasses.replace(
        run(10.0), samples_ms=tuple(10.0 * parts), cpu_samples_ms=tuple(10.0 * parts), rounds_per_load=(60, 60, 60)
    )  # fmt: skip
    beside = dataclasses.replace(
        run(10.0), samples_ms=(10.0,) * 180, cpu_samples_ms=(10.0,) * 180, rounds_per_load=(60, 60, 60)
    )  # fmt: skip
    far = dataclasses.replace(candidate("far", 9.0, original=beside), measured=spread)
    ratio = candidate_plan(far, 95.0).latency_ratio
    assert ratio.mid == pytest.approx((0.8 * 0.9 * 1.0) ** (1 / 3)) and ratio.high > 1.0
    assert recommend(Budget(), beside, [far]).verdict == "keep the original"


def test_where_finalists_were_loaded_several_times_a_quick_run_cannot_win():
    beside = dataclasses.replace(run(10.0), rounds_per_load=(100, 100))
    quick = candidate("quick", 3.0)
    found = recommend(Budget(), beside, [quick])
    assert found.verdict == "keep the original" and found.tried[0].ruled_out.startswith("Only timed quickly, at 0.30")
    assert recommend(Budget(), run(10.0), [quick]).verdict == "compress"


def test_a_far_slower_plan_says_so_though_its_quality_was_not_looked_at():
    slow = candidate("slow", 60.0)
    slow = dataclasses.replace(slow, variant=dataclasses.replace(slow.variant, quality=None))
    assert verdict(slow).tried[0].ruled_out.startswith("It is slower: 6.00")
