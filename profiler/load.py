"""Under load and over settings: Poisson arrivals at a rate (MLPerf's load generator), batch and thread sweeps."""

import queue
import re
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from data.errors import InputError, MeasurementError
from data.records import from_plain, to_plain
from data.units import MS_PER_S, NS_PER_MS
from profiler import jobs, timing
from profiler.inputs import filled_shapes
from profiler.kept import kept_model, runtime_for
from profiler.machine import Watch, machine, threads_of
from profiler.measure import TIMED, Entry, Feed, feeds_of
from profiler.measure import load as load_session
from profiler.profile import Subject, Wish, device_lock, measure
from profiler.run_types import LoadTest
from profiler.sandbox import Limits
from profiler.tasks import ChildDesk, procedure, task
from profiler.types import Measurement, Workload

MOST_REQUESTS = 20_000
MOST_BUSY_FRAC = 0.95  # beyond it the queue outgrows any test of a few seconds
SERVICE = timing.Settings(budget_s=2.0, least_calls=100, least_s=0.5, most_calls=2_000)
SWEPT = timing.Settings(budget_s=3.0, least_s=1.0)
# What LoadGen's trace says of one request: when it was due, and how long after that it was answered (nanoseconds).
ANSWERED = re.compile(r'"name":"Sample".*"sample_seq":(\d+).*"complete_ns":(\d+)')


@procedure
def load_kept(
    desk: jobs.Desk, *, sha256: str, rate_per_s: float, seconds: float = 10.0, workers: int = 1,
    shapes: Mapping[str, Sequence[int]] | None = None, threads: int | None = None,
) -> dict[str, Any]:  # fmt: skip
    """A kept model under load; saved, {"load": its id}. Raises as `load_test` does."""
    subject, feed = _kept(desk, sha256, shapes, 1)
    found = load_test(desk, subject, feed, rate_per_s, seconds=seconds, workers=workers, threads=threads)
    desk.save(machine(), found)
    return {"load": found.id, "sha256": sha256}


