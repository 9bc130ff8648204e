"""Budget and measured variants in, verdict out. Pure: the stored samples alone decide, nothing is judged by rule."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from advisor.types import Budget, Plan, Recommendation, Variant
from data.estimate import Estimate
from profiler import stats
from profiler.types import Measurement

# Two loads of one and the same file differ by up to this much (memory layout, thread placement): a smaller gain is
# not told from none, however narrow its interval. benchmarks/timing.py measures it anew (original against itself).
SAME_FRAC = 0.05
# On a busy machine others take a share of the caches too, which favours the smaller file: CPU time does not show that.
NOISY_SAME_FRAC = 0.15
WORDS = {"energy": "energy per call", "latency": "latency", "size": "file size", "cost": "time on the machine"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A variant with its run, the original's run of the same group, and what the original's file weighs."""

    variant: Variant
    measured: Measurement | None
    original: Measurement | None
    original_file_bytes: int


def recommend(
    budget: Budget, original: Measurement, candidates: Sequence[Candidate], not_tried: Sequence[str] = ()
) -> Recommendation:
    """The verdict on these candidates.

    A plan wins when it keeps every limit of the budget, its gain on the budget's objective exceeds the noise, and no
    other gains more; what two plans share is decided for the simpler one, and for one calibrated on data before one
    calibrated on random inputs. Otherwise the original stays, if it meets the budget itself.
    """
    plans = [_judged(candidate_plan(candidate, budget.percentile), candidate, budget) for candidate in candidates]
    feasible = sorted((plan for plan in plans if plan.ruled_out is None), key=lambda plan: _score(plan, budget))
    too_much = original_misses(original, budget)
    tried = tuple(feasible + [plan for plan in plans if plan.ruled_out is not None])
    warnings = _warnings(original, plans)
    if feasible:
        best = _simplest_of_equals(feasible, budget)
        others = [plan for plan in feasible if plan is not best]
        return Recommendation(
            verdict="compress", headline=_headline(best, budget), reasons=(*best.reasons, *too_much), plan=best,
            runner_up=others[0] if others else None, runner_up_margin=_margin(best, others, budget),
            binding_constraint=_binding(best, plans, budget), tried=tried, not_tried=tuple(not_tried),
            warnings=warnings,
        )  # fmt: skip
    if not too_much:
        return Recommendation(
            verdict="keep the original", headline=_why_keep(plans, budget), reasons=_losers(plans), plan=None,
            runner_up=_nearest(plans, budget), binding_constraint="gain", tried=tried, not_tried=tuple(not_tried),
            warnings=warnings,
        )  # fmt: skip
    nearest = _nearest_to_budget(plans, budget)
    return Recommendation(
        verdict="nothing meets the budget", headline=_miss(nearest, original, budget),
        reasons=(*too_much, *_losers(plans)), plan=None, runner_up=nearest, binding_constraint="latency or memory",
        tried=tried, not_tried=tuple(not_tried), warnings=warnings,
    )  # fmt: skip


def candidate_plan(candidate: Candidate, percentile: float) -> Plan:
    """The candidate's numbers as a plan, not yet judged. Ratios are None where it was not measured."""
    variant, measured, original = candidate.variant, candidate.measured, candidate.original
    plan = Plan(
        steps=variant.steps, variant_id=variant.id, file=variant.file, file_bytes=variant.file_bytes,
        size_ratio=None if variant.file_bytes is None else variant.file_bytes / candidate.original_file_bytes,
        quality=variant.quality, calibrated_on=variant.calibrated_on,
        loss=variant.quality.loss if variant.quality else None,
    )  # fmt: skip
    if measured is None or original is None:
        return plan
    latency_ratio, basis = paired_latency(measured, original)
    cpu = stats.paired_ratio(measured.cpu_samples_ms, original.cpu_samples_ms, source="paired rounds, CPU time")
    return replace(
        plan, latency_ratio=latency_ratio, latency_basis=basis,
        energy_ratio=_energy_ratio(measured, original, cpu), energy_j=measured.energy_j,
        peak_bytes=measured.peak_bytes, latency_ms=percentiles(measured.samples_ms, percentile),
    )  # fmt: skip


def paired_latency(measured: Measurement, original: Measurement) -> tuple[Estimate, str]:
    """Latency of the first over the second, of paired rounds, and what was paired: "wall" times, or "CPU time" where
    either run was noisy on a CPU. Raises ValueError where they share no round."""
    on_gpu = measured.options.get("device", "cpu") != "cpu"  # there the process's CPU time says nothing of the work
    if on_gpu or (measured.stable and original.stable):
        rounds = measured.calls_per_round
        return stats.paired_ratio(
            measured.samples_ms, original.samples_ms, rounds, source="paired rounds, wall time"
        ), "wall"
    cpu = stats.paired_ratio(measured.cpu_samples_ms, original.cpu_samples_ms, source="paired rounds, CPU time")
    return cpu, "CPU time"


