"""Quality: hand-computed agreement, the paired drop in accuracy, and the task over small models."""

import math

import numpy as np
import onnx
import pytest
import small_models as small
from onnx import numpy_helper

from advisor import agreement, closeness, quality
from advisor.types import Quality
from data.errors import InputError
from data.records import from_plain, to_plain


class Desk:
    def __init__(self, folder):
        self.folder = folder

    def progress(self, done_frac, text):
        assert 0.0 <= done_frac <= 1.0 and text


def test_agreement_of_two_vectors_by_hand():
    sums = agreement.Sums()
    sums.add(np.array([[3.0, 4.0]], np.float32), np.array([[3.0, 3.0]], np.float32))
    found = sums.result()
    # dot 9 + 12 = 21; lengths 5 and sqrt 18; error (0, 1); both name class ... 4 > 3, a tie names the first
    assert found["cosine"] == pytest.approx(21 / (5 * math.sqrt(18)))
    assert found["snr_db"] == pytest.approx(10 * math.log10(25 / 1))
    assert found["top1_agreement"] == 0.0
    first = 1 / (1 + math.e)  # softmax of (3, 4) is (first, 1 - first), of (3, 3) is (1/2, 1/2)
    wanted = first * math.log(first / 0.5) + (1 - first) * math.log((1 - first) / 0.5)
    assert found["kl_divergence"] == pytest.approx(wanted)


def test_kl_takes_probabilities_as_they_are():
    rows, others = np.array([[0.5, 0.5]]), np.array([[0.25, 0.75]])
    wanted = 0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75)
    assert agreement.kl_divergence(rows, others)[0] == pytest.approx(wanted)


def test_probabilities_that_rounding_left_off_one_are_probabilities_still():
    """Of (0.9, 0.1) and (0.8, 0.1), which is (8/9, 1/9); taken as scores the second would be (0.67, 0.33)."""
    rows, rounded = np.array([[0.9, 0.1]]), np.array([[0.8, 0.1]])
    wanted = 0.9 * math.log(0.9 / (8 / 9)) + 0.1 * math.log(0.1 / (1 / 9))
    assert agreement.kl_divergence(rows, rounded)[0] == pytest.approx(wanted, rel=1e-9)


def test_perfect_and_dead_variants():
    same = agreement.Sums()
    same.add(np.ones((2, 3), np.float32), np.ones((2, 3), np.float32))
    assert (same.result()["cosine"], same.result()["snr_db"]) == (1.0, agreement.PERFECT_DB)
    dead = agreement.Sums()
    dead.add(np.ones((2, 3), np.float32), np.zeros((2, 3), np.float32))
    assert (dead.result()["cosine"], dead.result()["snr_db"]) == (0.0, 0.0)


def test_paired_drop_in_accuracy():
    before = np.array([True] * 95 + [False] * 5)
    after = before.copy()
    after[:3] = False  # three answers lost, none won
    drop = agreement.accuracy_drop(before, after)
    assert drop.mid == pytest.approx(0.03)
    assert drop.low < 0.03 < drop.high and drop.low > -0.01 and drop.high < 0.09
    unchanged = agreement.accuracy_drop(before, before)
    assert (unchanged.mid == 0 and unchanged.low == 0 == unchanged.high) or unchanged.low < 0 < unchanged.high


def test_the_drop_interval_covers_the_truth():
    generator = np.random.default_rng(0)
    covered = 0
    for _ in range(300):
        before = generator.random(200) < 0.9
        after = np.where(generator.random(200) < 0.08, ~before, before)
        truth = 0.9 - (0.9 * 0.92 + 0.1 * 0.08)
        drop = agreement.accuracy_drop(before, after)
        covered += drop.low <= truth <= drop.high
    assert 0.92 <= covered / 300 <= 0.995


def entry(label, path):
    return {"label": label, "path": str(path), "runtime": "onnxruntime", "runtime_options": {}}


def scaled(path, source, factor):
    """The same model with its last weight multiplied."""
    proto = onnx.load(source)
    tensor = next(each for each in proto.graph.initializer if each.name == "w2")
    tensor.CopyFrom(numpy_helper.from_array((numpy_helper.to_array(tensor) * factor).astype(np.float32), "w2"))
    onnx.save(proto, path)
    return path


def test_compare_on_labels_and_on_random_inputs(tmp_path):
    path = small.mlp(tmp_path / "mlp.onnx")
    model = small.facts(path)
    call = small.feeds(model, calls=1, batch=50)[0]
    right = small.outputs(path, call)["y"].argmax(-1)
    labels = right.copy()
    labels[:5] = (labels[:5] + 1) % 10  # the original is right on 45 of 50
    np.savez(tmp_path / "data.npz", x=call["x"], labels=labels)
    flipped = scaled(tmp_path / "flipped.onnx", path, -1.0)
    expected = float((small.outputs(flipped, call)["y"].argmax(-1) == labels).mean())
    found = quality.compare(
        Desk(tmp_path), original=entry("original", path), model=to_plain(model), data=str(tmp_path / "data.npz"),
        variants=[entry("same", path), entry("flipped", flipped)],
    )  # fmt: skip
    assert found["same"]["accuracy_before"] == found["same"]["accuracy_after"] == 0.9
    assert found["same"]["kind"] == "accuracy" and found["same"]["samples"] == 50 and not found["same"]["warning"]
    assert found["flipped"]["accuracy_after"] == pytest.approx(expected) and expected < 0.5
    assert found["flipped"]["accuracy_drop"]["low"] > 0
    drawn = quality.compare(
        Desk(tmp_path), original=entry("original", path), model=to_plain(model), variants=[entry("same", path)]
    )
    assert drawn["same"]["kind"] == "agreement" and drawn["same"]["warning"] and drawn["same"]["cosine"] == 1.0
    assert drawn["same"]["inputs"] == "random" and drawn["same"]["accuracy_before"] is None


