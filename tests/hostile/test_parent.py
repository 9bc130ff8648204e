"""What the parent does about a child that goes wrong: one line, in time, and nothing left behind."""

import json
import os
import subprocess
import sys
import time

import psutil
import pytest

from data.errors import Cancelled, InputError, MeasurementError
from data.home import Home
from profiler.files import made_by_job
from profiler.jobs import Desk
from profiler.sandbox import Hooks, Limits
from tests.fakes import Keeper
from tests.hostile.world import ROOT, check_text, run
from tests.patience import until


def misbehave(how, folder, limits=None, hooks=None, **more):
    return run("misbehave", {"how": how, **more}, folder, limits=limits or Limits(seconds=30), hooks=hooks)


def gone(process):
    """Whether it has ended. In a container nobody may have collected it yet."""
    try:
        return psutil.Process(process).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def failure(*arguments, **more):
    with pytest.raises(MeasurementError) as failed:
        misbehave(*arguments, **more)
    check_text(failed.value.message)
    return failed.value


def test_a_good_job_works_in_its_own_folder(tmp_path):
    assert misbehave("nothing", tmp_path) == {"folder": str(tmp_path), "home": str(tmp_path)}


def test_time_is_limited(tmp_path):
    assert "time limit" in failure("spin", tmp_path, limits=Limits(seconds=0.5)).message


def test_memory_is_limited(tmp_path):
    error = failure("eat", tmp_path, limits=Limits(seconds=30, memory_bytes=512 << 20))
    assert "more memory than the 0.5 GiB" in error.message


def test_resident_memory_is_watched_where_the_system_sets_no_limit(tmp_path, monkeypatch):
    monkeypatch.setenv("RIGHTSIZE_WITHOUT", "limits")
    error = failure("eat", tmp_path, limits=Limits(seconds=30, memory_bytes=512 << 20))
    assert "more memory than the 0.5 GiB" in error.message


def test_disk_is_limited(tmp_path):
    assert "disk" in failure("fill", tmp_path, limits=Limits(seconds=30, file_bytes=20 << 20)).message


def test_the_number_of_files_is_limited(tmp_path):
    assert "more to disk than a job may" in failure("litter", tmp_path).message


def test_a_folder_no_path_can_name_is_removed_after_the_job(tmp_path):
    desk = Desk(Home(tmp_path), Keeper(), lambda done_frac, text: None)
    with desk.folder() as folder:
        misbehave("dig", folder)
        assert any(folder.iterdir())
    assert list(desk.home.jobs.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    ["../model", "/etc/passwd", "", ".", "..", "a/b", "nothing", "link", "folder", "fifo", "a\0b", 7, None, ["x"]],
)
def test_no_file_but_a_job_s_own_is_taken_from_it(tmp_path, name):
    (folder := tmp_path / "job").mkdir()
    for inside in (tmp_path / "model", folder / "mine"):
        inside.write_text("x")
    (folder / "link").symlink_to("/etc/passwd")
    (folder / "folder").mkdir()
    os.mkfifo(folder / "fifo")
    assert made_by_job(folder, "mine") == folder / "mine"
    with pytest.raises(MeasurementError) as told:
        made_by_job(folder, name)
    check_text(told.value.message)


def test_a_crash_is_told_and_harms_nobody(tmp_path):
    assert "crashed the process that ran it (SIGSEGV)" in failure("crash", tmp_path).message
    assert "code 3" in failure("leave", tmp_path).message


def test_a_flood_of_text_is_stopped(tmp_path):
    assert "printed more text" in failure("shout", tmp_path).message


def test_a_short_answer_of_countless_values_is_stopped(tmp_path):
    before = psutil.Process().memory_info().rss
    assert "more text than a job may" in failure("many_values", tmp_path).message
    assert psutil.Process().memory_info().rss - before < 200 << 20


def test_a_flood_of_answers_is_stopped(tmp_path):
    assert "more text than a job may" in failure("overflow", tmp_path).message