@procedure
def sweep_kept(
    desk: jobs.Desk, *, sha256: str, batch_sizes: Sequence[int], threads: Sequence[int],
    shapes: Mapping[str, Sequence[int]] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """A kept model at every batch size and number of threads; saved one by one, {"runs": their ids, "skipped"}."""
    found: list[str] = []
    skipped: list[str] = []
    settings = [(batch, count) for count in threads for batch in batch_sizes]
    for number, (batch, count) in enumerate(settings):
        with desk.span(number / len(settings), (number + 1) / len(settings)):
            try:
                run = swept(desk, *_kept(desk, sha256, shapes, batch), count)
            except (InputError, MeasurementError) as error:
                skipped.append(f"Batch {batch}, {count} threads: {error.message}")
                continue
            desk.save(run)
            found.append(run.id)
    if not found:
        raise InputError(skipped[0] if skipped else "There is nothing to sweep over.")
    return {"runs": found, "skipped": skipped, "sha256": sha256}


def swept(desk: jobs.Desk, subject: Subject, feed: Feed, threads: int) -> Measurement:
    """One setting of a sweep: a short measurement, marked as such. Raises what measuring raises. Does not save."""
    run = measure(desk, [subject], feed, Wish(threads=threads, settings=SWEPT))[0]
    return replace(run, workload=replace(run.workload, scenario="sweep"))


def load_test(
    desk: jobs.Desk, subject: Subject, feed: Feed, rate_per_s: float, *, seconds: float = 10.0, workers: int = 1,
    threads: int | None = None,
) -> LoadTest:  # fmt: skip
    """Requests at random times at this mean rate for some seconds, on the CPU. Raises InputError for a rate the model
    cannot keep up with or one too low for the time, and what loading and running raise. Does not save.

    Source of the method: MLPerf Inference, Server scenario (Reddi et al. 2020)."""
    if not 0 < rate_per_s * seconds <= MOST_REQUESTS:
        raise InputError(f"That rate and time make {rate_per_s * seconds:.0f} requests.",
                         hint=f"Between 1 and {MOST_REQUESTS:,} are possible.")  # fmt: skip
    here = machine()
    threads = threads_of(threads or max(1, here.physical_cores // workers), here)
    entry = Entry(
        label=subject.label, path=str(subject.path), runtime=subject.runtime,
        options={"device": "cpu", "threads": str(threads), **subject.options},
    )  # fmt: skip
    with device_lock(desk, "cpu"):
        watch = Watch()
        found = desk.task(
            serve,
            to_plain({"entry": entry, "feed": feed, "rate_per_s": rate_per_s, "seconds": seconds, "workers": workers}),
            readable=[subject.path, *subject.readable, *([Path(feed.data)] if feed.data else [])],
            limits=Limits(seconds=120.0 + 20 * seconds), meter_start=watch.start,
            meter_stop=lambda label, window: watch.stop(label),
        )  # fmt: skip
    samples = tuple(found.pop("samples_ms"))
    return LoadTest(
        id=uuid.uuid4().hex, created_at=jobs.now(), model_sha256=subject.model_sha256, variant_id=subject.variant_id,
        fingerprint=here.fingerprint, runtime=subject.runtime, provider=found["provider"],
        options=entry.options | found["settings"], rate_per_s=rate_per_s, achieved_per_s=found["achieved_per_s"],
        workers=workers, service_ms=found["service_ms"], utilisation_frac=found["utilisation_frac"],
        samples_ms=samples, cpu_pressure_frac=watch.during(TIMED).cpu_pressure_frac,
        workload=Workload(batch_size=feed.batch_size, threads=threads, shapes=dict(feed.shapes),
                          scenario="Poisson arrivals", inputs="given" if feed.data else "random"),
    )  # fmt: skip


@task
def serve(
    desk: ChildDesk, *, entry: Mapping[str, Any], feed: Mapping[str, Any], rate_per_s: float, seconds: float,
    workers: int,
) -> dict[str, Any]:  # fmt: skip
    """{"samples_ms" in the order of arrival, "achieved_per_s", "service_ms", "utilisation_frac", "provider",
    "settings"}. Raises InputError where the workers could not keep up."""
    what = from_plain(Entry, entry)
    feeds = feeds_of(from_plain(Feed, feed))
    # A session of ONNX Runtime may be called from several threads at once; another runtime's gets one per worker.
    sessions = [load_session(what)[0] for _ in range(1 if what.runtime == "onnxruntime" else workers)]
    calls = [sessions[number % len(sessions)].prepare(feeds) for number in range(workers)]
    desk.progress(0.1, "Timing one request alone")
    run = timing.interleave({"call": calls[0]}, SERVICE)["call"]
    service_ms = sum(run.samples_ms) / len(run.samples_ms)
    busy_frac = rate_per_s * service_ms / MS_PER_S / workers
    if busy_frac > MOST_BUSY_FRAC:
        most = MOST_BUSY_FRAC * workers * MS_PER_S / service_ms
        message = f"The model cannot keep up: one request takes {service_ms:.3g} ms."
        raise InputError(message, hint=f"Ask for up to {most:.3g} a second.")
    desk.progress(0.2, f"Sending {rate_per_s:g} requests a second")
    with desk.metered(TIMED):
        samples_ms = arrivals(calls, rate_per_s, seconds, desk.folder)
    if not samples_ms:
        raise MeasurementError("No request was answered.", hint="Ask for a higher rate or more time.")
    return {
        "samples_ms": samples_ms, "achieved_per_s": len(samples_ms) / seconds, "service_ms": service_ms,
        "utilisation_frac": busy_frac, "provider": sessions[0].provider, "settings": dict(sessions[0].settings),
    }  # fmt: skip


def arrivals(calls: Sequence[Callable[[], object]], rate_per_s: float, seconds: float, folder: Path) -> list[float]:
    """Milliseconds from a request's due time to its answer, for LoadGen's schedule of Poisson arrivals; each call has
    a thread of its own and takes the next request waiting."""
    import mlperf_loadgen as loadgen

    waiting: queue.SimpleQueue[int | None] = queue.SimpleQueue()
    failures: list[Exception] = []

    def arrive(samples: Sequence[Any]) -> None:
        for sample in samples:
            waiting.put(sample.id)

    def answer(call: Callable[[], object]) -> None:
        while (request := waiting.get()) is not None:
            try:
                call()
            except Exception as error:  # the generator waits for every answer: it gets one, and the caller the error
                failures.append(error)
            loadgen.QuerySamplesComplete([loadgen.QuerySampleResponse(request, 0, 0)])

    workers = [threading.Thread(target=answer, args=(call,), daemon=True) for call in calls]
    for worker in workers:
        worker.start()
    system = loadgen.ConstructSUT(arrive, lambda: None)
    library = loadgen.ConstructQSL(1, 1, lambda rows: None, lambda rows: None)
    try:
        loadgen.StartTestWithLogSettings(system, library, *_settings(loadgen, rate_per_s, seconds, folder), "")
    finally:
        for _ in workers:
            waiting.put(None)
        loadgen.DestroyQSL(library)
        loadgen.DestroySUT(system)
    if failures:
        raise failures[0]
    return read_trace((folder / "mlperf_log_trace.json").read_text(encoding="utf-8"))


def read_trace(trace: str) -> list[float]:
    """The latency of every answered request (ms), in the order of arrival."""
    found = sorted((int(number), int(done)) for number, done in ANSWERED.findall(trace))
    return [done_ns / NS_PER_MS for _, done_ns in found]


def _settings(loadgen: Any, rate_per_s: float, seconds: float, folder: Path) -> tuple[Any, Any]:
    """LoadGen's test and log settings: the Server scenario, its trace written to the folder, nothing to stdout."""
    test = loadgen.TestSettings()
    test.scenario, test.mode = loadgen.TestScenario.Server, loadgen.TestMode.PerformanceOnly
    test.server_target_qps = rate_per_s
    test.min_duration_ms = test.max_duration_ms = round(seconds * MS_PER_S)
    test.min_query_count, test.max_query_count = 1, MOST_REQUESTS
    log = loadgen.LogSettings()
    log.enable_trace = True
    output = loadgen.LogOutputSettings()
    output.outdir, output.copy_summary_to_stdout = str(folder), False
    log.log_output = output
    return test, log


def _kept(
    desk: jobs.Desk, sha256: str, shapes: Mapping[str, Sequence[int]] | None, batch_size: int
) -> tuple[Subject, Feed]:
    model, file = kept_model(desk, sha256)
    if model.cannot_run:
        raise InputError(model.cannot_run)
    filled = filled_shapes(model.inputs, dict(shapes or model.shapes), batch_size)
    subject = Subject(path=file, model_sha256=sha256, runtime=runtime_for(model.format), readable=(file.parent,))
    return subject, Feed(model=model, shapes=filled, batch_size=batch_size)
