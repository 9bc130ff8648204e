"""Layers of torch modules, heard on fake tensors: the nine shapes, fused attention, recurrence, looked-up ids."""

import make_models
import pytest
import torch
from closed_forms import CLOSED_FORMS, PARAMETERS
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional

from profiler.torch_graph.layers import trace


@pytest.mark.parametrize("name", make_models.SHAPES)
def test_the_nine_shapes_agree_with_their_closed_forms(name):
    with FakeTensorMode():  # no weight is really made
        module = make_models.network(name).eval()
    traced = trace(module, lambda: make_models.example(name, batch=1), positional=True)
    summary = traced.summary
    assert summary.flop == CLOSED_FORMS[name]()
    assert sum(layer.parameter_count for layer in summary.layers) == PARAMETERS[name]
    assert len({layer.name for layer in summary.layers}) == len(summary.layers)
    assert summary.notes == ()
    if name == "bert_base":
        assert traced.upper_bounds == {"input_ids": 30_522, "token_type_ids": 2}
        assert any(layer.name == "blocks.11.down.addmm" for layer in summary.layers)


class Calls(nn.Module):
    def __init__(self, call):
        super().__init__()
        self.call = call

    def forward(self, *inputs):
        return self.call(*inputs)


def heard(call, **shapes):
    return trace(Calls(call), lambda: {name: torch.zeros(shape) for name, shape in shapes.items()}, positional=True)


def test_fused_attention_counts_both_products():
    shape = (2, 4, 10, 16)
    fused = heard(functional.scaled_dot_product_attention, q=shape, k=(2, 4, 12, 16), v=(2, 4, 12, 8)).summary
    assert fused.flop == 2 * 2 * 4 * 10 * 12 * (16 + 8)


def test_convolutions_with_groups_dilation_and_transposed():
    def call(x, w, v):
        y = functional.conv2d(x, w, groups=2, dilation=2, padding=2)
        return functional.conv_transpose2d(y, v, stride=2)

    summary = heard(call, x=(1, 4, 8, 8), w=(6, 2, 3, 3), v=(6, 3, 2, 2)).summary
    assert [layer.flop for layer in summary.layers if layer.flop] == [2 * 64 * 6 * 2 * 9, 2 * 64 * 6 * 3 * 4]


@pytest.mark.parametrize(("kind", "gates"), [(nn.LSTM, 4), (nn.GRU, 3), (nn.RNN, 1)])
def test_recurrent_layers(kind, gates):
    module = kind(5, 6, num_layers=2, bidirectional=True, batch_first=True).eval()
    summary = trace(module, lambda: {"x": torch.zeros(3, 7, 5)}, positional=True).summary
    first, second = 2 * gates * 6 * (5 + 6), 2 * gates * 6 * (12 + 6)
    assert summary.flop == 2 * 3 * 7 * (first + second)
    assert sum(layer.parameter_count for layer in summary.layers) == sum(p.numel() for p in module.parameters())


def test_einsum_is_counted_as_the_products_it_becomes():
    summary = heard(lambda a, b: torch.einsum("bhqd,bhkd->bhqk", a, b), a=(2, 3, 4, 5), b=(2, 3, 6, 5)).summary
    assert summary.flop == 2 * 2 * 3 * 4 * 6 * 5


def test_the_peak_holds_a_known_intermediate():
    def call(x):
        return x.expand(64, 1 << 20).clone().sum()  # 64 Mi numbers: 256 MiB

    assert heard(call, x=(1, 1 << 20)).summary.peak_activation_bytes == (4 << 20) + (256 << 20) + 4


def test_bytes_of_a_linear_layer():
    module = nn.Linear(8, 4)
    summary = trace(module, lambda: {"x": torch.zeros(2, 8)}, positional=True).summary
    (layer,) = summary.layers
    assert (layer.weight_bytes, layer.read_bytes, layer.written_bytes) == (4 * 36, 4 * 16, 4 * 8)
    assert (layer.parameter_count, layer.dims) == (36, {"batch": 1, "m": 2, "n": 4, "k": 8})
