"""Numbers of the techniques that can be computed by hand, on small models."""

import numpy as np
import onnx
import pytest
import small_models as small
from onnx import numpy_helper

from advisor.surgery import layers, onnx_rewrite, storage
from advisor.techniques import Request, techniques
from data.errors import InputError


def made(name, path, tmp_path, option, machine=small.MACHINE, calls=8):
    folder = tmp_path / f"{name}{len(list(tmp_path.iterdir()))}"
    folder.mkdir()
    model = small.facts(path)
    return techniques()[name].apply(
        Request(
            model=model, source=path, option=option, folder=folder, machine=machine,
            calibration=small.feeds(model, calls=calls), calibration_is_random=True,
        )
    )  # fmt: skip


def stored(path):
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer}


def snr(path, product, call):
    wanted, got = small.outputs(path, call), small.outputs(product.file, call)
    name = next(iter(wanted))
    return 10 * np.log10((wanted[name] ** 2).sum() / ((wanted[name] - got[name]) ** 2).sum())


def test_int8_weights_are_within_half_a_step(tmp_path):
    path = small.cnn(tmp_path / "cnn.onnx")
    product = made("int8_static", path, tmp_path, {"operators": "all", "calibration": "minmax"})
    before, after = stored(path), stored(product.file)
    for name in ("w1", "w2"):
        scale = after[f"{name}_scale"].reshape(-1, 1, 1, 1)
        assert scale.size == before[name].shape[0], "one scale for each output channel"
        off = np.abs(after[f"{name}_quantized"].astype(np.float32) * scale - before[name])
        assert (off <= scale / 2 * 1.0001).all()
    assert product.file.stat().st_size < 0.4 * path.stat().st_size


def test_no_vnni_means_seven_bits(tmp_path):
    path = small.cnn(tmp_path / "cnn.onnx")
    option = {"operators": "all", "calibration": "minmax"}
    eight = stored(made("int8_static", path, tmp_path, option).file)["w2_quantized"]
    product = made("int8_static", path, tmp_path, option, machine=small.PLAIN_MACHINE)
    seven = stored(product.file)["w2_quantized"]
    assert np.abs(eight).max() == 127 and np.abs(seven.astype(int)).max() <= 64
    assert any("VNNI" in note for note in product.notes)


def test_an_excluded_layer_stays_as_it_is(tmp_path):
    path = small.cnn(tmp_path / "cnn.onnx")
    for name, option in (
        ("int8_static", {"operators": "all", "calibration": "minmax"}), ("int8_dynamic", {"operators": "all"}),
    ):  # fmt: skip
        every, fewer = (made(name, path, tmp_path, option | extra) for extra in ({}, {"exclude": ["conv2"]}))
        assert fewer.changed_count == every.changed_count - 1
        assert stored(fewer.file)["w2"].dtype == np.float32


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
def test_sparsity_is_exact(tmp_path, share):
    path = small.mlp(tmp_path / "mlp.onnx", width=96)
    for scope in ("global", "layer"):
        after = stored(made("magnitude", path, tmp_path, {"sparsity_frac": share, "scope": scope}).file)
        weights = [after["w1"], after["w2"]]
        zeros = sum(int((each == 0).sum()) for each in weights)
        assert zeros / sum(each.size for each in weights) == pytest.approx(share, abs=0.001)
        if scope == "layer":
            assert all(float((each == 0).mean()) == pytest.approx(share, abs=0.001) for each in weights)
    before = stored(path)
    kept = after["w1"] != 0
    assert (after["w1"][kept] == before["w1"][kept]).all()
    assert np.abs(before["w1"][~kept]).max() <= np.abs(before["w1"][kept]).min()


def test_gemm_becomes_matmul_with_the_same_answers(tmp_path):
    nodes = [
        onnx.helper.make_node("Gemm", ["x", "w", "b"], ["y"], alpha=0.5, beta=2.0, transB=1, name="scaled"),
    ]
    path = small.write(
        tmp_path / "gemm.onnx", nodes, [("x", 1, ["batch", 16])], [("y", 1, ["batch", 8])],
        [small.draw(1, "w", 8, 16), small.draw(2, "b", 8)],
    )  # fmt: skip
    proto = onnx.load(path)
    assert onnx_rewrite.gemm_to_matmul(proto) == 1
    onnx.save(proto, tmp_path / "rewritten.onnx")
    assert onnx_rewrite.operator_counts(proto) == {"MatMul": 1, "Add": 1}
    call = small.feeds(small.facts(path), calls=1)[0]
    assert np.allclose(small.outputs(path, call)["y"], small.outputs(tmp_path / "rewritten.onnx", call)["y"], atol=1e-6)


