"""The child that waits: it serves one order, reads only what it is given, and is gone afterwards."""

import time
from pathlib import Path

import psutil
import pytest

from data.errors import InputError
from profiler import sandbox, warm
from profiler.sandbox import Limits
from tests.hostile.build_files import onnx_bytes
from tests.patience import until

INSPECT = "profiler.inspect:inspect"


@pytest.fixture
def jobs(tmp_path, monkeypatch):
    monkeypatch.setenv(warm.SWITCH, "1")
    (folder := tmp_path / "jobs").mkdir()
    before = set(psutil.Process().children())
    yield folder
    sandbox.dismiss()
    assert list(folder.glob("warm-*")) == []
    left = [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]
    assert set(left) <= before


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "models" / "model.onnx"
    path.parent.mkdir()
    path.write_bytes(onnx_bytes())
    (path.parent / "secret").write_text("x")
    return path


def ready(jobs):
    sandbox.prepare(jobs)
    return until(lambda: warm._waiting)


def inspect(model, folder, **more):
    arguments = {"path": str(model), "name": "model.onnx", "shapes": {}}
    return sandbox.run(INSPECT, arguments | more, folder=folder, readable=[model], limits=Limits(seconds=60))


def job(jobs, name="job"):
    folder = jobs / name
    folder.mkdir()
    return folder


def test_it_serves_one_order_in_the_orders_own_folder(jobs, model):
    waiting, folder = ready(jobs), job(jobs)
    assert inspect(model, folder)["format"] == "onnx"
    assert waiting.over.is_set()
    assert warm._waiting is None
    assert inspect(model, job(jobs, "cold"))["format"] == "onnx"
    assert folder.is_dir()


def test_only_the_ordered_file_can_be_read(jobs, model):
    waiting = ready(jobs)
    names = waiting.move_in(job(jobs), [model])
    assert list(names) == [str(model)]
    assert [path.name for path in Path(names[str(model)]).parent.iterdir()] == ["model.onnx"]
    assert model.samefile(names[str(model)])
    sandbox.dismiss()


def test_a_folder_in_use_gets_a_cold_child(jobs, model):
    ready(jobs)
    folder = job(jobs)
    (folder / "there").write_text("x")
    assert inspect(model, folder)["format"] == "onnx"
    assert (folder / "there").exists()


def test_an_error_comes_back_as_from_any_child(jobs, model):
    ready(jobs)
    model.write_bytes(b"\x08\x08junk")
    with pytest.raises(InputError):
        inspect(model, job(jobs))


def test_other_tasks_do_not_take_it(jobs, model):
    ready(jobs)
    arguments = {"path": str(model), "name": "m.onnx"}
    sandbox.run("profiler.triage.examine:examine", arguments, folder=job(jobs), readable=[model])
    assert warm._waiting is not None


def test_it_can_be_switched_off(jobs, monkeypatch):
    monkeypatch.setenv(warm.SWITCH, "0")
    sandbox.prepare(jobs)
    assert warm._waiting is None


def test_it_outlives_the_thread_that_asked_for_it(jobs):
    waiting = ready(jobs)
    time.sleep(0.3)
    assert waiting.child.alive
