"""What a sizing report says, in order: the question, the answer, what it rests on, what was tried, the sources."""

from collections.abc import Sequence

from advisor import document as doc
from advisor.document import Cell, Document, Section
from advisor.recommend import percentiles, title
from advisor.types import Footprint, Plan, Report
from data import units, words
from profiler.types import Measurement


def document(report: Report) -> Document:
    """The report as a document."""
    found = report.recommendation
    return Document(
        title=f"Sizing report: {report.model.name}", verdict=found.verdict, answer=found.headline,
        created_at=report.created_at,
        sections=(
            _answer(report), _question(report), _footprints(report), _tried(report), _model(report),
            _method(report), _variants(report), _sources(report),
        ),
    )  # fmt: skip


def _answer(report: Report) -> Section:
    found = report.recommendation
    points = [*found.reasons[:4]]
    if found.plan is not None:
        points.append(f"Runner-up: {found.runner_up_margin}")
        if found.binding_constraint != "objective":
            points.append(f"What binds: {found.binding_constraint}")
        if found.plan.payback_calls is not None:
            calls = words.count(round(found.plan.payback_calls))
            points.append(f"Compressing has paid for itself after {calls} calls (modelled).")
    return Section(
        id="answer", title="The answer", paragraphs=(found.headline,), points=(*points, *found.warnings),
        figures=("pareto",),
    )  # fmt: skip


def _question(report: Report) -> Section:
    budget = report.budget
    latency = "none" if budget.latency_ms is None else f"{budget.latency_ms:g} ms at p{budget.percentile:g}"
    facts = (
        ("Latency budget", Cell(latency, budget.latency_ms, "budget.latency_ms", "given")),
        ("Allowed loss", Cell(f"{budget.max_loss:g}", budget.max_loss, "budget.max_loss", "given")),
        ("Memory budget", doc.value(budget.memory_bytes, words.size, "budget.memory_bytes", "given")),
        ("Requests a day", doc.value(budget.requests_per_day, words.count, "budget.requests_per_day", "given")),
        ("Grid zone", doc.text(budget.zone or "not chosen", "budget.zone")),
        ("Objective", doc.text(budget.objective, "budget.objective")),
    )
    return Section(id="question", title="The question", facts=facts)


def _footprints(report: Report) -> Section:
    before, after = report.footprint_before, report.footprint_after
    rows = [
        [doc.text(name), _part(before, field, "footprint_before"), _part(after, field, "footprint_after")]
        for name, field in (
            ("Energy of one call", "energy_j_per_call"),
            ("Energy a year", "kwh_per_year"),
            ("CO2e a year", "g_co2e_per_year"),
            ("Work of one wind turbine", "turbine_years"),
        )
    ]
    turbine = f"{units.TURBINE_MW:g} MW x {units.TURBINE_FULL_LOAD_H:,.0f} h = 12.5 GWh a year"
    return Section(
        id="footprint", title="Energy, carbon and turbine share",
        paragraphs=(
            f"The reference is one wind turbine: {turbine}. PUE, idle hours and the making of the device are not in "
            "these figures: they depend on the place and stand with the placement.",
        ),
        tables=(doc.table("A year at the given demand", ("", "Today", "With the plan"), rows),),
        figures=("before_after",),
    )  # fmt: skip


def _part(footprint: Footprint, field: str, path: str) -> Cell:
    ladders = {
        "energy_j_per_call": (words.JOULES, 1.0), "kwh_per_year": (words.KWH, 1.0),
        "g_co2e_per_year": (words.GRAMS, 1.0), "turbine_years": (words.TURBINE, units.S_PER_YEAR),
    }  # fmt: skip
    ladder, factor = ladders[field]
    return doc.estimate(getattr(footprint, field), ladder, f"{path}.{field}", factor)


def _tried(report: Report) -> Section:
    found = report.recommendation
    rows = [_plan_row(plan, f"recommendation.tried.{index}") for index, plan in enumerate(found.tried)]
    columns = ("Plan", "Latency", "Size", "Energy", "p95", "Loss", "Why not")
    return Section(
        id="tried", title="Every plan tried",
        paragraphs=("Ratios are to the original, measured beside it in the same process; below 1 is a gain.",),
        points=tuple(f"Not tried: {one}" for one in found.not_tried),
        tables=(doc.table("Plans", columns, rows),) if rows else (), figures=("latency_ecdf",),
    )  # fmt: skip


