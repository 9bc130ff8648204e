"""Timing and metering against a plain ONNX Runtime loop, without the sandbox, and beside a busy neighbour."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import mean, median
from typing import Any, ClassVar
from unittest.mock import patch

import numpy as np

from advisor.paired import SAME_FRAC
from benchmarks import Effort, Row
from benchmarks.bench_tools import alternate, beside, desk, folder, model, plain, ratio
from data.records import to_plain
from data.units import BYTES_PER_MIB, MS_PER_S
from profiler import measure as child
from profiler import profile, stats, timing
from profiler.inputs import random_feeds
from profiler.lock import LAYERS
from profiler.measure import Feed
from profiler.profile import Subject, Wish
from profiler.timing import Settings
from profiler.types import Measurement, Model

FEWEST_PAIRS = 9  # of two processes: the host itself was seen to change its speed by 8 % from one to the next
SHORT_TURNS = 8  # turns of a quarter of a second for each pair asked for
STUB_MS, STUB_BYTES = 5.0, 256 * BYTES_PER_MIB
# (model, allowed difference of the p50): 2 % above 1 ms, 5 % from 50 us to 1 ms, 10 % below.
MODELS = (("mlp", 0.10), ("digits_cnn", 0.10), ("dlrm", 0.05), ("mobilenetv2", 0.02), ("resnet50", 0.02))
COMPUTE = "while True: pass"
STREAM = "import numpy as np\na = np.ones(1 << 26)\nb = np.empty_like(a)\nwhile True: np.copyto(b, a)"


NOTHING = Model(
    sha256="stub", name="stub", format="stub", file_bytes=0, parameter_count=0, parameters_by_dtype={}, weight_bytes=0
)


class Stub:
    """A runtime and its session in one: loading takes 256 MiB, a call 5 ms."""

    NAME, FORMATS, provider = "stub", ("stub",), "stub"
    settings: ClassVar[dict[str, str]] = {}

    def missing(self) -> None: ...
    def warm(self) -> None: ...

    def load(self, path: object, options: object) -> "Stub":
        self.held = np.ones(STUB_BYTES, np.uint8)
        return self

    def run(self, feeds: object) -> dict[str, Any]:
        return {}

    def prepare(self, feeds: object) -> Any:
        return lambda: time.sleep(STUB_MS / MS_PER_S)

    def device_facts(self, feeds: object) -> dict[str, float]:
        return {}


class Silent:
    """A desk of a child that tells nobody."""

    folder = Path()

    def progress(self, done_frac: float, text: str) -> None: ...

    @contextmanager
    def metered(self, label: str) -> Iterator[None]:
        yield


def run(effort: Effort) -> Iterator[Row]:
    """Every row of this suite."""
    yield from stubs(effort)
    for name, _ in MODELS:
        yield from loop(name, effort)
    for name, allowed in MODELS:
        yield from fidelity(name, allowed, effort)
    yield from itself(effort)
    yield from sandbox(effort)
    yield from metering(effort)
    yield from contention(effort)


def stubs(effort: Effort) -> Iterator[Row]:
    """What is known reads back: a call that sleeps 5 ms, a model that holds 256 MiB; by the code of the child."""
    with patch.object(child, "runtimes", lambda: {"stub": Stub()}):
        settings = to_plain(Settings(budget_s=2.0 * effort.time_factor, least_s=1.0))
        entry = to_plain(child.Entry(label="stub", path="x", runtime="stub"))
        feed, desk_ = to_plain(Feed(model=NOTHING)), Silent()
        found = child.time_group(desk_, entries=[entry], feed=feed, settings=settings)["stub"]
        delay = median(found["samples_ms"]) / STUB_MS
        held = child.peak_memory(desk_, entry=entry, feed=feed)["peak_bytes"] / STUB_BYTES
    yield Row(what="a call that sleeps 5 ms: p50 over 5 ms", value=f"x{delay:.3f}", limit="5%",
              passed=abs(delay - 1) <= 0.05, note="a busy machine wakes a sleeper late")  # fmt: skip
    yield Row(what="a model that holds 256 MiB: peak over 256 MiB", value=f"x{held:.3f}", limit="5%",
              passed=abs(held - 1) <= 0.05)  # fmt: skip


def loop(name: str, effort: Effort) -> Iterator[Row]:
    """Our loop against the plainest one on the same session in the same process, in many short turns: what the loop
    itself adds. The fastest tenth of the calls is compared: other work on the machine does not reach it."""
    path, found = model(name)
    session = child.load(child.Entry(label=name, path=str(path), options={"threads": "1"}))[0]
    call, seconds = session.prepare(random_feeds(found, {}, 1, 0)), 0.25 * effort.time_factor

    def ours() -> float:
        settings = Settings(budget_s=seconds, warmup_s=0.0, warmup_calls=1, interval_frac=0.0)
        return float(np.percentile(timing.interleave({"call": call}, settings)["call"].samples_ms, 10))

    def plainest() -> float:
        samples, end = [], time.perf_counter() + seconds
        while (start := time.perf_counter()) < end:
            call()
            samples.append(time.perf_counter() - start)
        return float(np.percentile(samples, 10)) * MS_PER_S

    plainest()
    middle, text = ratio(*alternate(SHORT_TURNS * effort.pairs, ours, plainest))
    yield Row(what=f"{name}: fastest tenth, our loop over a bare one", value=text, limit="2%",
              passed=abs(middle - 1) <= 0.02)  # fmt: skip


def fidelity(name: str, allowed: float, effort: Effort) -> Iterator[Row]:
    """p50 as Rightsize reports it over the p50 of a plain loop in a process of its own, on the same file, inputs,
    threads and settings; by mean CPU time (of all calls, on both sides) where a run was flagged as noisy."""
    path, found = model(name)
    feeds = folder() / f"{name}.npz"
    np.savez(feeds, **random_feeds(found, {}, 1, 0))
    seconds = 3.0 * effort.time_factor
    cpu: dict[str, list[float]] = {"ours": [], "plain": []}
    steady: list[bool] = []

    def ours() -> float:
        measured = measure(name, seconds)
        steady.append(measured.stable)
        cpu["ours"].append(mean(measured.cpu_samples_ms))
        return median(measured.samples_ms)

    def theirs() -> float:
        one = plain(path, feeds, 1, seconds)
        cpu["plain"].append(one["cpu_ms"])  # type: ignore[arg-type]
        return median(one["samples_ms"])

    wall = alternate(max(FEWEST_PAIRS, effort.pairs), ours, theirs)
    by_wall, by_cpu = ratio(*wall), ratio(cpu["ours"], cpu["plain"])
    quiet = all(steady)
    judged, other = (by_wall, by_cpu) if quiet else (by_cpu, by_wall)
    kinds = ("p50", "CPU time") if quiet else ("CPU time (the machine was busy)", "p50")
    pairs = "  ".join(f"{mine:.4g}/{their:.4g}" for mine, their in zip(*wall, strict=True))
    yield Row(
        what=f"{name} ({median(wall[1]):.3g} ms): {kinds[0]} over a plain loop's", value=judged[1],
        limit=f"{allowed:.0%}", passed=abs(judged[0] - 1) <= allowed,
        note=f"{kinds[1]}: {other[1]}; p50 in ms, ours/plain, pair by pair: {pairs}",
    )  # fmt: skip


def itself(effort: Effort) -> Iterator[Row]:
    """A file against a copy of itself, interleaved in one child: how far a ratio is from 1 where nothing differs. What
    `advisor.recommend` calls the same is at least this."""
    for name in ("mlp", "mobilenetv2"):
        path, found = model(name)
        subjects = [Subject(path=path, model_sha256=found.sha256),
                    Subject(path=path, model_sha256=found.sha256, variant_id="copy")]  # fmt: skip
        settings = Settings(budget_s=3.0 * effort.time_factor, least_s=1.0)
        off = []
        for _ in range(2 * effort.pairs):
            wish = Wish(threads=1, memory=False, settings=settings)
            original, copy = profile.measure(desk(), subjects, Feed(model=found), wish)
            off.append(abs(stats.paired_ratio(copy.cpu_samples_ms, original.cpu_samples_ms).mid - 1))
        yield Row(what=f"{name}: a file against itself, ratio off 1", value=f"worst {max(off):.1%}, typical "
                  f"{median(off):.1%}", limit=f"{SAME_FRAC:.0%}", passed=max(off) <= SAME_FRAC)  # fmt: skip


def sandbox(effort: Effort) -> Iterator[Row]:
    """p50 in the locked child over p50 in a child with every layer switched off."""
    for name in ("mlp", "mobilenetv2"):
        seconds = 2.0 * effort.time_factor

        def locked(name: str = name, seconds: float = seconds) -> float:
            return median(measure(name, seconds).cpu_samples_ms)

        def open_(name: str = name, seconds: float = seconds) -> float:
            with environment("RIGHTSIZE_WITHOUT", ",".join(LAYERS)):
                return median(measure(name, seconds).cpu_samples_ms)

        middle, text = ratio(*alternate(effort.pairs, locked, open_))
        yield Row(what=f"{name}: CPU time of a call, locked over open child", value=text, limit="5%",
                  passed=abs(middle - 1) <= 0.05)  # fmt: skip


def metering(effort: Effort) -> Iterator[Row]:
    """What watching costs: the parent's CPU time over the time, for the seconds by which a long run is longer."""

    def spent(seconds: float) -> tuple[float, float]:
        parent_s, started = time.process_time(), time.perf_counter()
        measure("mobilenetv2", seconds)
        return time.process_time() - parent_s, time.perf_counter() - started

    pairs = [(spent(2.0), spent(2.0 + 20.0 * effort.time_factor)) for _ in range(min(3, effort.pairs))]
    shares = [(long[0] - short[0]) / (long[1] - short[1]) for short, long in pairs]
    yield Row(what="CPU time of the watching parent over the time", value=f"{median(shares):.2%}", limit="1%",
              passed=median(shares) <= 0.01, note=", ".join(f"{share:.2%}" for share in shares))  # fmt: skip


