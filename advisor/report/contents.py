"""What a sizing report says, in order: the answer, the question, what was tried, the years, the method, the sources."""

from collections.abc import Sequence
from dataclasses import replace

from advisor import closeness
from advisor.recommend import title
from advisor.report import charts as report_charts
from advisor.report import document as doc
from advisor.report import method as report_method
from advisor.report import places as report_places
from advisor.report import years as report_years
from advisor.report.document import Cell, Document, Highlight, Section
from advisor.report.zone import place_of
from advisor.types import Plan, Recommendation, Report, RunSummary
from data import units, words
from data.estimate import Estimate

MS = 1.0 / units.MS_PER_S
VERDICTS = {
    "compress": "Recommended plan",
    "keep the original": "Keep the original",
    "nothing meets the budget": "Nothing meets the budget",
}


def document(report: Report) -> Document:
    """The report as a document."""
    found = report.recommendation
    made = (
        _answer(report), _question(report), _tried(report), *report_places.sections(report),
        *report_years.sections(report), *report_charts.sections(report), *report_method.sections(report),
        _files(report), report_method.sources(report),
    )  # fmt: skip
    return Document(
        title=f"Sizing report: {report.model.name}", verdict=VERDICTS[found.verdict], answer=answer(found),
        created_at=report.created_at, warns=found.verdict == "nothing meets the budget",
        highlights=_highlights(report), sections=made,
    )  # fmt: skip


def answer(found: Recommendation) -> str:
    """The headline without the verdict, which stands above it."""
    said = found.headline.removeprefix(f"{VERDICTS[found.verdict]}: ")
    return said[:1].upper() + said[1:]


def _highlights(report: Report) -> tuple[Highlight, ...]:
    """Latency, energy, file, carbon and turbine time: with the plan where there is one, else those of today."""
    before, after, plan = report.footprint_before, report.footprint_after, report.recommendation.plan
    runs = report.outlook.runs if report.outlook else ()
    places = {run.variant_id: place for place, run in enumerate(runs)}
    own, then = places.get(None), places.get(plan.variant_id) if plan else None
    latency_ratio = doc.changed(plan.latency_ratio, "recommendation.plan.latency_ratio") if plan else None
    energy_ratio = doc.changed(plan.energy_ratio, "recommendation.plan.energy_ratio") if plan else None
    latency = _latency(runs, own, then if plan else own, latency_ratio if then is not None else None)
    if latency is not None and latency.change is not None and plan is not None:
        # A change of pairs need not be that of the two medians; on a noisy run it is one of CPU times.
        latency = replace(latency, of="in pairs" if plan.latency_basis == "wall" else "of CPU time")
    found = [
        _part(label, getattr(before, field), getattr(after, field), field, ladder, factor, energy_ratio)
        for label, field, ladder, factor in (
            ("Energy per call", "energy_j_per_call", words.JOULES, 1.0),
            ("CO2e a year", "g_co2e_per_year", words.GRAMS, 1.0),
            ("Wind turbine a year", "turbine_years", words.TURBINE, units.S_PER_YEAR),
        )
    ]
    shown = (latency, *(report_years.placed_highlight(report, one) for one in found), _file(report))
    return tuple(one for one in shown if one is not None)


def _latency(runs: Sequence[RunSummary], own: int | None, shown: int | None, change: Cell | None) -> Highlight | None:
    if own is None or shown is None or runs[shown].latency_ms.get("p50") is None:
        return None
    now, was = (
        doc.middle(runs[place].latency_ms["p50"], words.LATENCY, f"outlook.runs.{place}.latency_ms.p50", MS)
        for place in (shown, own)
    )
    spread = words.ends(runs[shown].latency_ms["p50"], words.LATENCY, MS)
    return Highlight(label="Latency, median", cell=now, spread=spread, change=change, before=was if change else None)


def _part(
    label: str,
    before: Estimate | None,
    after: Estimate | None,
    field: str,
    ladder: words.Ladder,
    factor: float,
    change: Cell | None,
) -> Highlight:
    path = "footprint_after" if change else "footprint_before"
    shown = after if change else before
    was = doc.middle(before, ladder, f"footprint_before.{field}", factor)
    return Highlight(
        label=label, cell=doc.middle(shown, ladder, f"{path}.{field}", factor),
        spread=words.ends(shown, ladder, factor), change=change if shown is not None else None,
        before=was if change and shown is not None else None,
    )  # fmt: skip


def _file(report: Report) -> Highlight:
    plan = report.recommendation.plan
    was = doc.value(report.model.file_bytes, words.size, "model.file_bytes", "measured")
    if plan is None or plan.size_ratio is None:
        return Highlight(label="File", cell=was)
    path = "recommendation.plan"
    return Highlight(
        label="File", cell=doc.value(plan.file_bytes, words.size, f"{path}.file_bytes", "measured"), before=was,
        change=doc.value(plan.size_ratio, words.change, f"{path}.size_ratio", "measured"),
    )  # fmt: skip


def _answer(report: Report) -> Section:
    found = report.recommendation
    points = [*found.reasons]
    if found.runner_up_margin:
        points.append(f"Runner-up: {found.runner_up_margin}")
    if found.verdict == "compress" and found.binding_constraint != "objective":
        points.append(f"What binds: {found.binding_constraint}")
    return Section(id="answer", title="Why", points=(*points, *found.warnings), figures=("before_after", "pareto"))


