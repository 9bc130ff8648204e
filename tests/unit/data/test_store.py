"""Records come back as they went in; the store refuses what it should and survives what it must."""

import subprocess
import sys
import threading

import duckdb
import pytest

from advisor.sensitivity import Ranking
from advisor.types import Report, Variant
from data import records
from data.errors import DataError, Unavailable
from data.estimate import Estimate
from data.home import Home
from data.inbox import Inbox, open_headless, take_in
from data.records import hints, optional
from data.remembered import KEPT, Remembered
from data.store import PARTS, SQL, Store, encode
from profiler.run_types import LoadTest, OperatorProfile, TrainingStep
from profiler.types import Job, Machine, Measurement, Model, Peaks, Workload

RECORDS = (
    Model, Machine, Measurement, Job, LoadTest, OperatorProfile, Peaks, Ranking, TrainingStep, Variant, Report
)  # fmt: skip
KINDS = {kind.__name__: kind for kind in RECORDS}


def machine(**changes):
    fields = {"fingerprint": "f", "cpu": "c", "isa": ("avx2",), "physical_cores": 1, "logical_cores": 2}
    return Machine(**fields | {"memory_bytes": 5} | changes)


def measurement(**changes):
    fields = {
        "id": "a", "group_id": "g", "created_at": "2026-11-22T00:00:00.000+00:00", "model_sha256": "m",
        "machine": machine(), "runtime": "onnxruntime", "provider": "CPUExecutionProvider", "options": {"threads": "1"},
        "workload": Workload(shapes={"x": (1, 2)}), "samples_ms": (1.0, 2.5), "cpu_samples_ms": (1.0, 2.0),
        "warmup_ms": (), "load_ms": 3.0, "stable": True,
        "energy_j": Estimate(low=1.0, mid=2.0, high=3.0, basis="modelled", source="rated power"),
    }  # fmt: skip
    return Measurement(**fields | changes)


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_every_field_of_a_record_has_its_column(kind):
    rows = Store()._connection.execute(f'DESCRIBE "{kind.__name__}"').fetchall()
    expected = {"seq"}
    for name, hint in hints(kind).items():
        expected |= {f"{name}_{part}" for part in PARTS} if optional(hint)[0] is Estimate else {name}
    assert {row[0] for row in rows} == expected


def test_a_measurement_comes_back_whole_and_absent_stays_none():
    store = Store()
    store.save(measurement())
    assert store.get(Measurement, "a") == measurement()
    assert store.get(Measurement, "a").peak_bytes is None
    assert store.get(Machine, "f") == machine()
    assert store.get(Measurement, "b") is None


def test_saving_again_replaces_and_delete_counts():
    store = Store()
    store.save(measurement(), measurement(id="b"))
    store.save(measurement(stable=False))
    assert [row.stable for row in store.all(Measurement)] == [False, True]
    assert store.delete(Measurement, model_sha256="m") == 2
    assert store.all(Measurement) == []
    with pytest.raises(ValueError, match="name the fields"):
        store.delete(Measurement)


def test_an_estimate_is_five_columns():
    row = encode(measurement())
    assert (row["energy_j_low"], row["energy_j_mid"], row["energy_j_high"]) == (1.0, 2.0, 3.0)
    assert (row["energy_j_basis"], row["energy_j_source"]) == ("modelled", "rated power")
    assert row["idle_w_mid"] is None


