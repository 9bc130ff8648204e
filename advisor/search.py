"""The search for the smallest model that does the job: make, compare, screen, and measure the best in earnest."""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from advisor import compress, recommend
from advisor.candidates import candidates
from advisor.exported import Exported
from advisor.quality import compare
from advisor.recommend import Candidate
from advisor.techniques import techniques
from advisor.types import Budget, Plan, Quality, Recommendation, Step, Variant
from data.records import from_plain
from profiler import profile
from profiler.inspect import inspect
from profiler.jobs import Desk
from profiler.measure import Feed
from profiler.profile import Subject, Wish
from profiler.sandbox import Limits, memory_bytes
from profiler.timing import Settings
from profiler.types import Machine, Measurement, Model

ORIGINAL = "original"
WAVE = 4  # variants made before the first screen; later waves are as large
FINALISTS = 3
STEP_FRAC = 0.02  # how far one child moves the progress
MAKE_SHARE, FINAL_SHARE = 0.6, 0.3  # of the time budget: making and screening, measuring the finalists
SURE, SURE_SHARE = 8, 3.0  # the most promising are tried on a busy machine too, unless it takes this much of it
COMPARE_SHARE = 0.02  # what the original's answers to compare with may take of it, each wave
ONE_SHARE, SURE_ONE_SHARE = 0.15, 0.4  # what one candidate may take of it, and one of the most promising
LEAST_MAKE_S = 10.0
SCREEN_S, SCREEN_LEAST_S = 0.006, 0.25  # seconds a callable in a screen: this share of the budget, and at least
MEMORY_RATIO = 1.2  # resident bytes of a loaded model over its weights: 1.11 measured on 2.4 GB in ONNX Runtime
SHORT_S, LONG_S = 14.0, 150.0  # default budgets of a model of up to 1 MB of weights, and of 50 MB and more
SHORT_BYTES, LONG_BYTES = 1e6, 5e7


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is searched for: the model and its file, the budget, inputs to calibrate and compare on (an .npz, or
    None for random ones), the call to time, the seconds the search may take, and what runs the file as it is; a torch
    file comes with its ONNX export, which the techniques work on."""

    model: Model
    source: Path
    machine: Machine
    budget: Budget
    data: Path | None = None
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    batch_size: int = 1
    threads: int | None = None
    seconds: float = 150.0
    only: tuple[str, ...] = ()
    runtime: str = "onnxruntime"
    exported: Exported | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the search found: the verdict, the original's run it rests on, and every variant and run."""

    recommendation: Recommendation
    baseline: Measurement
    variants: tuple[Variant, ...]
    measurements: tuple[Measurement, ...]