def _question(report: Report) -> Section:
    budget = report.budget
    latency = "none" if budget.latency_ms is None else f"{budget.latency_ms:g} ms at p{budget.percentile:g}"
    memory = doc.value(budget.memory_bytes, words.size, "budget.memory_bytes", "given")
    facts = [
        ("Latency budget", Cell(latency, budget.latency_ms, "budget.latency_ms", "given" if budget.latency_ms else "")),
        ("Allowed loss", Cell(f"{budget.max_loss:g}", budget.max_loss, "budget.max_loss", "given")),
        ("Memory budget", memory if budget.memory_bytes is not None else Cell("none", path="budget.memory_bytes")),
        ("Requests a day", doc.value(budget.requests_per_day, words.count, "budget.requests_per_day", "given")),
        ("Grid zone", doc.text(_zone(budget.zone), "budget.zone")),
        ("Objective", doc.text(f"least {budget.objective}", "")),
    ]
    if budget.users_at:
        facts.append(("Users are in", doc.text(", ".join(budget.users_at))))
    if budget.allowed_regions:
        facts.append(("Regions allowed", doc.text(", ".join(budget.allowed_regions))))
    loss = "The allowed loss is in points of accuracy (0.01 is one) where labels were given, else 1 - cosine."
    return Section(id="question", title="The question", paragraphs=(loss,), facts=tuple(facts))


def _zone(zone: str | None) -> str:
    if zone is None:
        return "not chosen: there is no CO2e without one"
    name = place_of(zone).name
    return zone if name == zone else f"{name} ({zone})"


def _tried(report: Report) -> Section:
    found = report.recommendation
    key = f"p{report.budget.percentile:g}"
    chosen = found.plan.variant_id if found.plan else None
    rows = [_plan_row(plan, f"recommendation.tried.{n}", key, chosen) for n, plan in enumerate(found.tried)]
    columns = ["Plan", "Latency", "Energy", "Size", key, "Quality", "Verdict"]
    if any(plan.export_ratio for plan in found.tried):
        columns.insert(2, "Latency, of the ONNX export's")
        for place, (row, plan) in enumerate(zip(rows, found.tried, strict=True)):
            row.insert(2, doc.ratio(plan.export_ratio, f"recommendation.tried.{place}.export_ratio"))
    basis = {plan.latency_basis for plan in found.tried if plan.latency_ratio is not None}
    of = "CPU times (the runs were noisy)" if basis == {"CPU time"} else "wall times"
    return Section(
        id="tried", title="Every plan tried",
        paragraphs=(
            "Latency, energy and size are ratios to the original, below 1 is a gain; each plan ran in turns with the "
            f"original, and ratios are of paired {of} with their 95 % interval. The best were loaded several times, "
            "each time in a fresh process: their interval holds what loads differ by. The others were timed quickly.",
        ) if rows else ("No plan could be tried.",),
        tables=(*((doc.table("Plans, best first", columns, rows),) if rows else ()), *_not_tried(found.not_tried)),
        figures=("latency_ecdf",),
    )  # fmt: skip


def _not_tried(told: Sequence[str]) -> tuple[doc.Table, ...]:
    """What was left out, under the reason that it shares with others. Each is told as "what: why"."""
    by_reason: dict[str, list[str]] = {}
    for one in told:
        what, _, why = one.partition(": ")
        by_reason.setdefault(why, []).append(what)
    rows = [
        [doc.text(why[:1].upper() + why[1:] or "-"), doc.text(", ".join(named))] for why, named in by_reason.items()
    ]
    return (doc.table("Not tried", ("Why", "What"), rows),) if rows else ()


def _plan_row(plan: Plan, path: str, key: str, chosen: str | None) -> list[Cell]:
    verdict = plan.ruled_out or ("recommended" if plan.variant_id == chosen else "meets the budget")
    return [
        doc.text(title(plan)),
        doc.ratio(plan.latency_ratio, f"{path}.latency_ratio"),
        doc.ratio(plan.energy_ratio, f"{path}.energy_ratio"),
        doc.value(plan.size_ratio, words.times, f"{path}.size_ratio", "measured"),
        doc.value(plan.latency_ms.get(key), words.latency, f"{path}.latency_ms.{key}", "measured"),
        _quality(plan, path),
        doc.text(verdict, f"{path}.ruled_out" if plan.ruled_out else ""),
    ]


def _quality(plan: Plan, path: str) -> Cell:
    quality = plan.quality
    if quality is None or plan.loss is None:
        return doc.text(words.NOT_KNOWN)
    if quality.kind == "accuracy":
        was = words.percent(quality.accuracy_before, 3)
        text = f"accuracy {words.percent(quality.accuracy_after, 3)} (was {was})"
        return Cell(text, quality.accuracy_after, f"{path}.quality.accuracy_after", "measured")
    return Cell(f"{closeness.name(quality)} {words.number(plan.loss)}", plan.loss, f"{path}.loss", "measured")


def _files(report: Report) -> Section:
    rows = [
        [
            doc.text("Original"), doc.text(report.baseline.runtime),
            doc.value(report.model.file_bytes, words.size, "model.file_bytes", "measured"),
            doc.text(report.model.sha256, "model.sha256"),
        ]
    ]  # fmt: skip
    rows += [
        [
            doc.text(" + ".join(step.title for step in variant.steps)),
            doc.text(variant.runtime),
            doc.value(variant.file_bytes, words.size, f"variants.{place}.file_bytes", "measured"),
            doc.text(variant.sha256, f"variants.{place}.sha256"),
        ]
        for place, variant in enumerate(report.variants)
        if variant.failed is None
    ]
    failed = [f"{variant.steps[-1].title}: {variant.failed}" for variant in report.variants if variant.failed]
    table = doc.table("Every file and its hash", ("File", "Run by", "Size", "sha256"), rows)
    return Section(id="files", title="Files", points=tuple(failed), tables=(table,))
