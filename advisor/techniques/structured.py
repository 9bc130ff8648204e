"""Structured pruning: whole channels, hidden units and heads go, so the model really gets smaller and faster."""

from typing import Any

from advisor.surgery import channels, facts, finetune, heads, onnx_rewrite, torch_graph
from advisor.techniques import Product, Request
from data import words
from data.errors import InputError
from profiler.types import Machine, Model

WORKS_ON = ("Conv", *facts.MATRIX_PRODUCTS)


class Structured:
    NAME = "structured"
    TITLE = "Structured pruning"
    STAGE = "structure"
    GAINS = ("latency", "size", "memory")
    CALIBRATES = True

    def options(self, model: Model, machine: Machine) -> list[dict[str, Any]]:
        return [{"removed_frac": share} for share in (0.5, 0.3, 0.7, 0.1)]

    def refuses(self, model: Model, machine: Machine) -> str | None:
        if (reason := facts.refusal(model, needs=WORKS_ON)) is not None:
            return reason
        unknown = sorted({facts.short(name) for name in model.operators} - torch_graph.SUPPORTED)
        if unknown:
            return f"The operator {unknown[0]} cannot be pruned through."
        if facts.count(model, WORKS_ON) < 2:
            return "A single layer has no inner channels that could go."
        return "Pruning more than 1 GB of weights is not supported." if facts.is_large(model) else None

    def apply(self, request: Request) -> Product:
        """Cuts the least important channels (group magnitude) with torch-pruning; fine-tunes where labelled training
        data is given. Raises InputError where no channel can go."""
        share = float(request.option.get("removed_frac", 0.5))
        if not 0.0 < share < 1.0:
            raise InputError("The share of channels to remove lies between 0 and 1.")
        proto = onnx_rewrite.load(request.source)
        onnx_rewrite.lift_constants(proto)
        request.progress(0.1, "Cutting heads and channels")
        with onnx_rewrite.edge("Structured pruning"):
            gone = heads.prune(proto, share)
            channels.merge_biases(proto)
            module, before, left = _cut(proto, _call(request), share)
        after = channels.widths(module)
        changed = sum(before[name] - after[name] for name in before)
        if not changed + gone:
            raise InputError("No layer has inner channels or heads that could go without changing an output.")
        tuned = _tuned(module, request)
        target = request.folder / "structured.onnx"
        with onnx_rewrite.edge("Writing the pruned model"):
            torch_graph.write_back(module)
            channels.split_biases(proto)
            companions = onnx_rewrite.save(proto, target)
        layers = sum(1 for name in before if before[name] != after[name])
        notes = [f"{words.many(changed, 'channel')} of {words.many(layers, 'layer')} removed.", *left, tuned]
        notes += [f"{words.many(gone, 'attention head')} removed."] if gone else []
        return Product(file=target, companions=companions, changed_count=changed + gone, notes=tuple(notes))


def _call(request: Request) -> dict[str, Any]:
    """Two samples, or a whole call where the model's batch is fixed."""
    fixed = any(tensor.shape and isinstance(tensor.shape[0], int) for tensor in request.model.inputs)
    return channels.tensors(request.calibration[0], first=None if fixed else 2)


def _cut(proto: Any, call: dict[str, Any], share: float) -> tuple[Any, dict[str, int], list[str]]:
    """The pruned module, its widths before, and what to say of layers that had to stay whole: where channels meet a
    table of fixed width (an embedding that is added, say), only layers that meet nothing of the kind are cut."""
    prunable, module = channels.prunable(proto), torch_graph.module(proto)
    before = channels.widths(module)
    try:
        _prune(module, prunable, call, share)
    except RuntimeError:
        hidden = channels.hidden(proto)
        if not hidden or hidden == prunable:
            raise InputError("Its channels meet tensors of fixed width, which cannot be cut with them.") from None
        module = torch_graph.module(proto)
        _prune(module, hidden, call, share)
        whole = len(prunable) - len(hidden)
        return (
            module,
            before,
            [f"Kept whole, as their channels meet tensors of fixed width: {words.many(whole, 'layer')}."],
        )
    return module, before, []


def _prune(module: Any, prunable: list[str], call: dict[str, Any], share: float) -> None:
    """torch-pruning's group pruner over these layers; the others only follow."""
    import torch
    import torch_pruning

    if not prunable:
        return
    kept = [module.layers[name] for name in channels.widths(module) if name not in prunable]
    module(call)  # notes what every Reshape gets before the cut
    pruner = torch_pruning.pruner.MetaPruner(
        module, call, importance=torch_pruning.importance.GroupMagnitudeImportance(p=2),
        pruning_ratio=share, ignored_layers=kept, round_to=channels.ROUND_TO,
        forward_fn=lambda model, feeds: list(model(feeds).values()),
    )  # fmt: skip
    pruner.step()
    with torch.no_grad():
        module(call)  # a Reshape that sees other widths than before is noted by the module


def _tuned(module: Any, request: Request) -> str:
    """Fine-tunes where training data is there, with the original as teacher; says what was done."""
    if request.training is None:
        return "Not fine-tuned: no training data was given, and accuracy usually needs it."
    original = onnx_rewrite.load(request.source)
    onnx_rewrite.lift_constants(original)
    channels.merge_biases(original)
    teacher = torch_graph.module(original)
    return finetune.fine_tune(module, teacher, request.model, request.training, request.progress, request.seed)


TECHNIQUE = Structured()
