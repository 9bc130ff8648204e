"""The app starts whatever has become of its data folder, and says in one line what is lost."""

import subprocess
from pathlib import Path

import pytest
import streamlit
from streamlit.testing.v1 import AppTest

from data.home import Home
from data.inbox import Inbox
from data.store import Store
from pages.ui import state
from profiler.jobs import now
from profiler.types import Job
from tests.hostile.world import ROOT, check_text

JOB = Job(id="cut", title="t", procedure="x:y", arguments={}, lane="quick", state="running", created_at=now())


@pytest.fixture(autouse=True)
def fresh():
    streamlit.cache_resource.clear()
    yield
    streamlit.cache_resource.clear()


@pytest.fixture
def disk(own_home):
    """The home on a disk of its own, of 8 MB."""
    own_home.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(own_home)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a small disk can only be mounted by root")
    yield own_home
    subprocess.run(["umount", "-l", str(own_home)], check=True)


def with_an_unfinished_job(root):
    store = Store(Home(root).store)
    store.save(JOB)
    store.close()


def said():
    """What the started app says above its page; it shows its first page all the same."""
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    assert not page.exception
    assert page.title[0].value
    texts = [text.value.replace("\\", "") for text in page.main.markdown]
    warnings = [text.removeprefix(":material/warning: ") for text in texts if text.startswith(":material/warning:")]
    for text in warnings:
        check_text(text.split(" Nothing is kept")[0])
    return " ".join(warnings)


def in_memory():
    """Whether the running app keeps its things apart from the home."""
    running = state.app()
    return running.store.path is None and not running.home.root.samefile(Path(state.home().root))


def test_a_sound_home_needs_no_word(own_home):
    with_an_unfinished_job(own_home)
    assert said() == ""
    assert state.app().store.path == Home(own_home).store
    assert state.app().jobs.get("cut").state == "interrupted"


@pytest.mark.parametrize("damage", ["garbage", "cut", "zeros", "block"])
def test_a_damaged_store_is_named_and_left_as_it_is(own_home, damage):
    with_an_unfinished_job(own_home)
    file = Home(own_home).store
    whole = file.read_bytes()
    damaged = {
        "garbage": b"no database" * 5_000, "cut": whole[: len(whole) // 2], "zeros": bytes(len(whole)),
        "block": whole[: 3 * 4096] + bytes(len(whole) - 3 * 4096),  # the head is sound, what it points to is not
    }[damage]  # fmt: skip
    file.write_bytes(damaged)
    text = said()
    assert "The measurement store is damaged." in text and "Nothing is kept" in text
    assert in_memory()
    assert file.read_bytes() == damaged


def test_a_damaged_log_costs_what_was_in_it_and_nothing_else(own_home):
    with_an_unfinished_job(own_home)
    Home(own_home).store.with_name("store.duckdb.wal").write_bytes(b"\x07garbage" * 999)
    assert said() == ""
    assert state.app().jobs.get("cut").state == "interrupted"


@pytest.mark.parametrize("made", [True, False])
def test_a_read_only_home_is_named(disk, made):
    if made:
        with_an_unfinished_job(disk)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    assert "cannot be" in said()
    assert in_memory()


@pytest.mark.parametrize("made", [True, False])
def test_a_full_disk_is_named(disk, made):
    if made:
        with_an_unfinished_job(disk)
    with pytest.raises(OSError, match="No space"):
        (disk / "filler").write_bytes(bytes(9 << 20))
    text = said()
    assert text == "" or "Nothing is kept" in text
    assert text or state.app().jobs.get("cut").state == "interrupted"


def test_a_home_that_is_a_file_is_named(own_home):
    own_home.write_text("x")
    assert "The data folder cannot be written." in said()


def test_a_headless_run_s_records_wait_where_the_store_cannot_take_them(own_home):
    inbox = Inbox(Home(own_home).inbox)
    inbox.save(JOB)
    inbox.close()
    Home(own_home).store.write_bytes(b"no database" * 5_000)
    assert "damaged" in said()
    assert len(list(Home(own_home).inbox.iterdir())) == 1


def test_records_that_cannot_be_read_are_named_and_kept_apart(own_home):
    (Home(own_home).inbox / "a.jsonl").write_text("[" * 100_000)
    (Home(own_home).inbox / "b.jsonl").write_bytes(b"\xff\xfe")
    (Home(own_home).inbox / "c.jsonl").write_text('{"type": "Job", "record": {"id": 1}}\n{"type": "os"}')
    assert said().count("cannot be read") == 3
    assert {file.suffix for file in Home(own_home).inbox.iterdir()} == {".unread"}