def percentiles(samples_ms: Sequence[float], also: float = 95.0) -> dict[str, float | None]:
    """p50, p90, p95, p99 and the one asked for (ms), each None where the samples are too few for it."""
    wanted = sorted({50.0, 90.0, 95.0, 99.0, also})
    return {f"p{percent:g}": stats.percentile(samples_ms, percent) for percent in wanted}


def original_misses(original: Measurement, budget: Budget) -> tuple[str, ...]:
    """What of the budget the original itself does not meet, one sentence each."""
    misses = []
    latency = stats.percentile(original.samples_ms, budget.percentile)
    if budget.latency_ms is not None and latency is not None and latency > budget.latency_ms:
        misses.append(f"The original takes {_over(latency, budget)}.")
    if budget.memory_bytes is not None and (original.peak_bytes or 0) > budget.memory_bytes:
        misses.append("The original needs more memory than the budget allows.")
    return tuple(misses)


def gain(plan: Plan, objective: str) -> Estimate | None:
    """The plan's ratio to the original on this objective: below 1 is a gain. None where it was not measured."""
    if objective == "energy":
        return plan.energy_ratio
    if objective == "size":
        size = plan.size_ratio
        return None if size is None else Estimate(low=size, mid=size, high=size, basis="measured", source="saved files")
    return plan.latency_ratio


def _judged(plan: Plan, candidate: Candidate, budget: Budget) -> Plan:
    ruled_out = candidate.variant.failed or _violation(plan, budget) or _no_gain(plan, budget)
    reasons = () if ruled_out else (_gain_sentence(plan, budget), _loss_sentence(plan), *candidate.variant.notes)
    return replace(plan, ruled_out=ruled_out, reasons=tuple(reason for reason in reasons if reason))


def _violation(plan: Plan, budget: Budget) -> str | None:
    loss = plan.quality.loss if plan.quality else None
    if loss is None:
        return "Its loss of quality could not be measured."
    if loss > budget.max_loss:
        what = "Accuracy falls by" if plan.quality and plan.quality.kind == "accuracy" else "1 - cosine is"
        return f"{what} {loss:.3g}, more than the allowed {budget.max_loss:g}."
    if plan.latency_ratio is None:
        return "It was not timed: the time budget was spent before its turn."
    latency = plan.latency_ms.get(f"p{budget.percentile:g}")
    if budget.latency_ms is not None and latency is not None and latency > budget.latency_ms:
        return f"It takes {_over(latency, budget)}."
    if budget.memory_bytes is not None and plan.peak_bytes is not None and plan.peak_bytes > budget.memory_bytes:
        return "It needs more memory than the budget allows."
    return None


def _no_gain(plan: Plan, budget: Budget) -> str | None:
    slower = plan.latency_ratio
    same = SAME_FRAC if plan.latency_basis == "wall" else NOISY_SAME_FRAC
    if slower is not None and slower.low > 1.0 + same:
        allowed = budget.objective == "size" and budget.latency_ms is not None
        if not allowed:
            return f"It is slower: {_times(slower)} the original's latency."
    ratio = gain(plan, budget.objective)
    if budget.objective == "size":
        same = SAME_FRAC
    if ratio is None or ratio.high < 1.0 - same:
        return None if ratio else f"Its {WORDS[budget.objective]} could not be measured."
    return f"No gain beyond the noise in {WORDS[budget.objective]}: {_times(ratio)} the original's."


def _over(latency_ms: float, budget: Budget) -> str:
    return f"{latency_ms:.3g} ms at p{budget.percentile:g}, over the {budget.latency_ms:g} ms"


def _times(ratio: Estimate) -> str:
    return f"{ratio.mid:.2f} ({ratio.low:.2f} to {ratio.high:.2f}) times"


def _energy_ratio(measured: Measurement, original: Measurement, cpu: Estimate) -> Estimate | None:
    """From counters where both have one; otherwise modelled energy, which follows CPU time on one machine."""
    if measured.energy_j is None or original.energy_j is None:
        return None
    if measured.energy_j.basis == original.energy_j.basis == "measured":
        return measured.energy_j / original.energy_j
    return replace(cpu, basis="modelled", source="paired rounds, CPU time x watts per core")


def _score(plan: Plan, budget: Budget) -> tuple[float, float]:
    ratio = gain(plan, budget.objective)
    return (ratio.mid if ratio else float("inf"), plan.size_ratio or 1.0)


def _simplest_of_equals(feasible: Sequence[Plan], budget: Budget) -> Plan:
    """Of the plans whose gain the noise cannot tell from the best one's: data before random inputs, fewer steps,
    the smaller file."""
    best = gain(feasible[0], budget.objective)
    assert best is not None
    equals = [plan for plan in feasible if _score(plan, budget)[0] <= max(best.high, best.mid * (1 + SAME_FRAC))]
    return min(equals, key=lambda plan: (_calibrated_on_random(plan), len(plan.steps), plan.size_ratio or 1.0))


