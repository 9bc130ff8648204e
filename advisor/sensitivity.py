"""Which layers cannot bear quantization: one at a time, the error at the model's outputs, the worst first."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from advisor import agreement, samples
from advisor.agreement import Comparison, not_finite
from advisor.surgery import activations, facts, layers, onnx_rewrite
from advisor.surgery.fake_quant import Seen, Switchable, quantized_weight
from data.errors import InputError
from data.records import from_plain
from data.text import plain
from profiler.tasks import ChildDesk, task
from profiler.types import Model

if TYPE_CHECKING:
    from numpy import ndarray

CALLS, PER_CALL = 8, 8
BITS = (8, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlier:
    """An input channel of a layer and how many times the median channel's peak its own is."""

    channel: int
    ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """What quantizing this layer alone does to the model's outputs (`loss` is 1 - cosine, the worst output's), and
    what flows into it. `output` is the tensor it makes."""

    layer: str
    op: str
    output: str = ""
    weight_bytes: int
    loss: float
    snr_db: float | None
    top1_agreement: float | None = None
    low: float | None = None
    high: float | None = None
    outliers: tuple[Outlier, ...] = ()
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """All layers, the most sensitive first; `not_measured` names those the time did not suffice for. `id`, when and of
    which model are known once it is kept: the newest of a model at these bits."""

    KEY: ClassVar[str] = "id"

    id: str = ""
    created_at: str = ""
    model_sha256: str = ""
    layers: tuple[Sensitivity, ...]
    bits: int
    inputs: str
    calls: int
    not_measured: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())


@task
def sensitivity(
    desk: ChildDesk,
    *,
    path: str,
    model: dict[str, Any],
    data: str | None = None,
    bits: int = 8,
    calls: int = CALLS,
    seconds: float = 60.0,
    seed: int = 0,
) -> Ranking:
    """Quantizes weight and input of one layer at a time (8 bits), or its weight alone (4 bits, groups of 32), on the
    given inputs (an .npz) or random ones, for at most `seconds`.

    Raises InputError where the model has no layer to quantize, does not run on the inputs, or answers NaN."""
    what = from_plain(Model, model)
    if (reason := facts.refusal(what)) is not None:
        raise InputError(reason)
    if bits not in BITS:
        raise InputError("Sensitivity is measured at 8 or 4 bits.")
    given = samples.read(what, Path(data) if data else None, most=calls * PER_CALL, per_call=PER_CALL, seed=seed)
    ranking = rank(
        Path(path), given.calls[:calls], desk.folder, bits=bits, seconds=seconds,
        large=facts.is_large(what), progress=desk.progress,
    )  # fmt: skip
    notes = ("Ranked on random inputs: real ones may rank otherwise.",) if given.is_random else ()
    return Ranking(
        layers=ranking[0], bits=bits, inputs=given.source, calls=len(given.calls[:calls]), not_measured=ranking[1],
        notes=notes,
    )  # fmt: skip


def rank(
    path: Path,
    calls: Sequence[Mapping[str, ndarray]],
    folder: Path,
    *,
    bits: int,
    seconds: float,
    large: bool = False,
    progress: Callable[[float, str], None] = lambda done_frac, text: None,
) -> tuple[tuple[Sensitivity, ...], tuple[str, ...]]:
    """The layers of the ONNX file by what quantizing each alone does, and the names of those not measured in time.

    Layers carry the names they have after preparation for quantization, which is what quantizers exclude by."""
    started = time.monotonic()
    progress(0.02, "Preparing the graph")
    proto = onnx_rewrite.load(onnx_rewrite.prepared(path, folder, large=large))
    wanted = layers.weights(proto)
    if not wanted:
        raise InputError("The model has no layer with a stored float weight.")
    progress(0.1, "Watching what flows in")
    seen = activations.watch(proto, wanted, calls, folder)
    switchable = Switchable(proto, wanted, seen if bits == 8 else {}, folder)
    answers = [switchable.run(call, {}) for call in calls]
    for answer in answers:
        if (broken := not_finite(answer)) is not None:
            raise InputError(f"The model itself answers NaN or infinity at '{broken}': nothing can be compared.")
    measured: list[Sensitivity] = []
    missed: list[str] = []
    for number, weight in enumerate(likely_first(wanted)):
        if measured and time.monotonic() - started > seconds:
            missed.append(weight.name)
            continue
        progress(0.2 + 0.8 * number / len(wanted), f"Quantizing {weight.name} alone")
        change = {weight.name: (weight.tensor.name, quantized_weight(weight, bits))}
        comparison = _compared(answers, (switchable.run(call, change) for call in calls))
        measured.append(_described(weight, comparison, seen.get(weight.name)))
    return tuple(sorted(measured, key=lambda each: (-each.loss, each.layer))), tuple(missed)


def likely_first(wanted: Sequence[layers.Weight]) -> list[layers.Weight]:
    """The order to measure in when time may not suffice: the ends of the network, where layers are small and feed, or
    make, everything, come before its middle."""
    last = len(wanted) - 1
    return [wanted[place] for place in sorted(range(len(wanted)), key=lambda place: min(place, 2 * (last - place)))]


def _compared(answers: Sequence[Mapping[str, ndarray]], changed: Iterable[Mapping[str, ndarray]]) -> Comparison:
    comparison = Comparison()
    for answer, other in zip(answers, changed, strict=True):
        try:
            comparison.add(answer, other)
        except ValueError as error:
            raise InputError(
                f"How long the output '{plain(str(error), 60)}' is depends on the values: layers cannot be ranked.",
                hint="Where a model ends in a selection (NonMaxSuppression), rank it without that step.",
            ) from error
    return comparison


def _described(weight: layers.Weight, comparison: Comparison, seen: Seen | None) -> Sensitivity:
    result = comparison.result()
    found = result.values()
    noise = [value for numbers in found if (value := numbers.get("snr_db")) is not None]
    tops = [value for numbers in found if (value := numbers.get("top1_agreement")) is not None]
    named = activations.outliers(seen) if seen else []
    return Sensitivity(
        layer=weight.name, op=weight.node.op_type, output=weight.node.output[0],
        weight_bytes=onnx_rewrite.array(weight.tensor).nbytes,
        loss=agreement.loss(result), snr_db=min(noise, default=None), top1_agreement=min(tops, default=None),
        low=seen.low if seen else None, high=seen.high if seen else None,
        outliers=tuple(Outlier(channel=channel, ratio=ratio) for channel, ratio in named),
        advice=activations.advice(seen) if seen else "",
    )  # fmt: skip
