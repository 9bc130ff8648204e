"""One real training step in the locked child, for models that torch can differentiate, and the memory it took."""

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from data.errors import InputError
from data.records import from_plain, to_plain
from profiler import jobs
from profiler.inputs import filled_shapes
from profiler.kept import kept_model, runtime_for
from profiler.machine import machine
from profiler.measure import Entry, Feed, Peak, feeds_of, resident_bytes, runtime_called
from profiler.profile import Subject, device_lock
from profiler.run_types import TrainingStep
from profiler.sandbox import Limits
from profiler.tasks import ChildDesk, procedure, task
from profiler.types import Workload

MODES = ("full", "head")
RATE = 1e-4


@procedure
def train_kept(
    desk: jobs.Desk, *, sha256: str, modes: Sequence[str] = MODES,
    shapes: Mapping[str, Sequence[int]] | None = None, batch_size: int = 1,
) -> dict[str, Any]:  # fmt: skip
    """Real training steps of a kept model in each mode; saved, {"steps": their ids}. Raises as `measure_step` does."""
    model, file = kept_model(desk, sha256)
    if model.cannot_run:
        raise InputError(model.cannot_run)
    subject = Subject(path=file, model_sha256=sha256, runtime=runtime_for(model.format), readable=(file.parent,))
    filled = filled_shapes(model.inputs, dict(shapes or model.shapes), batch_size)
    feed, found = Feed(model=model, shapes=filled, batch_size=batch_size), []
    for number, mode in enumerate(modes):
        with desk.span(number / len(modes), (number + 1) / len(modes)):
            found.append(measure_step(desk, subject, feed, mode))
            desk.save(found[-1])
    return {"steps": [step.id for step in found], "sha256": sha256}


def measure_step(desk: jobs.Desk, subject: Subject, feed: Feed, mode: str = "full") -> TrainingStep:
    """What real steps with Adam take beyond the imports, and how many parameters learned.

    `mode` is "full" or "head" (the last layer with parameters). Raises InputError for a format torch does not
    train, and for a model without parameters that can learn. Does not save."""
    if mode not in MODES:
        raise InputError(f"There is no training mode '{mode}'.", hint=f"Choose {' or '.join(MODES)}.")
    if subject.runtime != "torch":
        raise InputError(
            "Only models in torch's own formats can take a training step.", hint="Give a .pt2 or TorchScript file."
        )
    entry = Entry(label=subject.label, path=str(subject.path), runtime="torch", options={"threads": "1"})
    with device_lock(desk, "cpu"):
        found: dict[str, Any] = desk.task(
            step, {"entry": to_plain(entry), "feed": to_plain(feed), "mode": mode},
            readable=[subject.path, *subject.readable], limits=Limits(),
        )  # fmt: skip
    called = Workload(batch_size=feed.batch_size, shapes=dict(feed.shapes), scenario="training step")
    return TrainingStep(
        id=uuid.uuid4().hex, created_at=jobs.now(), model_sha256=subject.model_sha256,
        fingerprint=machine().fingerprint, mode=mode, workload=called, **found | {"notes": tuple(found["notes"])},
    )  # fmt: skip


@task
def step(desk: ChildDesk, *, entry: Mapping[str, Any], feed: Mapping[str, Any], mode: str) -> dict[str, Any]:
    """{"load_bytes", "peak_bytes", "trained_count", "parameter_count", "notes"} of two steps: the second one has the
    optimizer's state."""
    import torch

    what = from_plain(Entry, entry)
    feeds = feeds_of(from_plain(Feed, feed))
    runtime = runtime_called("torch")
    _learn(torch.nn.Linear(1, 1), [torch.zeros(1, 1)], "full")  # imports what a step imports
    with Peak() as peak:
        session: Any = runtime.load(Path(what.path), what.options)
        load_bytes = resident_bytes() - peak.baseline_bytes
        desk.progress(0.5, "Training one step")
        learning = _learn(session.module, session.arguments(feeds), mode)
    return {
        "load_bytes": max(0, load_bytes), "peak_bytes": peak.peak_bytes, "notes": peak.notes,
        "trained_count": sum(parameter.numel() for parameter in learning),
        "parameter_count": sum(parameter.numel() for parameter in session.module.parameters()),
    }  # fmt: skip


def trained(parameters: Sequence[tuple[str, Any]], mode: str) -> list[Any]:
    """The parameters that learn, switched on, all others off: all floating ones, or those of the last module that has
    any. Raises InputError where there is none."""
    able = [(name, value) for name, value in parameters if value.is_floating_point()]
    if not able:
        raise InputError("The model has no parameters that can learn.", hint="Export it with parameters.")
    last = able[-1][0].rpartition(".")[0]
    chosen = [value for name, value in able if mode == "full" or name.rpartition(".")[0] == last]
    for _, value in parameters:
        value.requires_grad_(any(value is one for one in chosen))
    return chosen


def _learn(module: Any, arguments: Sequence[Any], mode: str) -> list[Any]:
    """Two steps of Adam; the parameters that learned."""
    import torch

    learning = trained(list(module.named_parameters()), mode)
    optimizer = torch.optim.Adam(learning, lr=RATE)
    for _ in range(2):
        optimizer.zero_grad(set_to_none=True)
        _loss(module(*arguments)).backward()
        optimizer.step()
    return learning


def _loss(outputs: Any) -> Any:
    """The mean square of every floating output: any number that depends on all of them."""
    from profiler.runtimes.torch import named

    values = [value for _, value in named(outputs) if value.is_floating_point()]
    return sum(value.square().mean() for value in values)