def _calibrated_on_random(plan: Plan) -> bool:
    return "random" in plan.calibrated_on


def _gain_sentence(plan: Plan, budget: Budget) -> str:
    ratio, size = gain(plan, budget.objective), plan.size_ratio
    assert ratio is not None
    text = f"{WORDS[budget.objective].capitalize()} is {_times(ratio)} the original's ({ratio.basis})"
    return f"{text}; the file is {size:.2f} times as large." if size and budget.objective != "size" else text + "."


def _loss_sentence(plan: Plan) -> str:
    quality = plan.quality
    if quality is None:
        return ""
    if quality.kind == "accuracy":
        change = f"from {quality.accuracy_before:.4f} to {quality.accuracy_after:.4f}"
        return f"Accuracy goes {change} on {quality.samples} samples."
    return f"Outputs agree to a cosine of {quality.cosine:.4f} on {quality.samples} {quality.inputs} inputs."


def title(plan: Plan) -> str:
    """The plan's steps as people say them."""
    return " + ".join(step.title or step.technique for step in plan.steps) or "The original"


def variant_title(variant: Variant) -> str:
    """The same of a variant."""
    return " + ".join(step.title or step.technique for step in variant.steps) or "The original"


def _headline(plan: Plan, budget: Budget) -> str:
    ratio = gain(plan, budget.objective)
    assert ratio is not None
    return f"{title(plan)}: {ratio.mid:.2f} times the original's {WORDS[budget.objective]}."


def _margin(best: Plan, others: Sequence[Plan], budget: Budget) -> str:
    if not others:
        return "No other plan met the budget with a gain; the original comes next."
    mine, theirs = gain(best, budget.objective), gain(others[0], budget.objective)
    assert mine is not None and theirs is not None
    return f"{title(others[0])} comes next at {theirs.mid:.2f} times the original against {mine.mid:.2f}."


def _binding(best: Plan, plans: Sequence[Plan], budget: Budget) -> str:
    """Why the plan with the largest gain of all is not the one recommended; "objective" where it is."""
    measured = [plan for plan in plans if gain(plan, budget.objective) is not None]
    larger = [plan for plan in measured if _score(plan, budget) < _score(best, budget) and plan.ruled_out]
    if not larger:
        return "objective"
    first = min(larger, key=lambda plan: _score(plan, budget))
    return f"{title(first)} would gain more. {first.ruled_out}"


def _losers(plans: Sequence[Plan]) -> tuple[str, ...]:
    return tuple(f"{title(plan)}: {plan.ruled_out}" for plan in plans if plan.ruled_out)


def _nearest(plans: Sequence[Plan], budget: Budget) -> Plan | None:
    measured = [plan for plan in plans if gain(plan, budget.objective) is not None]
    return min(measured, key=lambda plan: _score(plan, budget), default=None)


def _why_keep(plans: Sequence[Plan], budget: Budget) -> str:
    if not plans:
        return "Keep the original: no technique could be applied to it."
    return f"Keep the original: no plan within the limits improves its {WORDS[budget.objective]} beyond the noise."


def _nearest_to_budget(plans: Sequence[Plan], budget: Budget) -> Plan | None:
    """The plan that misses by least: of those within the allowed loss the fastest, else the fastest of all."""
    key = f"p{budget.percentile:g}"
    timed = [plan for plan in plans if plan.latency_ms.get(key) is not None]
    faithful = [plan for plan in timed if plan.quality and (plan.quality.loss or 0.0) <= budget.max_loss]
    return min(faithful or timed, key=lambda plan: plan.latency_ms[key] or 0.0, default=None)


def _miss(nearest: Plan | None, original: Measurement, budget: Budget) -> str:
    key = f"p{budget.percentile:g}"
    own = stats.percentile(original.samples_ms, budget.percentile)
    best = min(value for value in (own, nearest.latency_ms.get(key) if nearest else None) if value is not None)
    name = title(nearest) if nearest and best != own else "the original"
    if budget.latency_ms is None or best <= budget.latency_ms:
        return f"Nothing meets the budget: the nearest is {name}, which breaks another limit."
    over = best / budget.latency_ms - 1.0
    nearest_text = f"the nearest is {name} with {best:.3g} ms, {over:.0%} over"
    return f"Nothing meets {budget.latency_ms:g} ms at {key}: {nearest_text}."


def _warnings(original: Measurement, plans: Sequence[Plan]) -> tuple[str, ...]:
    found = [note for note in original.notes if not original.stable]
    found += [plan.quality.warning for plan in plans if plan.quality and plan.quality.warning]
    return tuple(dict.fromkeys(found))
