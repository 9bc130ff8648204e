"""As many layers in INT8 as a loss limit allows: the most sensitive ones stay in float32."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor import agreement
from advisor.agreement import Comparison, not_finite
from advisor.sensitivity import rank
from advisor.surgery import facts, int8, onnx_rewrite
from advisor.techniques import Product, Request
from data import words
from data.errors import InputError
from profiler.onnx_graph import tools as onnx_tools

if TYPE_CHECKING:
    from numpy import ndarray

RANK_CALLS = 2
RANK_S = 25.0
MARGIN = 0.85  # of the limit: the loss on other inputs is a little higher
LOSS_CALLS = 16


def within_loss(request: Request, limit: float) -> Product:
    """The static INT8 file with the fewest layers excluded whose loss (1 - cosine of the worst output, on the
    calibration inputs) is at most `limit`. Raises InputError where no layer has to be excluded, and where all but one
    excluded still lose more."""
    large, target = facts.is_large(request.model), request.folder / "int8_mixed.onnx"
    source = onnx_rewrite.prepared(request.source, request.folder, large=large)
    calls = request.calibration[:LOSS_CALLS]
    wanted, ranges = answers(source, calls), request.folder / "ranges.json"
    proto, scope = onnx_rewrite.load(source), int8.scopes(request.model)[0]
    order: list[str] = []

    def loss(count: int) -> float:
        """The loss with the `count` most sensitive layers excluded; the file is written to `target`."""
        settings = int8.Settings(operators=scope, exclude=tuple(with_followers(proto, order[:count])))
        int8.quantize(source, target, request.calibration, request.machine, settings, ranges=ranges, large=large)
        found = loss_of(wanted, answers(target, calls))
        request.progress(0.6, f"{count} layers in float32: loss {words.number(found, 2)}")
        return found

    if (whole := loss(0)) <= MARGIN * limit:
        lost = words.number(whole, 2)
        raise InputError(f"All layers in 8 bits lose {lost}, within the allowed {limit:g}: none has to stay out.")
    ranked, missed = rank(
        request.source, request.calibration[:RANK_CALLS], request.folder, bits=8, seconds=RANK_S, large=large,
        progress=lambda done, text: request.progress(0.5 * done, text),
    )  # fmt: skip
    computing = {node.name for node in proto.graph.node if node.op_type in int8.COMPUTES}
    order += [name for name in (*(each.layer for each in ranked), *missed) if name in computing]
    count, trace = fewest(loss, len(order), MARGIN * limit)
    found = loss(count) if trace[-1][0] != count else trace[-1][1]
    changed = int8.computing_on_integers(onnx_rewrite.load(target))
    if not changed:
        raise InputError("No layer could be quantized within the allowed loss, so nothing would change.")
    kept = ", ".join(order[:count][:5]) + (" and more" if count > 5 else "")
    notes = (
        f"{words.many(changed, 'layer')} in 8 bits, {count} left in float32: {kept}.",
        f"On calibration inputs it loses {words.number(found, 2)} of the allowed {limit:g}; "
        f"all in 8 bits lose {words.number(whole, 2)}.",
        f"The loss with {', '.join(f'{number} left out: {words.number(lost, 2)}' for number, lost in sorted(trace))}.",
        *onnx_rewrite.raised_note(request.model.opset),
    )
    return Product(file=target, companions=onnx_rewrite.companions(target), changed_count=changed, notes=notes)


def with_followers(proto: Any, names: Sequence[str]) -> list[str]:
    """These layers and the steps behind them up to the next layer or join, the join included: a step that stays in
    8 bits behind a layer in float32 would round its answer after all."""
    readers = onnx_tools.consumers(proto.graph)
    stored = {tensor.name for tensor in proto.graph.initializer}
    found = dict.fromkeys(names)
    waiting = [node for node in proto.graph.node if node.name in found]
    while waiting:
        node = waiting.pop()
        for reader in [each for output in node.output for each in readers.get(output, [])]:
            if reader.op_type in int8.COMPUTES or reader.name in found:
                continue
            found[reader.name] = None
            if sum(1 for name in reader.input if name and name not in stored) == 1:
                waiting.append(reader)
    return list(found)


def fewest(loss: Callable[[int], float], layers: int, limit: float) -> tuple[int, list[tuple[int, float]]]:
    """The smallest count above 0 with loss(count) <= limit that doubling and then halving finds (to an eighth), and
    all that was tried. Raises InputError where leaving all but one out is not enough."""
    trace: list[tuple[int, float]] = []

    def tried(count: int) -> bool:
        trace.append((count, loss(count)))
        return trace[-1][1] <= limit

    failing, count = 0, 1
    while not tried(count):
        failing = count
        if count >= layers - 1:
            lost = words.number(trace[-1][1], 2)
            raise InputError(f"Even with one layer in 8 bits the loss is {lost}, above {limit:g}.")
        count = min(2 * count, layers - 1)
    while count - failing > max(1, count // 8):
        middle = (count + failing) // 2
        if tried(middle):
            count = middle
        else:
            failing = middle
    return count, trace


def answers(path: Path, calls: Sequence[Mapping[str, ndarray]]) -> list[dict[str, ndarray]]:
    """All outputs of an ONNX file on these calls."""
    import onnxruntime as ort

    settings = ort.SessionOptions()
    settings.log_severity_level = 4
    settings.intra_op_num_threads = 2
    with onnx_rewrite.edge("Running the quantized model"):
        session = ort.InferenceSession(str(path), settings)
        names = [output.name for output in session.get_outputs()]
        return [dict(zip(names, session.run(None, dict(call)), strict=True)) for call in calls]


def loss_of(wanted: Sequence[Mapping[str, ndarray]], got: Sequence[Mapping[str, ndarray]]) -> float:
    """How far these answers are from those wanted; 1 where it is not a number, or of another shape."""
    comparison = Comparison()
    for first, second in zip(wanted, got, strict=True):
        if not_finite(second) is not None:
            return 1.0
        try:
            comparison.add(first, second)
        except ValueError:  # a selection chose another number of things
            return 1.0
    return agreement.loss(comparison.result())
