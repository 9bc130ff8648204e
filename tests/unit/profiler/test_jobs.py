"""The queue: order, progress, cancel, failure in one line, and what a restart leaves."""

import threading
import time

import pytest

from data.errors import InputError
from data.home import Home
from data.store import Store
from profiler import jobs as queue
from profiler.jobs import Jobs
from profiler.tasks import procedure, task
from profiler.types import Job
from tests.patience import PATIENCE_S, until

# The procedures live in a room, under names the queue can resolve: this module stands in for one.
started = threading.Event()


@procedure
def count(desk, upto):
    for step in range(upto):
        desk.progress(step / upto, f"step {step}")
    return {"counted": upto}


@procedure
def spin(desk):
    started.set()
    while True:
        desk.progress(0.5, "spinning")
        time.sleep(0.01)


@procedure
def refuse(desk):
    raise InputError("This file is empty.", hint="Choose another.")


@procedure
def break_down(desk):
    raise ZeroDivisionError("secret detail")


@task
def not_a_procedure(desk):
    return None


@pytest.fixture(autouse=True)
def stand_in(monkeypatch):
    """Let the queue resolve this module's procedures."""
    here = {f"{__name__}:{f.__name__}": f for f in (count, spin, refuse, break_down)}
    known = queue.resolve
    monkeypatch.setattr(queue, "resolve", lambda name, mark: here.get(name) or known(name, mark))


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def jobs(tmp_path, store):
    return Jobs(Home(tmp_path), store)


def test_a_job_runs_and_its_row_tells(jobs, store):
    job_id = jobs.submit(count, {"upto": 3}, title="Count", lane="quick")
    job = jobs.wait(job_id, PATIENCE_S)
    assert (job.state, job.result, job.done_frac) == ("done", {"counted": 3}, 1.0)
    assert store.get(Job, job_id) == job


def test_the_second_of_a_lane_waits_and_a_cancel_ends_both(jobs):
    started.clear()
    first = jobs.submit(spin, {}, title="Spin", lane="device")
    second = jobs.submit(count, {"upto": 1}, title="Count", lane="device")
    other = jobs.submit(count, {"upto": 1}, title="Count", lane="quick")
    assert started.wait(PATIENCE_S)
    assert jobs.wait(other, PATIENCE_S).state == "done"
    assert jobs.get(second).state == "queued" and jobs.ahead(second) == 1
    assert [job.id for job in jobs.active()] == [first, second]
    jobs.cancel(second)
    jobs.cancel(first)
    assert jobs.wait(first, PATIENCE_S).state == "cancelled"
    assert jobs.wait(second, PATIENCE_S).state == "cancelled"


def test_a_refusal_and_a_defect_end_the_job_in_one_line_and_the_queue_goes_on(jobs):
    refused = jobs.wait(jobs.submit(refuse, {}, title="Refuse", lane="quick"), PATIENCE_S)
    assert (refused.state, refused.error, refused.hint) == ("failed", "This file is empty.", "Choose another.")
    broken = jobs.wait(jobs.submit(break_down, {}, title="Break", lane="quick"), PATIENCE_S)
    assert broken.state == "failed" and "secret" not in broken.error and "secret" in broken.details
    assert jobs.wait(jobs.submit(count, {"upto": 1}, title="Count", lane="quick"), PATIENCE_S).state == "done"


def test_what_a_restart_cut_off_is_interrupted_and_can_be_repeated(tmp_path, store):
    cut = Job(
        id="cut", title="Count", procedure=f"{__name__}:count", arguments={"upto": 2}, lane="quick", state="running",
        created_at=queue.now(),
    )  # fmt: skip
    store.save(cut)
    leftover = Home(tmp_path).all_jobs / "leftover"
    leftover.mkdir()
    jobs = Jobs(Home(tmp_path), store)
    assert jobs.get("cut").state == "interrupted" and not leftover.exists()
    again = jobs.wait(jobs.repeat("cut"), PATIENCE_S)
    assert again.state == "done" and again.result == {"counted": 2}
    assert jobs.repeat("unknown") is None


def test_only_the_newest_jobs_are_kept_and_uploads_that_an_interrupted_one_is_about(tmp_path, store, monkeypatch):
    monkeypatch.setattr(queue, "KEPT_JOBS", 3)
    wanted, other = Home(tmp_path).uploads / "wanted", Home(tmp_path).uploads / "other"
    for folder in (wanted, other):
        folder.mkdir()
    for number in range(6):
        store.save(Job(
            id=f"{number}", title="t", procedure="x:y", arguments={"path": str(wanted / "model.onnx")} if number == 5
            else {}, lane="quick", state="running" if number == 5 else "done", created_at=queue.now(),
        ))  # fmt: skip
    jobs = Jobs(Home(tmp_path), store)
    assert [job.id for job in store.all(Job)] == ["3", "4", "5"]
    assert jobs.get("5").state == "interrupted"
    assert wanted.exists() and not other.exists()


def test_a_clock_that_is_set_back_changes_neither_the_order_nor_the_time_taken(jobs, monkeypatch):
    first = jobs.submit(spin, {}, title="Spin", lane="device")
    monkeypatch.setattr(queue, "now", lambda: "1999-01-01T00:00:00.000+00:00")
    second = jobs.submit(count, {"upto": 1}, title="Count", lane="device")
    assert jobs.ahead(second) == 1 and jobs.ahead(first) == 0
    assert [job.id for job in jobs.active()] == [first, second]
    until(lambda: jobs.elapsed_s(first) is not None)
    assert 0 <= jobs.elapsed_s(first) < 2 * PATIENCE_S and jobs.elapsed_s(second) is None
    jobs.cancel(first)
    assert jobs.wait(first, PATIENCE_S).state == "cancelled" and jobs.wait(second, PATIENCE_S).state == "done"
    assert jobs.elapsed_s(first) is None and not jobs._jobs


def test_only_marked_procedures_are_taken(jobs):
    with pytest.raises(InputError):
        jobs.submit(not_a_procedure, {}, title="No", lane="quick")
    with pytest.raises(InputError):
        jobs.submit(time.sleep, {}, title="No", lane="quick")
