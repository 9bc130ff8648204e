"""Budget and measured variants in, verdict out. Pure: the stored samples alone decide, nothing is judged by rule."""

from collections.abc import Sequence
from dataclasses import replace

from advisor.paired import NOISY_SAME_FRAC, SAME_FRAC, Candidate, candidate_plan
from advisor.types import Budget, Plan, Recommendation, Variant
from data import words
from data.estimate import Estimate
from profiler import stats
from profiler.loads import reasons
from profiler.types import Measurement

# A gain this small is real on this machine and gone on the next (other caches, other builds of a runtime): not worth a
# second file to keep, check and explain.
WORTH_FRAC = 0.10
FAR_OVER = 3.0  # times the budget; beyond, per cent say little
WORDS = {"energy": "energy per call", "latency": "latency", "size": "file size", "cost": "time on the machine"}


def recommend(
    budget: Budget, original: Measurement, candidates: Sequence[Candidate], not_tried: Sequence[str] = ()
) -> Recommendation:
    """The verdict on these candidates.

    A plan wins when it keeps every limit of the budget, its gain on the budget's objective exceeds the noise, and no
    other gains more; what two plans share is decided for the simpler one, and for one calibrated on data before one
    calibrated on random inputs. Where the original was measured over several loads, so must be what wins: of many
    quick runs the luckiest looks best. Otherwise the original stays, if it meets the budget itself.
    """
    earnest = len(original.rounds_per_load) > 1
    plans = [
        _judged(candidate_plan(candidate, budget.percentile), candidate, budget, earnest) for candidate in candidates
    ]
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


def _judged(plan: Plan, candidate: Candidate, budget: Budget, earnest: bool) -> Plan:
    ruled_out = candidate.variant.failed or _violation(plan, budget) or _no_gain(plan, budget)
    if ruled_out is None and earnest and is_quick(candidate):
        ruled_out = f"Only timed quickly, at {_times(gain(plan, budget.objective))}: others did better."
    told = (_gain_sentence(plan, budget), _loss_sentence(plan), _calibration(plan)) if ruled_out is None else ()
    reasons = (*told, *candidate.variant.notes) if told else ()
    return replace(plan, ruled_out=ruled_out, reasons=tuple(reason for reason in reasons if reason))


def _violation(plan: Plan, budget: Budget) -> str | None:
    loss = plan.quality.loss if plan.quality else None
    if loss is None:
        return slower(plan, budget) or "Its loss of quality could not be measured."
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


def is_quick(candidate: Candidate) -> bool:
    """Whether all that is known of its time comes from one load."""
    return candidate.measured is None or len(candidate.measured.rounds_per_load) < 2


def slower(plan: Plan, budget: Budget) -> str | None:
    """The sentence that rules a clearly slower plan out; None where it is not, or where size is what counts and the
    budget says itself how slow is too slow."""
    ratio = plan.latency_ratio
    allowed = budget.objective == "size" and budget.latency_ms is not None
    if ratio is None or allowed or ratio.low <= 1.0 + _same(plan):
        return None
    return f"It is slower: {_times(ratio)} the original's latency."


def _same(plan: Plan) -> float:
    return SAME_FRAC if plan.latency_basis == "wall" else NOISY_SAME_FRAC


def _no_gain(plan: Plan, budget: Budget) -> str | None:
    if (sentence := slower(plan, budget)) is not None:
        return sentence
    ratio = gain(plan, budget.objective)
    same = SAME_FRAC if budget.objective == "size" else _same(plan)
    if ratio is None:
        return f"Its {WORDS[budget.objective]} could not be measured."
    if ratio.high < 1.0 - max(same, WORTH_FRAC):
        return None
    if ratio.high < 1.0 - same:
        return f"Too little to be worth another file: {_times(ratio)} the original's {WORDS[budget.objective]}."
    if ratio.high < 1.0 and same > SAME_FRAC:
        told = f"{_times(ratio)} the original's {WORDS[budget.objective]}, but the machine was busy"
        return f"{told}: then only a gain of {words.percent(same)} is believed. Try again when it is quiet."
    what = "No gain" if ratio.low > 1.0 else "No gain beyond the noise"
    return f"{what} in {WORDS[budget.objective]}: {_times(ratio)} the original's."


def _over(latency_ms: float, budget: Budget) -> str:
    return f"{latency_ms:.3g} ms at p{budget.percentile:g}, over the {budget.latency_ms:g} ms"


def _times(ratio: Estimate | None) -> str:
    if ratio is None:
        return "an unknown number of times"
    return f"{ratio.mid:.2f} ({ratio.low:.2f} to {ratio.high:.2f}) times"


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


def _calibration(plan: Plan) -> str:
    """What it was calibrated on, unless its own notes say that these were random inputs."""
    return f"Calibrated on {plan.calibrated_on}." if plan.calibrated_on and not _calibrated_on_random(plan) else ""


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
    if not any(plan.file for plan in plans):
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
    times = best / budget.latency_ms
    over = f"{words.percent(times - 1.0)} over" if times < FAR_OVER else f"{times:,.3g} times as long"
    nearest_text = f"the nearest is {name} with {best:.3g} ms, {over}"
    return f"Nothing meets {budget.latency_ms:g} ms at {key}: {nearest_text}."


def _warnings(original: Measurement, plans: Sequence[Plan]) -> tuple[str, ...]:
    found = [] if original.stable else list(reasons(original) or original.notes)
    found += [plan.quality.warning for plan in plans if plan.quality and plan.quality.warning]
    return tuple(dict.fromkeys(found))
