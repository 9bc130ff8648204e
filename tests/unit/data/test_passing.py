"""Folders that live as long as their process, and removing what a hostile job may have written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from data import passing
from data.errors import InputError, Unavailable
from data.home import PROJECT, Home, home

HOLDER = (
    "import sys, time; from pathlib import Path; from data.home import Home\n"
    "print(Home(Path(sys.argv[1])).jobs, flush=True)\ntime.sleep(60)"
)


@pytest.fixture
def other(tmp_path):
    """Another process with a job folder in the same home."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT)
    folder = Path(process.stdout.readline().strip())
    (folder / "job").mkdir()
    yield process, folder
    process.kill()
    process.wait()


def test_a_living_process_keeps_its_folder_and_a_dead_one_loses_it(tmp_path, other):
    process, folder = other
    mine, nobodys = Home(tmp_path).jobs, Home(tmp_path).all_jobs / "old"
    nobodys.mkdir()
    assert mine != folder and mine.parent == folder.parent
    passing.clear(Home(tmp_path).all_jobs)
    assert (folder / "job").is_dir() and mine.is_dir() and not nobodys.exists()
    process.kill()
    process.wait()
    passing.clear(Home(tmp_path).all_jobs)
    assert not folder.exists() and mine.is_dir()
    assert Home(tmp_path).jobs == mine
    passing.let_go()
    assert not mine.exists()


def test_a_process_that_ends_well_leaves_no_folder(tmp_path):
    code = HOLDER.replace("time.sleep(60)", "")
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, cwd=PROJECT, stdout=subprocess.DEVNULL)
    assert list((tmp_path / "jobs").iterdir()) == []


def test_a_folder_is_removed_however_deep_and_closed_it_is_and_links_are_not_followed(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("kept")
    folder = tmp_path / "job"
    folder.mkdir()
    here = os.open(folder, os.O_RDONLY)
    for _ in range(3_000):  # far more than a path can say, or a recursion reach
        os.mkdir("d" * 200, dir_fd=here)
        inner = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    (folder / "closed").mkdir()
    (folder / "closed" / "file").write_text("x")
    (folder / "closed").chmod(0)
    (folder / "link").symlink_to(outside)
    (folder / "closed_link").mkdir()
    (folder / "closed_link" / "link").symlink_to(outside, target_is_directory=True)
    os.mkfifo(folder / "fifo")
    passing.remove(folder)
    assert not folder.exists()
    assert (outside / "precious").read_text() == "kept"


def test_a_link_or_a_file_in_place_of_a_folder_goes_alone(tmp_path):
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    passing.remove(tmp_path / "link")
    passing.remove(tmp_path / "nothing")
    assert list(tmp_path.iterdir()) == [tmp_path / "target"]


def test_a_passing_home_queues_for_devices_where_the_others_do(tmp_path):
    (locks := tmp_path / "locks").mkdir()
    away = Home(passing.passing_home(locks))
    assert away.locks.resolve() == locks and away.jobs.is_relative_to(away.root)
    passing.let_go()
    assert locks.is_dir() and not away.root.exists()


def test_a_home_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("x")
    for asked in ("jobs", "store", "inbox", "uploads"):
        with pytest.raises(Unavailable) as told:
            getattr(Home(tmp_path / "file"), asked)
        assert told.value.message == "The data folder cannot be written."


def test_a_home_inside_the_program_is_refused(monkeypatch):
    monkeypatch.setenv("RIGHTSIZE_HOME", str(PROJECT / "data" / "mine"))
    with pytest.raises(InputError) as told:
        home()
    assert "inside the program" in told.value.message


@pytest.mark.parametrize("hash_", ["..", "../..", "/etc", "", "a/b", "a" * 200, ".hidden"])
def test_no_hash_leads_out_of_the_home(tmp_path, hash_):
    for asked in (Home(tmp_path).model, Home(tmp_path).variants):
        with pytest.raises(InputError):
            asked(hash_)
