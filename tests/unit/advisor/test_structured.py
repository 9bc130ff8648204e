"""Structured pruning: the graph in torch answers as before, channels really go, fine-tuning brings accuracy back."""

import numpy as np
import onnx
import pytest
import small_models as small
from onnx import numpy_helper

from advisor.surgery import channels, heads, onnx_rewrite, torch_graph
from advisor.techniques import Request, techniques


def torch_answers(path, call):
    proto = onnx.load(path)
    onnx_rewrite.lift_constants(proto)
    channels.merge_biases(proto)
    found = torch_graph.module(proto)(channels.tensors(call))
    return proto, {name: value.detach().numpy() for name, value in found.items()}


BUILDERS = (
    small.mlp, small.cnn, small.thin, small.attention, small.fused_attention, small.computed_attention,
    small.feed_forward, small.pair, small.branches,
)  # fmt: skip


@pytest.mark.parametrize("build", BUILDERS)
def test_torch_answers_as_onnx_runtime_does(tmp_path, build):
    path = build(tmp_path / "model.onnx")
    call = small.feeds(small.facts(path), calls=1)[0]
    _, found = torch_answers(path, call)
    for name, wanted in small.outputs(path, call).items():
        assert np.allclose(found[name], wanted, atol=1e-5)


def test_biases_are_merged_and_split_again(tmp_path):
    path = small.attention(tmp_path / "attention.onnx")
    proto = onnx.load(path)
    before = onnx_rewrite.operator_counts(proto)
    assert channels.merge_biases(proto) == 4
    channels.split_biases(proto)
    assert onnx_rewrite.operator_counts(proto) == before
    onnx.save(proto, tmp_path / "again.onnx")
    call = small.feeds(small.facts(path), calls=1)[0]
    again = small.outputs(tmp_path / "again.onnx", call)["y"]
    assert np.allclose(again, small.outputs(path, call)["y"], atol=1e-6)


def cut(path, tmp_path, share, **more):
    model = small.facts(path)
    request = Request(
        model=model, source=path, option={"removed_frac": share}, folder=tmp_path, machine=small.MACHINE,
        calibration=small.feeds(model, calls=1), **more,
    )  # fmt: skip
    return techniques()["structured"].apply(request)


def test_half_the_channels_go_and_the_outputs_keep_their_shape(tmp_path):
    path = small.branches(tmp_path / "model.onnx")
    product = cut(path, tmp_path, 0.5)
    after = {each.name: tuple(each.dims) for each in onnx.load(product.file).graph.initializer}
    assert after["w1"] == (16, 3, 3, 3) and after["w2"] == (16, 16, 3, 3)  # both ends of the residual follow
    assert after["wd"] == (16, 1, 3, 3), "a depthwise convolution follows its input"
    assert after["w4"][0] == 10, "the scores keep their classes"
    call = small.feeds(small.facts(path), calls=1, batch=7)[0]
    assert {name: each.shape for name, each in small.outputs(product.file, call).items()} == {"y": (7, 10)}
    assert product.file.stat().st_size < 0.5 * path.stat().st_size


def test_layers_whose_channels_meet_a_table_stay_whole_and_the_others_are_cut(tmp_path):
    path = small.table_added(tmp_path / "model.onnx")
    model = small.facts(path)
    call = {"x": small.feeds(model, calls=1)[0]["x"], "id": np.array([1, 2, 3, 4])}
    request = Request(model=model, source=path, option={"removed_frac": 0.5}, folder=tmp_path, machine=small.MACHINE,
                      calibration=(call,))  # fmt: skip
    product = techniques()["structured"].apply(request)
    after = {each.name: tuple(each.dims) for each in onnx.load(product.file).graph.initializer}
    assert after["w1"] == (64, 32) and after["table"] == (50, 64)
    assert after["w2"] == (32, 64) and after["w3"] == (4, 32)
    assert any("fixed width: 1 layer." in note for note in product.notes)
    assert small.outputs(product.file, call)["y"].shape == (4, 4)


def test_what_goes_matters_least(tmp_path):
    """Half of the hidden units have no weight at all: without them the outputs stay what they were."""
    path = small.mlp(tmp_path / "mlp.onnx")
    proto = onnx.load(path)
    dead = np.random.default_rng(0).permutation(64)[:32]
    for tensor in proto.graph.initializer:
        values = numpy_helper.to_array(tensor).copy()
        if tensor.name in ("w1", "b1"):
            values[dead] = 0
        if tensor.name == "w2":
            values[:, dead] = 0
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    onnx.save(proto, path)
    product = cut(path, tmp_path, 0.5)
    call = small.feeds(small.facts(path), calls=1, batch=9)[0]
    assert product.changed_count == 32
    assert np.allclose(small.outputs(path, call)["y"], small.outputs(product.file, call)["y"], atol=1e-5)


