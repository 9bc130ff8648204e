"""The nine model shapes of the benchmarks, built in code with random weights, and written as ONNX.

`onnx_file(name, folder)` writes a model once and hands back the file; `SHAPES` lists the names. Parameters of the
torch modules: mlp 99,530; digits_cnn 90,250; mobilenetv2 3,504,872; resnet50 25,557,032; vit_s 22,050,664;
lstm 3,467,364; dlrm 33,779,521; bert_base 109,489,930; gpt2_small 124,439,808.
"""

from __future__ import annotations

from itertools import combinations, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from profiler.examples import bert, digits
from profiler.examples.export import to_onnx

if TYPE_CHECKING:
    from torch import Tensor, nn

SHAPES = ("mlp", "digits_cnn", "mobilenetv2", "resnet50", "vit_s", "lstm", "dlrm", "bert_base", "gpt2_small")
SMALL = ("mlp", "digits_cnn", "mobilenetv2", "lstm")  # built in a few seconds each
BATCH = {0: "batch"}
TOKENS = {0: "batch", 1: "sequence"}
VOCABULARY, STEPS = 50_257, 64


def network(name: str) -> nn.Module:
    """The torch module of that name as it is drawn; under `torch.device("meta")` its shape alone."""
    builders = {
        "mlp": mlp, "digits_cnn": digits.network, "mobilenetv2": mobilenetv2, "resnet50": resnet50, "vit_s": vit,
        "lstm": lstm, "dlrm": dlrm, "bert_base": bert.network, "gpt2_small": gpt2,
    }  # fmt: skip
    return builders[name]()


def module(name: str) -> nn.Module:
    """The torch module of that name, in eval mode, the same weights on every call."""
    import torch

    torch.manual_seed(0)
    built = network(name)
    if name in ("mobilenetv2", "resnet50", "digits_cnn"):
        settle(built, example(name)["image"])
    return built.eval()


def example(name: str, batch: int = 2, tokens: int = 128) -> dict[str, Tensor]:
    """Inputs of that model by name."""
    import torch

    generator = torch.Generator().manual_seed(1)

    def floats(*shape: int) -> Tensor:
        return torch.randn(batch, *shape, generator=generator)

    def ids(below: int, *shape: int) -> Tensor:
        return torch.randint(0, below, (batch, *shape), generator=generator)

    if name == "mlp":
        return {"features": floats(128)}
    if name == "digits_cnn":
        return {"image": floats(1, 8, 8)}
    if name == "lstm":
        return {"frames": floats(STEPS, 128)}
    if name == "dlrm":
        return {"dense": floats(13), "categories": ids(20_000, 26)}
    if name == "bert_base":
        mask = torch.ones(batch, tokens, dtype=torch.int64)
        return {"input_ids": ids(30_522, tokens), "attention_mask": mask, "token_type_ids": ids(2, tokens)}
    if name == "gpt2_small":
        return {"input_ids": ids(VOCABULARY, tokens)}
    return {"image": floats(3, 224, 224)}


def onnx_file(name: str, folder: Path, *, traced: bool = False) -> Path:
    """The model as ONNX in `folder`, written unless it is there (dynamic batch; dynamic sequence for text). `traced`
    takes torch's older exporter, several times as fast."""
    path = folder / f"{name}.onnx"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        inputs = example(name)
        axes = dict.fromkeys(inputs, TOKENS if name in ("bert_base", "gpt2_small") else BATCH)
        older = traced or name == "lstm"
        to_onnx(module(name), inputs, folder / f"{name}.partial.onnx", axes=axes, traced=older).rename(path)
    return path


def settle(network: nn.Module, images: Tensor) -> None:
    """Gives every batch norm the mean and variance of random images, so that deep random networks keep their scale."""
    import torch
    from torch import nn

    norms = [part for part in network.modules() if isinstance(part, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    with torch.no_grad():
        network.train()(images)
    for norm in norms:
        norm.momentum = 0.1


def mlp() -> nn.Module:
    """128 -> 512 -> 64 -> 10."""
    from torch import nn

    return nn.Sequential(nn.Linear(128, 512), nn.ReLU(), nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 10))


def resnet50() -> nn.Module:
    """He et al. 2015, bottleneck blocks 3-4-6-3 with the stride on the 3x3 convolution."""
    from torch import nn

    class Bottleneck(nn.Module):
        def __init__(self, inside: int, width: int, stride: int) -> None:
            super().__init__()
            self.body = nn.Sequential(
                convolution(inside, width, 1), nn.ReLU(), convolution(width, width, 3, stride), nn.ReLU(),
                convolution(width, 4 * width, 1),
            )  # fmt: skip
            changes = stride != 1 or inside != 4 * width
            self.shortcut = convolution(inside, 4 * width, 1, stride) if changes else nn.Identity()

        def forward(self, x: Tensor) -> Tensor:
            return nn.functional.relu(self.body(x) + self.shortcut(x))

    layers: list[nn.Module] = [convolution(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    inside = 64
    for width, count, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for place in range(count):
            layers.append(Bottleneck(inside, width, stride if place == 0 else 1))
            inside = 4 * width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2048, 1000))


def mobilenetv2() -> nn.Module:
    """Sandler et al. 2018 at width 1: inverted residuals, depthwise 3x3."""
    from torch import nn

    class Inverted(nn.Module):
        def __init__(self, inside: int, outside: int, stride: int, expand: int) -> None:
            super().__init__()
            hidden = inside * expand
            opening = [convolution(inside, hidden, 1), nn.ReLU6()] if expand > 1 else []
            self.body = nn.Sequential(
                *opening, convolution(hidden, hidden, 3, stride, hidden), nn.ReLU6(), convolution(hidden, outside, 1)
            )
            self.adds = stride == 1 and inside == outside

        def forward(self, x: Tensor) -> Tensor:
            return x + self.body(x) if self.adds else self.body(x)

    layers: list[nn.Module] = [convolution(3, 32, 3, 2), nn.ReLU6()]
    inside = 32
    for expand, outside, count, stride in (
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ):  # fmt: skip
        for place in range(count):
            layers.append(Inverted(inside, outside, stride if place == 0 else 1, expand))
            inside = outside
    tail = [convolution(320, 1280, 1), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 1000)]
    return nn.Sequential(*layers, *tail)