def _plan_row(plan: Plan, path: str) -> list[Cell]:
    quality = plan.quality
    loss = quality.loss if quality else None
    return [
        doc.text(title(plan)),
        doc.ratio(plan.latency_ratio, f"{path}.latency_ratio"),
        doc.value(plan.size_ratio, words.times, f"{path}.size_ratio", "measured"),
        doc.ratio(plan.energy_ratio, f"{path}.energy_ratio"),
        doc.value(plan.latency_ms.get("p95"), words.latency, f"{path}.latency_ms.p95", "measured"),
        Cell(_loss(plan), loss, "", "measured" if loss is not None else ""),
        doc.text(plan.ruled_out or "", f"{path}.ruled_out"),
    ]


def _loss(plan: Plan) -> str:
    quality = plan.quality
    if quality is None or quality.loss is None:
        return words.NOT_KNOWN
    if quality.kind == "accuracy":
        return f"accuracy {words.percent(quality.accuracy_after, 3)} (was {words.percent(quality.accuracy_before, 3)})"
    return f"1 - cosine {words.number(quality.loss)}"


def _model(report: Report) -> Section:
    model = report.model
    facts = (
        ("File", doc.text(f"{model.name} ({model.format})", "model.name")),
        ("sha256", doc.text(model.sha256, "model.sha256")),
        ("Size", doc.value(model.file_bytes, words.size, "model.file_bytes", "measured")),
        ("Parameters", doc.value(model.parameter_count, words.count, "model.parameter_count", "measured")),
        ("Computation of one call", doc.value(model.flop, words.flop, "model.flop", "modelled")),
        ("Inputs", doc.text(", ".join(f"{one.name} {_shape(report, one.name)}" for one in model.inputs))),
    )
    return Section(id="model", title="The model", facts=facts, points=model.notes)


def _shape(report: Report, name: str) -> str:
    shape = report.baseline.workload.shapes.get(name) or report.model.shapes.get(name, ())
    return "x".join(str(axis) for axis in shape)


def _method(report: Report) -> Section:
    run, here = report.baseline, report.machine
    latencies = percentiles(run.samples_ms)
    facts = (
        ("Machine", doc.text(f"{here.cpu}, {here.physical_cores} cores, {words.size(here.memory_bytes)}")),
        ("Instructions", doc.text(", ".join(here.isa))),
        ("Run by", doc.text(f"{run.runtime}, {run.provider}", "baseline.provider")),
        ("Settings", doc.text(", ".join(f"{key} {value}" for key, value in run.options.items()))),
        ("Calls timed", Cell(words.count(len(run.samples_ms)), len(run.samples_ms), "", "measured")),
        ("Warm-up calls left out", Cell(words.count(len(run.warmup_ms)), len(run.warmup_ms), "", "measured")),
        ("Inputs", doc.text(run.workload.inputs, "baseline.workload.inputs")),
        *((f"Latency {name}", doc.value(ms, words.latency, "", "measured")) for name, ms in latencies.items()),
        ("Loading", doc.value(run.load_ms, words.latency, "baseline.load_ms", "measured")),
        ("Peak memory beyond the runtime", doc.value(run.peak_bytes, words.size, "baseline.peak_bytes", "measured")),
        ("Steady", doc.text("yes" if run.stable else "no: see the notes", "baseline.stable")),
        ("Versions", doc.text(", ".join(f"{key} {value}" for key, value in here.versions.items()))),
    )
    return Section(id="method", title="How it was measured", facts=facts, points=(*run.notes, *report.notes))


def _variants(report: Report) -> Section:
    made = [variant for variant in report.variants if variant.failed is None]
    rows = [
        [
            doc.text(" + ".join(step.title for step in variant.steps)),
            doc.text(variant.runtime),
            doc.value(variant.file_bytes, words.size, "", "measured"),
            doc.text(variant.sha256),
        ]
        for variant in made
    ]
    failed = [f"{variant.steps[-1].title}: {variant.failed}" for variant in report.variants if variant.failed]
    tables = (doc.table("Files made", ("Variant", "Runtime", "Size", "sha256"), rows),) if rows else ()
    return Section(id="files", title="Files", points=tuple(failed), tables=tables)


def _sources(report: Report) -> Section:
    rows = [
        [doc.text(one.id), doc.text(one.title), doc.text(one.licence or "-"), doc.text(one.as_of or "-")]
        for one in report.sources
    ]
    return Section(
        id="sources", title="Sources and words",
        paragraphs=(
            "A number is measured (a run on a real machine), predicted (by the latency model), modelled (from "
            "published constants), claimed (a vendor's or paper's figure) or given (typed by the user).",
        ),
        tables=(doc.table("Sources", ("Id", "Title", "Licence", "As of"), rows),),
    )  # fmt: skip


def runs(report: Report) -> Sequence[tuple[str, Measurement]]:
    """(name, run) of the original and of every finalist, for charts."""
    names = {variant.id: " + ".join(step.title for step in variant.steps) for variant in report.variants}
    return [("Original" if run.variant_id is None else names[run.variant_id], run) for run in report.measurements]
