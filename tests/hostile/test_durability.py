"""kill -9 at any moment: every row shown as saved is there, whole; the job is interrupted; a restart is quick."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import durability_app
import pytest

from data.errors import DataError, RightsizeError, Unavailable
from data.home import Home
from data.store import Store
from profiler import jobs
from profiler.jobs import Jobs
from profiler.types import Job, Measurement
from tests.hostile.world import TOLD

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MOMENTS = [
    pytest.param(number, marks=() if number < 4 else pytest.mark.hostile, id=f"moment-{number}") for number in range(30)
]


def killed(folder, seconds):
    """Runs the stand-in, kills it after so many seconds of saving; its job's id and the acknowledged pairs."""
    log = folder / "acknowledged.txt"
    log.touch()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    running = subprocess.Popen(
        [sys.executable, str(HERE / "durability_app.py"), str(folder / "home"), str(log)],
        stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT,
    )  # fmt: skip
    job = running.stdout.readline().strip()
    time.sleep(seconds)
    running.send_signal(signal.SIGKILL)
    running.wait()
    return job, log.read_text().split()


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_a_random_moment_nothing_acknowledged_is_lost(tmp_path, moment, monkeypatch):
    (tmp_path / "home").mkdir()
    job, acknowledged = killed(tmp_path, random.Random(moment).uniform(0.02, 0.9))
    started = time.monotonic()
    home = Home(tmp_path / "home")
    store = Store(home.store)
    found = {row.id: row for row in store.all(Measurement)}
    lost = [pair + half for pair in acknowledged for half in ("-a", "-b") if pair + half not in found]
    for column, count in (("moments", 1), ("rows acknowledged", 2 * len(acknowledged)), ("rows lost", len(lost))):
        TOLD["kill -9"]["app", column] += count
    for pair in acknowledged:
        for half in ("-a", "-b"):
            assert found[pair + half] == durability_app.measurement(pair + half)
    halves = {name[:-2] for name in found}
    assert all({f"{pair}-a", f"{pair}-b"} <= found.keys() for pair in halves)
    monkeypatch.setattr(jobs, "resolve", durability_app.resolve)
    queue = Jobs(home, store)
    assert time.monotonic() - started < 10
    assert queue.get(job).state == "interrupted"
    assert list(home.all_jobs.iterdir()) in ([], [home.jobs])
    assert list(home.jobs.iterdir()) == []
    again = queue.repeat(job)
    assert queue.get(again).state in ("queued", "running")
    queue.cancel(again)
    assert queue.wait(again, 10).state == "cancelled"
    store.close()


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 8 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("a small disk can only be mounted by root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_one_line_and_what_was_saved_stays(small_disk):
    store = Store(small_disk / "store.duckdb")
    saved = []
    with pytest.raises(RightsizeError) as caught:
        for number in range(5_000):
            rows = [durability_app.measurement(f"{number}-{part}") for part in range(20)]
            store.save(*rows)
            saved += [row.id for row in rows]
    assert isinstance(caught.value, DataError) and "\n" not in caught.value.message
    store.close()
    for file in small_disk.glob("filler"):
        file.unlink()
    reopened = Store(small_disk / "store.duckdb")
    assert set(saved) <= {row.id for row in reopened.all(Measurement)}
    reopened.close()


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    locked = tmp_path / "no folder here"
    with pytest.raises(Unavailable) as caught:
        Store(locked / "deep" / "store.duckdb")
    assert caught.value.hint and str(tmp_path) not in caught.value.message


def test_the_app_starts_in_memory_and_says_so_where_the_store_is_held(own_home):
    import streamlit
    from streamlit.testing.v1 import AppTest

    code = (
        "import sys, time; from pathlib import Path; from data.home import Home; from data.store import Store\n"
        f"store = Store(Home(Path({str(own_home)!r})).store); print('held', flush=True); time.sleep(120)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert holder.stdout.readline().strip() == "held"
        streamlit.cache_resource.clear()
        page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
        assert not page.exception
        said = " ".join(text.value for text in page.main.markdown)
        assert "holds the measurement store" in said and "Nothing is kept" in said
    finally:
        streamlit.cache_resource.clear()
        holder.kill()
        holder.wait()


def test_a_job_of_a_dead_child_fails_and_the_queue_goes_on(tmp_path, monkeypatch):
    store = Store()
    store.save(
        Job(id="old", title="t", procedure="x:y", arguments={}, lane="device", state="queued", created_at=jobs.now())
    )
    monkeypatch.setattr(jobs, "resolve", durability_app.resolve)
    assert Jobs(Home(tmp_path), store).get("old").state == "interrupted"
