"""Calibration and evaluation share no sample, as far as there are enough; sorted data leave no class out."""

import numpy as np
import pytest

from advisor import samples
from advisor.apply import calibration_inputs
from data.errors import InputError
from tests import small_models as small


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return small.facts(small.mlp(tmp_path_factory.mktemp("model") / "mlp.onnx"))


def written(folder, count, name="data"):
    """Row i holds i everywhere; its class is i // 10, sorted."""
    file = folder / f"{name}.npz"
    rows = np.repeat(np.arange(count, dtype=np.float32)[:, None], 32, axis=1)
    np.savez(file, x=rows, labels=np.arange(count) // 10)
    return file


def rows(given):
    return [int(row[0]) for call in given.calls for row in call["x"]]


@pytest.mark.parametrize(("count", "calibration"), [(32, 8), (100, 25), (1000, 64)])
def test_the_two_parts_share_nothing_and_lie_evenly(count, calibration):
    parts = samples.cut(count)
    one, other = parts[samples.CALIBRATION], parts[samples.HELD_OUT]
    assert len(one) == calibration and not set(one) & set(other)
    assert sorted(one + other) == list(range(count))
    gaps = np.diff(one)
    assert gaps.max() - gaps.min() <= 1


def test_too_few_are_in_both_parts():
    assert samples.cut(31) is None
    assert samples.cut(100, per_call=51) is None
    assert len(samples.cut(100, per_call=40)[samples.CALIBRATION]) == 40


def test_given_samples_are_cut_and_keep_their_labels(model, tmp_path):
    data = written(tmp_path, 100)
    given, said = calibration_inputs(model, str(data), None, 64)
    held = samples.read(model, data, most=10_000, part=samples.HELD_OUT)
    assert not set(rows(given)) & set(rows(held)) and len(rows(given)) + len(rows(held)) == 100
    assert said == "25 of the given inputs; quality is measured on the others"
    assert {place // 10 for place in rows(given)} == set(range(10)), "a class is left out"
    assert held.source == "held-out" and list(held.labels) == [place // 10 for place in rows(held)]
    assert rows(samples.read(model, data, most=10)) == list(range(10))


def test_few_samples_serve_both_and_it_is_said(model, tmp_path):
    data = written(tmp_path, 20)
    given, said = calibration_inputs(model, str(data), None, 64)
    held = samples.read(model, data, most=10_000, part=samples.HELD_OUT)
    assert rows(given) == rows(held) == list(range(20)) and held.source == "given"
    assert "too few" in said


def test_training_data_calibrate_so_that_all_others_can_judge(model, tmp_path):
    data, training = written(tmp_path, 100), written(tmp_path, 400, "training")
    given, said = calibration_inputs(model, str(data), str(training), 64)
    assert len(rows(given)) == 64 and max(rows(given)) > 300 and "training" in said
    assert calibration_inputs(model, None, None, 64)[1] == "random inputs"


def test_data_that_do_not_fit_are_one_line(model, tmp_path):
    np.savez(tmp_path / "misfit.npz", x=np.zeros((8, 31), dtype=np.float32))
    with pytest.raises(InputError):
        calibration_inputs(model, str(tmp_path / "misfit.npz"), None, 64)


def test_data_that_are_not_finite_are_one_line(model, tmp_path):
    np.savez(tmp_path / "nan.npz", x=np.full((40, 32), np.nan, dtype=np.float32))
    with pytest.raises(InputError) as caught:
        samples.read(model, tmp_path / "nan.npz", most=9)
    assert caught.value.message == 'The given data hold NaN or infinity in "x".'


def test_random_samples_to_calibrate_on_are_never_those_to_judge_by(model):
    calibrated = samples.read(model, None, most=16, seed=0)
    judged = samples.read(model, None, most=64, seed=1)
    assert len(calibrated.calls) == 16 and len(judged.calls) == 64
    seen = {call["x"].tobytes() for call in calibrated.calls}
    assert not seen & {call["x"].tobytes() for call in judged.calls}