def contention(effort: Effort) -> Iterator[Row]:
    """Modelled energy of the same work beside a busy process on every core, over alone."""
    if (os.cpu_count() or 1) < 2:
        return
    for kind, code in (("compute", COMPUTE), ("memory", STREAM)):
        flagged: list[bool] = []

        def alone() -> float:
            return joules(measure("mobilenetv2", 3.0 * effort.time_factor))

        def crowded(code: str = code, flagged: list[bool] = flagged) -> float:
            with beside(code):
                time.sleep(0.5)
                measured = measure("mobilenetv2", 3.0 * effort.time_factor)
            flagged.append(not measured.stable)
            return joules(measured)

        middle, text = ratio(*reversed(alternate(effort.pairs, alone, crowded)))
        shown = f"flagged as noisy in {sum(flagged)} of {len(flagged)} runs"
        if kind == "compute":
            limit, passed = "25%", abs(middle - 1) < 0.25
        else:
            limit, passed = "flagged, the change shown", all(flagged)
        yield Row(what=f"modelled energy beside a {kind}-bound process over alone", value=text, limit=limit,
                  passed=passed, note=shown)  # fmt: skip


def measure(name: str, seconds: float) -> Measurement:
    """One measurement of a shape on one thread, without its memory."""
    path, found = model(name)
    settings = Settings(budget_s=seconds, least_s=seconds, interval_frac=0.0)
    wish = Wish(threads=1, memory=False, settings=settings)
    return profile.measure(desk(), [Subject(path=path, model_sha256=found.sha256)], Feed(model=found), wish)[0]


def joules(measured: Measurement) -> float:
    """The middle of the energy of a call."""
    if measured.energy_j is None:
        raise SystemExit("The rated power of this CPU is not in the table: energy cannot be modelled here.")
    return measured.energy_j.mid


@contextmanager
def environment(name: str, value: str) -> Iterator[None]:
    """The variable is set while the body runs."""
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]


SUITE = run