def planted(path, size=256):
    """A square MatMul whose weights are normal but for a few outliers."""
    values = np.random.default_rng(1).standard_normal((size, size)).astype(np.float32)
    values[np.random.default_rng(2).random(values.shape) < 0.002] *= 30
    node = onnx.helper.make_node("MatMul", ["x", "w"], ["y"], name="only")
    return small.write(
        path, [node], [("x", 1, ["batch", size])], [("y", 1, ["batch", size])], [numpy_helper.from_array(values, "w")]
    )


def test_smaller_groups_err_less_and_weigh_more(tmp_path):
    path = planted(tmp_path / "planted.onnx")
    call = small.feeds(small.facts(path), calls=1, batch=32)[0]
    products = [
        made("weight_only", path, tmp_path, {"bits": 4, "group_size": group, "compute": "float32"})
        for group in (128, 64, 32, 16)
    ]
    noise = [snr(path, product, call) for product in products]
    sizes = [product.file.stat().st_size for product in products]
    assert noise == sorted(noise) and noise[-1] > noise[0] + 3
    assert sizes == sorted(sizes) and sizes[0] < 0.2 * path.stat().st_size


def test_weight_only_in_eight_bits_is_closer_than_in_four(tmp_path):
    path = small.mlp(tmp_path / "mlp.onnx", width=256)
    call = small.feeds(small.facts(path), calls=1, batch=32)[0]
    four, eight = (
        made("weight_only", path, tmp_path, {"bits": bits, "group_size": 32, "compute": "float32"}) for bits in (4, 8)
    )
    assert four.changed_count == eight.changed_count == 2, "Gemm must not be skipped silently"
    assert snr(path, eight, call) > snr(path, four, call) + 15


@pytest.mark.parametrize("build", [small.pair, small.attention, small.fused_attention])
def test_rotation_keeps_the_function(tmp_path, build):
    path = build(tmp_path / "model.onnx")
    product = made("hadamard", path, tmp_path, {})
    assert product.changed_count == 1
    call = small.feeds(small.facts(path), calls=1, batch=16, seed=5)[0]
    wanted, got = small.outputs(path, call)["y"], small.outputs(product.file, call)["y"]
    assert np.abs(wanted - got).max() <= 1e-5 * np.abs(wanted).max()
    changed = [name for name, values in stored(path).items() if not np.array_equal(values, stored(product.file)[name])]
    assert len(changed) == 3, "two weights and the bias between them"


def test_rotation_lowers_the_int4_error_of_an_outlier(tmp_path):
    path = small.pair(tmp_path / "outlier.onnx", outlier=30.0)
    call = small.feeds(small.facts(path), calls=1, batch=64)[0]
    option = {"bits": 4, "group_size": 32, "compute": "float32"}
    plain = made("weight_only", path, tmp_path, option)
    rotated = made("weight_only", made("hadamard", path, tmp_path, {}).file, tmp_path, option)
    assert snr(path, rotated, call) > snr(path, plain, call) + 3


def test_no_pair_to_rotate_is_said(tmp_path):
    with pytest.raises(InputError, match="nothing can be rotated"):
        made("hadamard", small.mlp(tmp_path / "mlp.onnx"), tmp_path, {})


def test_kmeans_file_is_as_small_as_it_says(tmp_path):
    path = small.mlp(tmp_path / "mlp.onnx", width=256)
    product = made("kmeans", path, tmp_path, {"bits": 4})
    weights = 256 * 32 + 256 * 10
    payload = weights * 4 // 8 + 2 * 16 * 4
    overhead = product.file.stat().st_size - payload
    assert 0 < overhead < path.stat().st_size - 4 * weights + 2048
    assert f"{4 * weights / payload:.2f}x" in product.notes[0]
    decoded = stored(product.decoded)
    assert len(np.unique(decoded["w1"])) == 16 and decoded["b1"].tobytes() == stored(path)["b1"].tobytes()
    again = tmp_path / "again.onnx"
    storage.restore(product.file, again)
    assert again.read_bytes() == product.decoded.read_bytes()


