"""Data to train on and data to judge by: never the same samples."""

import numpy as np
import pytest

from data.errors import InputError
from data.home import home
from profiler.intake import data_file, take_in, training_file
from profiler.jobs import Desk
from profiler.kept_data import check_apart, take_data, take_training
from profiler.types import Model
from tests import small_models
from tests.fakes import Keeper


@pytest.fixture
def kept(tmp_path):
    """(desk, model, a function that writes an .npz of these rows of 200 different samples)."""
    desk = Desk(home(), Keeper(), lambda done_frac, text: None)
    sha256 = take_in(desk, path=str(small_models.mlp(tmp_path / "mlp.onnx")))["sha256"]
    every = np.random.default_rng(0).standard_normal((200, 32)).astype(np.float32)

    def write(name, rows, labels=True):
        classes = {"labels": np.arange(200)[rows] % 10} if labels else {}
        np.savez(tmp_path / name, x=every[rows], **classes)
        return str(tmp_path / name)

    return desk, desk.get(Model, sha256), write


def rows(path):
    with np.load(path) as stored:
        return {row.tobytes() for row in stored["x"]}, stored["labels"]


def test_a_labelled_file_is_split_into_halves_of_every_class(kept):
    desk, model, write = kept
    told = take_data(desk, sha256=model.sha256, path=write("all.npz", slice(0, 200)), split=True)
    assert told == {"sha256": model.sha256, "samples": 100, "labels": True, "trained": 100}
    (judged, labels) = rows(data_file(home(), model.sha256))
    (trained, others) = rows(training_file(home(), model.sha256))
    assert not judged & trained and len(judged | trained) == 200
    assert np.bincount(labels).tolist() == np.bincount(others).tolist() == [10] * 10
    assert check_apart(desk, model, data_file(home(), model.sha256)) == 100


def test_the_same_split_always(kept):
    desk, model, write = kept
    found = []
    for _ in range(2):
        take_data(desk, sha256=model.sha256, path=write("all.npz", slice(0, 200)), split=True)
        found.append(rows(training_file(home(), model.sha256))[0])
    assert found[0] == found[1]


def test_a_sample_in_both_is_refused_with_their_number(kept):
    desk, model, write = kept
    take_training(desk, sha256=model.sha256, path=write("train.npz", slice(0, 120)))
    with pytest.raises(InputError, match=r"^20 samples are in both"):
        take_data(desk, sha256=model.sha256, path=write("test.npz", slice(100, 200)))
    assert not data_file(home(), model.sha256).exists()
    take_data(desk, sha256=model.sha256, path=write("test.npz", slice(120, 200)))
    with pytest.raises(InputError, match=r"^1 samples are in both"):
        take_training(desk, sha256=model.sha256, path=write("more.npz", slice(0, 121)))


def test_what_cannot_be_split_is_one_line(kept):
    desk, model, write = kept
    with pytest.raises(InputError, match="Only labelled"):
        take_data(desk, sha256=model.sha256, path=write("bare.npz", slice(0, 200), labels=False), split=True)
    with pytest.raises(InputError, match="63 samples are too few"):
        take_data(desk, sha256=model.sha256, path=write("few.npz", slice(0, 63)), split=True)
    assert not training_file(home(), model.sha256).exists()
