"""Weights without an architecture in smaller files: sizes worked by hand, the way back, what is refused."""

import math

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from advisor.cli import restore
from advisor.store_weights import TITLES, pack_weights, store_smaller
from advisor.surgery import groups, storage
from advisor.types import Variant
from advisor.weight_frames import by_dtype, precisions, stored, tensors
from data.errors import InputError
from data.home import home
from profiler.formats.safetensors import FORMAT as SAFETENSORS
from profiler.intake import take_in
from profiler.jobs import Desk
from tests.fakes import Keeper


class Child:
    def __init__(self, folder):
        self.folder = folder

    def progress(self, done_frac, text):
        pass


@pytest.fixture
def weights(tmp_path):
    generator = torch.Generator().manual_seed(0)
    made = {
        "a.weight": torch.randn(64, 128, generator=generator), "a.bias": torch.randn(64, generator=generator),
        "b.weight": torch.randn(32, 64, generator=generator).half(), "steps": torch.arange(3),
    }  # fmt: skip
    save_file(made, tmp_path / "w.safetensors")
    return tmp_path / "w.safetensors", made


def packed(path, form, tmp_path, kind="safetensors"):
    folder = tmp_path / form
    folder.mkdir()
    return pack_weights(Child(folder), path=str(path), format_name=kind, form=form), folder


def test_a_group_of_four_by_hand():
    values = np.array([[7.0, -3.5, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0]], np.float32)
    arrays = groups.encode(values, 4, 4)
    assert arrays["scales"].tolist() == [1.0, 0.0]  # 7 / (2^3 - 1)
    assert arrays["codes"].nbytes == 4  # eight codes of four bits
    again = groups.decode(arrays, 4, 4, (2, 4))
    assert again.tolist() == [[7.0, -4.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0]]


@pytest.mark.parametrize(
    ("form", "payload"),
    [
        ("int8", 8192 + 2048 + 2 * (64 + 16)),  # a byte a number, two bytes for each group of 128
        ("int4", (8192 + 2048) // 2 + 2 * (256 + 64)),
        ("codebook", (8192 + 2048) // 2 + 2 * 4 * 16),
        ("pruned", (8192 + 2048) // 8 + 4 * (4096 + 1024)),
    ],
)
def test_the_file_holds_what_was_reckoned_and_comes_back(form, payload, weights, tmp_path):
    path, before = weights
    told, folder = packed(path, form, tmp_path)
    file = folder / told["file"]
    kept = 64 * 4 + 3 * 8  # the bias and the counter stay as they are
    header = 8 + int.from_bytes(file.read_bytes()[:8], "little")
    assert told["file_bytes"] == header + payload + kept
    target = tmp_path / "again.safetensors"
    assert storage.restore(file, target) == ()
    after = load_file(target)
    assert after.keys() == before.keys()
    assert torch.equal(after["a.bias"], before["a.bias"]) and torch.equal(after["steps"], before["steps"])
    noise = sum(float(((after[n].double() - before[n].double()) ** 2).sum()) for n in ("a.weight", "b.weight"))
    signal = sum(float((before[n].double() ** 2).sum()) for n in ("a.weight", "b.weight"))
    assert told["quality"]["snr_db"] == pytest.approx(10 * math.log10(signal / noise))
    assert told["quality"]["snr_db"] > {"int8": 38, "int4": 16, "codebook": 18, "pruned": 7}[form]


def test_half_of_the_weights_are_zero_after_pruning(weights, tmp_path):
    told, folder = packed(weights[0], "pruned", tmp_path)
    storage.restore(folder / told["file"], tmp_path / "again")
    found = {tensor.name: tensor.zero_frac for tensor in SAFETENSORS.read(tmp_path / "again", {}).tensors}
    assert found["a.weight"] == 0.5 and found["b.weight"] == 0.5


def test_bfloat16_is_plain_safetensors_and_leaves_half_precision_alone(weights, tmp_path):
    told, folder = packed(weights[0], "bfloat16", tmp_path)
    found = load_file(folder / told["file"])
    assert found["a.weight"].dtype is torch.bfloat16 and found["b.weight"].dtype is torch.float16
    assert told["quality"]["snr_db"] > 48


def test_tied_weights_of_a_state_dict_come_back_under_both_names(tmp_path):
    tied = torch.randn(64, 64, generator=torch.Generator().manual_seed(1))
    torch.save({"words.weight": tied, "head.weight": tied}, tmp_path / "m.pth")
    told, folder = packed(tmp_path / "m.pth", "int8", tmp_path, kind="state_dict")
    storage.restore(folder / told["file"], tmp_path / "again")
    found = load_file(tmp_path / "again")
    assert torch.equal(found["words.weight"], found["head.weight"])
    assert torch.allclose(found["head.weight"], tied, atol=0.02)


def test_what_is_small_already_is_refused_in_one_line(tmp_path):
    save_file({"w": torch.zeros(64, 64, dtype=torch.int8)}, tmp_path / "w.safetensors")
    with pytest.raises(InputError, match="not get smaller"):
        packed(tmp_path / "w.safetensors", "int8", tmp_path)


def test_the_whole_job_keeps_every_form_with_its_hash(weights, tmp_path, capsys):
    desk = Desk(home(), Keeper(), lambda done_frac, text: None)
    sha256 = take_in(desk, path=str(weights[0]))["sha256"]
    done = store_smaller(desk, sha256=sha256)
    made = [desk.get(Variant, each) for each in done["made"]]
    assert [one.steps[0].options["form"] for one in made] == list(TITLES)
    assert all(one.failed is None and (home().variants(sha256) / one.file).is_file() for one in made)
    table = stored(SAFETENSORS.read(weights[0], {}), made)
    assert (table["size_ratio"] < 1).all() and table["snr_db"].notna().all()
    four_bits = next(one for one in made if one.steps[0].options["form"] == "int4")
    target = tmp_path / "again.safetensors"
    args = type("Args", (), {"packed": home().variants(sha256) / four_bits.file, "out": target})
    restore.run(args)
    assert load_file(target)["a.weight"].shape == (64, 128)
    with pytest.raises(InputError, match="no form 'zip'"):
        store_smaller(desk, sha256=sha256, forms=["zip"])


def test_tables_of_a_file_of_weights(weights):
    model = SAFETENSORS.read(weights[0], {})
    assert tensors(model)["tensor"].tolist()[0] == "a.weight"
    types = by_dtype(model).set_index("dtype")
    assert types.loc["float32", "stored_bytes"] == (8192 + 64) * 4
    sizes = precisions(model).set_index("precision")
    assert sizes.loc["int4", "weights_bytes"] == (8192 + 64 + 2048) // 2
    assert sizes.loc["float32", "holds"]
