"""A full disk, stage by stage: one line that says so, and nothing half-made left."""

import io
import subprocess
from pathlib import Path

import pytest

from data.errors import DISK_FULL, DataError, Unavailable, unforeseen
from data.home import Home
from data.store import Store
from pages.ui import state
from profiler import intake
from profiler.jobs import Desk, Jobs
from tests.fakes import Keeper
from tests.hostile.build_files import onnx_bytes
from tests.hostile.build_torch import zipped
from tests.hostile.world import check_text, run

LARGE = 10 << 20


@pytest.fixture
def disk(tmp_path):
    """A home on a disk of 8 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], capture_output=True).returncode:
        pytest.skip("a small disk can only be mounted by root")
    yield Home(folder)
    subprocess.run(["umount", "-l", str(folder)], check=True)


def large_model(folder):
    """A sound model, padded by a text that is passed over."""
    doc = bytes(LARGE)
    length = b""
    rest = len(doc)
    while rest:
        length += bytes([rest & 0x7F | (0x80 if rest > 0x7F else 0)])
        rest >>= 7
    path = folder / "large.onnx"
    path.write_bytes(onnx_bytes() + b"\x32" + length + doc)
    return path


class Upload(io.BytesIO):
    def __init__(self, data, name):
        super().__init__(data)
        self.name = name


def test_while_an_upload_is_written(disk, monkeypatch):
    monkeypatch.setattr(state, "app", lambda: state.App(disk, None, None, None, []))
    with pytest.raises(DataError) as told:
        state.received([Upload(b"x", "w.bin"), Upload(bytes(LARGE), "model.onnx")])
    assert told.value.message == DISK_FULL
    assert list(disk.uploads.iterdir()) == []


def test_while_an_archive_is_unpacked(disk, tmp_path):
    (tmp_path / "model.zip").write_bytes(zipped({"model.onnx": onnx_bytes(), "w.bin": bytes(LARGE)}))
    with pytest.raises(Unavailable) as told:
        intake.take_in(Desk(disk, Keeper(), lambda *_: None), path=str(tmp_path / "model.zip"))
    assert "more than the disk has free" in told.value.message
    assert list(disk.jobs.iterdir()) == []


def test_while_the_file_is_kept(disk, tmp_path):
    jobs = Jobs(disk, Store())
    path = large_model(tmp_path)
    for _ in range(2):
        job = jobs.wait(jobs.submit(intake.take_in, {"path": str(path)}, title="t", lane="quick"), 60)
        assert (job.state, job.error) == ("failed", DISK_FULL), job.details
        assert list((disk.root / "models").iterdir()) == []


def test_while_the_record_is_kept(disk, tmp_path):
    class Full(Keeper):
        def save(self, *records):
            raise DataError(DISK_FULL)

    (tmp_path / "model.onnx").write_bytes(onnx_bytes())
    with pytest.raises(DataError):
        intake.take_in(Desk(disk, Full(), lambda *_: None), path=str(tmp_path / "model.onnx"))
    assert list((disk.root / "models").iterdir()) == []


def test_while_a_job_writes(disk):
    (disk.jobs / "job").mkdir()
    with pytest.raises(DataError) as told:
        run("misbehave", {"how": "fill"}, disk.jobs / "job")
    assert told.value.message == DISK_FULL
    check_text(told.value.hint)


def test_while_a_result_is_written():
    try:
        Path("/dev/full").write_text("report")
    except OSError as error:
        assert unforeseen(error).message == DISK_FULL
    else:
        pytest.skip("this system has no full device")
