"""The search for the smallest model that does the job: make, screen, compare, and measure the best in earnest."""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from advisor import recommend
from advisor.candidates import candidates, sure_count
from advisor.compress import failed
from advisor.make_time import least_make_s, trains
from advisor.paired import SAME_FRAC, Candidate, candidate_plan
from advisor.techniques import techniques
from advisor.trials import Pair, Question, Trials
from advisor.types import Budget, Plan, Recommendation, Step, Variant
from profiler.jobs import Desk
from profiler.types import Measurement

# Variants made before each screen; later waves are as the last. A long search tells a first answer after one.
WAVES, SHORT_WAVES, SHORT_BELOW_S = (1, 3, 4), (4,), 30.0
FINALISTS = 3
STEP_FRAC = 0.02  # how far one child moves the progress
MAKE_SHARE, FINAL_SHARE = 0.6, 0.3  # of the time budget: making and screening, measuring the finalists
# The most promising are tried on a busy machine too: until the whole budget is spent, and a small budget three times
# over, though not beyond so many seconds.
SURE, SURE_SHARE, SURE_LEAST_S = 8, 3.0, 45.0
ONE_SHARE, SURE_ONE_SHARE = 0.15, 0.4  # what one candidate may take of it, and one of the most promising
SPENT = "the time budget was spent"
ANEW = 2  # how often others are measured in earnest where the finalists were only lucky


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the search found: the verdict, the original's run it rests on, the runs in earnest (that one first), and
    every variant and run."""

    recommendation: Recommendation
    baseline: Measurement
    finals: tuple[Measurement, ...]
    variants: tuple[Variant, ...]
    measurements: tuple[Measurement, ...]


class Search:
    """One search. It keeps what it has made and measured, so that a cancelled one leaves its results behind."""

    def __init__(self, desk: Desk, question: Question, trials: Trials | None = None) -> None:
        self._desk, self._question = desk, question
        self._trials = trials or Trials(desk, question)
        self._started = time.monotonic()
        self._variants: dict[str, Variant] = {}
        self._runs: dict[str, Pair] = {}
        self._measurements: list[Measurement] = []
        self._finals: list[Measurement] = []
        self._not_tried: list[str] = []
        self._chained: set[tuple[str, str]] = set()
        self._skipped: dict[tuple[str, str], str] = {}  # chains that the time did not suffice for
        self._proven: set[str] = set()
        self._unseen: list[Variant] = []  # made before the search: a torch file's ONNX export
        self._tried, self._left = 0, 0  # candidates made, and promising ones that are still to be

    def run(self) -> Answer:
        """Tries candidates in waves within the time budget, then measures the finalists against the original."""
        question, export = self._question, self._question.exported
        worked_on = export.model if export else question.model
        steps, refused = candidates(
            worked_on, question.machine, question.budget, question.only, training=self._trials.training is not None
        )
        self._variants |= {variant.id: variant for variant in refused}
        sizes = SHORT_WAVES if question.seconds < SHORT_BELOW_S else WAVES
        sure = self._left = sure_count(steps, worked_on, SURE)
        self._unseen = [export.variant] if export else []
        self._variants |= {variant.id: variant for variant in self._unseen}
        for wave in waves(steps[:sure], sizes):
            self._try(wave, self._sure_s(), sure=True)
        self._try([], self._sure_s(), sure=True)  # where nothing could be tried, the export alone
        self._try_chains(self._sure_s())
        for wave in waves(steps[sure:], sizes[-1:]):
            self._try(wave, MAKE_SHARE * question.seconds, sure=False)
        self._try_chains(MAKE_SHARE * question.seconds)
        answer = self._measure_finalists()
        self._desk.save(*self._variants.values())
        return Answer(
            recommendation=answer, baseline=self._finals[0], finals=tuple(self._finals),
            variants=tuple(self._variants.values()), measurements=tuple(self._measurements),
        )  # fmt: skip

    def _try(self, wave: Sequence[Step], until_s: float, *, sure: bool, before: Variant | None = None) -> None:
        """Makes these variants, screens them for time, and compares those with the original that are not far slower."""
        made, self._unseen = self._unseen, []
        for step in wave:
            left_s = until_s - self._elapsed_s()
            if left_s < 0:
                self._not_tried.append(f"{step.title}: {SPENT}")
                continue
            variant = self._made(step, before, left_s, sure=sure)
            self._tried, self._left = self._tried + 1, self._left - 1
            self._variants[variant.id] = variant
            made += [variant] if variant.failed is None else []
        if made:
            self._screen(made)

    def _made(self, step: Step, before: Variant | None, left_s: float, *, sure: bool) -> Variant:
        if before is None and (reason := self._needless(step)) is not None:
            return failed(self._question.model, [step], reason)
        training = self._trials.training is not None and trains(step)
        least_s = least_make_s(self._question.model, sure=sure, training=training)
        share = SURE_ONE_SHARE if sure else ONE_SHARE
        with self._working(f"Trying {step.title}"):
            return self._trials.make(step, before, max(least_s, min(share * self._question.seconds, left_s)))

    def _needless(self, step: Step) -> str | None:
        """Why mixed precision need not be tried: all layers in 8 bits were measured to lose no more than is allowed."""
        if step.technique != "int8_mixed":
            return None
        limit = float(step.options.get("max_loss", self._question.budget.max_loss))
        for variant in self._variants.values():
            loss = variant.quality.loss if variant.quality else None
            if [one.technique for one in variant.steps] == ["int8_static"] and loss is not None and loss <= limit:
                return f"All layers in 8 bits lose {loss:.2g}, within the allowed {limit:g}: none has to stay out."
        return None

    def _screen(self, made: Sequence[Variant]) -> None:
        with self._working("Timing against the original"):
            found = self._trials.screen(made)
        original = None
        for variant in made:
            answer = found[variant.id]
            if isinstance(answer, str):
                self._variants[variant.id] = replace(variant, failed=answer)
                continue
            run, original = self._runs[variant.id] = answer
            self._keep([run] if original in self._measurements else [original, run])
        worth = [variant for variant in made if variant.id in self._runs and self._slower(variant) is None]
        if worth:
            with self._working("Comparing with the original"):
                self._variants |= {variant.id: variant for variant in self._trials.compared(worth)}
        self._desk.save(*(self._variants[variant.id] for variant in made))
        if original is not None:
            self._tell(recommend.recommend(self._question.budget, original, self._candidates()))

    def _slower(self, variant: Variant) -> str | None:
        """Why its quality need not be known: it is clearly slower, and the budget does not ask for size alone."""
        budget = self._question.budget
        run, original = self._runs[variant.id]
        candidate = Candidate(
            variant=variant, measured=run, original=original, original_file_bytes=self._question.model.file_bytes
        )
        return recommend.slower(candidate_plan(candidate, budget.percentile), budget)

    def _tell(self, found: Recommendation) -> None:
        """The answer so far, said now and beside whatever is done next."""
        if found.plan is None:
            return
        ratio = recommend.gain(found.plan, self._question.budget.objective)
        if ratio is not None:
            self._desk.aside = f"{recommend.title(found.plan)}, {ratio.mid:.2f} of the original"
        with self._working("Going on"):
            pass

    def _try_chains(self, until_s: float) -> None:
        """The best change of structure, then the best quantization on top of it, as one more candidate."""
        budget = self._question.budget
        good = [plan for plan in self._plans() if not _breaks_quality(plan, budget)]
        first = _best(good, budget, ("structure", "factorise"))
        second = _best(good, budget, ("quantize",))
        if first is None or second is None:
            return
        pair = (first.variant_id, second.variant_id)
        if pair in self._chained:
            return
        if self._elapsed_s() > until_s:
            self._skipped[pair] = f"{first.steps[-1].title} and then {second.steps[-1].title}: {SPENT}"
        else:
            self._chained.add(pair)
            self._try([second.steps[-1]], until_s, sure=True, before=self._variants[first.variant_id])

    def _measure_finalists(self) -> Recommendation:
        """The best by objective among those that keep the quality, and the original, in earnest; then, a few times,
        those that look better in their quick run than what is left of the finalists."""
        self._left, most = 0, min(FINALISTS, self._trials.together())
        chosen = [plan.variant_id for plan in self._promising(math.inf)[:most]]
        export = self._question.exported
        if export and export.variant.id in self._runs and export.variant.id not in chosen:
            chosen.append(export.variant.id)
        self._earnest(chosen, FINAL_SHARE)
        for _ in range(ANEW):
            found = self._verdict()
            best = _rank(found.plan, self._question.budget) if found.plan else 1.0 - SAME_FRAC
            better = [plan for plan in self._promising(best) if plan.variant_id not in self._proven]
            if not better:
                return found
            self._earnest([plan.variant_id for plan in better[:most]], FINAL_SHARE / 2)
        return self._verdict()

    def _promising(self, than: float) -> list[Plan]:
        """Plans that keep the quality and gain more than this, the best first."""
        budget = self._question.budget
        plans = [plan for plan in self._plans() if plan.latency_ratio and not _breaks_quality(plan, budget)]
        return sorted((one for one in plans if _rank(one, budget) < than), key=lambda one: _rank(one, budget))

    def _earnest(self, chosen: Sequence[str], share: float) -> None:
        with self._working("Measuring the best against the original", until=1.0):
            runs = self._trials.earnest([self._variants[name] for name in chosen], share * self._question.seconds)
        self._keep(runs)
        self._proven.update(chosen)
        self._finals += runs if not self._finals else runs[1:]
        self._runs |= {name: (run, runs[0]) for name, run in zip(chosen, runs[1:], strict=True)}

    def _verdict(self) -> Recommendation:
        skipped = [said for pair, said in self._skipped.items() if pair not in self._chained]
        told = [*self._not_tried, *skipped]
        return recommend.recommend(self._question.budget, self._finals[0], self._candidates(), told)

    def _keep(self, runs: Sequence[Measurement]) -> None:
        self._desk.save(*runs)
        self._measurements += runs

    def _candidates(self) -> list[Candidate]:
        return [
            Candidate(
                variant=variant, measured=self._runs.get(variant.id, (None, None))[0],
                original=self._runs.get(variant.id, (None, None))[1],
                original_file_bytes=self._question.model.file_bytes,
            )
            for variant in self._variants.values()
        ]  # fmt: skip

    def _plans(self) -> list[Plan]:
        return [
            candidate_plan(candidate, self._question.budget.percentile)
            for candidate in self._candidates()
            if candidate.variant.failed is None
        ]

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._started

    def _sure_s(self) -> float:
        seconds = self._question.seconds
        return max(seconds, min(SURE_SHARE * seconds, SURE_LEAST_S))

    def _expected_s(self) -> float:
        """How long all of it is likely to take: the time given, or longer where the promising ones take longer."""
        elapsed_s = self._elapsed_s()
        each_s = elapsed_s / self._tried if self._tried else 0.0
        rest_s = max(0, self._left) * each_s + FINAL_SHARE * self._question.seconds
        return max(self._question.seconds, elapsed_s + rest_s)

    @contextmanager
    def _working(self, text: str, until: float = 0.0) -> Iterator[None]:
        """Inside, a child's progress moves the job on from where the clock has it, by a step, or up to `until`."""
        done = min(0.95, self._elapsed_s() / self._expected_s())
        with self._desk.span(done, max(until, min(0.97, done + STEP_FRAC))):
            self._desk.progress(0.0, text)
            yield


def waves(steps: Sequence[Step], sizes: Sequence[int]) -> Iterator[list[Step]]:
    """The steps in waves of these sizes, the last of them again and again."""
    start, number = 0, 0
    while start < len(steps):
        size = sizes[min(number, len(sizes) - 1)]
        yield list(steps[start : start + size])
        start, number = start + size, number + 1


def _breaks_quality(plan: Plan, budget: Budget) -> bool:
    loss = plan.quality.loss if plan.quality else None
    return loss is None or loss > budget.max_loss


def _rank(plan: Plan, budget: Budget) -> float:
    ratio = recommend.gain(plan, budget.objective)
    return ratio.mid if ratio else float("inf")


def _best(plans: Sequence[Plan], budget: Budget, stages: Sequence[str]) -> Plan | None:
    """The plan with the largest gain whose last step is of one of these stages and calls for a gain at all."""
    of_stage = [
        plan
        for plan in plans
        if plan.steps and techniques()[plan.steps[-1].technique].STAGE in stages and _rank(plan, budget) < 1.0
    ]
    return min(of_stage, key=lambda plan: _rank(plan, budget), default=None)
