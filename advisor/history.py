"""What was measured before: two runs side by side, runs that got slower, runs brought from another machine."""

import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from advisor import model_frames
from advisor.exporters.json import read as read_report
from advisor.paired import SAME_FRAC
from advisor.recommend import title
from advisor.report import foreign
from advisor.report import schema as report_schema
from advisor.types import Report, Variant
from data.errors import InputError
from data.estimate import Estimate, exact
from data.records import from_plain
from data.text import csv_cell
from profiler import loads, stats
from profiler.jobs import Keeper
from profiler.run_types import OperatorProfile
from profiler.types import Machine, Measurement, Model

BRING = "Bring the output of: python -m profiler measure FILE --json"


def compare(one: Measurement, other: Measurement, files: tuple[int | None, int | None] = (None, None)) -> pd.DataFrame:
    """quantity, unit (ms, j, bytes), first, second, ratio, ratio_low, ratio_high, basis: the second run against the
    first, in everything both tell. `files` are the bytes of the two files that ran, where they are known.

    Runs of one group, interleaved in one child, are compared round by round; any others by their medians, whose
    intervals are divided end by end."""
    rows = [_row("Latency, median", "ms", *_medians(one, other), latency_ratio(one, other))]
    for percent in (95.0, 99.0):
        # Without an interval a percentile of few samples would look exact.
        first, second = (stats.percentile_interval(run.samples_ms, percent) for run in (one, other))
        rows.append(_row(f"Latency, p{percent:g}", "ms", first, second, _over(first, second)))
    rows.append(_row("CPU time, median", "ms", _cpu(one), _cpu(other), _over(_cpu(one), _cpu(other))))
    rows.append(_row("Energy per call", "j", one.energy_j, other.energy_j, _energy_ratio(one, other)))
    rows.append(_row("Peak memory", "bytes", _peak(one), _peak(other), _over(_peak(one), _peak(other))))
    sizes = [None if size is None else exact(size, "measured") for size in files]
    rows.append(_row("File", "bytes", sizes[0], sizes[1], _over(sizes[0], sizes[1])))
    return pd.DataFrame([row for row in rows if row["ratio"] is not None])


def file_bytes(keeper: Keeper, run: Measurement) -> int | None:
    """The size of the file that ran, where its record is kept here."""
    if run.variant_id is None:
        model = keeper.get(Model, run.model_sha256)
        return None if model is None else model.file_bytes
    variant = keeper.get(Variant, run.variant_id)
    return None if variant is None else variant.file_bytes


def file_name(keeper: Keeper, run: Measurement) -> str:
    """What ran: the model's name, and the variant's; the beginning of its hash where its record is not kept here."""
    model = keeper.get(Model, run.model_sha256)
    variant = keeper.get(Variant, run.variant_id) if run.variant_id else None
    made = title(variant) if variant else "a variant" if run.variant_id else "original"
    return f"{model.name if model else run.model_sha256[:12]}, {made}"


def labels(keeper: Keeper, one: Measurement, other: Measurement) -> tuple[str, str]:
    """What tells two runs apart, in few words: the file where they ran different ones, else when."""
    names, times = [file_name(keeper, run) for run in (one, other)], [model_frames.when(run) for run in (one, other)]
    if names[0] != names[1]:
        kept = [name.partition(", ")[2] for name in names] if one.model_sha256 == other.model_sha256 else names
        return kept[0], kept[1]
    return (times[0], times[1]) if times[0] != times[1] else (f"Earlier, {times[0]}", f"Later, {times[1]}")


def latency_ratio(one: Measurement, other: Measurement) -> Estimate:
    """The second run's latency over the first's, paired where they were interleaved."""
    if one.group_id == other.group_id and one.id != other.id:
        return loads.wall_ratio(other, one)
    return model_frames.median(other) / model_frames.median(one)


def comparable(one: Measurement, other: Measurement) -> tuple[str, ...]:
    """What differs between two runs beside the time, one sentence each; nothing where they can be compared."""
    differences = {
        "machine": (one.machine.fingerprint, other.machine.fingerprint),
        "model": (one.model_sha256, other.model_sha256),
        "variant": (one.variant_id, other.variant_id),
        "runtime": (one.runtime, other.runtime),
        "threads": (one.workload.threads, other.workload.threads),
        "batch": (one.workload.batch_size, other.workload.batch_size),
        "shapes": (one.workload.shapes, other.workload.shapes),
    }
    named = [name for name, (first, second) in differences.items() if first != second]
    noisy = [f"The {place} run was noisy." for place, run in (("first", one), ("second", other)) if not run.stable]
    return (*([f"The two runs differ in {', '.join(named)}."] if named else []), *noisy)


def regressions(runs: Sequence[Measurement]) -> list[tuple[Measurement, Measurement, Estimate]]:
    """(earlier run, newer run, ratio) wherever the newest run of a file in one setting on one machine is slower than
    the one before beyond the noise: the whole interval of the ratio lies above 1 + SAME_FRAC. Runs oldest first."""
    latest: dict[tuple[Any, ...], list[Measurement]] = {}
    for run in runs:
        latest.setdefault(_setting(run), []).append(run)
    found = []
    for same in latest.values():
        if len(same) > 1 and (ratio := latency_ratio(same[-2], same[-1])).low > 1 + SAME_FRAC:
            found.append((same[-2], same[-1], ratio))
    return found