def convolution(inside: int, outside: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Module:
    """A convolution without bias and its batch norm."""
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(inside, outside, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(outside)
    )


def vit(layers: int = 12, width: int = 384, heads: int = 6, patch: int = 16) -> nn.Module:
    """Dosovitskiy et al. 2020, size S/16 at 224: 196 patches and a class token, norms before each part."""
    import torch
    from torch import nn

    class Vit(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.patches = nn.Conv2d(3, width, patch, patch)
            self.token = nn.Parameter(torch.zeros(1, 1, width))
            self.places = nn.Parameter(torch.zeros(1, (224 // patch) ** 2 + 1, width))
            self.blocks = nn.Sequential(*(pre_norm_block(width, heads, causal=False) for _ in range(layers)))
            self.norm = nn.LayerNorm(width, eps=1e-6)
            self.head = nn.Linear(width, 1000)

        def forward(self, image: Tensor) -> Tensor:
            x = self.patches(image).flatten(2).transpose(1, 2)
            x = torch.cat((self.token.expand(x.shape[0], -1, -1), x), 1) + self.places
            return self.head(self.norm(self.blocks(x))[:, 0])

    built = Vit()
    bert.randomise(built, std=0.05)
    return built


def gpt2(layers: int = 12, width: int = 768, heads: int = 12) -> nn.Module:
    """Radford et al. 2019, the small size; the output layer shares the table of words."""
    import torch
    from torch import nn

    class Gpt2(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words, self.places = nn.Embedding(VOCABULARY, width), nn.Embedding(1024, width)
            self.blocks = nn.Sequential(*(pre_norm_block(width, heads, causal=True) for _ in range(layers)))
            self.norm = nn.LayerNorm(width)

        def forward(self, input_ids: Tensor) -> Tensor:
            x = self.words(input_ids) + self.places(torch.arange(input_ids.shape[1]))
            return nn.functional.linear(self.norm(self.blocks(x)), self.words.weight)

    built = Gpt2()
    bert.randomise(built, std=0.02)
    return built


def pre_norm_block(width: int, heads: int, *, causal: bool) -> nn.Module:
    """A transformer block with one projection for query, key and value, and norms before attention and after it."""
    import torch
    from torch import nn

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv, self.output = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

        def forward(self, x: Tensor) -> Tensor:
            query, key, value = (
                part.unflatten(-1, (heads, width // heads)).transpose(1, 2)
                for part in self.qkv(self.norm_1(x)).chunk(3, -1)
            )
            scores = query @ key.transpose(-1, -2) * (width // heads) ** -0.5
            if causal:
                places = torch.arange(x.shape[1])
                scores = scores.masked_fill(places[None, :] > places[:, None], -10_000.0)
            x = x + self.output((scores.softmax(-1) @ value).transpose(1, 2).flatten(2))
            return x + self.down(nn.functional.gelu(self.up(self.norm_2(x))))

    return Block()


def lstm() -> nn.Module:
    """Two layers of 512 over 64 frames of 128 numbers; the last step is classified into 100."""
    from torch import nn

    class Lstm(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.LSTM(128, 512, num_layers=2, batch_first=True)
            self.head = nn.Linear(512, 100)

        def forward(self, frames: Tensor) -> Tensor:
            return self.head(self.layers(frames)[0][:, -1])

    return Lstm()


def dlrm(tables: int = 26, rows: int = 20_000, width: int = 64) -> nn.Module:
    """Naumov et al. 2019: 13 numbers and 26 categories, their products pairwise, two small MLPs."""
    import torch
    from torch import nn

    class Dlrm(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tables = nn.ModuleList(nn.Embedding(rows, width) for _ in range(tables))
            self.bottom = stack(13, 512, 256, width)
            self.top = stack(width + tables * (tables + 1) // 2, 512, 256, 1)
            above = [row * (tables + 1) + column for row, column in combinations(range(tables + 1), 2)]
            self.register_buffer("pairs", torch.tensor(above), persistent=False)

        def forward(self, dense: Tensor, categories: Tensor) -> Tensor:
            numbers = self.bottom(dense)
            rows = [table(categories[:, place]) for place, table in enumerate(self.tables)]
            features = torch.stack([numbers, *rows], 1)
            products = (features @ features.transpose(1, 2)).flatten(1).index_select(1, self.pairs)
            return torch.sigmoid(self.top(torch.cat((numbers, products), 1)))

    return Dlrm()


def stack(*widths: int) -> nn.Module:
    """Linear layers of these widths, ReLU between them."""
    from torch import nn

    layers: list[nn.Module] = []
    for inside, outside in pairwise(widths):
        layers += [nn.Linear(inside, outside), nn.ReLU()]
    return nn.Sequential(*layers[:-1])
