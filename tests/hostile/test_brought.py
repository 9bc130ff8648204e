"""Reports and runs brought from elsewhere: bounded, checked, and never a way out of the home or into its records."""

import json
import time
from dataclasses import replace

import pytest
import reports

from advisor import history
from advisor.exporters.json import Json
from advisor.forget import NAMED_BY, forget
from advisor.regression import Check
from data.errors import InputError
from data.home import Home
from data.records import hints, to_plain
from data.store import Store
from pages.ui import state
from profiler.jobs import Jobs, now
from profiler.run_types import LoadTest, OperatorProfile
from profiler.types import Job, Machine, Workload
from tests.hostile.world import check_text

REPORT = json.loads(Json().render(reports.report()))


def nested(levels):
    value = {}
    for _ in range(levels):
        value = {"a": value}
    return value


def changed(*path, value):
    document = json.loads(json.dumps(REPORT))
    inside = document["report"]
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = value
    return json.dumps(document)


BAD = {
    "a path as hash": changed("model", "sha256", value="../../../../etc"),
    "a hash and a line": changed("model", "sha256", value="a" * 64 + "\n"),
    "another parent": changed("variants", 0, "parent_sha256", value="/etc"),
    "a file outside": changed("variants", 0, "file", value="../../store.duckdb"),
    "an absolute file": changed("variants", 0, "file", value="/etc/passwd"),
    "a file with a backslash": changed("variants", 0, "file", value="..\\x"),
    "companions outside": changed("variants", 0, "companions", value=["ok", "../x"]),
    "an id of markup": changed("id", value="<script>alert(1)</script>"),
    "a huge number": changed("model", "file_bytes", value=10**30),
    "an infinite number": changed("budget", "latency_ms", value=12345.25).replace("12345.25", "1e999"),
    "no number": changed("budget", "latency_ms", value=12345.25).replace("12345.25", "NaN"),
    "digits without end": changed("model", "file_bytes", value=7777777).replace("7777777", "7" * 10_000),
    "half a character": changed("model", "name", value="\ud800"),
    "a name without end": changed("model", "name", value="x" * 5_000_000),
    "countless notes": changed("notes", value=["n"] * 500_000),
    "countless wrong notes": changed("notes", value=[1] * 300_000),
    "deep options": changed("variants", 0, "steps", 0, "options", value=nested(900)),
    "no time": changed("created_at", value="<b>yesterday</b>"),
    "another version": changed("version", value=99),
    "another verdict": changed("recommendation", "verdict", value="buy this"),
    "no calls": changed("baseline", value=to_plain(reports.run(1.0)) | {"samples_ms": []}),
    "negative calls": changed("baseline", value=to_plain(reports.run(1.0)) | {"samples_ms": [-1.0]}),
    "calls of years": changed("baseline", value=to_plain(reports.run(1.0)) | {"samples_ms": [1e300]}),
    "a number as a list": changed("notes", value=5),
    "a baseline that is not there": changed("baseline", value="nobody"),
    "brackets": "[" * 5_000_000, "nothing": "", "null": "null", "text": '"x"', "not utf-8": b"\xff\xfe{",
    "zeros": bytes(1_000), "two": "{}{}", "an array": "[1]", "an empty one": "{}",
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_could_not_be_ours_is_one_line_in_little_time(name):
    content = BAD[name] if isinstance(BAD[name], bytes) else BAD[name].encode()
    store, started = Store(), time.process_time()
    with pytest.raises(InputError) as told:
        history.bring(store, content)
    assert time.process_time() - started < 5
    check_text(told.value.message)
    assert store.all(Machine) == []
    store.close()


def test_a_report_brought_along_changes_no_record_that_is_known():
    store = Store()
    mine = replace(reports.report().machine, cpu="mine")
    store.save(mine)
    history.bring(store, json.dumps(REPORT).encode())
    assert store.get(Machine, mine.fingerprint).cpu == "mine"
    run = json.dumps(to_plain(replace(reports.run(2.0), id="another"))).encode()
    history.bring(store, run)
    assert store.get(Machine, mine.fingerprint).cpu == "mine"
    store.close()


def everything(store):
    """All rows of all tables as text."""
    tables = store._connection.cursor().execute("SELECT table_name FROM duckdb_tables()").fetchall()
    return "".join(str(store._connection.cursor().execute(f'SELECT * FROM "{name}"').fetchall()) for (name,) in tables)


def test_every_record_that_names_a_model_is_deleted_with_it():
    naming = {
        kind: tuple(name for name in hints(kind) if name in ("model_sha256", "parent_sha256", "reference_sha256"))
        for kind in state.RECORDS
    }
    for kind, fields in naming.items():
        assert not fields or NAMED_BY[kind] == fields


def test_a_deleted_model_leaves_no_row_and_no_file(tmp_path):
    home = Home(tmp_path)
    store, sha256 = Store(home.store), reports.MODEL.sha256
    history.bring(store, json.dumps(REPORT).encode())
    about = {"model_sha256": sha256, "created_at": now(), "fingerprint": "f", "runtime": "r", "options": {},
             "workload": Workload()}  # fmt: skip
    store.save(
        LoadTest(id="l", provider="p", rate_per_s=1, achieved_per_s=1, workers=1, service_ms=1, utilisation_frac=0.1,
                 samples_ms=(1.0,), **about),
        OperatorProfile(id="o", operators=(), sum_ms=1, run_ms=1, latency_ms=1, calls=1, **about),
        Check(id="c", name="n", created_at=now(), model_sha256=sha256, file_bytes=1, passed=True),
        Check(id="d", name="n", created_at=now(), model_sha256="other", reference_sha256=sha256, file_bytes=1,
              passed=True),
        Job(id="j", title="t", procedure="x:y", arguments={"sha256": sha256}, lane="quick", state="done",
            created_at=now()),
        Job(id="k", title="t", procedure="x:y", arguments={"path": "x"}, lane="quick", state="done", created_at=now(),
            result={"sha256": sha256}),
    )  # fmt: skip
    (home.model(sha256) / "original.onnx").write_bytes(b"x")
    (home.variants(sha256) / "v").mkdir()
    (home.variants(sha256) / "v" / "int8.onnx").write_bytes(b"x")
    assert sha256 in everything(store)
    assert forget(home, store, sha256, Jobs(home, store)) > len(NAMED_BY)
    assert sha256 not in everything(store)
    store._connection.cursor().execute("CHECKPOINT")
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert left == [home.store]
    store.close()
