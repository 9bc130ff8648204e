"""Fine-tuning a pruned module: labels where given, and always the original's answers as soft targets."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from data.errors import InputError
from profiler import inputs
from profiler.types import Model

BATCH, EPOCHS = 64, 30
LEARNING_RATE = 4e-3
SOFT_SHARE, TEMPERATURE = 0.5, 2.0
MOST_STEPS = 600
MOST_ANSWERS = 1 << 27  # numbers of the original's answers that are kept; of larger ones each batch is asked anew


def fine_tune(
    module: Any,
    teacher: Any,
    model: Model,
    training: Path,
    progress: Callable[[float, str], None],
    seed: int = 0,
) -> str:
    """Trains in place on an .npz (arrays named like the inputs, optional `labels`) with AdamW under a one-cycle rate,
    on the first floating output: cross entropy with the labels, mixed with the KL divergence from the teacher's
    softened answers; where there are no labels, or the output is no row of class scores, the squared distance to the
    teacher's answers. Returns what was done. Raises InputError where the data does not fit."""
    import torch

    feeds, labels = inputs.load_npz(training, model)
    tensors = {name: torch.from_numpy(values) for name, values in feeds.items()}
    wanted = _classes(labels, _soft(teacher, {name: values[:1] for name, values in tensors.items()}))
    count = len(next(iter(feeds.values())))
    epochs = max(1, min(EPOCHS, MOST_STEPS * BATCH // count))
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(1)  # sums in another order would train another network
    optimizer, schedule = _steppers(module, epochs * math.ceil(count / BATCH))
    answers = _answers(teacher, tensors, count)
    first = last = None
    for epoch in range(epochs):
        for chosen in torch.randperm(count, generator=generator).split(BATCH):
            batch = {name: values[chosen] for name, values in tensors.items()}
            target = _soft(teacher, batch) if answers is None else answers[chosen]
            loss = _loss(_scores(module(batch)), target, None if wanted is None else wanted[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            last = float(loss.detach())
            first = last if first is None else first
        progress(0.4 + 0.6 * epoch / epochs, f"Fine-tuning, pass {epoch + 1} of {epochs}")
    if last is None or not math.isfinite(last):
        raise InputError("Fine-tuning did not converge on this data.")
    module.eval()
    kind = "labels and the original's answers" if wanted is not None else "the original's answers"
    return f"Fine-tuned on {count} samples for {epochs} passes with {kind}: loss {first:.2g} to {last:.2g}."


def _steppers(module: Any, steps: int) -> tuple[Any, Any]:
    """The optimizer, and the rate it follows over so many steps."""
    import torch

    optimizer = torch.optim.AdamW(module.parameters(), lr=LEARNING_RATE, weight_decay=1e-4)
    return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=LEARNING_RATE, total_steps=steps)


def _classes(labels: Any, answer: Any) -> Any:
    """The labels as classes of a row of scores; None where there are none, or the answer is no such row."""
    import torch

    if labels is None or answer.ndim != 2 or int(labels.max(initial=0)) >= answer.shape[-1]:
        return None
    return torch.from_numpy(labels).long()


def _scores(outputs: dict[str, Any]) -> Any:
    return next(values for values in outputs.values() if values.is_floating_point())


def _answers(teacher: Any, tensors: dict[str, Any], count: int) -> Any:
    """The original's answers to all samples, asked once and not in every pass; None where they are too many."""
    import torch

    found = []
    for chosen in torch.arange(count).split(BATCH):
        found.append(_soft(teacher, {name: values[chosen] for name, values in tensors.items()}))
        if found[0].numel() * count > MOST_ANSWERS * min(BATCH, count):
            return None
    return torch.cat(found)


def _soft(teacher: Any, batch: dict[str, Any]) -> Any:
    import torch

    with torch.no_grad():
        return _scores(teacher(batch))


def _loss(scores: Any, target: Any, labels: Any) -> Any:
    """With labels as for classes; without, the squared distance to the targets over their own variance."""
    from torch.nn import functional

    if labels is None:
        return functional.mse_loss(scores, target) / target.var(unbiased=False).clamp_min(1e-12)
    soft = functional.kl_div(
        functional.log_softmax(scores / TEMPERATURE, -1), functional.softmax(target / TEMPERATURE, -1),
        reduction="batchmean",
    )  # fmt: skip
    hard = functional.cross_entropy(scores, labels)
    return (1 - SOFT_SHARE) * hard + SOFT_SHARE * soft * TEMPERATURE**2