def test_a_variant_that_cannot_run_does_not_stop_the_others(tmp_path):
    path = small.mlp(tmp_path / "mlp.onnx")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(path.read_bytes()[:100])
    found = quality.compare(
        Desk(tmp_path), original=entry("original", path), model=to_plain(small.facts(path)),
        variants=[entry("broken", broken), entry("same", path)],
    )  # fmt: skip
    assert found["broken"]["error"] and found["same"]["cosine"] == 1.0


def test_nan_in_the_original_is_one_line(tmp_path):
    path = small.not_a_number(tmp_path / "nan.onnx")
    with pytest.raises(InputError, match="The model itself answers NaN"):
        quality.compare(
            Desk(tmp_path), original=entry("original", path), model=to_plain(small.facts(path)), variants=[]
        )


def test_wilsons_interval_is_scipys():
    from scipy.stats import binomtest

    for right, count in ((0, 10), (7, 10), (10, 10), (531, 540)):
        known = binomtest(right, count).proportion_ci(0.95, "wilson")
        assert agreement.wilson(right, count) == pytest.approx((known.low, known.high), abs=1e-12)


def test_what_always_the_same_answer_would_be_worth():
    """Mean (10, 0), spread 1 in the first place: of squares 10 x 101 + 10 x 0 the mean explains 1,000 of 1,010."""
    sums = agreement.Sums()
    for number in range(10):
        values = np.array([[9.0 if number % 2 else 11.0, 0.0]])
        sums.add(values, values)
    squares, spread = 5 * 81.0 + 5 * 121.0, 10.0 / 9
    assert sums.result()["constant_cosine"] == pytest.approx(math.sqrt((1000 - spread) / squares))
    assert squares == 1010.0


def test_of_few_samples_or_of_other_shapes_it_is_not_known():
    few, odd, zero = agreement.Sums(), agreement.Sums(), agreement.Sums()
    for number in range(agreement.FEWEST_SAMPLES - 1):
        few.add(np.full((1, 2), number + 1.0), np.ones((1, 2)))
    for number in range(20):
        odd.add(np.ones((1, number + 1)), np.ones((1, number + 1)))
        zero.add(np.zeros((1, 2)), np.zeros((1, 2)))
    assert few.result()["constant_cosine"] is None
    assert odd.result()["constant_cosine"] is None
    assert zero.result()["constant_cosine"] is None


def test_an_answer_of_noise_about_zero_is_worth_nothing_when_it_is_always_the_same():
    sums, draw = agreement.Sums(), np.random.default_rng(0)
    for _ in range(64):
        values = draw.standard_normal((1, 100))
        sums.add(values, values)
    assert sums.result()["constant_cosine"] < 0.1


def test_a_model_that_answers_with_class_numbers_alone_is_judged_by_those_that_differ(tmp_path):
    path = small.named_class(small.mlp(tmp_path / "mlp.onnx"))
    model, flipped = small.facts(path), scaled(tmp_path / "flipped.onnx", path, -1.0)
    found = quality.compare(
        Desk(tmp_path), original=entry("original", path), model=to_plain(model),
        variants=[entry("same", path), entry("flipped", flipped)],
    )  # fmt: skip
    same, other = (from_plain(Quality, found[name]) for name in ("same", "flipped"))
    assert same.loss == 0.0 and same.cosine is None
    assert other.loss > 0.5
    assert closeness.what(other).startswith("The share of answers that differ")
    assert closeness.sentence(same) == "100 % of the answers are the same on 64 random inputs."


def test_a_selection_of_another_length_is_told_as_such(tmp_path):
    """Of ten numbers the positive ones: how many there are differs between the original and its mirror image."""
    path = small.positives(small.mlp(tmp_path / "mlp.onnx"))
    flipped = scaled(tmp_path / "flipped.onnx", path, -1.0)
    found = quality.compare(
        Desk(tmp_path), original=entry("original", path), model=to_plain(small.facts(path)),
        variants=[entry("same", path), entry("flipped", flipped)],
    )  # fmt: skip
    assert found["same"]["cosine"] == 1.0
    assert "another length" in found["flipped"]["error"] and "NonMaxSuppression" in found["flipped"]["hint"]


def test_a_single_logit_is_a_probability_only_where_all_of_the_originals_are(tmp_path):
    """One sample a call: a logit of 0.3 alone looks like a probability below one half, and names its class."""
    labels = np.array([True, True, False, True])
    logits = [np.array([[value]], np.float32) for value in (0.3, 2.0, -1.0, 0.1)]
    assert quality._accuracy(labels, logits, logits)[:2] == (1.0, 1.0)
    shares = [np.array([[value]], np.float32) for value in (0.7, 0.9, 0.3, 0.6)]
    moved = [np.array([[value]], np.float32) for value in (0.7, 0.9, -0.01, 0.4)]  # a variant may leave 0..1
    assert quality._accuracy(labels, shares, moved)[:2] == (1.0, 0.75)
