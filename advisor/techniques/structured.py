"""Structured pruning: whole channels and hidden units go, so the model really gets smaller and faster."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor import channels, facts, finetune, onnx_rewrite, torch_graph
from advisor.techniques import Product, Request
from data.errors import InputError
from profiler.types import Machine, Model

if TYPE_CHECKING:
    pass

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
        channels.merge_biases(proto)
        call = request.calibration[0]
        fixed = any(tensor.shape and isinstance(tensor.shape[0], int) for tensor in request.model.inputs)
        with onnx_rewrite.edge("Structured pruning"):
            module = torch_graph.module(proto)
            prunable = channels.prunable(proto)
        if not prunable:
            raise InputError("No layer has inner channels that could go without changing an output.")
        request.progress(0.2, "Cutting channels")
        teacher = finetune.copy_of(module)
        before = channels.widths(module)
        with onnx_rewrite.edge("Structured pruning"):
            _prune(module, prunable, channels.tensors(call, first=None if fixed else 2), share)
        after = channels.widths(module)
        changed = sum(before[name] - after[name] for name in before)
        if not changed:
            raise InputError("No channel was removed, so nothing would change.")
        tuned = _tuned(module, teacher, request)
        target = request.folder / "structured.onnx"
        with onnx_rewrite.edge("Writing the pruned model"):
            torch_graph.write_back(module)
            channels.split_biases(proto)
            companions = onnx_rewrite.save(proto, target)
        layers = sum(1 for name in before if before[name] != after[name])
        notes = (f"{changed} channels of {layers} layers removed", tuned)
        return Product(file=target, companions=companions, changed_count=changed, notes=notes)


def _prune(module: Any, prunable: list[str], call: dict[str, Any], share: float) -> None:
    """torch-pruning's group pruner over these layers; the others only follow."""
    import torch
    import torch_pruning

    kept = [module.layers[name] for name in channels.widths(module) if name not in prunable]
    module(call)  # notes what every Reshape gets before the cut
    weights = {name: parameter.requires_grad for name, parameter in module.named_parameters()}
    pruner = torch_pruning.pruner.MetaPruner(
        module, call, importance=torch_pruning.importance.GroupMagnitudeImportance(p=2),
        pruning_ratio=share, ignored_layers=kept, round_to=channels.ROUND_TO,
        forward_fn=lambda model, feeds: list(model(feeds).values()),
    )  # fmt: skip
    pruner.step()
    with torch.no_grad():
        module(call)
    assert weights.keys() == {name for name, _ in module.named_parameters()}


def _tuned(module: Any, teacher: Any, request: Request) -> str:
    """Fine-tunes where training data is there; says what was done."""
    training: Path | None = request.training
    if training is None:
        return "not fine-tuned: no training data was given, and accuracy usually needs it"
    return finetune.fine_tune(module, teacher, request.model, training, request.progress, request.seed)


TECHNIQUE = Structured()
