"""Hostile files built here, one for each trap that is known: every one is refused in one line that names the cause."""

import time

import pytest

from data.errors import InputError
from profiler.files import sha256_of
from profiler.sandbox import Limits
from profiler.triage.data import triage_data
from profiler.triage.examine import triage
from tests.hostile import build_files, build_torch
from tests.hostile.build_onnx import BROKEN
from tests.hostile.world import check_text, run

MODELS = [
    pytest.param(name, data, cause, id=f"{kind.__name__}-{name}")
    for kind in (
        build_torch.pickles, build_torch.scripts, build_torch.programs, build_files.archives,
        build_files.weights_of_safetensors, build_files.ggufs, build_files.mistakes,
    )
    for name, data, cause in kind()
    if name != "small_lie.zip"  # its size is only found out while it is unpacked
]  # fmt: skip
SOUND = {
    "state_dict": build_torch.state_dict(), "torchscript": build_torch.script(), "pt2": build_torch.exported(),
    "onnx": build_files.onnx_bytes(), "gguf": build_files.gguf(),
    "onnx_bundle": build_torch.zipped(
        {"m/model.onnx": build_files.onnx_bytes(), "m/w.bin": b"1", "__MACOSX/._m": b"2"}),
    "safetensors": build_files.safetensors({"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}),
    "hf_config": b'{"model_type": "bert", "hidden_size": 8}',
}  # fmt: skip


def test_there_are_enough_of_them():
    assert len(MODELS) + len(list(build_files.arrays())) + len(BROKEN) > 200


@pytest.mark.parametrize(("name", "data", "cause"), MODELS)
def test_a_trap_is_refused_before_any_library_sees_it(tmp_path, name, data, cause):
    refused(triage, tmp_path, name, data, cause)


@pytest.mark.parametrize(("name", "data", "cause"), [pytest.param(*case, id=case[0]) for case in build_files.arrays()])
def test_a_trap_among_data_is_refused(tmp_path, name, data, cause):
    refused(triage_data, tmp_path, name, data, cause)


@pytest.mark.parametrize("kind", SOUND)
def test_a_sound_file_is_recognised_by_its_content(tmp_path, kind):
    (tmp_path / "file").write_bytes(SOUND[kind])
    assert triage(tmp_path / "file", "file").format == kind
    noted = triage(tmp_path / "file", "file.xyz").notes[0]
    assert ".xyz" in noted
    check_text(noted)


def test_an_archive_with_a_64_bit_end_is_read_as_before(tmp_path):
    for kind in ("state_dict", "onnx_bundle"):
        (tmp_path / "file").write_bytes(build_files.end64(SOUND[kind]))
        assert triage(tmp_path / "file", "file").format == kind


def test_words_in_texts_and_comments_of_a_script_are_no_code(tmp_path):
    code = build_torch.CODE + '  def f(self, x: int) -> str:\n    return "x.save( [[ \\" (" # model.from_file('
    (tmp_path / "file").write_bytes(build_torch.script(code))
    assert triage(tmp_path / "file", "m.pt").format == "torchscript"


def test_a_hundred_megabytes_are_judged_and_hashed_in_two_seconds(tmp_path):
    header = {"w": {"dtype": "U8", "shape": [100 << 20], "data_offsets": [0, 100 << 20]}}
    path = tmp_path / "file"
    path.write_bytes(build_files.safetensors(header, b""))
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size + (100 << 20))
    started = time.process_time()
    assert triage(path, "file.safetensors").format == "safetensors"
    assert len(sha256_of(path)) == 64
    assert time.process_time() - started < 2


def test_the_same_file_twice_gets_the_same_answer(tmp_path):
    for name, data, _ in build_torch.programs():
        (tmp_path / "file").write_bytes(data)
        told = set()
        for _ in range(2):
            with pytest.raises(InputError) as failed:
                triage(tmp_path / "file", name)
            told.add((failed.value.message, failed.value.hint))
        assert len(told) == 1


def test_broken_onnx_is_refused_in_the_child(tmp_path):
    """One child reads them all, as the product's inspection does."""
    (tmp_path / "job").mkdir()
    (tmp_path / "in").mkdir()
    lie = next(data for name, data, _ in build_files.archives() if name == "small_lie.zip")
    (tmp_path / "in" / "small_lie.zip").write_bytes(lie)
    causes = {"small_lie.zip": ("more than the size", "damaged")}
    for number, (model, reason) in enumerate(BROKEN.values()):
        name = f"{number}.onnx"
        (tmp_path / "in" / name).write_bytes(model.SerializeToString())
        causes[name] = (reason, "incomplete", "missing", "outside", "ends outside", "no graph")
    files = [{"path": str(tmp_path / "in" / name), "name": name} for name in causes]
    found = run("look_at", {"files": files}, tmp_path / "job", readable=[tmp_path / "in"], limits=Limits(seconds=120))
    for file, outcome in zip(files, found, strict=True):
        assert outcome.get("kind") == "InputError", (file, outcome)
        check_text(outcome["error"], causes[file["name"]])


def refused(judge, folder, name, data, cause):
    path = folder / "file"
    path.write_bytes(data)
    started = time.process_time()
    with pytest.raises(InputError) as failed:
        judge(path, name)
    assert time.process_time() - started < 2
    check_text(failed.value.message, cause)
