"""The timed loop with a clock of our own: what it counts, when it stops, what it says."""

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import pytest

from profiler import timing
from profiler.timing import Clock, Settings, Timing

ROOT = Path(__file__).resolve().parents[3]


class FakeTime:
    """Wall and CPU nanoseconds that only the calls move."""

    def __init__(self):
        self.wall, self.cpu, self.log = 0, 0, []

    def clock(self):
        return Clock(wall_ns=lambda: self.wall, cpu_ns=lambda: self.cpu)

    def call(self, label, wall_ms, cpu_ms=None):
        def body():
            self.log.append(label)
            length = wall_ms(len(self.log)) if callable(wall_ms) else wall_ms
            self.wall += round(length * 1e6)
            self.cpu += round((length if cpu_ms is None else cpu_ms) * 1e6)

        return body


def test_samples_are_single_calls_and_warm_up_is_apart():
    fake = FakeTime()
    run = timing.interleave({"a": fake.call("a", 20.0, 10.0)}, Settings(), fake.clock())["a"]
    assert set(run.samples_ms) == {20.0}
    assert set(run.cpu_samples_ms) == {10.0}
    assert run.calls_per_round == 1
    assert len(run.warmup_ms) == 15  # 0.3 s
    assert len(run.samples_ms) == 150  # three seconds come before 200 calls
    assert run.waited_frac() == 0.5


def test_short_calls_take_turns_in_blocks_of_ten_milliseconds():
    fake = FakeTime()
    runs = timing.interleave({"a": fake.call("a", 0.1), "b": fake.call("b", 0.4)}, Settings(), fake.clock())
    assert {run.calls_per_round for run in runs.values()} == {100}
    timed = "".join(fake.log[len(fake.log) - 800 :])
    assert "a" * 100 + "b" * 100 in timed
    assert len(runs["a"].samples_ms) == len(runs["b"].samples_ms) == 100 * len(runs["a"].cpu_samples_ms)


def test_the_call_after_anothers_turn_finds_cold_caches_and_is_not_counted():
    """MobileNetV2 on OpenVINO: 4.9 ms after the original's turn, 4.4 ms in a loop."""
    fake, last = FakeTime(), [""]

    def body(label, warm_ms, cold_ms):
        def call():
            fake.call(label, warm_ms if last[0] == label else cold_ms)()
            last[0] = label

        return call

    runs = timing.interleave({"a": body("a", 4.0, 5.0), "b": body("b", 8.0, 8.5)}, Settings(), fake.clock())
    assert runs["a"].calls_per_round == 3
    assert set(runs["a"].samples_ms) == set(runs["a"].cpu_samples_ms) == {4.0}
    assert set(runs["b"].samples_ms) == {8.0}
    alone = timing.interleave({"a": fake.call("a", 4.0)}, Settings(), fake.clock())["a"]
    made = fake.log.count("a") - sum(len(run) for run in (runs["a"].samples_ms, runs["a"].warmup_ms))
    assert made == len(runs["a"].cpu_samples_ms) + len(alone.samples_ms) + len(alone.warmup_ms)  # alone all count


def test_a_slow_partner_shortens_the_blocks():
    assert timing.calls_per_round([[0.1] * 3, [50.0] * 3], 20_000) == 9  # 500 ms / 50.1 ms
    assert timing.calls_per_round([[700.0]], 20_000) == 1
    assert timing.calls_per_round([[2.0]], 20_000) == 5
    assert timing.calls_per_round([[0.001]], 20_000) == 1_000
    assert timing.calls_per_round([[2.0, 2.0, 12.0, 14.0, 40.0]], 20_000) == 5  # three calls waited for a CPU


def test_every_place_and_predecessor_comes_up():
    assert [timing.order(["a", "b"], number) for number in range(4)] == [list(t) for t in ("ab", "ba", "ba", "ab")]
    places = [timing.order(["a", "b", "c"], number) for number in range(6)]
    assert sorted(map(tuple, places)) == sorted(
        [("a", "b", "c"), ("b", "c", "a"), ("c", "a", "b"), ("c", "b", "a"), ("a", "c", "b"), ("b", "a", "c")]
    )


def test_it_goes_on_until_the_median_is_known_or_the_budget_is_spent():
    fake = FakeTime()
    noisy = fake.call("a", lambda number: 20.0 if number % 2 else 40.0)
    run = timing.interleave({"a": noisy}, Settings(budget_s=6.0), fake.clock())["a"]
    assert 6_000 <= run.spent_ms <= 6_100
    stable, reasons = timing.verdict(run, threads=1, pressure_frac=None)
    assert not stable
    assert "more time" in reasons[0]


def test_the_median_is_not_looked_at_before_every_round(monkeypatch):
    """Sorting all samples between two calls would cool the caches of the model."""
    looked = []
    monkeypatch.setattr(Timing, "interval_frac", lambda run: looked.append(len(run.cpu_samples_ms)) or 1.0)
    fake = FakeTime()
    run = timing.interleave({"a": fake.call("a", 5.0)}, Settings(budget_s=30.0), fake.clock())["a"]
    assert len(looked) < len(run.cpu_samples_ms) / 20
    assert looked[0] == 100 and looked[-1] > 0.9 * len(run.cpu_samples_ms)


def test_long_calls_still_get_four_rounds_and_no_more_than_the_budget_needs():
    fake = FakeTime()
    run = timing.interleave({"a": fake.call("a", 5_000.0)}, Settings(budget_s=1.0), fake.clock())["a"]
    assert len(run.samples_ms) == 4
    assert len(run.warmup_ms) == 3


