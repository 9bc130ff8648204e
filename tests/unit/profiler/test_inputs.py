"""Inputs: shapes filled by rule, arrays drawn within bounds, the user's files checked against the model."""

import numpy as np
import pytest

from data.errors import InputError
from profiler.inputs import batch_of, batches, filled_shapes, fixed_batch, load_npz, random_feeds
from profiler.types import Model, Tensor


def tensor(name, *shape, dtype="float32", upper_bound=None):
    return Tensor(name=name, dtype=dtype, shape=shape, upper_bound=upper_bound)


def model(*inputs):
    return Model(
        sha256="0", name="m", format="onnx", file_bytes=0, parameter_count=0, parameters_by_dtype={}, weight_bytes=0,
        inputs=inputs,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("shape", "dtype", "filled"),
    [
        (("batch", 3, 8, 8), "float32", (1, 3, 8, 8)),
        (("N", 3, 8, 8), "float32", (1, 3, 8, 8)),
        ((None, 3, 8, 8), "float32", (1, 3, 8, 8)),
        (("s77", "s0"), "int64", (1, 128)),
        (("batch_size", "sequence_length"), "int64", (1, 128)),
        (("batch", "past_sequence_length + sequence_length"), "int64", (1, 256)),
        (("batch", "past_sequence_length + 1"), "int64", (1, 129)),
        (("input_ids_dynamic_axes_1", "input_ids_dynamic_axes_2"), "int64", (1, 128)),
        ((), "float32", ()),
    ],
)
def test_a_batch_is_1_and_a_sequence_128(shape, dtype, filled):
    assert filled_shapes([tensor("x", *shape, dtype=dtype)], {}) == {"x": filled}


def test_any_other_open_axis_is_asked_for():
    with pytest.raises(InputError) as caught:
        filled_shapes([tensor("image", "batch", 3, "height", "width")], {})
    assert '"height"' in caught.value.message
    assert caught.value.hint == "Give its shape: --shape image=?x3x?x?"


def test_given_shapes_win_and_an_axis_has_one_length_everywhere():
    inputs = [tensor("ids", "batch", "sequence", dtype="int64"), tensor("mask", "batch", "sequence", dtype="int64")]
    assert filled_shapes(inputs, {"ids": (2, 7)}) == {"ids": (2, 7), "mask": (2, 7)}
    assert filled_shapes(inputs, {"ids": (2, 7)}, batch_size=5) == {"ids": (5, 7), "mask": (5, 7)}
    with pytest.raises(InputError, match="two lengths"):
        filled_shapes(inputs, {"ids": (2, 7), "mask": (2, 8)})


@pytest.mark.parametrize("given", [(1, 3, 8), (1, 4, 8, 8), (0, 3, 8, 8), (-1, 3, 8, 8)])
def test_a_shape_that_does_not_fit_is_refused(given):
    with pytest.raises(InputError, match=r"has the shape \?x3x8x8, not"):
        filled_shapes([tensor("x", "batch", 3, 8, 8)], {"x": given})


def test_an_unknown_input_and_a_fixed_batch_are_refused():
    with pytest.raises(InputError, match='no input "y"'):
        filled_shapes([tensor("x", 1, 3)], {"y": (1, 3)})
    with pytest.raises(InputError, match="fixed at 4"):
        filled_shapes([tensor("x", 4, 3)], {}, batch_size=8)
    assert filled_shapes([tensor("x", 4, 3)], {}, batch_size=1) == {"x": (4, 3)}


def test_random_inputs_keep_within_what_the_model_allows():
    feeds = random_feeds(
        model(
            tensor("ids", "batch", "sequence", dtype="int64", upper_bound=50),
            tensor("attention_mask", "batch", "sequence", dtype="int64"),
            tensor("pixels", "batch", 3, dtype="uint8"),
            tensor("half", "batch", 1000, dtype="float16"),
            tensor("brain", "batch", 3, dtype="bfloat16"),
            tensor("flags", "batch", 100, dtype="bool"),
            tensor("lengths", "batch", dtype="int32"),
        ),
        {}, batch_size=4,
    )  # fmt: skip
    assert feeds["ids"].shape == (4, 128)
    assert feeds["ids"].min() >= 0 and feeds["ids"].max() == 49
    assert (feeds["attention_mask"] == 1).all()
    assert (feeds["lengths"] == 1).all()
    assert {name: str(array.dtype) for name, array in feeds.items()} == {
        "ids": "int64", "attention_mask": "int64", "pixels": "uint8", "half": "float16", "brain": "bfloat16",
        "flags": "bool", "lengths": "int32",
    }  # fmt: skip
    assert abs(float(feeds["half"].astype(float).std()) - 1) < 0.1
    assert 0 < feeds["flags"].mean() < 1


def test_the_same_seed_draws_the_same_numbers():
    one = model(tensor("x", "batch", 5))
    assert (random_feeds(one, {}, seed=3)["x"] == random_feeds(one, {}, seed=3)["x"]).all()
    assert (random_feeds(one, {}, seed=3)["x"] != random_feeds(one, {}, seed=4)["x"]).any()


