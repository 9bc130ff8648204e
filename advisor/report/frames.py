"""A report's numbers as the rows its charts are drawn from; pages show the same rows as tables."""

from collections.abc import Sequence

import pandas as pd

from advisor import model_frames, payback
from advisor.paired import percentiles
from advisor.recommend import title
from advisor.types import Plan, Report, Step
from data import words
from data.estimate import Estimate
from profiler.types import Measurement

ORIGINAL, RECOMMENDED, MEETS, RULED_OUT = "original", "recommended", "meets the budget", "ruled out"
QUANTITIES = ("Latency", "Energy per call", "File size")


def runs(report: Report) -> Sequence[tuple[str, Measurement]]:
    """(name, run) of the original and of every finalist."""
    names = {variant.id: title(variant) for variant in report.variants}
    return [(names.get(run.variant_id or "", "Original"), run) for run in report.measurements]


def latencies(report: Report) -> pd.DataFrame:
    """variant, latency_ms: one row a timed call of the original and the finalists."""
    frames = [pd.DataFrame({"variant": name, "latency_ms": run.samples_ms}) for name, run in runs(report)]
    return pd.concat(frames, ignore_index=True)


def candidates(report: Report) -> pd.DataFrame:
    """plan, latency_ms (at the budget's percentile, else the median), its ends by the paired ratio, loss_frac,
    file_bytes, standing: one row the original and each plan that was measured."""
    key = f"p{report.budget.percentile:g}"
    known = percentiles(report.baseline.samples_ms, report.budget.percentile)
    own = known[key] or known["p50"]
    rows = [_row("Original", own, None, 0.0, report.model.file_bytes, ORIGINAL)]
    chosen = report.recommendation.plan
    for plan in report.recommendation.tried:
        if plan.latency_ratio is None or plan.quality is None or own is None:
            continue
        standing = _standing(plan, chosen)
        latency = own * plan.latency_ratio.mid
        rows.append(_row(title(plan), latency, plan.latency_ratio * own, plan.quality.loss, plan.file_bytes, standing))
    return pd.DataFrame(rows)


def tried(report: Report) -> pd.DataFrame:
    """One row a plan in the order of its standing: plan, standing, latency_ratio and energy_ratio (to the original)
    with their intervals in words beside them, file_frac (of the original's size), loss_frac, make_s, why, variant_id;
    of a torch file also export_ratio (latency to its ONNX export)."""
    chosen = report.recommendation.plan
    made_s = {one.id: payback.making_s(one, report.variants) for one in report.variants}
    exports = any(plan.export_ratio for plan in report.recommendation.tried)
    return pd.DataFrame(
        [
            {
                "plan": title(plan),
                "standing": _standing(plan, chosen),
                **_ratio("latency", plan.latency_ratio),
                **({"export_ratio": plan.export_ratio.mid if plan.export_ratio else None} if exports else {}),
                **_ratio("energy", plan.energy_ratio),
                "file_frac": plan.size_ratio,
                "loss_frac": plan.quality.loss if plan.quality else None,
                "make_s": made_s.get(plan.variant_id),
                "why": plan.ruled_out or "",
                "variant_id": plan.variant_id,
            }
            for plan in report.recommendation.tried
        ]
    )


def _ratio(name: str, ratio: Estimate | None) -> dict[str, object]:
    ends = "" if ratio is None or ratio.low == ratio.high else f"{words.number(ratio.low)}–{words.number(ratio.high)}"
    return {f"{name}_ratio": ratio.mid if ratio else None, f"{name}_ends": ends}


def changes(report: Report, variant_id: str) -> list[tuple[str, tuple[str, ...]]]:
    """(title, what it changed) of each step that led to a variant; what the first steps of a chain changed stands with
    the variant they made alone. Empty where the report has no such variant."""
    variant = next((one for one in report.variants if one.id == variant_id), None)
    if variant is None:
        return []
    notes = {_chain(one.steps): one.notes for one in report.variants if one.failed is None}
    return [
        (step.title or step.technique, notes.get(_chain(variant.steps[: place + 1]), ()))
        for place, step in enumerate(variant.steps)
    ]


def _chain(steps: Sequence[Step]) -> str:
    return str([(step.technique, sorted(step.options.items())) for step in steps])


def told_percentile(report: Report) -> str:
    """Where on the latency the candidates are compared: "p95" of the budget, else "median" (too few calls for it)."""
    key = f"p{report.budget.percentile:g}"
    known = percentiles(report.baseline.samples_ms, report.budget.percentile)
    return key if known.get(key) is not None and key != "p50" else "median"


def latency_percentiles(report: Report) -> pd.DataFrame:
    """variant, percentile, latency_ms, latency_low_ms, latency_high_ms, samples_count of the original and the
    finalists."""
    frames = [model_frames.percentiles(run).assign(variant=name) for name, run in runs(report)]
    rows = pd.concat(frames, ignore_index=True)
    return rows[["variant", *(column for column in rows.columns if column != "variant")]]


def original_latency(report: Report) -> Estimate | None:
    """The original's latency (ms) at the budget's percentile, else its median, with its interval."""
    return model_frames.tail(report.baseline, report.budget.percentile) or model_frames.median(report.baseline)


def before_after(report: Report) -> pd.DataFrame:
    """quantity, ratio, ratio_low, ratio_high, basis: what is left of each after the plan; empty where none is."""
    plan = report.recommendation.plan
    known = [] if plan is None else [(name, one) for name, one in zip(QUANTITIES, _ratios(plan), strict=True) if one]
    return pd.DataFrame(
        [
            {"quantity": name, "ratio": one.mid, "ratio_low": one.low, "ratio_high": one.high, "basis": one.basis}
            for name, one in known
        ],
        columns=["quantity", "ratio", "ratio_low", "ratio_high", "basis"],
    )


def _standing(plan: Plan, chosen: Plan | None) -> str:
    if chosen is not None and plan.variant_id == chosen.variant_id:
        return RECOMMENDED
    return RULED_OUT if plan.ruled_out else MEETS


def _ratios(plan: Plan) -> tuple[Estimate | None, Estimate | None, Estimate | None]:
    size = plan.size_ratio
    saved = None if size is None else Estimate(low=size, mid=size, high=size, basis="measured", source="saved files")
    return plan.latency_ratio, plan.energy_ratio, saved


def _row(
    name: str,
    latency_ms: float | None,
    ends: Estimate | None,
    loss: float | None,
    file_bytes: int | None,
    standing: str,
) -> dict[str, object]:
    return {
        "plan": name, "latency_ms": latency_ms, "latency_low_ms": ends.low if ends else latency_ms,
        "latency_high_ms": ends.high if ends else latency_ms, "loss_frac": loss, "file_bytes": file_bytes,
        "standing": standing,
    }  # fmt: skip
