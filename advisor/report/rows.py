"""A report as rows: the original and each file that was made, with what was measured of it and why it stands there."""

from dataclasses import replace
from typing import Any

import pandas as pd

from advisor.recommend import title
from advisor.types import Footprint, Plan, Report, Variant
from data.estimate import Estimate
from profiler import stats
from profiler.types import Measurement

PERCENTILES = (50.0, 90.0, 95.0, 99.0)
EMPTY = Footprint()


def rows(report: Report) -> pd.DataFrame:
    """One row a file: the original, then the plans in their order, then what failed. What is not known is missing.

    An estimate is four columns (its middle, `_low`, `_high`, `_basis`); a name ends in its unit."""
    runs = {run.variant_id: run for run in report.measurements}
    variants = {variant.id: variant for variant in report.variants}
    planned = [plan.variant_id for plan in report.recommendation.tried]
    found = [_original(report)]
    found += [
        _plan(report, _told(report, plan), variants.get(plan.variant_id), runs) for plan in report.recommendation.tried
    ]
    found += [_failed(one) for one in report.variants if one.failed and one.id not in planned]
    shared = {"report_id": report.id, "created_at": report.created_at, "model": report.model.name}
    return pd.DataFrame([{**shared, **row} for row in found])


def samples(report: Report) -> dict[str | None, list[float]]:
    """The timed calls (ms) of each run, by its variant; None is the original."""
    return {run.variant_id: list(run.samples_ms) for run in report.measurements}


def _told(report: Report, plan: Plan) -> Plan:
    """The plan with its year: reports of earlier versions tell it of the recommended one alone, in another place."""
    named = (report.recommendation.plan, report.recommendation.runner_up)
    same = (one.footprint for one in named if one is not None and one.variant_id == plan.variant_id)
    return plan if plan.footprint else replace(plan, footprint=next(same, None))


def _original(report: Report) -> dict[str, Any]:
    model = report.model
    standing = "recommended" if report.recommendation.verdict == "keep the original" else "original"
    return {
        "file": "Original", "standing": standing, "variant_id": None, "sha256": model.sha256,
        "file_bytes": model.file_bytes, "size_ratio": 1.0, "why": "", **_estimate("latency_ratio", None),
        "latency_ratio_of": None, **_estimate("energy_ratio", None), "quality": None, **_run(report.baseline),
        **_year(report.footprint_before),
    }  # fmt: skip


def _plan(report: Report, plan: Plan, variant: Variant | None, runs: dict[str | None, Measurement]) -> dict[str, Any]:
    chosen = report.recommendation.plan
    recommended = chosen is not None and chosen.variant_id == plan.variant_id
    quality = plan.quality
    run = runs.get(plan.variant_id)
    return {
        "file": " + ".join(step.title or step.technique for step in plan.steps),
        "standing": "recommended" if recommended else "ruled out" if plan.ruled_out else "meets the budget",
        "variant_id": plan.variant_id, "sha256": variant.sha256 or None if variant else None,
        "file_bytes": plan.file_bytes, "size_ratio": plan.size_ratio, "why": plan.ruled_out or "",
        **_estimate("latency_ratio", plan.latency_ratio), "latency_ratio_of": plan.latency_basis,
        **_estimate("energy_ratio", plan.energy_ratio),
        **(_estimate("export_ratio", plan.export_ratio) if plan.export_ratio else {}),
        "quality": quality.kind if quality else None, "quality_inputs": quality.inputs if quality else None,
        "quality_samples_count": quality.samples if quality else None, "loss_frac": plan.loss,
        "accuracy_before_frac": quality.accuracy_before if quality else None,
        "accuracy_after_frac": quality.accuracy_after if quality else None,
        "cosine": quality.cosine if quality else None, "snr_db": quality.snr_db if quality else None,
        "top1_agreement_frac": quality.top1_agreement if quality else None,
        "calibrated_on": plan.calibrated_on or None, "make_s": variant.make_s if variant else None,
        "payback_calls_count": plan.payback_calls,
        **(_run(run) if run else {f"latency_{name}_ms": value for name, value in plan.latency_ms.items()}),
        **(_call(plan.footprint) if plan.footprint else {}),
        **_year(plan.footprint or EMPTY),
    }  # fmt: skip


def _failed(variant: Variant) -> dict[str, Any]:
    return {"file": title(variant), "standing": "failed", "variant_id": variant.id, "why": variant.failed}


def _run(run: Measurement) -> dict[str, Any]:
    latency = {f"latency_p{percent:g}_ms": stats.percentile(run.samples_ms, percent) for percent in PERCENTILES}
    return {
        **latency, "cpu_p50_ms": stats.percentile(run.cpu_samples_ms, 50.0), "calls_count": len(run.samples_ms),
        "stable": run.stable, "load_ms": run.load_ms, "peak_bytes": run.peak_bytes,
        **_estimate("energy_per_call_j", run.energy_j),
        "runtime": run.runtime, "provider": run.provider, "threads": run.workload.threads,
        "batch_size": run.workload.batch_size, "machine": run.machine.cpu, "fingerprint": run.machine.fingerprint,
    }  # fmt: skip


def _call(footprint: Footprint) -> dict[str, Any]:
    """Joules a call as the report tells them: where modelled, the original's times the paired ratio, not the run's."""
    return _estimate("energy_per_call_j", footprint.energy_j_per_call)


def _year(footprint: Footprint) -> dict[str, Any]:
    return {
        **_estimate("energy_kwh_per_year", footprint.kwh_per_year),
        **_estimate("carbon_g_co2e_per_year", footprint.g_co2e_per_year),
        **_estimate("turbine_years", footprint.turbine_years),
    }


def _estimate(name: str, value: Estimate | None) -> dict[str, Any]:
    if value is None:
        return {name: None, f"{name}_low": None, f"{name}_high": None, f"{name}_basis": None}
    return {name: value.mid, f"{name}_low": value.low, f"{name}_high": value.high, f"{name}_basis": value.basis}