def test_threads_read_what_belongs_to_them():
    store = Store()
    store.save(*(measurement(id=str(n), samples_ms=(float(n),)) for n in range(50)))
    wrong = []

    def read(n):
        for _ in range(20):
            if store.get(Measurement, str(n)).samples_ms != (float(n),):
                wrong.append(n)

    threads = [threading.Thread(target=read, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_rows_survive_a_process_that_ends_without_closing(tmp_path):
    code = (
        "import sys, os; sys.path.insert(0, 'tests/unit/data')\n"
        "from pathlib import Path; from data.store import Store; from test_store import measurement\n"
        f"Store(Path({str(tmp_path / 'store.duckdb')!r})).save(measurement()); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 9
    assert Store(tmp_path / "store.duckdb").get(Measurement, "a") == measurement()


def test_a_second_process_leaves_its_records_in_the_inbox(tmp_path):
    home = Home(tmp_path)
    store = Store(home.store)
    code = (
        "import sys; sys.path.insert(0, 'tests/unit/data')\nfrom pathlib import Path\n"
        "from data.home import Home; from data.inbox import Inbox, open_headless; from test_store import measurement\n"
        f"keeper = open_headless(Home(Path({str(tmp_path)!r})))\n"
        "assert isinstance(keeper, Inbox); keeper.save(measurement()); keeper.close()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    said = []
    assert take_in(store, home, KINDS, said.append) == 1
    assert store.get(Measurement, "a") == measurement()
    assert said == [] and list(home.inbox.iterdir()) == []


def test_an_inbox_file_being_written_waits_and_a_broken_one_is_kept(tmp_path):
    home, store, said = Home(tmp_path), Store(), []
    writing = Inbox(home.inbox)
    writing.save(measurement())
    (home.inbox / "broken.jsonl").write_text('{"type": "Nothing"')
    assert take_in(store, home, KINDS, said.append) == 0
    assert len(said) == 1 and (home.inbox / "broken.unread").exists()
    writing.close()
    assert take_in(store, home, KINDS, said.append) == 1


def test_a_damaged_file_and_a_newer_one_are_told_in_one_line(tmp_path):
    (tmp_path / "damaged.duckdb").write_bytes(b"x" * 10_000)
    with pytest.raises(DataError, match="damaged"):
        Store(tmp_path / "damaged.duckdb")
    newer = duckdb.connect(str(tmp_path / "newer.duckdb"))
    newer.execute("CREATE TABLE migration (number INTEGER PRIMARY KEY, name VARCHAR)")
    newer.execute("INSERT INTO migration VALUES (999, 'future')")
    newer.close()
    with pytest.raises(DataError, match="newer version"):
        Store(tmp_path / "newer.duckdb")


def test_headless_takes_the_store_where_no_app_holds_it(tmp_path):
    keeper = open_headless(Home(tmp_path))
    assert isinstance(keeper, Store)
    keeper.close()
    with pytest.raises(Unavailable):
        Store(tmp_path / "no such folder" / "store.duckdb")


def test_migrations_are_numbered_once():
    numbers = [path.name[:3] for path in (SQL / "migrations").glob("*.sql")]
    assert len(numbers) == len(set(numbers))


def test_a_record_is_read_once_until_something_it_is_made_of_is_written(monkeypatch):
    store = Store()
    store.save(measurement())
    first = store.remembered(Measurement, "a")
    store.save(Job(id="j", title="t", procedure="p", arguments={}, lane="cpu", state="queued", created_at="now"))
    assert store.remembered(Measurement, "a") is first == store.get(Measurement, "a")
    store.save(machine(cpu="another"))  # a measurement is read from its machine too
    assert store.remembered(Measurement, "a").machine.cpu == "another"
    store.delete(Measurement, id="a")
    assert store.remembered(Measurement, "a") is None


def test_what_was_read_while_something_was_written_is_not_kept():
    kept, found = Remembered(), []

    def read():
        found.append(len(found))
        kept.forget(lambda kind: False)  # another thread's saving, in the middle of this reading
        return str(found[-1])

    assert kept.record(str, "a", read) == "0" and kept.record(str, "a", read) == "1"


def test_only_the_last_few_records_are_kept():
    kept = Remembered()
    for place in range(KEPT + 1):
        kept.record(int, str(place), lambda place=place: place)
    assert kept.record(int, "0", lambda: -1) == -1 and kept.record(int, str(KEPT), lambda: -1) == KEPT


def test_a_report_of_long_runs_is_decoded_without_asking_what_each_sample_is(monkeypatch):
    """80,000 calls of a small model once took a second of each rerun of a page."""
    store, asked = Store(), []
    store.save(measurement(samples_ms=tuple(map(float, range(20_000)))))
    real = records.optional
    monkeypatch.setattr(records, "optional", lambda hint: asked.append(hint) or real(hint))
    assert len(store.get(Measurement, "a").samples_ms) == 20_000
    assert len(asked) < 500
