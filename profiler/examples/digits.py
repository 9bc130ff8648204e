"""The real example: a small convolutional network trained here on scikit-learn's 1,797 handwritten digits.

Its held-out accuracy is real, so what a compression costs can be seen. Training is deterministic (fixed seeds,
one thread) and takes seconds.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from profiler.examples.export import to_onnx
from profiler.tasks import ChildDesk, task

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

EPOCHS = 12
BATCH = 64
HELD_OUT_FRAC = 0.3
MODEL, TEST, STATE, TRAINING = "digits_cnn.onnx", "digits_test.npz", "digits_cnn.pth", "digits_training.npz"


@task
def build(desk: ChildDesk) -> dict[str, Any]:
    """Trains the network and writes into the job's folder: digits_cnn.onnx (dynamic batch), digits_test.npz (the
    held-out images as `image`, and `labels`), digits_training.npz (those it was trained on) and digits_cnn.pth (its
    state dict). Returns their names and the held-out accuracy (0..1)."""
    import numpy as np
    import torch

    train_x, train_y, test_x, test_y = data()
    torch.manual_seed(0)
    module = train(network(), train_x, train_y, EPOCHS, report=desk.progress)
    accuracy_frac = accuracy(module, test_x, test_y)
    to_onnx(module, {"image": test_x[:2]}, desk.folder / MODEL, axes={"image": {0: "batch"}})
    np.savez_compressed(desk.folder / TEST, image=test_x.numpy(), labels=test_y.numpy())
    np.savez_compressed(desk.folder / TRAINING, image=train_x.numpy(), labels=train_y.numpy())
    torch.save(module.state_dict(), desk.folder / STATE)
    return {
        "name": "digits CNN", "model": MODEL, "data": TEST, "state": STATE, "training": TRAINING,
        "accuracy_frac": accuracy_frac,
        "text": "A small CNN trained here on 1,257 handwritten digits; its accuracy is measured on 540 others.",
    }  # fmt: skip


def network(widths: tuple[int, int, int, int] = (32, 64, 64, 128)) -> "nn.Module":
    """Three convolutions with batch norms and two linear layers (90,250 parameters at the usual widths); 8x8 grey
    images in, 10 scores out."""
    from torch import nn

    first, second, third, hidden = widths
    return nn.Sequential(
        nn.Conv2d(1, first, 3, padding=1), nn.BatchNorm2d(first), nn.ReLU(),
        nn.Conv2d(first, second, 3, padding=1), nn.BatchNorm2d(second), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(second, third, 3, padding=1), nn.BatchNorm2d(third), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(third * 4, hidden), nn.ReLU(), nn.Linear(hidden, 10),
    )  # fmt: skip


def load(path: Path) -> "nn.Module":
    """The trained network of a state dict written by `build`."""
    import torch

    module = network()
    module.load_state_dict(torch.load(path, weights_only=True))
    return module.eval()


def data() -> "tuple[Tensor, Tensor, Tensor, Tensor]":
    """Training images and labels, held-out images and labels: pixels 0..1 as n x 1 x 8 x 8, the same split always."""
    import torch
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    images = (digits.images / 16.0).astype("float32")[:, None]
    split = train_test_split(images, digits.target, test_size=HELD_OUT_FRAC, random_state=0, stratify=digits.target)
    train_x, test_x, train_y, test_y = (torch.from_numpy(part) for part in split)
    return train_x, train_y.long(), test_x, test_y.long()


def train(
    module: "nn.Module",
    images: "Tensor",
    labels: "Tensor",
    epochs: int,
    *,
    learning_rate: float = 4e-3,
    seed: int = 0,
    report: "Callable[[float, str], None]" = lambda done_frac, text: None,
) -> "nn.Module":
    """Trains in place with Adam under a one-cycle rate; the same start gives the same network on every call."""
    import torch
    from torch.nn import functional

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # sums in another order would train another network
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(module.parameters(), lr=learning_rate, weight_decay=1e-2)
    steps = epochs * -(-len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=learning_rate, total_steps=steps)
    module.train()
    for epoch in range(epochs):
        for chosen in torch.randperm(len(images), generator=generator).split(BATCH):
            loss = functional.cross_entropy(module(images[chosen]), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        report((epoch + 1) / (epochs + 1), f"training, pass {epoch + 1} of {epochs}")
    torch.set_num_threads(threads)
    return module.eval()


def accuracy(module: "nn.Module", images: "Tensor", labels: "Tensor") -> float:
    """Share of images whose highest score is their label."""
    import torch

    with torch.no_grad():
        return float((module.eval()(images).argmax(1) == labels).float().mean())
