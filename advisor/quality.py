"""How good a variant still is: accuracy where labels are given, else how closely it follows the original."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor import samples
from advisor.agreement import Comparison, accuracy_drop, not_finite
from advisor.samples import Samples
from advisor.types import Quality
from data.errors import InputError, RightsizeError
from data.estimate import Estimate
from data.records import from_plain, to_plain
from data.text import plain
from profiler.measure import Entry, load
from profiler.runtimes import Session
from profiler.tasks import ChildDesk, task
from profiler.types import Model

if TYPE_CHECKING:
    from numpy import ndarray

RANDOM_WARNING = "Compared on random inputs: that proves little about real ones."
FEWEST_CALLS = 8
PATIENCE = 8  # a variant may take this many times the original's time before it is cut short
RANDOM_SAMPLES, GIVEN_SAMPLES = 64, 10_000


@task
def compare(
    desk: ChildDesk,
    *,
    original: dict[str, Any],
    variants: list[dict[str, Any]],
    model: dict[str, Any],
    data: str | None = None,
    most: int | None = None,
    seconds: float = 20.0,
    scores: str | None = None,
    seed: int = 1,
    held_out: bool = False,
) -> dict[str, Any]:
    """{label: Quality as plain values, or {"error", "hint"} where a variant does not run} of each variant.

    An entry is {"label", "title" (optional), "path", "runtime", "runtime_options"}; `model` is the original's record;
    `data` an .npz with optional `labels`; `most` the samples at most; `seconds` what the original's calls may take;
    `scores` the output whose last axis holds the classes (the first floating one unless named); `held_out` leaves out
    the samples that techniques calibrate on, where there are enough to do so.
    """
    what = from_plain(Model, model)
    given = samples.read(
        what, Path(data) if data else None, most=most or (GIVEN_SAMPLES if data else RANDOM_SAMPLES), seed=seed,
        part=samples.HELD_OUT if held_out else samples.ALL,
    )  # fmt: skip
    desk.progress(0.0, "Running the original")
    answers, spent = _answers(_load(original), given, seconds)
    named = _scores(answers[0], scores)
    answered: dict[str, Any] = {}
    for index, entry in enumerate(variants):
        desk.progress((index + 1) / (len(variants) + 1), f"Comparing {entry.get('title') or entry['label']}")
        try:
            quality = _quality(_load(entry), given, answers, named, limit_s=max(10.0, PATIENCE * spent))
            answered[entry["label"]] = to_plain(quality)
        except RightsizeError as error:
            answered[entry["label"]] = error.as_dict()
    return answered


def _load(entry: Mapping[str, Any]) -> Session:
    options = {"threads": "2", **entry.get("runtime_options", {})}
    runtime = entry.get("runtime", "onnxruntime")
    return load(Entry(label=entry["label"], path=entry["path"], runtime=runtime, options=options))[0]


def _answers(session: Session, given: Samples, seconds: float) -> tuple[list[dict[str, ndarray]], float]:
    """The original's outputs of as many calls as fit the time, and the seconds they took."""
    started, answers = time.perf_counter(), []
    for call in given.calls:
        answers.append(session.run(call))
        if (broken := not_finite(answers[-1])) is not None:
            raise InputError(f"The model itself answers NaN or infinity at '{broken}': nothing can be compared.")
        if len(answers) >= FEWEST_CALLS and time.perf_counter() - started > seconds:
            break
    return answers, time.perf_counter() - started


def _scores(outputs: Mapping[str, ndarray], named: str | None) -> str:
    """The output that holds class scores. Raises InputError where it is not there."""
    if named is not None:
        if named not in outputs:
            raise InputError(f"The model has no output '{named}'.", hint=f"It has {', '.join(outputs)}.")
        return named
    return next((name for name, values in outputs.items() if values.dtype.kind == "f"), next(iter(outputs)))


def _quality(
    session: Session, given: Samples, answers: Sequence[Mapping[str, ndarray]], scores: str, *, limit_s: float
) -> Quality:
    """One variant against the original's answers, call by call, on as many calls as fit the limit."""
    comparison, mine, started = Comparison(), [], time.perf_counter()
    for call, reference in zip(given.calls, answers, strict=False):
        outputs = session.run(call)
        if (broken := not_finite(outputs)) is not None:
            raise InputError(f"The compressed model answers NaN or infinity at '{broken}'.")
        try:
            comparison.add(reference, outputs)
        except ValueError as error:
            raise InputError(
                f"The compressed model's output '{plain(str(error), 60)}' is missing or of another length.",
                hint="Where a model ends in a selection (NonMaxSuppression), compress it without that step.",
            ) from error
        mine.append(outputs[scores])
        if len(mine) >= FEWEST_CALLS and time.perf_counter() - started > limit_s:
            break
    return _summary(comparison, given, [answer[scores] for answer in answers], mine, scores)


def _summary(
    comparison: Comparison, given: Samples, before: list[ndarray], after: list[ndarray], scores: str
) -> Quality:
    per_output = comparison.result()
    count = sum(samples.length(call) for call in given.calls[: len(after)])
    accuracy = _accuracy(given.labels, before[: len(after)], after)
    return Quality(
        kind="agreement" if accuracy is None else "accuracy",
        samples=count,
        inputs=given.source,
        cosine=_worst(per_output, "cosine"),
        snr_db=_worst(per_output, "snr_db"),
        kl_divergence=per_output[scores].get("kl_divergence"),
        top1_agreement=per_output[scores].get("top1_agreement"),
        accuracy_before=accuracy[0] if accuracy else None,
        accuracy_after=accuracy[1] if accuracy else None,
        accuracy_drop=accuracy[2] if accuracy else None,
        per_output=per_output,
        warning=RANDOM_WARNING if given.is_random else "",
    )


def _accuracy(
    labels: ndarray | None, before: list[ndarray], after: list[ndarray]
) -> tuple[float, float, Estimate] | None:
    """Share of right answers of original and variant, and the paired drop. Raises InputError for misfit labels."""
    import numpy as np

    if labels is None:
        return None
    above = 0.5 if all(((values >= 0) & (values <= 1)).all() for values in before) else 0.0
    first, second = (np.concatenate([_classes(values, above) for values in answers]) for answers in (before, after))
    wanted = labels[: len(first)]
    if wanted.shape != first.shape:
        raise InputError(
            f"The labels have shape {wanted.shape}, the predicted classes {first.shape}.",
            hint="Labels hold one class number for every prediction; name the scores' output if it is not the first.",
        )
    right, still = first == wanted, second == wanted
    drop = accuracy_drop(right.ravel(), still.ravel())
    return float(right.mean()), float(still.mean()), drop


def _classes(values: ndarray, above: float) -> ndarray:
    """The class each row names: the largest on the last axis of scores, whether a single score lies `above` (0, or 1/2
    where all of the original's are probabilities), or the value itself of integer outputs."""
    import numpy as np

    if values.dtype.kind != "f":
        return values
    if values.ndim > 1 and values.shape[-1] > 1:
        return np.asarray(values.argmax(-1))
    single = values.reshape(values.shape[0], -1)[:, 0] if values.ndim else values.reshape(1)
    return np.asarray(single > above)


def _worst(per_output: Mapping[str, Mapping[str, float | None]], name: str) -> float | None:
    known = [value for numbers in per_output.values() if (value := numbers.get(name)) is not None]
    return min(known) if known else None
