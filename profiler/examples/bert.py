"""The large example: an encoder of BERT-base's shape with random weights. Its speed is real, its answers are not."""

from typing import TYPE_CHECKING, Any

from profiler.examples.export import to_onnx
from profiler.tasks import ChildDesk, task

if TYPE_CHECKING:
    from torch import Tensor, nn

MODEL = "bert_base_random.onnx"
TOKENS = 128
VOCABULARY, POSITIONS, SEGMENTS = 30_522, 512, 2


@task
def build(desk: ChildDesk) -> dict[str, Any]:
    """Writes bert_base_random.onnx (dynamic batch and sequence) into the job's folder and returns its name."""
    desk.progress(0.1, "drawing random weights")
    module = network()
    desk.progress(0.3, "writing the model")
    export(module, desk.folder / MODEL)
    return {
        "name": "BERT-base, random weights", "model": MODEL, "data": None, "state": None, "accuracy_frac": None,
        "text": "BERT-base's shape with random weights: timing and size are real, accuracy means nothing.",
    }  # fmt: skip


def export(module: "nn.Module", path: Any) -> Any:
    """Writes such an encoder as ONNX, its batch and sequence dynamic."""
    import torch

    ids = torch.ones(2, TOKENS, dtype=torch.int64)
    inputs = {"input_ids": ids, "attention_mask": ids, "token_type_ids": ids}
    return to_onnx(module, inputs, path, axes={name: {0: "batch", 1: "sequence"} for name in inputs})


def network(layers: int = 12, width: int = 768, heads: int = 12, classes: int = 10, seed: int = 0) -> "nn.Module":
    """BERT (Devlin et al. 2018) with pooler and a classifier: 109,489,930 parameters at the usual sizes.

    Attention is written as the two matrix products it is, so that every exporter and counter sees them.
    """
    import torch
    from torch import nn

    class Bert(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(VOCABULARY, width)
            self.positions = nn.Embedding(POSITIONS, width)
            self.segments = nn.Embedding(SEGMENTS, width)
            self.norm = nn.LayerNorm(width, eps=1e-12)
            self.blocks = nn.ModuleList(block(width, heads) for _ in range(layers))
            self.pooler = nn.Linear(width, width)
            self.classifier = nn.Linear(width, classes)

        def forward(self, input_ids: "Tensor", attention_mask: "Tensor", token_type_ids: "Tensor") -> "Tensor":
            places = torch.arange(input_ids.shape[1], device=input_ids.device)
            hidden = self.words(input_ids) + self.positions(places) + self.segments(token_type_ids)
            hidden = self.norm(hidden)
            bias = (1.0 - attention_mask[:, None, None, :].to(hidden.dtype)) * -10_000.0
            for each in self.blocks:
                hidden = each(hidden, bias)
            return self.classifier(torch.tanh(self.pooler(hidden[:, 0])))

    torch.manual_seed(seed)
    module = Bert()
    randomise(module, std=0.02 if width >= 512 else width**-0.5)
    return module.eval()


def randomise(module: "nn.Module", std: float) -> None:
    """Draws every weight anew, normal with `std`; norms get scales around 1 (equal tensors would be stored once)."""
    import torch
    from torch import nn

    with torch.no_grad():
        for part in module.modules():
            for name, parameter in part.named_parameters(recurse=False):
                centre = 1.0 if isinstance(part, nn.LayerNorm) and name == "weight" else 0.0
                parameter.normal_(centre, std)


def block(width: int, heads: int) -> "nn.Module":
    """One encoder layer: self-attention and a feed-forward part of four times the width, normed after each."""
    from torch import nn

    class Block(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
            self.output = nn.Linear(width, width)
            self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
            self.norm_attention, self.norm_output = (nn.LayerNorm(width, eps=1e-12) for _ in range(2))

        def forward(self, hidden: "Tensor", bias: "Tensor") -> "Tensor":
            query, key, value = (
                part(hidden).unflatten(-1, (heads, width // heads)).transpose(1, 2)
                for part in (self.query, self.key, self.value)
            )
            scores = query @ key.transpose(-1, -2) * (width // heads) ** -0.5 + bias
            mixed = (scores.softmax(-1) @ value).transpose(1, 2).flatten(2)
            hidden = self.norm_attention(hidden + self.output(mixed))
            return self.norm_output(hidden + self.down(nn.functional.gelu(self.up(hidden))))

    return Block()