@pytest.mark.parametrize("build", [small.attention, small.fused_attention, small.computed_attention])
def test_the_heads_that_matter_least_go(tmp_path, build):
    """Without two of four heads the model answers as if their rows of the output weight were zero."""
    path = build(tmp_path / "attention.onnx")
    proto = onnx.load(path)
    assert channels.prunable(proto) == [], "channels inside attention are not torch-pruning's to take"
    (block,) = heads.blocks(proto)
    assert (block.heads, block.head_size) == (4, 8)
    importance = block.importance()
    least = np.argsort(importance)[:2]
    product = cut(path, tmp_path, 0.5)
    assert product.changed_count == 2 and "2 attention heads removed." in product.notes
    for tensor in proto.graph.initializer:
        if tensor.name == "wo":
            values = numpy_helper.to_array(tensor).copy().reshape(4, 8, 32)
            values[least] = 0
            tensor.CopyFrom(numpy_helper.from_array(values.reshape(32, 32), "wo"))
    onnx.save(proto, tmp_path / "silenced.onnx")
    call = small.feeds(small.facts(path), calls=1, batch=3)[0]
    silenced, got = small.outputs(tmp_path / "silenced.onnx", call)["y"], small.outputs(product.file, call)["y"]
    assert np.allclose(silenced, got, atol=1e-5)
    assert not np.allclose(small.outputs(path, call)["y"], got, atol=1e-2)
    assert product.file.stat().st_size < 0.65 * path.stat().st_size


def test_hidden_units_of_a_transformer_go_and_its_width_stays(tmp_path):
    path = small.feed_forward(tmp_path / "block.onnx")
    product = cut(path, tmp_path, 0.5)
    after = {each.name: tuple(each.dims) for each in onnx.load(product.file).graph.initializer}
    assert after["up"] == (32, 64) and after["down"] == (64, 32)


def test_fine_tuning_brings_the_accuracy_back(tmp_path):
    """A network that classifies by the sign pattern of its inputs loses it when cut, and learns it again."""
    path = small.mlp(tmp_path / "mlp.onnx", width=128)
    generator = np.random.default_rng(0)
    x = generator.standard_normal((1500, 32)).astype(np.float32)
    labels = small.outputs(path, {"x": x})["y"].argmax(-1)
    np.savez(tmp_path / "train.npz", x=x[:1200], labels=labels[:1200])

    def accuracy(file):
        return float((small.outputs(file, {"x": x[1200:]})["y"].argmax(-1) == labels[1200:]).mean())

    for name in ("plain", "tuned"):
        (tmp_path / name).mkdir()
    plain = cut(path, tmp_path / "plain", 0.75)
    tuned = cut(path, tmp_path / "tuned", 0.75, training=tmp_path / "train.npz")
    assert accuracy(tuned.file) > accuracy(plain.file) + 0.15
    assert tuned.changed_count == plain.changed_count and "Fine-tuned on 1200 samples" in tuned.notes[1]


@pytest.mark.parametrize("labelled", [False, True])
def test_a_single_score_is_trained_towards_the_original_and_not_as_a_class(labelled, tmp_path):
    """Softmax of one number is 1 whatever it is: as a class there would be nothing to learn, and no class 1."""
    path = small.single_score(tmp_path / "score.onnx")
    x = np.random.default_rng(0).standard_normal((1500, 32)).astype(np.float32)
    score = small.outputs(path, {"x": x})["y"]
    labels = {"labels": (score[:1200, 0] > 0).astype(np.int64)} if labelled else {}
    np.savez(tmp_path / "train.npz", x=x[:1200], **labels)

    def error(file):
        return float(((small.outputs(file, {"x": x[1200:]})["y"] - score[1200:]) ** 2).mean() / score[1200:].var())

    for name in ("plain", "tuned"):
        (tmp_path / name).mkdir()
    plain = cut(path, tmp_path / "plain", 0.5)
    tuned = cut(path, tmp_path / "tuned", 0.5, training=tmp_path / "train.npz")
    assert error(tuned.file) < 0.5 * error(plain.file)
    assert any("passes with the original's answers" in note for note in tuned.notes)
