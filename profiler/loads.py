"""The same files measured in several fresh loads, each in a child of its own: two loads of one file differ."""

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import median

from data.estimate import Estimate
from profiler import jobs, profile, stats, timing
from profiler.measure import Feed
from profiler.profile import Subject, Wish
from profiler.types import Measurement

FEWEST, MOST = 3, 7
BUSY_TIMES = 2  # on a busy machine loads differ by more: more of them may take this many times the time
KNOWN_FRAC = 0.01  # an interval of a ratio this narrow (either way) is as good as it need be,
KNOWN_SHARE = 0.1  # or this small a share of the gain or loss it shows


def measure(
    desk: jobs.Desk, subjects: Sequence[Subject], feed: Feed, wish: Wish, *, seconds: float
) -> list[Measurement]:
    """One Measurement per subject, in their order, over at least FEWEST loads of all of them; more, up to MOST, while
    `seconds` last (twice as long on a busy machine) and a ratio to the first subject is not known well. Every other
    load turns the order round.

    `wish.settings` holds for one load. Memory is weighed once. Raises what `profile.measure` raises. Does not save."""
    started, longest, loads = time.monotonic(), 0.0, list[list[Measurement]]()
    while len(loads) < FEWEST or (len(loads) < MOST and not settled(loads)):
        begun = time.monotonic()
        busy = any(not run.stable for runs in loads for run in runs)
        if len(loads) >= FEWEST and begun - started + longest > seconds * (BUSY_TIMES if busy else 1):
            break
        turned = len(loads) % 2 == 1
        with desk.span(len(loads) / MOST, (len(loads) + 1) / MOST):
            runs = profile.measure(desk, subjects[::-1] if turned else subjects, feed, _wish(wish, loads))
        loads.append(runs[::-1] if turned else runs)
        longest = max(longest, time.monotonic() - begun)
    return [merged(runs) for runs in zip(*loads, strict=True)]


def settled(loads: Sequence[Sequence[Measurement]]) -> bool:
    """Whether every subject's ratio of CPU time to the first one's is known well after these loads."""
    original, *others = (merged(runs) for runs in zip(*loads, strict=True))
    return all(_known(cpu_ratio(one, original)) for one in others)


def cpu_ratio(measured: Measurement, original: Measurement) -> Estimate:
    """CPU time of the first over the second, of paired rounds and over their loads."""
    return stats.paired_ratio(
        measured.cpu_samples_ms, original.cpu_samples_ms, source="paired rounds, CPU time",
        rounds_per_load=measured.rounds_per_load,
    )  # fmt: skip


def wall_ratio(measured: Measurement, original: Measurement) -> Estimate:
    """The same of wall times."""
    return stats.paired_ratio(
        measured.samples_ms, original.samples_ms, measured.calls_per_round, source="paired rounds, wall time",
        rounds_per_load=measured.rounds_per_load,
    )  # fmt: skip


def merged(runs: Sequence[Measurement]) -> Measurement:
    """The loads of one subject as one run: all samples in order, the median time to load, the mean energy. It is
    stable where most loads were; where they were not, the reasons are those of all samples together.

    Raises ValueError where the loads' rounds are not of one length."""
    if len(runs) == 1:
        return runs[0]
    first = runs[0]
    if any(run.calls_per_round != first.calls_per_round for run in runs):
        raise ValueError("the loads' rounds are not of one length")
    energies = [run.energy_j for run in runs if run.energy_j is not None]
    powers = [run.power_w for run in runs if run.power_w is not None]
    weighed = next((run for run in runs if run.peak_bytes is not None), first)
    stable = 2 * sum(run.stable for run in runs) > len(runs)
    own = {reason for run in runs for reason in reasons(run)}
    facts = dict.fromkeys(note for run in runs for note in run.notes if note not in own)
    whole = replace(
        first, samples_ms=_joined(run.samples_ms for run in runs),
        cpu_samples_ms=_joined(run.cpu_samples_ms for run in runs), warmup_ms=_joined(run.warmup_ms for run in runs),
        rounds_per_load=tuple(len(run.cpu_samples_ms) for run in runs), load_ms=median(run.load_ms for run in runs),
        stable=stable,
        energy_j=sum(energies[1:], energies[0]) * (1 / len(energies)) if energies else None,
        peak_bytes=weighed.peak_bytes, baseline_bytes=weighed.baseline_bytes, gpu_peak_bytes=weighed.gpu_peak_bytes,
        load_after=max((run.load_after for run in runs), key=lambda load: load.cpu_pressure_frac or 0.0),
        power_w=sum(powers[1:], powers[0]) * (1 / len(powers)) if powers else None,
    )  # fmt: skip
    return replace(whole, notes=(*(() if stable else reasons(whole)), *facts))


def reasons(run: Measurement) -> tuple[str, ...]:
    """Why a run is not stable, said anew from its samples and the machine's load; nothing where it is."""
    timed = timing.Timing(
        calls_per_round=run.calls_per_round, samples_ms=list(run.samples_ms), cpu_samples_ms=list(run.cpu_samples_ms)
    )
    threads = run.workload.threads if run.options.get("device", "cpu") == "cpu" else 0
    pressure_frac = profile.waited_frac(run.load_before, run.load_after)
    others_frac = run.load_after.others_frac
    _, why = timing.verdict(timed, threads=threads, pressure_frac=pressure_frac, others_frac=others_frac)
    return why


def _joined(parts: Iterable[tuple[float, ...]]) -> tuple[float, ...]:
    return tuple(value for part in parts for value in part)


def _known(ratio: Estimate) -> bool:
    half = math.log(ratio.high / ratio.low) / 2
    return half <= max(KNOWN_FRAC, KNOWN_SHARE * abs(math.log(ratio.mid)))


def _wish(wish: Wish, loads: Sequence[Sequence[Measurement]]) -> Wish:
    """The first load weighs memory and decides how many calls a round has."""
    if not loads:
        return wish
    return replace(
        wish, memory=False, settings=replace(wish.settings, calls_per_round=loads[0][0].calls_per_round)
    )  # fmt: skip