class Search:
    """One search. It keeps what it has made and measured, so that a cancelled one leaves its results behind."""

    def __init__(self, desk: Desk, question: Question) -> None:
        self._desk, self._question = desk, question
        self._started = time.monotonic()
        self._variants: dict[str, Variant] = {}
        self._runs: dict[str, tuple[Measurement, Measurement]] = {}  # variant id -> (its run, the original's beside it)
        self._measurements: list[Measurement] = []
        self._not_tried: list[str] = []
        self._unchecked: list[Variant] = []  # made before the search: a torch file's ONNX export
        self._one_share = SURE_ONE_SHARE

    def run(self) -> Answer:
        """Tries candidates in waves within the time budget, then measures the finalists against the original."""
        question, export = self._question, self._question.exported
        worked_on = export.model if export else question.model
        steps, refused = candidates(worked_on, question.machine, question.budget, question.only)
        self._variants |= {variant.id: variant for variant in refused}
        self._unchecked = [export.variant] if export else []
        sure, steps = steps[:SURE], steps[SURE:]
        for start in range(0, max(len(sure), 1), WAVE):
            self._try(sure[start : start + WAVE], until=SURE_SHARE)
        self._one_share = ONE_SHARE
        while steps and not self._spent(MAKE_SHARE):
            wave, steps = steps[:WAVE], steps[WAVE:]
            self._try(wave)
        self._try_chains()
        self._not_tried += [f"{step.title}: the time budget was spent" for step in steps]
        baseline = self._measure_finalists()
        answer = recommend.recommend(question.budget, baseline, self._candidates(), self._not_tried)
        self._desk.save(*self._variants.values())
        return Answer(
            recommendation=answer, baseline=baseline, variants=tuple(self._variants.values()),
            measurements=tuple(self._measurements),
        )  # fmt: skip

    def _try(self, wave: Sequence[Step], before: Variant | None = None, until: float = MAKE_SHARE) -> None:
        """Makes these variants, compares them with the original and screens them for time."""
        made, self._unchecked = self._unchecked, []
        for step in wave:
            if self._spent(until):
                self._not_tried.append(f"{step.title}: the time budget was spent")
                continue
            with self._working(f"Trying {step.title}"):
                variant = self._made(step, before)
            self._variants[variant.id] = variant
            made += [variant] if variant.failed is None else []
        if made:
            self._compare(made)
            self._screen([self._variants[variant.id] for variant in made])

    def _made(self, step: Step, before: Variant | None) -> Variant:
        question = self._question
        model, source = question.model, question.source
        done: tuple[Step, ...] = ()
        if before is None and (export := question.exported):
            model, source, done = export.model, export.file, export.variant.steps
        if before is not None:
            source, done = compress.runnable_file(self._desk.home, before), before.steps
            arguments = {"path": str(source), "name": model.name, "shapes": model.shapes}
            model = replace(
                from_plain(Model, self._desk.task(inspect, arguments, readable=[source.parent])), sha256=model.sha256
            )
        return compress.make(
            self._desk, model, question.machine, source, step, before=done, data=question.data,
            limits=Limits(seconds=max(LEAST_MAKE_S, self._one_share * question.seconds)),
        )  # fmt: skip

    def _try_chains(self) -> None:
        """The best change of structure, then the best quantization on top of it, as one more candidate."""
        plans = {plan.variant_id: plan for plan in self._plans()}
        good = [plan for plan in plans.values() if not _breaks_quality(plan, self._question.budget)]
        first = _best(good, self._question.budget, ("structure", "factorise"))
        second = _best(good, self._question.budget, ("quantize",))
        if first is None or second is None or self._spent(MAKE_SHARE):
            return
        self._try([second.steps[-1]], before=self._variants[first.variant_id])

    def _compare(self, made: Sequence[Variant]) -> None:
        question, home = self._question, self._desk.home
        entries = [
            {
                "label": variant.id, "path": str(compress.runnable_file(home, variant)), "runtime": variant.runtime,
                "runtime_options": variant.runtime_options,
            }
            for variant in made
        ]  # fmt: skip
        arguments = {
            "original": {"label": ORIGINAL, "path": str(question.source), "runtime": question.runtime},
            "variants": entries,
            "model": question.model, "data": str(question.data) if question.data else None,
            "seconds": COMPARE_SHARE * question.seconds,
        }  # fmt: skip
        limits = Limits(seconds=max(60.0, question.seconds))
        with self._working("Comparing with the original"):
            found = self._desk.task(compare, arguments, readable=self._readable(), limits=limits)
        for variant in made:
            answer = found[variant.id]
            changed = (
                replace(variant, failed=str(answer["error"]))
                if "error" in answer
                else replace(variant, quality=from_plain(Quality, answer))
            )
            self._variants[variant.id] = changed

    def _screen(self, made: Sequence[Variant]) -> None:
        running = [variant for variant in made if variant.failed is None]
        if not running:
            return
        seconds = max(SCREEN_LEAST_S, SCREEN_S * self._question.seconds)
        quick = Settings(budget_s=seconds, least_calls=16, least_s=seconds / 2, percentile=50.0, warmup_s=0.1)
        with self._working("Timing against the original"):
            for start in range(0, len(running), self._together()):
                original = self._time(running[start : start + self._together()], quick, peak=False)
        so_far = recommend.recommend(self._question.budget, original, self._candidates())
        with self._working(f"So far: {so_far.headline}"):
            self._desk.save(*made)

    def _measure_finalists(self) -> Measurement:
        """The best by objective among those that keep the quality, and the original, measured in earnest."""
        budget = self._question.budget
        plans = [plan for plan in self._plans() if plan.latency_ratio and not _breaks_quality(plan, budget)]
        ranked = sorted(plans, key=lambda plan: _rank(plan, budget))
        best = [self._variants[plan.variant_id] for plan in ranked[: min(FINALISTS, self._together())]]
        if (export := self._question.exported) and all(variant.id != export.variant.id for variant in best):
            best.append(self._variants[export.variant.id])
        with self._working("Measuring the best against the original", until=1.0):
            seconds = FINAL_SHARE * self._question.seconds / (len(best) + 1)
            return self._time(best, Settings(budget_s=seconds, least_calls=100, least_s=3.0), peak=True)

    def _time(self, variants: Sequence[Variant], settings: Settings, *, peak: bool) -> Measurement:
        """Times original and variants interleaved in one child and saves the runs; the original's run."""
        question, home = self._question, self._desk.home
        folder = question.source.parent
        subjects = [
            Subject(
                path=question.source, model_sha256=question.model.sha256, runtime=question.runtime, readable=(folder,)
            )
        ]  # fmt: skip
        for variant in variants:
            path = compress.runnable_file(home, variant)
            subjects.append(
                Subject(
                    path=path, model_sha256=question.model.sha256, variant_id=variant.id, runtime=variant.runtime,
                    options=dict(variant.runtime_options), readable=(path.parent,),
                )
            )  # fmt: skip
        feed = Feed(
            model=question.model, shapes=question.shapes, batch_size=question.batch_size,
            data=str(question.data) if question.data else None,
        )  # fmt: skip
        wish = Wish(threads=question.threads, settings=settings, memory=peak)
        original, *others = profile.measure(self._desk, subjects, feed, wish)
        self._desk.save(original, *others)
        self._measurements += [original, *others]
        for variant, run in zip(variants, others, strict=True):
            self._runs[variant.id] = (run, original)
        return original

    def _together(self) -> int:
        """How many variants may be timed beside the original in one child: as many as fit its memory, if each took
        what the original takes."""
        room_bytes, each_bytes = memory_bytes(), MEMORY_RATIO * self._question.model.weight_bytes
        return max(1, int(room_bytes / max(each_bytes, 1.0)) - 1)

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
            recommend.candidate_plan(candidate, self._question.budget.percentile)
            for candidate in self._candidates()
            if candidate.variant.failed is None
        ]

    def _readable(self) -> list[Path]:
        question = self._question
        folders = [question.source.parent, self._desk.home.variants(question.model.sha256)]
        return folders + ([question.data] if question.data else [])

    def _spent(self, share: float) -> bool:
        return time.monotonic() - self._started > share * self._question.seconds

    @contextmanager
    def _working(self, text: str, until: float = 0.0) -> Iterator[None]:
        """Inside, a child's progress moves the job on from where the clock has it, by a step, or up to `until`."""
        done = min(0.95, (time.monotonic() - self._started) / self._question.seconds)
        with self._desk.span(done, max(until, min(0.97, done + STEP_FRAC))):
            self._desk.progress(0.0, text)
            yield


def default_seconds(model: Model) -> float:
    """The time budget of a search nobody set: more for larger models, evenly in the logarithm of their weights."""
    place = math.log(max(model.weight_bytes, 1) / SHORT_BYTES) / math.log(LONG_BYTES / SHORT_BYTES)
    return SHORT_S + (LONG_S - SHORT_S) * min(1.0, max(0.0, place))


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
