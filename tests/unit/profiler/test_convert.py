"""TorchScript and .pt2 become ONNX that answers the same; what cannot is told in one line."""

import dataclasses

import pytest
import torch
from torch import nn

from data.errors import InputError
from profiler import convert
from profiler.formats.onnx import FORMAT as ONNX
from profiler.inspect import recognise


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 5)).eval()


def exported(path, shapes, progress=lambda done_frac, text: None):
    model = recognise(path).read(path, {name: tuple(shape) for name, shape in shapes.items()})
    return convert.to_onnx(path, model, model.shapes, path.parent, progress)


def traced(module, path, *example):
    torch.jit.trace(module, example).save(str(path))
    return path


@pytest.mark.parametrize("format", ["torchscript", "pt2"])
def test_the_onnx_file_answers_as_the_original(format, network, tmp_path):
    image, told = torch.randn(2, 1, 8, 8), []
    if format == "torchscript":
        traced(network, tmp_path / "m", image)
    else:
        batch = ({0: torch.export.Dim("batch")},)
        torch.export.save(torch.export.export(network, (image,), dynamic_shapes=batch), tmp_path / "m")
    made = exported(tmp_path / "m", {"input": [1, 1, 8, 8]}, lambda done_frac, text: told.append(text))
    assert made.largest_difference < 1e-5 and made.cosine > 0.999999
    assert made.other_shapes and made.fixed == ()
    model = ONNX.read(made.file, {})
    assert model.inputs[0].name == "input"
    assert isinstance(model.inputs[0].shape[0], str)
    assert model.flop == 2 * (36 * 4 * 9 + 144 * 5)
    assert b"test_convert.py" not in made.file.read_bytes()  # no path of this machine
    assert told[-1] == "Comparing the answers"


def test_a_batch_that_was_built_in_stays_fixed(tmp_path):
    class Flat(nn.Module):
        def forward(self, x):
            return (x + torch.arange(2.0).unsqueeze(1)).sum(1)

    path = traced(Flat(), tmp_path / "m", torch.randn(2, 3))
    made = exported(path, {"x": [2, 3]})
    assert made.fixed == ("batch",) and not made.other_shapes
    assert ONNX.read(made.file, {}).inputs[0].shape == (2, 3)


def test_ids_and_mask_keep_their_names_and_their_open_axes(tmp_path):
    class Tokens(nn.Module):
        def __init__(self):
            super().__init__()
            self.table, self.out = nn.Embedding(11, 4), nn.Linear(4, 3)

        def forward(self, ids, attention_mask):
            return self.out(self.table(ids) * attention_mask.unsqueeze(-1)), attention_mask.sum(1)

    path = tmp_path / "m"
    torch.jit.script(Tokens().eval()).save(str(path))
    made = exported(path, {"ids": [1, 6], "attention_mask": [1, 6]})
    found = ONNX.read(made.file, {})
    assert [tensor.name for tensor in found.inputs] == ["ids", "attention_mask"]
    assert found.inputs[0].upper_bound == 11
    assert [tensor.name for tensor in found.outputs] == ["output_0", "output_1"]
    assert made.other_shapes


def test_an_answer_that_differs_is_not_used(network, tmp_path, monkeypatch):
    traced(network, tmp_path / "m", torch.randn(2, 1, 8, 8))
    monkeypatch.setattr(convert, "TOLERANCE", -1.0)
    with pytest.raises(InputError, match="answers otherwise"):
        exported(tmp_path / "m", {"input": [1, 1, 8, 8]})


def test_a_model_that_answers_nan_is_told_as_such(tmp_path):
    class Nan(nn.Module):
        def forward(self, x):
            return torch.log(-x.abs() - 1)

    with pytest.raises(InputError, match="itself answers NaN"):
        exported(traced(Nan(), tmp_path / "m", torch.zeros(2, 3)), {"x": [1, 3]})


def test_what_cannot_be_converted_is_one_line(tmp_path):
    with pytest.raises(InputError, match="needs the shape"):
        exported(traced(nn.ReLU(), tmp_path / "m", torch.zeros(2, 3)), {})
    torch.save({"w": torch.ones(2)}, tmp_path / "w")
    with pytest.raises(InputError, match="Only TorchScript"):
        exported(tmp_path / "w", {})


def test_an_operator_the_exporter_does_not_know_is_one_line(tmp_path):
    class Odd(nn.Module):
        def forward(self, x):
            return torch.linalg.svd(x)[1]

    path = traced(Odd(), tmp_path / "m", torch.randn(3, 3))
    model = recognise(path).read(path, {"x": (3, 3)})
    model = dataclasses.replace(model, inputs=(dataclasses.replace(model.inputs[0], shape=(3, 3)),))
    with pytest.raises(InputError, match="cannot be exported to ONNX") as caught:
        convert.to_onnx(path, model, {"x": [3, 3]}, tmp_path)
    assert "\n" not in caught.value.message
