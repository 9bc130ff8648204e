"""Paths on the app's machine, as a user may type them: only a regular file that can be read is opened."""

import os
import socket
from contextlib import chdir

import pytest

from data.errors import InputError
from data.home import Home
from profiler import intake
from profiler.jobs import Desk
from tests.fakes import Keeper
from tests.hostile.build_files import onnx_bytes
from tests.hostile.world import check_text


@pytest.fixture
def desk(tmp_path):
    return Desk(Home(tmp_path / "home"), Keeper(), lambda done_frac, text: None)


def places(folder):
    (folder / "folder.onnx").mkdir()
    os.mkfifo(folder / "fifo.onnx")
    (folder / "loop.onnx").symlink_to("loop.onnx")
    (folder / "broken.onnx").symlink_to("nothing")
    (folder / "null.onnx").symlink_to("/dev/null")
    with chdir(folder), socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.onnx")
    own = [str(path) for path in folder.iterdir()]
    return [
        *own, "", ".", "/", "/dev/zero", "/dev/null", "/dev/stdin", "/proc", "/proc/self/environ", "/proc/self/mem",
        "/proc/self/fd/0", "/proc/kcore", "/proc/self/root", "/etc/passwd", "~", "~nobody-of-this-name/x", "a\0b",
        "x" * 5_000, "/".join(["x"] * 3_000), "http://127.0.0.1/model.onnx", "file:///etc/passwd", "\x1b[31mred\x1b[0m",
    ]  # fmt: skip


def test_no_place_but_a_model_file_is_opened(desk, tmp_path):
    (tmp_path / "in").mkdir()
    for place in places(tmp_path / "in"):
        with pytest.raises(InputError) as told:
            intake.take_in(desk, path=place)
        check_text(told.value.message)
        assert "root:" not in str(told.value.as_dict())
    assert not (desk.home.root / "models").exists()
    assert list(desk.home.jobs.iterdir()) == []


def test_a_link_to_a_model_is_followed_once_and_its_bytes_are_kept(desk, tmp_path):
    (tmp_path / "model.bin").write_bytes(onnx_bytes())
    (tmp_path / "link.onnx").symlink_to("model.bin")
    kept = intake.take_in(desk, path=str(tmp_path / "link.onnx"))
    (file,) = desk.home.model(kept["sha256"]).iterdir()
    assert not file.is_symlink() and file.read_bytes() == onnx_bytes()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_of_somebody_else_is_named(desk, tmp_path):
    (tmp_path / "theirs.onnx").write_bytes(onnx_bytes())
    (tmp_path / "theirs.onnx").chmod(0)
    with pytest.raises(InputError) as told:
        intake.take_in(desk, path=str(tmp_path / "theirs.onnx"))
    assert "may not be read" in told.value.message
