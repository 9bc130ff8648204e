"""Sensitivity: a planted layer ranks first, leaving it out recovers the outputs, outlier channels are named."""

import numpy as np
import onnx
import pytest
import small_models as small
from onnx import numpy_helper

from advisor import sensitivity
from advisor.surgery import fake_quant, layers, mixed_precision, onnx_rewrite
from advisor.techniques import Request, techniques
from data.errors import InputError
from data.records import to_plain


class Desk:
    def __init__(self, folder):
        self.folder = folder

    def progress(self, done_frac, text):
        assert 0.0 <= done_frac <= 1.0 and text


def ranked(path, folder, **more):
    return sensitivity.sensitivity(Desk(folder), path=str(path), model=to_plain(small.facts(path)), **more)


def test_weights_come_back_within_half_a_step(tmp_path):
    weight = layers.weights(onnx.load(small.mlp(tmp_path / "mlp.onnx")))[0]
    values = onnx_rewrite.array(weight.tensor)
    eight = fake_quant.quantized_weight(weight, 8)
    step = np.abs(values).max(axis=1, keepdims=True) / 127
    assert (np.abs(eight - values) <= step / 2 * 1.0001).all()
    four = fake_quant.quantized_weight(weight, 4)
    step = (values.max(axis=1, keepdims=True) - values.min(axis=1, keepdims=True)) / 15  # one group of 32 a row
    assert (np.abs(four - values) <= step * 0.5001).all()
    assert all(len(np.unique(row)) <= 16 for row in four)


def test_all_switches_off_is_the_model(tmp_path):
    path = small.cnn(tmp_path / "cnn.onnx")
    proto, calls = onnx.load(path), small.feeds(small.facts(path), calls=1)
    wanted = layers.weights(proto)
    seen = {weight.name: fake_quant.Seen(low=-1, high=3, channel_peaks=(1.0,), percentile_999=1.0) for weight in wanted}
    model = fake_quant.Switchable(proto, wanted, seen, tmp_path)
    assert np.allclose(model.run(calls[0], {})["y"], small.outputs(path, calls[0])["y"], atol=1e-6)
    change = {wanted[0].name: (wanted[0].tensor.name, onnx_rewrite.array(wanted[0].tensor))}
    assert not np.allclose(model.run(calls[0], change)["y"], small.outputs(path, calls[0])["y"], atol=1e-6)


@pytest.mark.parametrize("bits", [8, 4])
def test_the_planted_layer_ranks_first(tmp_path, bits):
    ranking = ranked(small.outlier_layer(tmp_path / "planted.onnx"), tmp_path, bits=bits)
    assert ranking.layers[0].layer == "fc3"
    assert {each.layer for each in ranking.layers} == {"fc1", "fc2", "fc3", "fc4"}
    assert ranking.layers[0].loss > 5 * ranking.layers[1].loss
    losses = [each.loss for each in ranking.layers]
    assert losses == sorted(losses, reverse=True) and ranking.inputs == "random" and ranking.notes


def test_leaving_it_out_recovers_the_outputs(tmp_path):
    path = small.outlier_layer(tmp_path / "planted.onnx")
    model, calls = small.facts(path), small.feeds(small.facts(path), calls=8)
    request = Request(
        model=model, source=path, option={"max_loss": 0.01}, folder=tmp_path, machine=small.MACHINE, calibration=calls
    )
    whole = techniques()["int8_static"].apply(request)
    wanted = mixed_precision.answers(path, calls)
    before = mixed_precision.loss_of(wanted, mixed_precision.answers(whole.file, calls))
    product = techniques()["int8_mixed"].apply(request)
    after = mixed_precision.loss_of(wanted, mixed_precision.answers(product.file, calls))
    assert before > 0.1 and after <= 0.01
    assert product.changed_count == 3 and "1 left in float32: fc3" in product.notes[0]


def test_nothing_is_left_out_without_need(tmp_path):
    path = small.cnn(tmp_path / "cnn.onnx")
    request = Request(
        model=small.facts(path), source=path, option={"max_loss": 0.05}, folder=tmp_path, machine=small.MACHINE,
        calibration=small.feeds(small.facts(path), calls=4),
    )  # fmt: skip
    with pytest.raises(InputError, match="none has to stay out"):
        techniques()["int8_mixed"].apply(request)


