"""Time callables: warm-up, calibration, interleaved rounds, stopping, the stability verdict. Pure given a clock.

Every sample is one call, so percentiles are those of single calls. Calls shorter than a few milliseconds take turns
in blocks of `calls_per_round`, so that each runs with its own data in the caches, as in a plain loop. The call that
follows another's turn still finds the other's data there: it is made, and not counted. CPU time is read once a block,
because reading it costs as much as a small model's layer.
"""

import gc
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from data import words
from data.units import MS_PER_S, NS_PER_MS
from profiler import stats

Call = Callable[[], object]
BLOCK_MS = 10.0
ROUND_MS = 500.0
LEAST_ROUNDS, FEWEST_ROUNDS = 20, 4
WARMUP_KEPT = 200
TELL_EVERY_MS = 500.0
INTERVAL_FRAC = 0.02
SPREAD_FRAC = 0.10
WAITED_FRAC = 0.10
PRESSURE_FRAC = 0.10
OTHERS_FRAC = 0.10
LOOK_AGAIN_FRAC = 0.05
PATIENCE = 1.25  # budgets that may be spent where the percentile lacks only a few samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """When to stop. At least `least_calls` calls or `least_s` seconds each, and the samples that `percentile` needs;
    then until the median's 95 % interval is within `interval_frac` of it, or `budget_s` seconds a callable are spent
    (a quarter more where the percentile lacks only a few samples). `calls_per_round` fixes what else the warm-up
    decides. A callable that was more than `give_up_ratio` times as slow as the first one in each of its first rounds
    takes no more turns: what it has is enough to tell.
    """

    budget_s: float = 10.0
    warmup_s: float = 0.3
    warmup_calls: int = 3
    least_calls: int = 200
    least_s: float = 3.0
    interval_frac: float = INTERVAL_FRAC
    percentile: float = 95.0
    most_calls: int = 20_000
    calls_per_round: int | None = None
    give_up_ratio: float | None = None


def process_cpu_ns() -> int:
    """CPU nanoseconds of all threads of this process.

    Under a CPU-time limit Linux brings the process's sum up to date only every few milliseconds; asking for this
    thread's own time first makes it exact.
    """
    time.thread_time_ns()
    return time.process_time_ns()


@dataclass(frozen=True, slots=True)
class Clock:
    """Wall and process-CPU nanoseconds; tests give their own."""

    wall_ns: Callable[[], int] = time.perf_counter_ns
    cpu_ns: Callable[[], int] = process_cpu_ns


@dataclass(slots=True)
class Timing:
    """One callable's raw samples: each sample one call, each CPU sample the mean CPU time of one round's calls."""

    calls_per_round: int = 1
    warmup_ms: list[float] = field(default_factory=list)
    samples_ms: list[float] = field(default_factory=list)
    cpu_samples_ms: list[float] = field(default_factory=list)
    look_at: int = 0  # the round at which to see again whether the median is known

    @property
    def spent_ms(self) -> float:
        """Wall time inside the timed calls."""
        return sum(self.samples_ms)

    @property
    def cpu_ms(self) -> float:
        """Process CPU time of all timed calls."""
        return sum(self.cpu_samples_ms) * self.calls_per_round

    def waited_frac(self) -> float:
        """The share of the timed wall time in which this process was not running (for one thread)."""
        return max(0.0, 1.0 - self.cpu_ms / self.spent_ms) if self.spent_ms else 0.0

    def interval_frac(self) -> float:
        """Half the width of the median's 95 % interval over the median, from the rounds' medians."""
        low, mid, high = stats.median_interval(stats.round_medians(self.samples_ms, self.calls_per_round))
        return max(high - mid, mid - low) / mid if mid else 0.0


def interleave(
    calls: Mapping[str, Call],
    settings: Settings | None = None,
    clock: Clock | None = None,
    progress: Callable[[float], None] = lambda done_frac: None,
) -> dict[str, Timing]:
    """Times the callables in turns (A B, B A, B A, A B, ...) and returns the samples of each by its label.

    What a callable raises passes through. `progress` hears the share of the time budget spent (0..1).
    """
    settings, clock = settings or Settings(), clock or Clock()
    timings = {label: Timing() for label in calls}
    with _no_garbage_collection():
        for label, call in calls.items():
            timings[label].warmup_ms = _warm_up(call, settings, clock)
        warmups = [timing.warmup_ms for timing in timings.values()]
        per_round = settings.calls_per_round or calls_per_round(warmups, settings.most_calls)
        for timing in timings.values():
            timing.calls_per_round = per_round
        started, number, told_ms, going = clock.wall_ns(), 0, -TELL_EVERY_MS, dict(timings)
        while not _enough(going, settings, elapsed_ms := (clock.wall_ns() - started) / NS_PER_MS):
            if elapsed_ms - told_ms >= TELL_EVERY_MS:
                progress(min(1.0, elapsed_ms / (settings.budget_s * MS_PER_S * len(calls))))
                told_ms = elapsed_ms
            for label in order(list(going), number):
                if per_round > 1 and len(going) > 1:
                    calls[label]()
                _block(calls[label], timings[label], clock)
            number += 1
            if settings.give_up_ratio is not None and number == FEWEST_ROUNDS:
                going = still_going(timings, settings.give_up_ratio)
    return timings


def still_going(timings: Mapping[str, Timing], ratio: float) -> dict[str, Timing]:
    """The first one, and those that were not more than `ratio` times as slow in every round so far, by wall time and
    by CPU time: a busy machine may hold up a few rounds of one, but does not bill them to it."""
    first = next(iter(timings.values()))

    def slow(mine: list[float], its: list[float]) -> bool:
        return all(one > ratio * other for one, other in zip(mine, its, strict=True))

    def medians(timing: Timing) -> list[float]:
        return stats.round_medians(timing.samples_ms, timing.calls_per_round)

    return {
        label: timing
        for label, timing in timings.items()
        if timing is first
        or not slow(medians(timing), medians(first))
        or not slow(timing.cpu_samples_ms, first.cpu_samples_ms)
    }


def order(labels: list[str], number: int) -> list[str]:
    """Whose turn it is in round `number`: rotated, and reversed every other cycle, so that every place in a round
    and every predecessor come up alike."""
    count = len(labels)
    turned = labels[number % count :] + labels[: number % count]
    return turned[::-1] if (number // count) % 2 else turned


def calls_per_round(warmups_ms: list[list[float]], most_calls: int) -> int:
    """Calls in one block: the fastest callable's block lasts 10 ms or is one call, a round at most 0.5 s, and there
    is room for twenty rounds. How long a call is, the quicker quarter of the warm-up tells: on a busy machine the
    others waited."""
    typical = [sorted(warmup)[len(warmup) // 4] for warmup in warmups_ms]
    wanted = math.ceil(BLOCK_MS / max(min(typical), 1e-4))
    affordable = math.floor(ROUND_MS / max(sum(typical), 1e-4))
    return max(1, min(wanted, affordable, most_calls // LEAST_ROUNDS))


def verdict(
    timing: Timing, *, threads: int, pressure_frac: float | None, others_frac: float | None = None
) -> tuple[bool, tuple[str, ...]]:
    """Whether the run is stable, and one sentence with its remedy for each reason why it is not.

    `threads` is the number the model ran on; 0 where it did not run on the CPU. `pressure_frac` is the kernel's
    share of the time in which a runnable task waited, `others_frac` the share of the cores that other processes kept
    busy: nobody may wait, and memory is slower all the same.
    """
    reasons = []
    if (known := timing.interval_frac()) > INTERVAL_FRAC:
        reasons.append(f"The median is known to {words.percent(known)} only: give it more time, or use fewer threads.")
    if (spread := stats.spread_frac(stats.round_medians(timing.samples_ms, timing.calls_per_round))) > SPREAD_FRAC:
        reasons.append(f"Half of the rounds lie {words.percent(spread)} apart: close other programs and measure again.")
    if threads == 1 and (waited := timing.waited_frac()) > WAITED_FRAC:
        share = words.percent(waited)
        reasons.append(f"The process waited for a CPU {share} of the time: close other programs, measure again.")
    if pressure_frac is not None and pressure_frac > PRESSURE_FRAC:
        reasons.append(f"The machine was busy: for {words.percent(pressure_frac)} of the time a task waited for a CPU.")
    elif threads and others_frac is not None and others_frac > OTHERS_FRAC:
        share = words.percent(others_frac)
        reasons.append(f"Other programs kept {share} of the cores busy, which slows memory: close them.")
    return not reasons, tuple(reasons)


def _warm_up(call: Call, settings: Settings, clock: Clock) -> list[float]:
    """Calls that are not counted: at least a few and a third of a second; the first ones and the last are kept."""
    samples: list[float] = []
    spent_ms = 0.0
    while len(samples) < settings.warmup_calls or spent_ms < settings.warmup_s * MS_PER_S:
        start = clock.wall_ns()
        call()
        samples.append((clock.wall_ns() - start) / NS_PER_MS)
        spent_ms += samples[-1]
    return samples[: WARMUP_KEPT // 2] + samples[max(WARMUP_KEPT // 2, len(samples) - WARMUP_KEPT // 2) :]


def _block(call: Call, timing: Timing, clock: Clock) -> None:
    """The timed loop: nothing in it but the call and the clock."""
    wall_ns, count = clock.wall_ns, timing.calls_per_round
    samples_ns = [0] * count
    cpu_ns = clock.cpu_ns()
    for index in range(count):
        start = wall_ns()
        call()
        samples_ns[index] = wall_ns() - start
    cpu_ns = clock.cpu_ns() - cpu_ns
    timing.samples_ms += [sample / NS_PER_MS for sample in samples_ns]
    timing.cpu_samples_ms.append(cpu_ns / count / NS_PER_MS)


def _enough(timings: Mapping[str, Timing], settings: Settings, elapsed_ms: float) -> bool:
    rounds = min(len(timing.cpu_samples_ms) for timing in timings.values())
    spent_frac = elapsed_ms / (settings.budget_s * MS_PER_S * len(timings))
    if spent_frac >= 1.0:
        return rounds >= FEWEST_ROUNDS and not (spent_frac < PATIENCE and _nearly(timings, settings))
    if rounds < LEAST_ROUNDS:
        return False
    return all(_settled(timing, settings) for timing in timings.values())


def _nearly(timings: Mapping[str, Timing], settings: Settings) -> bool:
    """Whether the samples that the percentile needs are not there yet, but will be with a little patience."""
    fewest = min(len(timing.samples_ms) for timing in timings.values())
    needed = stats.samples_needed(settings.percentile)
    return fewest < needed <= fewest * PATIENCE


def _settled(timing: Timing, settings: Settings) -> bool:
    count = len(timing.samples_ms)
    if count < settings.least_calls and timing.spent_ms < settings.least_s * MS_PER_S:
        return False
    if count < stats.samples_needed(settings.percentile):
        return False
    if count + timing.calls_per_round > settings.most_calls:
        return True
    rounds = len(timing.cpu_samples_ms)
    if rounds < timing.look_at:  # looking sorts every sample and so cools the caches: not before each round
        return False
    timing.look_at = rounds + max(1, round(rounds * LOOK_AGAIN_FRAC))
    return timing.interval_frac() <= settings.interval_frac


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
