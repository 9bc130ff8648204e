"""What a search does with children: make a variant, time some quickly or in earnest, compare some with the original."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from advisor import compress
from advisor.exported import Exported
from advisor.quality import compare
from advisor.recommend import title
from advisor.types import Budget, Quality, Step, Variant
from data.errors import Cancelled, RightsizeError
from data.records import from_plain
from profiler import loads, profile
from profiler.inspect import inspect
from profiler.intake import training_file
from profiler.jobs import Desk
from profiler.measure import Feed
from profiler.profile import Subject, Wish
from profiler.sandbox import Limits, memory_bytes
from profiler.timing import Settings
from profiler.types import Machine, Measurement, Model

ORIGINAL = "original"
COMPARE_SHARE = 0.02  # of the time budget: what the original's answers to compare with may take, each wave
SCREEN_S, SCREEN_LEAST_S = 0.006, 0.25  # seconds a callable in a screen: this share of the budget, and at least
MEMORY_RATIO = 1.2  # resident bytes of a loaded model over its weights: 1.11 measured on 2.4 GB in ONNX Runtime
GIVE_UP_RATIO = 2.0  # a variant this many times as slow in each of its first rounds is timed no further
LOADS_SHARE = 0.6  # of the time for the finalists: the timed rounds; the rest is starting, loading, warming up
WARMUP_S = 0.1

Pair = tuple[Measurement, Measurement]  # a variant's run and the original's beside it


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


class Trials:
    """The work of one question; it keeps nothing but the desk and the question."""

    def __init__(self, desk: Desk, question: Question) -> None:
        self._desk, self._question = desk, question
        training = training_file(desk.home, question.model.sha256)
        self.training = training if training.exists() else None

    def make(self, step: Step, before: Variant | None, seconds: float) -> Variant:
        """The variant that the step makes of the original, or of `before`, within so many seconds; it may have
        failed. Raises Cancelled."""
        question = self._question
        model, source = question.model, question.source
        done: tuple[Step, ...] = ()
        if before is None and (export := question.exported):
            model, source, done = export.model, export.file, export.variant.steps
        if before is not None:
            source, done = compress.runnable_file(self._desk.home, before), before.steps
            arguments = {"path": str(source), "name": model.name, "shapes": model.shapes}
            found = self._desk.task(inspect, arguments, readable=[source.parent])
            model = replace(from_plain(Model, found), sha256=model.sha256)
        return compress.make(
            self._desk, model, question.machine, source, step, before=done, data=question.data,
            limits=Limits(seconds=seconds),
        )  # fmt: skip

    def screen(self, variants: Sequence[Variant]) -> dict[str, Pair | str]:
        """Each variant's quick run and the original's beside it, by its id; what cannot be timed gets the sentence
        that says why. One that breaks the child it shares with others is found by timing each alone."""
        if len(variants) > self.together():
            chunks = [variants[: self.together()], variants[self.together() :]]
            return {name: found for chunk in chunks for name, found in self.screen(chunk).items()}
        seconds = max(SCREEN_LEAST_S, SCREEN_S * self._question.seconds)
        quick = Settings(
            budget_s=seconds, least_calls=16, least_s=seconds / 2, percentile=50.0, warmup_s=WARMUP_S, warmup_calls=2,
            give_up_ratio=GIVE_UP_RATIO,
        )  # fmt: skip
        try:
            wish = Wish(threads=self._question.threads, settings=quick, memory=False)
            original, *others = profile.measure(self._desk, self._subjects(variants), self._feed(), wish)
        except Cancelled:
            raise
        except RightsizeError as error:
            if len(variants) == 1:
                return {variants[0].id: error.message}
            return {name: found for variant in variants for name, found in self.screen([variant]).items()}
        return {variant.id: (run, original) for variant, run in zip(variants, others, strict=True)}

    def earnest(self, variants: Sequence[Variant], seconds: float) -> list[Measurement]:
        """The original's run and those of the variants, over several loads, with their peak memory."""
        each = LOADS_SHARE * seconds / (len(variants) + 1) / loads.FEWEST
        settings = Settings(budget_s=each, least_calls=100, least_s=each, warmup_s=WARMUP_S)
        wish = Wish(threads=self._question.threads, settings=settings)
        return loads.measure(self._desk, self._subjects(variants), self._feed(), wish, seconds=seconds)

    def compared(self, variants: Sequence[Variant]) -> list[Variant]:
        """The variants with their quality, or with what is wrong with their answers in `failed`. Raises Cancelled."""
        question, home = self._question, self._desk.home
        entries = [
            {
                "label": variant.id, "title": title(variant), "runtime": variant.runtime,
                "runtime_options": variant.runtime_options, "path": str(compress.runnable_file(home, variant)),
            }
            for variant in variants
        ]  # fmt: skip
        arguments = {
            "original": {"label": ORIGINAL, "path": str(question.source), "runtime": question.runtime},
            "variants": entries, "model": question.model, "data": str(question.data) if question.data else None,
            "seconds": COMPARE_SHARE * question.seconds, "held_out": self.training is None,
        }  # fmt: skip
        limits = Limits(seconds=max(60.0, question.seconds))
        try:
            found = self._desk.task(compare, arguments, readable=self._readable(), limits=limits)
        except Cancelled:
            raise
        except RightsizeError as error:
            if len(variants) > 1:
                return [one for variant in variants for one in self.compared([variant])]
            return [replace(variants[0], failed=error.message)]
        return [_judged(variant, found[variant.id]) for variant in variants]

    def together(self) -> int:
        """How many variants may be timed beside the original in one child: as many as fit its memory, if each took
        what the original takes."""
        each_bytes = MEMORY_RATIO * self._question.model.weight_bytes
        return max(1, int(memory_bytes() / max(each_bytes, 1.0)) - 1)

    def _subjects(self, variants: Sequence[Variant]) -> list[Subject]:
        question, home = self._question, self._desk.home
        folder, sha256 = question.source.parent, question.model.sha256
        subjects = [
            Subject(path=question.source, model_sha256=sha256, runtime=question.runtime, readable=(folder,))
        ]  # fmt: skip
        for variant in variants:
            path = compress.runnable_file(home, variant)
            subjects.append(
                Subject(
                    path=path, model_sha256=sha256, variant_id=variant.id, runtime=variant.runtime,
                    title=title(variant),
                    options=dict(variant.runtime_options), readable=(path.parent,),
                )
            )  # fmt: skip
        return subjects

    def _feed(self) -> Feed:
        question = self._question
        return Feed(
            model=question.model, shapes=question.shapes, batch_size=question.batch_size,
            data=str(question.data) if question.data else None,
        )  # fmt: skip

    def _readable(self) -> list[Path]:
        question = self._question
        folders = [question.source.parent, self._desk.home.variants(question.model.sha256)]
        return folders + ([question.data] if question.data else [])


def _judged(variant: Variant, answer: dict[str, Any]) -> Variant:
    if "error" in answer:
        return replace(variant, failed=str(answer["error"]))
    return replace(variant, quality=from_plain(Quality, answer))
