"""What a report's numbers rest on: the model, how it was measured, how sure it is, whose facts were used."""

from advisor.report import document as doc
from advisor.report.document import Cell, Section
from advisor.types import Report, RunSummary
from data import words
from data.estimate import Estimate
from profiler.run_types import OperatorProfile

LAYERS_SHOWN = 10
BASES = (
    "A number is measured (a run on a real machine, with its spread), predicted (by the latency model), modelled (from "
    "published constants), claimed (a vendor's or paper's figure) or given (typed by the user)."
)


def sections(report: Report) -> tuple[Section, ...]:
    """The model, where its time goes where that is known, the method, the uncertainty."""
    times = (_operators(report.operators),) if report.operators else ()
    return _model(report), *times, _method(report), _uncertainty(report)


def baseline_path(report: Report) -> str:
    """Where the original's run stands in the JSON report: among the measurements, or alone."""
    places = [place for place, run in enumerate(report.measurements) if run.id == report.baseline.id]
    return f"measurements.{places[0]}" if places else "baseline"


def _model(report: Report) -> Section:
    model = report.model
    dtypes = ", ".join(f"{words.count(many)} {name}" for name, many in model.parameters_by_dtype.items())
    facts = [
        ("File", doc.text(f"{model.name} ({model.format}{f', opset {model.opset}' if model.opset else ''})", "")),
        ("sha256", doc.text(model.sha256, "model.sha256")),
        ("Made by", doc.text(model.producer or words.NOT_KNOWN, "model.producer")),
        ("Size", doc.value(model.file_bytes, words.size, "model.file_bytes", "measured")),
        ("Parameters", doc.value(model.parameter_count, words.count, "model.parameter_count", "measured")),
        ("Stored as", doc.text(dtypes or words.NOT_KNOWN)),
        ("Computation of one call", doc.value(model.flop, words.flop, "model.flop", "modelled")),
        ("Live activations, at most",
         doc.value(model.peak_activation_bytes, words.size, "model.peak_activation_bytes", "modelled")),
        ("Inputs", doc.text(", ".join(f"{one.name} {_shape(report, one.name)}" for one in model.inputs) or "-")),
        ("Layers", doc.text(words.count(len(model.layers)))),
    ]  # fmt: skip
    return Section(id="model", title="The model", facts=tuple(facts), points=model.notes, tables=_layers(report))


def _layers(report: Report) -> tuple[doc.Table, ...]:
    """The layers that compute most; all of them stand in the JSON report."""
    layers = report.model.layers
    largest = sorted(range(len(layers)), key=lambda place: -layers[place].flop)[:LAYERS_SHOWN]
    rows = [
        [
            doc.text(layers[place].name or layers[place].op),
            doc.text(layers[place].op),
            doc.value(layers[place].flop, words.flop, f"model.layers.{place}.flop", "modelled"),
            doc.value(layers[place].weight_bytes, words.size, f"model.layers.{place}.weight_bytes", "measured"),
        ]
        for place in largest
        if layers[place].flop > 0
    ]
    if not rows:
        return ()
    left = len(layers) - len(rows)
    title = f"Layers that compute most{_others(left)}"
    return (doc.table(title, ("Layer", "Operator", "Computation", "Weights"), rows),)


def _others(left: int) -> str:
    return f" ({left:,} more in the JSON report)" if left else ""


def _operators(profile: OperatorProfile) -> Section:
    """The operators that take most of a call, and how far their sum is from the latency."""
    found = profile.operators
    slowest = sorted(range(len(found)), key=lambda place: -found[place].ms)[:LAYERS_SHOWN]
    rows = [
        [
            doc.text(", ".join(found[place].layers[:2]) or found[place].name),
            doc.text(found[place].op),
            doc.value(found[place].ms, words.latency, f"operators.operators.{place}.ms", "measured"),
            doc.text(words.percent(found[place].ms / profile.sum_ms) if profile.sum_ms else words.NOT_KNOWN),
            doc.value(found[place].flop, words.flop, f"operators.operators.{place}.flop", "modelled"),
        ]
        for place in slowest
    ]
    left = len(found) - len(rows)
    title = f"Slowest operators{_others(left)}"
    how = f"Told by {profile.runtime}'s own profile of the original; fused layers count as one operator."
    return Section(
        id="operators", title="Where the time goes", paragraphs=(how,), points=profile.notes,
        tables=(doc.table(title, ("Layers", "Operator", "Time", "Share", "Computation"), rows),),
    )  # fmt: skip


def _shape(report: Report, name: str) -> str:
    shape = report.baseline.workload.shapes.get(name) or report.model.shapes.get(name, ())
    return "x".join(str(axis) for axis in shape)


