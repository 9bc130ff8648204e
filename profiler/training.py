"""One real training step in the locked child, for models that torch can differentiate, and the memory it took."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from data.errors import InputError
from data.records import from_plain, to_plain
from profiler import jobs
from profiler.measure import Entry, Feed, Peak, feeds_of, resident_bytes, runtime_called
from profiler.profile import Subject, device_lock
from profiler.sandbox import Limits
from profiler.tasks import ChildDesk, task

MODES = ("full", "head")
RATE = 1e-4


def measure_step(desk: jobs.Desk, subject: Subject, feed: Feed, mode: str = "full") -> dict[str, Any]:
    """Bytes beyond the imports after loading, at the peak of a step with Adam, and how many parameters learned.

    `mode` is "full" or "head" (the last layer with parameters). Raises InputError for a format torch does not
    train, and for a model without parameters that can learn. Does not save."""
    if mode not in MODES:
        raise InputError(f"There is no training mode '{mode}'.", hint=f"Choose {' or '.join(MODES)}.")
    if subject.runtime != "torch":
        raise InputError("Only models in torch's own formats can take a training step.", hint="Give a .pt2 file.")
    entry = Entry(label=subject.label, path=str(subject.path), runtime="torch", options={"threads": "1"})
    with device_lock(desk, "cpu"):
        found: dict[str, Any] = desk.task(
            step, {"entry": to_plain(entry), "feed": to_plain(feed), "mode": mode},
            readable=[subject.path, *subject.readable], limits=Limits(),
        )  # fmt: skip
    return found


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