@pytest.mark.parametrize(
    "line",
    ["hello", "[1]", "1" * 5_000, "[" * 100_000, '{"progress": "x"}', '{"done": "a"}', '{"locked": 1}',
     '{"progress": 1}', '{"done": "a", "wall_s": null, "cpu_s": 1}'],
)  # fmt: skip
def test_an_answer_that_is_none_is_not_believed(tmp_path, line):
    assert "could not be read" in failure("babble", tmp_path, line=line).message


def test_a_child_that_hangs_up_is_ended(tmp_path):
    assert "time limit" not in failure("hang_up", tmp_path).message


def test_progress_is_plain_text_between_0_and_1(tmp_path):
    heard = []
    line = '{"progress": 7e9, "text": "\\u001b[31m<b>\\n' + "x" * 500 + '"}\n{"result": 1}'
    assert misbehave("babble", tmp_path, line=line, hooks=Hooks(progress=lambda *told: heard.append(told))) == 1
    assert heard[0][0] == 1.0
    assert heard[0][1].startswith("<b> xxx")
    assert len(heard[0][1]) <= 120


def test_a_library_error_is_a_detail_without_paths(tmp_path):
    with pytest.raises(InputError) as failed:
        misbehave("raise_library_error", tmp_path, text="\x1b[31mInvalid magic in /home/someone/model.onnx\n at line 1")
    assert failed.value.message == "The model could not be processed."
    assert failed.value.details == "Invalid magic in …/model.onnx at line 1"


@pytest.mark.parametrize("text", ["std::bad_alloc", "DefaultCPUAllocator: can't allocate", "Failed to allocate memory"])
def test_a_library_out_of_memory_says_so(tmp_path, text):
    assert "memory" in failure("raise_library_error", tmp_path, text=text).message


def test_cancel_ends_it_at_once(tmp_path):
    """The child would sleep for a minute; it is ended at the parent's next look, fifty times a second."""
    asked = []

    def cancelled():
        asked.append(time.monotonic())
        return len(asked) > 10

    with pytest.raises(Cancelled):
        misbehave("sleep", tmp_path, hooks=Hooks(cancelled=cancelled))
    assert len(asked) == 11
    assert time.monotonic() - asked[-1] < 10


def test_the_peak_mark_can_be_reset_inside(tmp_path):
    assert misbehave("peak", tmp_path) is None


def test_what_a_job_starts_ends_with_it(tmp_path, monkeypatch):
    monkeypatch.setenv("RIGHTSIZE_WITHOUT", "seccomp")  # with it, nothing can be started
    process = misbehave("start_another", tmp_path)
    until(lambda: gone(process))


def test_a_hundred_jobs_leave_nothing_behind(tmp_path):
    command = [sys.executable, "-m", "tests.hostile.hundred_jobs", str(tmp_path)]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=500).stdout
    before, after = json.loads(told)
    assert after["children"] == []
    assert after["descriptors"] <= before["descriptors"]
    assert after["resident_bytes"] - before["resident_bytes"] < 100 << 20
    # Others on this machine may use the same folder; what a job leaves is left by each of the twenty of its kind.
    assert len(set(after["shared"]) - set(before["shared"])) < 20
    assert list(tmp_path.iterdir()) in ([], [tmp_path / "home"])


PARENT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from profiler import sandbox, warm
from tests.hostile.world import run
if sys.argv[3] == "warm":
    sandbox.prepare(Path(sys.argv[1]))
run("misbehave", {"how": "sleep"}, Path(sys.argv[1]) / "job")
"""


@pytest.mark.parametrize("kind", ["cold", "warm"])
def test_a_child_dies_with_its_app(tmp_path, monkeypatch, kind):
    (tmp_path / "job").mkdir()
    monkeypatch.setenv("RIGHTSIZE_WARM", "1")
    app = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path), str(ROOT), kind])
    try:
        count = 1 + (kind == "warm")
        until(lambda: len(psutil.Process(app.pid).children()) >= count)
        children = [child.pid for child in psutil.Process(app.pid).children()]
        time.sleep(0.5)  # most often past the moment in which they lock themselves; before it they look for their app
    finally:
        app.kill()
        app.wait()
    assert len(children) == count
    until(lambda: all(map(gone, children)))