def test_the_outlier_channel_is_named(tmp_path):
    path = small.mlp(tmp_path / "mlp.onnx")
    generator = np.random.default_rng(0)
    x = generator.standard_normal((64, 32)).astype(np.float32)
    x[:, 17] *= 100
    np.savez(tmp_path / "data.npz", x=x)
    ranking = ranked(path, tmp_path, data=str(tmp_path / "data.npz"))
    first = next(each for each in ranking.layers if each.layer == "first")
    assert first.outliers[0].channel == 17 and 30 < first.outliers[0].ratio < 300
    assert "Channel 17" in first.advice and ranking.inputs == "given"
    assert first.high == pytest.approx(float(x.max()))
    second = next(each for each in ranking.layers if each.layer == "second")
    assert not second.outliers


def test_time_that_does_not_suffice_is_said(tmp_path):
    ranking = ranked(small.outlier_layer(tmp_path / "planted.onnx"), tmp_path, seconds=0.0)
    assert len(ranking.layers) == 1 and len(ranking.not_measured) == 3


def test_the_ends_of_the_network_are_measured_first(tmp_path):
    wanted = layers.weights(onnx.load(small.outlier_layer(tmp_path / "four.onnx")))
    assert [each.name for each in sensitivity.likely_first(wanted)] == ["fc1", "fc4", "fc2", "fc3"]


def test_what_cannot_be_ranked_is_one_line(tmp_path):
    with pytest.raises(InputError, match="no weights"):
        ranked(small.no_weights(tmp_path / "relu.onnx"), tmp_path)
    with pytest.raises(InputError, match="answers NaN"):
        ranked(small.not_a_number(tmp_path / "nan.onnx"), tmp_path)


def test_the_fewest_layers_are_found():
    """Loss allowed from 5 layers on, of 20: doubling finds 8, halving 5."""
    asked = []

    def loss(count):
        asked.append(count)
        return 0.2 if count < 5 else 0.001

    assert mixed_precision.fewest(loss, 20, 0.01)[0] == 5
    assert asked == [1, 2, 4, 8, 6, 5]
    with pytest.raises(InputError, match="Even with one layer"):
        mixed_precision.fewest(lambda count: 0.5, 6, 0.01)


def test_int8_weight_as_stored_by_gemm_and_matmul_agree(tmp_path):
    """One scale for each output, whichever way the weight is stored."""
    values = np.random.default_rng(0).standard_normal((8, 16)).astype(np.float32)
    kinds = []
    for op, stored, more in (("Gemm", values, {"transB": 1}), ("MatMul", values.T.copy(), {})):
        node = onnx.helper.make_node(op, ["x", "w"], ["y"], name="n", **more)
        path = small.write(
            tmp_path / f"{op}.onnx", [node], [("x", 1, ["batch", 16])], [("y", 1, ["batch", 8])],
            [numpy_helper.from_array(stored, "w")],
        )  # fmt: skip
        kinds.append(fake_quant.quantized_weight(layers.weights(onnx.load(path))[0], 8))
    assert np.array_equal(kinds[0], kinds[1].T)


def test_steps_behind_an_excluded_layer_stay_out_too(tmp_path):
    proto = onnx.load(small.branches(tmp_path / "model.onnx"))
    assert set(mixed_precision.with_followers(proto, ["second"])) == {"second", "norm", "residual"}
    assert set(mixed_precision.with_followers(proto, ["depthwise"])) == {"depthwise", "clip"}


def test_layers_of_a_model_that_answers_with_classes_are_ranked_too(tmp_path):
    path = small.named_class(small.outlier_layer(tmp_path / "planted.onnx"))
    ranking = ranked(path, tmp_path)
    assert ranking.layers[0].layer == "fc3" and ranking.layers[0].loss > 0


def test_a_selection_whose_length_depends_on_the_values_cannot_be_ranked(tmp_path):
    path = small.positives(small.outlier_layer(tmp_path / "planted.onnx"))
    with pytest.raises(InputError, match="depends on the values"):
        ranked(path, tmp_path)
