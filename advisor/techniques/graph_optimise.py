"""Graph optimisation ahead of time: ONNX Runtime's own rewrites, and fused attention for transformers."""

from typing import Any

from advisor.surgery import facts, onnx_rewrite
from advisor.techniques import Product, Request
from data import words
from data.errors import InputError
from profiler.types import Machine, Model

FUSIONS = ("bert", "gpt2")


class GraphOptimise:
    NAME = "graph_optimise"
    TITLE = "Graph optimisation"
    STAGE = "runtime"
    GAINS = ("latency", "memory")
    CALIBRATES = False

    def options(self, model: Model, machine: Machine) -> list[dict[str, Any]]:
        """Transformers may also get their attention and normalisation fused into one operator each."""
        found: list[dict[str, Any]] = [{}]
        if facts.count(model, ("Softmax",)) > 1 and facts.count(model, ("MatMul",)) > 3:
            found += [{"fusions": kind} for kind in FUSIONS]
        return found

    def refuses(self, model: Model, machine: Machine) -> str | None:
        if not facts.is_onnx(model):
            return f"This works on ONNX files; this one is {model.format.replace('_', ' ')}."
        if (reason := facts.weightless(model)) is not None:
            return reason
        return "Optimising a model of more than 1 GB ahead of time is not supported." if facts.is_large(model) else None

    def apply(self, request: Request) -> Product:
        """Writes the graph that ONNX Runtime would otherwise make at every start. Raises InputError where it is the
        same graph as before."""
        target = request.folder / "graph_optimise.onnx"
        before = onnx_rewrite.operator_counts(onnx_rewrite.load(request.source))
        request.progress(0.2, "Rewriting the graph")
        with onnx_rewrite.edge("Graph optimisation"):
            if "fusions" in request.option:
                _fuse(request, target)
            else:
                _optimise(request, target)
        after = onnx_rewrite.operator_counts(onnx_rewrite.load(target))
        changed = sum(abs(after.get(name, 0) - before.get(name, 0)) for name in {*after, *before} - {"Constant"})
        if not changed:
            raise InputError("There was nothing to fuse or remove in this graph, so nothing would change.")
        new = sorted(name for name in after if name not in before)
        told = f"{words.many(sum(before.values()), 'operator')} became {words.count(sum(after.values()))}"
        note = f"{told}; new among them: {', '.join(new)}." if new else f"{told}."
        return Product(file=target, changed_count=changed, notes=(note,))


def _optimise(request: Request, target: Any) -> None:
    """Rewrites that hold on every CPU ("extended"): those beyond belong to one kind of CPU and are made at start."""
    import onnxruntime as ort

    settings = ort.SessionOptions()
    settings.log_severity_level = 4
    settings.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    settings.optimized_model_filepath = str(target)
    source = request.source
    if onnx_rewrite.companions(source):  # the optimised file would go on pointing to the original's weights
        source = request.folder / "whole.onnx"
        onnx_rewrite.save(onnx_rewrite.load(request.source), source)
    ort.InferenceSession(str(source), settings)


def _fuse(request: Request, target: Any) -> None:
    from onnxruntime.transformers.optimizer import optimize_model

    kind = str(request.option["fusions"])
    if kind not in FUSIONS:
        raise InputError(f"Fusions are known for {', '.join(FUSIONS)}.")
    optimised = optimize_model(str(request.source), model_type=kind, num_heads=0, hidden_size=0, opt_level=0)
    onnx_rewrite.save(optimised.model, target)


TECHNIQUE = GraphOptimise()
