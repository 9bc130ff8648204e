"""The digits example: trained here, the same every time, and as good on held-out digits as it says."""

import numpy as np
import onnxruntime
import pytest
import torch

from profiler.examples import bert, digits
from profiler.inputs import load_npz
from profiler.onnx_graph.model import read_onnx


class Desk:
    def __init__(self, folder):
        self.folder, self.told = folder, []

    def progress(self, done_frac, text):
        self.told.append((done_frac, text))


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    desk = Desk(tmp_path_factory.mktemp("digits"))
    return desk, digits.build(desk)


def test_the_held_out_accuracy_is_real(built):
    desk, told = built
    model = read_onnx(desk.folder / told["model"], {})
    feeds, labels = load_npz(desk.folder / told["data"], model)
    session = onnxruntime.InferenceSession(str(desk.folder / told["model"]))
    scores = session.run(None, feeds)[0]
    assert len(labels) == 540
    assert np.mean(scores.argmax(1) == labels) == pytest.approx(told["accuracy_frac"], abs=1 / 540)
    assert told["accuracy_frac"] > 0.98
    assert desk.told[-1][0] > 0.9


def test_training_again_gives_the_same_weights(built, tmp_path):
    desk, told = built
    again = digits.build(Desk(tmp_path))
    assert again["accuracy_frac"] == told["accuracy_frac"]
    one, two = (torch.load(folder / told["state"]) for folder in (desk.folder, tmp_path))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_the_state_dict_restores_the_module(built):
    desk, told = built
    module = digits.load(desk.folder / told["state"])
    assert sum(parameter.numel() for parameter in module.parameters()) == 90_250
    _, _, images, labels = digits.data()
    assert digits.accuracy(module, images, labels) == told["accuracy_frac"]


def test_held_out_digits_were_never_trained_on():
    train, _, test, _ = digits.data()
    assert (len(train), len(test)) == (1257, 540)
    seen = {image.numpy().tobytes() for image in train}
    assert not any(image.numpy().tobytes() in seen for image in test)


def test_the_large_example_says_that_it_is_random(tmp_path, monkeypatch):
    monkeypatch.setattr(bert, "network", lambda network=bert.network: network(layers=1, width=32, heads=2))
    told = bert.build(Desk(tmp_path))
    assert "random" in told["text"]
    assert (told["accuracy_frac"], told["data"]) == (None, None)
    assert (tmp_path / told["model"]).exists()