def test_p95_gets_its_forty_samples_where_the_budget_allows():
    fake = FakeTime()
    run = timing.interleave({"a": fake.call("a", 150.0)}, Settings(budget_s=10.0), fake.clock())["a"]
    assert len(run.samples_ms) == 40


def test_a_percentile_that_lacks_a_few_samples_gets_a_little_more_time():
    fake = FakeTime()
    nearly = timing.interleave({"a": fake.call("a", 260.0)}, Settings(budget_s=10.0), fake.clock())["a"]
    assert len(nearly.samples_ms) == 40  # 38 in ten seconds
    far = timing.interleave({"a": fake.call("a", 400.0)}, Settings(budget_s=10.0), fake.clock())["a"]
    assert len(far.samples_ms) == 25  # sixteen seconds would be too long


def test_verdict_names_each_reason_with_its_remedy():
    calm = Timing(samples_ms=[10.0] * 50, cpu_samples_ms=[10.0] * 50)
    assert timing.verdict(calm, threads=1, pressure_frac=0.05) == (True, ())
    assert "busy" in timing.verdict(calm, threads=1, pressure_frac=0.4)[1][0]
    beside = timing.verdict(calm, threads=1, pressure_frac=0.0, others_frac=0.5)  # nobody waits, memory is shared
    assert not beside[0] and "50 %" in beside[1][0]
    assert timing.verdict(calm, threads=1, pressure_frac=0.0, others_frac=0.05)[0]
    assert timing.verdict(calm, threads=0, pressure_frac=0.0, others_frac=0.5)[0]  # it ran on a GPU
    waiting = Timing(samples_ms=[10.0] * 50, cpu_samples_ms=[7.0] * 50)
    assert "30 %" in timing.verdict(waiting, threads=1, pressure_frac=None)[1][0]
    assert timing.verdict(waiting, threads=2, pressure_frac=None)[0]
    wide = Timing(samples_ms=[10.0, 14.0] * 50, cpu_samples_ms=[10.0] * 100)
    assert any("Half of the rounds" in reason for reason in timing.verdict(wide, threads=1, pressure_frac=None)[1])


def test_a_known_delay_reads_back_within_five_percent():
    slept_ms = []  # how long each delay really was: a busy machine wakes a sleeper late

    def sleep():
        started = time.perf_counter()
        time.sleep(0.005)
        slept_ms.append((time.perf_counter() - started) * 1e3)

    settings = Settings(least_s=0.3, least_calls=50, warmup_s=0.02, budget_s=1.0)
    samples_ms = timing.interleave({"sleep": sleep}, settings)["sleep"].samples_ms
    known = median(slept_ms[-len(samples_ms) :])
    assert known >= 5.0
    assert median(samples_ms) == pytest.approx(known, rel=0.05)


def test_cpu_time_is_exact_under_a_cpu_limit():
    code = (
        "import resource, time\nfrom profiler.timing import process_cpu_ns\n"
        "resource.setrlimit(resource.RLIMIT_CPU, (1000, 1000))\nworst = 0\n"
        "for _ in range(60):\n"
        "    cpu, own, end = process_cpu_ns(), time.thread_time_ns(), time.perf_counter_ns() + 1_700_000\n"
        "    while time.perf_counter_ns() < end: pass\n"
        "    own = time.thread_time_ns() - own\n"
        "    worst = max(worst, abs(process_cpu_ns() - cpu - own))\n"
        "assert worst < 500_000, worst\n"
    )
    alone = os.environ | {"OPENBLAS_NUM_THREADS": "1"}  # its threads would spin a while beside this one
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, env=alone, timeout=30)


def test_a_far_slower_one_takes_no_more_turns_and_keeps_its_rounds():
    fake = FakeTime()
    calls = {"a": fake.call("a", 20.0), "slow": fake.call("slow", 130.0), "near": fake.call("near", 35.0)}
    quick = Settings(budget_s=2.0, least_calls=40, least_s=1.0, warmup_s=0.0, give_up_ratio=2.0)
    runs = timing.interleave(calls, quick, fake.clock())
    assert len(runs["slow"].samples_ms) == timing.FEWEST_ROUNDS
    assert len(runs["near"].samples_ms) == len(runs["a"].samples_ms) > 20
    whole = timing.interleave(calls, Settings(budget_s=2.0, least_calls=40, warmup_s=0.0), fake.clock())
    assert len(whole["slow"].samples_ms) == len(whole["a"].samples_ms)


def test_one_that_a_busy_machine_held_up_is_not_given_up():
    """Its wall time is long, its CPU time is not: the machine was busy, the model is not slow."""
    fake = FakeTime()
    calls = {"a": fake.call("a", 20.0, 20.0), "held": fake.call("held", 90.0, 21.0)}
    runs = timing.interleave(calls, Settings(budget_s=4.0, warmup_s=0.0, give_up_ratio=2.0), fake.clock())
    assert len(runs["held"].samples_ms) == len(runs["a"].samples_ms) > timing.FEWEST_ROUNDS


def test_the_calls_of_a_round_can_be_given():
    fake = FakeTime()
    run = timing.interleave({"a": fake.call("a", 0.1)}, Settings(calls_per_round=7), fake.clock())["a"]
    assert run.calls_per_round == 7 and len(run.samples_ms) == 7 * len(run.cpu_samples_ms)
