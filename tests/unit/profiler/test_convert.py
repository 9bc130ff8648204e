"""TorchScript and .pt2 become ONNX that answers the same; what cannot is told in one line."""

import pytest
import torch
from torch import nn

from data.errors import InputError
from profiler import convert
from profiler.formats.onnx import FORMAT as ONNX


class Desk:
    def __init__(self, folder):
        self.folder, self.told = folder, []

    def progress(self, done_frac, text):
        self.told.append((done_frac, text))


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 5)).eval()


@pytest.mark.parametrize("format", ["torchscript", "pt2"])
def test_the_onnx_file_answers_as_the_original(format, network, tmp_path):
    image = torch.randn(2, 1, 8, 8)
    if format == "torchscript":
        torch.jit.trace(network, image).save(str(tmp_path / "m"))
    else:
        batch = ({0: torch.export.Dim("batch")},)
        torch.export.save(torch.export.export(network, (image,), dynamic_shapes=batch), tmp_path / "m")
    desk = Desk(tmp_path)
    answer = convert.to_onnx(desk, path=str(tmp_path / "m"), shapes={"input": [1, 1, 8, 8]})
    assert answer["largest_difference"] < 1e-5
    model = ONNX.read(tmp_path / answer["file"], {})
    assert model.inputs[0].name == "input"
    assert isinstance(model.inputs[0].shape[0], str)
    assert model.flop == 2 * (36 * 4 * 9 + 144 * 5)
    assert b"test_convert.py" not in (tmp_path / answer["file"]).read_bytes()  # no path of this machine
    assert desk.told[-1][1] == "comparing the answers"


def test_an_answer_that_differs_is_not_used(network, tmp_path, monkeypatch):
    torch.jit.trace(network, torch.randn(2, 1, 8, 8)).save(str(tmp_path / "m"))
    monkeypatch.setattr(convert, "TOLERANCE", -1.0)
    with pytest.raises(InputError, match="answers otherwise"):
        convert.to_onnx(Desk(tmp_path), path=str(tmp_path / "m"), shapes={"input": [1, 1, 8, 8]})


def test_what_cannot_be_converted_is_one_line(tmp_path):
    torch.jit.trace(nn.ReLU(), torch.zeros(2, 3)).save(str(tmp_path / "m"))
    with pytest.raises(InputError, match="needs the shape"):
        convert.to_onnx(Desk(tmp_path), path=str(tmp_path / "m"), shapes={})
    torch.save({"w": torch.ones(2)}, tmp_path / "w")
    with pytest.raises(InputError, match="Only TorchScript"):
        convert.to_onnx(Desk(tmp_path), path=str(tmp_path / "w"), shapes={})