def read_measurement(content: bytes) -> Measurement:
    """The run that `python -m profiler measure --json` printed. Raises InputError on anything else."""
    plain = foreign.parsed(content, "a measurement", BRING)
    try:
        report_schema.check_measurement(plain)
        found = from_plain(Measurement, plain)
        foreign.check_run(found)
    except (ValueError, TypeError, KeyError, InputError) as error:
        raise InputError("This is not a measurement.", hint=BRING, details=str(error)) from error
    return found


def bring(keeper: Keeper, content: bytes) -> str:
    """Keeps a run or a report brought from elsewhere; says what it is. Raises InputError on anything else."""
    found = foreign.parsed(content, "a run or a report", BRING)
    if isinstance(found, dict) and "schema" in found:
        report = read_report(content)
        take(keeper, report)
        return f"report {report.id}"
    run = read_measurement(content)
    kept = keeper.get(Measurement, run.id)
    if kept is not None and kept != run:
        raise InputError("This run contradicts what is kept here.", hint="A run of the same id differs.")
    keeper.save(_on_known(keeper, run))
    return f"run {run.id} of {run.machine.cpu}"


def take(keeper: Keeper, report: Report) -> None:
    """Keeps a report brought from elsewhere with its runs and variants; what is known here already stays as it is.

    Raises InputError where the report tells another story of a run or a variant that is kept here."""
    told: list[Variant | Measurement | OperatorProfile] = [*report.variants, *report.measurements, report.baseline]
    told += [report.operators] if report.operators else []
    for one in told:
        kept = keeper.get(type(one), one.id)
        if kept is not None and kept != one:
            raise InputError("This report contradicts what is kept here.", hint="A run or file of the same id differs.")
    model = keeper.get(Model, report.model.sha256) or report.model
    machine = keeper.get(Machine, report.machine.fingerprint) or report.machine
    runs = tuple(_on_known(keeper, run) for run in report.measurements)
    baseline = _on_known(keeper, report.baseline)
    keeper.save(replace(report, model=model, machine=machine, measurements=runs, baseline=baseline))


def _on_known(keeper: Keeper, run: Measurement) -> Measurement:
    """The run, on the machine as it is known here: what is brought along changes no record of it."""
    return replace(run, machine=keeper.get(Machine, run.machine.fingerprint) or run.machine)


def as_csv(rows: pd.DataFrame) -> bytes:
    """The rows as CSV; text that a spreadsheet would take for a formula gets a quote before it."""
    guarded = rows.apply(lambda column: column.map(csv_cell)).rename(columns=csv_cell)
    text: str = guarded.to_csv(index=False)
    return text.encode()


def as_parquet(rows: pd.DataFrame) -> bytes:
    """The rows as Parquet."""
    buffer = io.BytesIO()
    rows.to_parquet(buffer, index=False)
    return buffer.getvalue()


def _setting(run: Measurement) -> tuple[Any, ...]:
    shapes = tuple(sorted(run.workload.shapes.items()))
    workload = (run.workload.batch_size, run.workload.threads, shapes, run.workload.inputs)
    return (run.model_sha256, run.variant_id, run.machine.fingerprint, run.runtime, run.provider, *workload)


def _medians(one: Measurement, other: Measurement) -> tuple[Estimate, Estimate]:
    return model_frames.median(one), model_frames.median(other)


def _over(one: Estimate | None, other: Estimate | None) -> Estimate | None:
    return None if one is None or other is None or one.low <= 0 else other / one


def _cpu(run: Measurement) -> Estimate | None:
    if not run.cpu_samples_ms:
        return None
    low, mid, high = stats.median_interval(run.cpu_samples_ms)
    return Estimate(low=low, mid=mid, high=high, basis="measured", source=f"{len(run.cpu_samples_ms)} rounds")


def _peak(run: Measurement) -> Estimate | None:
    return None if run.peak_bytes is None else exact(run.peak_bytes, "measured")


def _energy_ratio(one: Measurement, other: Measurement) -> Estimate | None:
    """From counters end by end; energy modelled from CPU time on one machine follows CPU time, whatever the watts."""
    ratio, cpu = _over(one.energy_j, other.energy_j), _over(_cpu(one), _cpu(other))
    same = one.machine.fingerprint == other.machine.fingerprint
    if ratio is None or cpu is None or not same or ratio.basis == "measured":
        return ratio
    return replace(cpu, basis=ratio.basis, source="CPU time x the same watts")


def _row(
    quantity: str, unit: str, one: Estimate | None, other: Estimate | None, ratio: Estimate | None
) -> dict[str, Any]:
    return {
        "quantity": quantity,
        "unit": unit,
        "first": one,
        "second": other,
        "ratio": ratio.mid if ratio else None,
        "ratio_low": ratio.low if ratio else None,
        "ratio_high": ratio.high if ratio else None,
        "basis": ratio.basis if ratio else "",
    }