def test_text_and_giant_inputs_are_refused():
    with pytest.raises(InputError, match="takes string"):
        random_feeds(model(tensor("text", "batch", dtype="string")), {})
    with pytest.raises(InputError, match=r"4096\.0 GiB"):
        random_feeds(model(tensor("x", 1 << 40)), {})


@pytest.fixture
def classifier():
    return model(tensor("image", "batch", 1, 8, 8), tensor("ids", "batch", 4, dtype="int64", upper_bound=10))


def arrays(**changed):
    generator = np.random.default_rng(0)
    return {
        "image": generator.standard_normal((6, 1, 8, 8)), "ids": generator.integers(0, 10, (6, 4)),
        "labels": np.arange(6),
    } | changed  # fmt: skip


def test_the_users_arrays_are_read_and_cut_into_batches(classifier, tmp_path):
    np.savez(tmp_path / "data.npz", **arrays())
    feeds, labels = load_npz(tmp_path / "data.npz", classifier)
    assert feeds["image"].dtype == np.float32  # float64 as numpy saves it
    assert labels.tolist() == [0, 1, 2, 3, 4, 5]
    assert [len(batch["ids"]) for batch in batches(feeds, 4)] == [4, 2]
    assert [len(batch["ids"]) for batch in batches(feeds, 4, whole=True)] == [4]
    assert (np.concatenate([batch["image"] for batch in batches(feeds, 4)]) == feeds["image"]).all()


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"image": np.zeros((6, 1, 8, 9))}, "has the shape ?x1x8x8, not 6x1x8x9"),
        ({"image": np.zeros((6, 64))}, "has the shape ?x1x8x8, not 6x64"),
        ({"image": np.zeros((6, 1, 8, 8), np.complex64)}, "holds complex64, the model wants float32"),
        ({"ids": np.full((6, 4), 10)}, "holds ids from 10 to 10; the model's table has 10"),
        ({"ids": np.full((6, 4), -1)}, "holds ids from -1 to -1"),
        ({"ids": np.zeros((5, 4), int)}, "different numbers of samples"),
        ({"labels": np.arange(5)}, "different numbers of samples"),
        ({"labels": np.zeros((6, 2))}, "one whole number for each sample"),
    ],
)
def test_arrays_that_do_not_fit_are_one_clear_line(changed, line, classifier, tmp_path):
    np.savez(tmp_path / "data.npz", **arrays(**changed))
    with pytest.raises(InputError) as caught:
        load_npz(tmp_path / "data.npz", classifier)
    assert line in caught.value.message


def test_a_missing_array_names_those_found(classifier, tmp_path):
    np.savez(tmp_path / "data.npz", picture=np.zeros((2, 1, 8, 8)))
    with pytest.raises(InputError) as caught:
        load_npz(tmp_path / "data.npz", classifier)
    assert '"image"' in caught.value.message
    assert "picture" in caught.value.hint


def test_pickles_and_announced_sizes_are_refused_before_reading(tmp_path):
    one = model(tensor("x", "batch", 2))
    np.savez(tmp_path / "pickle.npz", x=np.array([{"a": 1}], dtype=object))
    with pytest.raises(InputError, match="Python objects"):
        load_npz(tmp_path / "pickle.npz", one)
    with (tmp_path / "huge.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (1 << 39,)})
    with pytest.raises(InputError, match="announces a larger size"):
        load_npz(tmp_path / "huge.npy", one)
    for junk in (b"", b"\x93NUMPY\x01\x00\x76\x00{'descr': print('x')}", b"PK\x03\x04rest", b"a,b\n1,2\n"):
        (tmp_path / "junk.npz").write_bytes(junk)
        with pytest.raises(InputError, match="no readable numpy array"):
            load_npz(tmp_path / "junk.npz", one)


def test_a_single_array_fits_a_model_with_one_input(classifier, tmp_path):
    np.save(tmp_path / "x.npy", np.ones((3, 2)))
    feeds, labels = load_npz(tmp_path / "x.npy", model(tensor("x", "batch", 2)))
    assert feeds["x"].shape == (3, 2)
    assert labels is None
    with pytest.raises(InputError, match="only a model with one input"):
        load_npz(tmp_path / "x.npy", classifier)


def test_the_batch_of_a_call_is_that_of_its_open_first_axis():
    image, fixed = tensor("image", "batch", 3, 8), tensor("table", 7, 2)
    assert batch_of([fixed, image], {"table": (7, 2), "image": (4, 3, 8)}) == 4
    assert batch_of([fixed], {"table": (7, 2)}) == 1
    assert batch_of([tensor("x", None, 512)], {"x": (6, 512)}) == 6


def test_a_batch_is_fixed_where_no_first_axis_is_open():
    fixed = Tensor(name="x", dtype="float32", shape=(8, 3))
    assert fixed_batch((fixed,)) == 8
    assert fixed_batch((fixed, Tensor(name="y", dtype="float32", shape=("batch", 3)))) is None
    assert fixed_batch(()) is None