def _method(report: Report) -> Section:
    run, here, path = report.baseline, report.machine, baseline_path(report)
    gpus = ", ".join(f"{gpu.name} ({words.size(gpu.memory_bytes)})" for gpu in here.gpus)
    busy = run.load_after.cpu_pressure_frac
    facts = (
        ("Machine", doc.text(f"{here.cpu}, {here.physical_cores} cores, {words.size(here.memory_bytes)}")),
        ("Instructions", doc.text(", ".join(here.isa))),
        ("GPU", doc.text(gpus or "none")),
        ("System", doc.text(here.system or words.NOT_KNOWN, "machine.system")),
        ("Run by", doc.text(f"{run.runtime}, {run.provider}")),
        ("Settings", doc.text(", ".join(f"{key} {value}" for key, value in run.options.items()))),
        ("Batch", doc.value(run.workload.batch_size, words.count, f"{path}.workload.batch_size", "given")),
        ("Inputs", doc.text(run.workload.inputs, f"{path}.workload.inputs")),
        ("Loading", doc.value(run.load_ms, words.latency, f"{path}.load_ms", "measured")),
        ("Peak memory beyond the runtime", doc.value(run.peak_bytes, words.size, f"{path}.peak_bytes", "measured")),
        ("Time in which some task waited for a CPU",
         doc.value(busy, words.percent, f"{path}.load_after.cpu_pressure_frac", "measured")),
        ("Steady", doc.text("yes" if run.stable else "no: see the notes", f"{path}.stable")),
        ("Versions", doc.text(", ".join(f"{key} {value}" for key, value in here.versions.items()))),
        ("Machine's fingerprint", doc.text(here.fingerprint, "machine.fingerprint")),
    )  # fmt: skip
    return Section(
        id="method", title="How it was measured", facts=facts, points=(*run.notes, *report.notes), tables=_runs(report),
        paragraphs=(
            "Original and finalists ran in turns in one process on the same inputs, so that what slowed one slowed "
            "all; warm-up calls are left out. Peak memory was taken in a process of its own.",
        ),
    )  # fmt: skip


def _runs(report: Report) -> tuple[doc.Table, ...]:
    runs = report.outlook.runs if report.outlook else ()
    if not runs:
        return ()
    keys = list(runs[0].latency_ms)
    rows = [_run_row(run, f"outlook.runs.{place}", keys) for place, run in enumerate(runs)]
    return (doc.table("Latency by percentile", ("Run", "Calls", "Warm-up", *keys), rows),)


def _run_row(run: RunSummary, path: str, keys: list[str]) -> list[Cell]:
    return [
        doc.text(run.name),
        doc.value(run.calls, words.count, f"{path}.calls", "measured"),
        doc.value(run.warmup_calls, words.count, f"{path}.warmup_calls", "measured"),
        *(_latency(run.latency_ms.get(key), f"{path}.latency_ms.{key}") for key in keys),
    ]


def _latency(found: Estimate | None, path: str) -> Cell:
    if found is None:
        return Cell("too few calls", path=path)
    return doc.estimate(found, words.LATENCY, path, 1e-3)


def _uncertainty(report: Report) -> Section:
    plan, before = report.recommendation.plan, report.footprint_before
    quality = plan.quality if plan else None
    known = [
        ("Energy of one call", before.energy_j_per_call, words.JOULES, "footprint_before.energy_j_per_call"),
        ("CO2e a year", before.g_co2e_per_year, words.GRAMS, "footprint_before.g_co2e_per_year"),
    ]
    rows = [
        [doc.text(name), doc.estimate(value, ladder, path), doc.text(value.source, f"{path}.source")]
        for name, value, ladder, path in known
        if value is not None
    ]
    if plan is not None:
        path = "recommendation.plan"
        rows += [
            [doc.text(name), doc.ratio(value, f"{path}.{field}"), doc.text(value.source, f"{path}.{field}.source")]
            for name, value, field in (
                ("Latency, plan over original", plan.latency_ratio, "latency_ratio"),
                ("Energy, plan over original", plan.energy_ratio, "energy_ratio"),
            )
            if value is not None
        ]
    if quality is not None and quality.accuracy_drop is not None:
        drop, path = quality.accuracy_drop, "recommendation.plan.quality.accuracy_drop"
        cell = doc.interval(words.interval_of(drop, words.percent), drop, path)
        rows.append([doc.text("Drop in accuracy"), cell, doc.text(drop.source, f"{path}.source")])
    table = doc.table("Where the intervals come from", ("Number", "Value and interval", "From"), rows)
    return Section(
        id="uncertainty", title="How sure this is", tables=(table,) if rows else (),
        paragraphs=(
            BASES,
            "Intervals of measured numbers are 95 %; where numbers are combined their ends are too, as if all erred in "
            "the same direction. Two loads of one file differ by up to 5 %: a smaller gain is not called one.",
        ),
    )  # fmt: skip


def sources(report: Report) -> Section:
    """Everyone whose facts were used, with licence and date."""
    rows = [
        [
            doc.text(one.title),
            doc.text(one.licence or "-"),
            doc.text(one.as_of or "-"),
            doc.text(one.url or f"shipped with Rightsize, {one.id}"),
        ]
        for one in report.sources
    ]
    columns = ("Source", "Licence", "As of", "Where")
    return Section(
        id="sources", title="Sources", tables=(doc.table("Sources, licences and dates", columns, rows),) if rows else ()
    )
