"""Every technique applied, loaded again, timed beside the original and compared, or its reason for refusing."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from advisor.compress import titled
from advisor.paired import Candidate, candidate_plan
from advisor.plan import plan
from advisor.techniques import Technique, techniques
from advisor.trials import Question, Trials
from advisor.types import Budget, Plan, Report, Variant
from benchmarks import Effort, Row
from benchmarks.bench_tools import desk, folder
from benchmarks.compress import taken
from profiler.intake import data_file, take_in
from profiler.kept import kept_model
from profiler.machine import machine

# All techniques on the first four; the rest only for those that none of these let do anything.
EVERYWHERE = ("digits_cnn", "mlp", "lstm", "dlrm")
FURTHER = ("mobilenetv2", "vit_s", "bert_base")
SECONDS, MAKE_S = 60.0, 300.0
PRUNED_FIRST = ("sparse_storage",)  # what packs zeros is given zeros: magnitude pruning goes before it


def SUITE(effort: Effort) -> Iterator[Row]:
    """One row a technique and shape, then one a technique: on how many shapes it did something."""
    done: dict[str, list[str]] = {name: [] for name, one in techniques().items() if one.STAGE != "export"}
    shapes: Sequence[str] = effort.only or (*EVERYWHERE, *FURTHER)
    for shape in shapes:
        wanted = [name for name, worked in done.items() if shape not in FURTHER or not worked or effort.only]
        if not wanted:
            continue
        trials, question = _trials(shape)
        for name in wanted:
            row = _applied(trials, question, techniques()[name])
            done[name] += [shape] if row.passed else []
            yield replace(row, what=f"{name} on {shape}")
    yield _exported()
    for name, worked in done.items():
        missing = None if effort.only else False  # of a few shapes nothing is promised
        value = ", ".join(worked) or "nothing"
        yield Row(what=f"{name} works on", value=value, limit="a shape", passed=bool(worked) or missing)


def _exported() -> Row:
    """The one technique for files that are not ONNX: the MLP as TorchScript, exported, and timed beside PyTorch."""
    import torch

    from tests import make_models

    path, example = folder() / "mlp.torchscript", make_models.example("mlp")
    torch.jit.trace(make_models.module("mlp"), tuple(example.values())).save(str(path))
    shapes = {name: tuple(one.shape) for name, one in example.items()}
    sha256 = str(take_in(desk(), path=str(path), shapes=shapes)["sha256"])
    done = plan(desk(), sha256=sha256, budget={"max_loss": 0.01}, threads=1, seconds=5.0, only=("to_onnx",))
    report = desk().get(Report, done["report"])
    assert report is not None
    found = next(one for one in report.recommendation.tried if one.variant_id)
    ratio = found.latency_ratio
    value = found.ruled_out or "not timed" if ratio is None else f"time {ratio.mid:.3f} of PyTorch's, loss {found.loss}"
    return Row(what="to_onnx on mlp (TorchScript)", value=value, limit="applied", passed=ratio is not None)


def _trials(shape: str) -> tuple[Trials, Question]:
    sha256 = taken(shape)
    model, source = kept_model(desk(), sha256)
    data = data_file(desk().home, sha256)
    question = Question(
        model=model, source=source, machine=machine(), budget=Budget(), data=data if data.exists() else None,
        shapes=dict(model.shapes), threads=1, seconds=SECONDS,
    )  # fmt: skip
    return Trials(desk(), question), question


def _applied(trials: Trials, question: Question, technique: Technique) -> Row:
    """The technique's first option that does something made, timed and compared: the ratio and the loss; or the
    sentence that says no, of the last option."""
    if (reason := technique.refuses(question.model, question.machine)) is not None:
        return Row(what="", value=f"refuses: {reason}")
    before = None
    if technique.NAME in PRUNED_FIRST:
        before = trials.make(titled("magnitude", {"sparsity_frac": 0.8, "scope": "global"}), None, MAKE_S)
    for option in technique.options(question.model, question.machine):
        made = trials.make(titled(technique.NAME, option), before, MAKE_S)
        if made.failed is None:
            break
    else:
        return Row(what="", value=f"refuses: {made.failed}")
    found = trials.screen([made])[made.id]
    if isinstance(found, str):
        return Row(what="", value=f"made, but does not run: {found}", passed=False)
    judged = trials.compared([made])[0]
    run, original = found
    numbers = candidate_plan(
        Candidate(
            variant=judged, measured=run, original=original, original_file_bytes=question.model.file_bytes
        ), 95.0,
    )  # fmt: skip
    return _row(judged, numbers)


def _row(judged: Variant, numbers: Plan) -> Row:
    ratio, size, loss = numbers.latency_ratio, numbers.size_ratio, numbers.loss
    if judged.failed is not None or ratio is None or loss is None or size is None:
        return Row(what="", value=f"made and timed, but its answers are wrong: {judged.failed}", passed=False)
    title = " + ".join(step.title for step in judged.steps)
    value = f"{title}: time {ratio.mid:.3f}, file {size:.3f}, loss {loss:.4f}"
    return Row(what="", value=value, passed=True, note="; ".join(judged.notes))
