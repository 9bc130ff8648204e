"""The report of a finished search: footprints a year before and after, pay-back, where the time goes, sources."""

import uuid
from dataclasses import replace

from advisor import footprint, payback
from advisor.exported import compared
from advisor.recommend import title
from advisor.report import outlook
from advisor.report.credits import with_sources
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
    found, baseline = answer.recommendation, answer.baseline
    spent_s = {one.id: payback.making_s(one, answer.variants) for one in answer.variants}

    def paid_back(one: Plan | None) -> Plan | None:
        return one and replace(one, payback_calls=payback.calls(spent_s.get(one.variant_id), one, baseline))

    if question.exported is not None:
        found = compared(found, answer.finals, question.exported.variant)
    measured = Report(
        id=uuid.uuid4().hex[:12], created_at=now(), version=REPORT_VERSION, budget=question.budget,
        model=question.model, machine=baseline.machine, baseline=baseline, measurements=answer.finals,
        variants=answer.variants, operators=newest_profile(keeper, baseline), footprint_before=Footprint(),
        footprint_after=Footprint(),
        recommendation=replace(found, plan=paid_back(found.plan), runner_up=paid_back(found.runner_up)),
    )  # fmt: skip
    return told_at(measured, question.budget, place)


def told_at(report: Report, budget: Budget, place: Site) -> Report:
    """The report with the year of this budget at this place and all that follows from it; what was measured stays."""
    found, baseline = report.recommendation, report.baseline

    def there(one: Plan | None) -> Plan | None:
        return one and replace(one, footprint=yearly(planned_j(one, baseline), budget, place))

    plan = there(found.plan)
    before = yearly(baseline.energy_j, budget, place)
    after = before if plan is None or plan.footprint is None else plan.footprint
    names = {one.id: title(one) for one in report.variants}
    told = replace(
        report, budget=budget, footprint_before=before, footprint_after=after,
        recommendation=replace(
            found, plan=plan, runner_up=there(found.runner_up), tried=tuple(filter(None, map(there, found.tried))),
        ),
        outlook=outlook.outlook(report.measurements, names, budget, before, after, plan),
    )  # fmt: skip
    return with_sources(told)


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
