"""The report of a finished search: footprints a year before and after, pay-back, where the time goes, sources."""

import uuid
from dataclasses import replace

from advisor import footprint, payback
from advisor.exported import compared
from advisor.recommend import title
from advisor.report import outlook
from advisor.report.credits import credited
from advisor.search import Answer
from advisor.site import Site
from advisor.trials import Question
from advisor.types import Budget, Footprint, Plan, Report
from data.estimate import Estimate
from profiler.jobs import Keeper, now
from profiler.run_types import OperatorProfile
from profiler.types import Measurement

REPORT_VERSION = 1


def reported(question: Question, answer: Answer, place: Site, keeper: Keeper) -> Report:
    """The report of a finished search; where the time goes is told where it was measured on this machine."""
    budget, found, baseline = question.budget, answer.recommendation, answer.baseline
    before = yearly(baseline.energy_j, budget, place)
    after = before if found.plan is None else yearly(planned_j(found.plan, baseline), budget, place)
    spent_s = {one.id: payback.making_s(one, answer.variants) for one in answer.variants}

    def finished(one: Plan | None) -> Plan | None:
        if one is None:
            return None
        return replace(
            one, footprint=yearly(planned_j(one, baseline), budget, place),
            payback_calls=payback.calls(spent_s.get(one.variant_id), one, baseline),
        )  # fmt: skip

    if question.exported is not None:
        found = compared(found, answer.finals, question.exported.variant)
    recommendation = replace(found, plan=finished(found.plan), runner_up=finished(found.runner_up))
    runs, names = answer.finals, {one.id: title(one) for one in answer.variants}
    ahead = outlook.outlook(runs, names, budget, before, after, recommendation.plan)
    return Report(
        id=uuid.uuid4().hex[:12], created_at=now(), version=REPORT_VERSION, budget=budget, model=question.model,
        machine=baseline.machine, baseline=baseline, measurements=runs, variants=answer.variants,
        recommendation=recommendation, footprint_before=before, footprint_after=after,
        outlook=ahead, operators=newest_profile(keeper, baseline),
        sources=credited(before, after, recommendation, ahead),
    )  # fmt: skip


def newest_profile(keeper: Keeper, baseline: Measurement) -> OperatorProfile | None:
    """The newest profile of the original's operators, by the runtime and on the machine of its run in earnest."""
    known = keeper.all(OperatorProfile, model_sha256=baseline.model_sha256, runtime=baseline.runtime)
    here = [one for one in known if one.variant_id is None and one.fingerprint == baseline.machine.fingerprint]
    return here[-1] if here else None


def planned_j(plan: Plan, original: Measurement) -> Estimate | None:
    """Joules of a call with the plan. Where energy is modelled it follows CPU time, of which the paired ratio knows
    most: then it is the original's times that ratio, and before, after and the change agree."""
    if plan.energy_j is None or original.energy_j is None or plan.energy_ratio is None:
        return plan.energy_j
    return plan.energy_j if plan.energy_j.basis == "measured" else original.energy_j * plan.energy_ratio


def yearly(energy_j: Estimate | None, budget: Budget, place: Site) -> Footprint:
    """The footprint a year of a call's joules at this place; empty where they are not known."""
    if energy_j is None:
        return Footprint()
    return footprint.yearly(energy_j, budget.requests_per_day, place.g_per_kwh, usd_per_kwh=place.usd_per_kwh)