def test_sparse_file_comes_back_exactly_and_dense_is_said_to_be_smaller(tmp_path):
    path = small.pruned(tmp_path / "pruned.onnx", build=lambda place: small.mlp(place, width=256))
    product = made("sparse_storage", path, tmp_path, {"form": "smallest"})
    before, after = stored(path), stored(product.decoded)
    assert all((before[name] == after[name]).all() for name in before)
    assert product.file.stat().st_size < 0.5 * path.stat().st_size
    with pytest.raises(InputError, match=r"Dense is smaller: 100 % .* bitmask pays off below 96.9 %"):
        made("sparse_storage", small.mlp(tmp_path / "dense.onnx"), tmp_path, {"form": "smallest"})


def test_two_four_is_stored_as_two_four(tmp_path):
    path = small.mlp(tmp_path / "mlp.onnx", width=256)
    pruned = made("two_four", path, tmp_path, {"criterion": "magnitude"})
    after = stored(pruned.file)
    assert float((after["w1"] == 0).mean()) == 0.5 and float((after["w2"] == 0).mean()) == 0.5
    packed = made("sparse_storage", pruned.file, tmp_path, {"form": "2:4"})
    payload = (256 * 32 + 256 * 10) // 2 * (32 + 2) // 8
    assert payload < packed.file.stat().st_size < payload + 4096


def test_a_layer_of_rank_two_becomes_two_thin_ones(tmp_path):
    path = small.thin(tmp_path / "thin.onnx")
    product = made("low_rank", path, tmp_path, {"energy_frac": 0.999})
    call = small.feeds(small.facts(path), calls=1, seed=4)[0]
    assert product.changed_count == 2 and snr(path, product, call) > 30
    assert product.file.stat().st_size < 0.2 * path.stat().st_size
    shapes = {tuple(values.shape) for values in stored(product.file).values()}
    assert {(2, 16, 3, 3), (32, 2, 1, 1), (288, 2), (2, 48)} <= shapes


def test_bias_compensation_lowers_the_error(tmp_path):
    """Inputs that are positive on average leave a mean error behind, which the bias can take."""
    path = small.cnn(tmp_path / "cnn.onnx")
    call = small.feeds(small.facts(path), calls=1, batch=32, seed=7)[0]
    plain, mended = (
        made("wanda", path, tmp_path, {"sparsity_frac": 0.5, "compensation": way}) for way in ("none", "bias")
    )
    assert snr(path, mended, call) > snr(path, plain, call)


def test_held_out_error_stands_beside_the_calibration_error(tmp_path):
    path = small.cnn(tmp_path / "cnn.onnx")
    call = small.feeds(small.facts(path), calls=1, batch=32, seed=7)[0]
    rebuilt = made("reconstruct", path, tmp_path, {"sparsity_frac": 0.5, "pattern": "unstructured"}, calls=16)
    plain = made("magnitude", path, tmp_path, {"sparsity_frac": 0.5, "scope": "layer"})
    assert snr(path, rebuilt, call) > snr(path, plain, call)
    assert "on calibration inputs" in rebuilt.notes[1] and "held out" in rebuilt.notes[1]


def test_patches_are_what_a_convolution_multiplies(tmp_path):
    path = small.cnn(tmp_path / "cnn.onnx")
    proto = onnx.load(path)
    first = layers.matrices(proto)[0]
    call = small.feeds(small.facts(path), calls=1, batch=2)[0]
    rows_of = next(layers.flow(proto, [first], [call], tmp_path))
    rows = rows_of(first)
    assert rows.shape == (2 * 8 * 8, 27)
    onnx.utils.extract_model(str(path), str(tmp_path / "first.onnx"), ["x"], ["c1"])
    wanted = small.outputs(tmp_path / "first.onnx", call)["c1"].transpose(0, 2, 3, 1).reshape(-1, 32)
    got = rows @ first.matrix().T + stored(path)["b1"]
    assert np.allclose(got, wanted, atol=1e-5)
