"""The SQL page: one SELECT over a copy, in the locked child; files, other statements and bombs come to one line."""

import time

import pytest

from data import one_select
from data.errors import InputError, MeasurementError, RightsizeError, Unavailable
from data.home import Home
from data.store import Store
from profiler import asking
from profiler.jobs import now
from profiler.sandbox import Limits
from profiler.types import Job
from tests.hostile.world import check_text

REFUSED = (
    'DROP TABLE "Job"', 'DELETE FROM "Job"', "SELECT 1; SELECT 2", "SELECT 1; DROP TABLE \"Job\"",
    "COPY (SELECT 1) TO 'leak.csv'", "ATTACH 'other.db'", "EXPORT DATABASE 'x'", "IMPORT DATABASE 'x'",
    "SELECT * FROM read_csv('/etc/hostname')", "SELECT * FROM '/etc/passwd'", "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/etc/passwd')", "SELECT * FROM read_parquet('https://example.org/x.parquet')",
    "SELECT * FROM glob('/etc/*')", "INSERT INTO migration VALUES (9, 'x')", "SET enable_external_access = true",
    "SET memory_limit = '64GB'", "RESET memory_limit", "CALL force_checkpoint()", "CHECKPOINT",
    "INSTALL httpfs", "LOAD httpfs", "CREATE TABLE t (x INT)", "CREATE MACRO m() AS 1", "VACUUM", "BEGIN", "USE x",
    "EXPLAIN ANALYZE DELETE FROM \"Job\"", "WITH x AS (SELECT 1) DELETE FROM \"Job\"", "SELECT nextval('saved')",
    "SELECT * FROM query('DROP TABLE \"Job\"')", "SELECT getenv('HOME')", "PREPARE p AS SELECT 1", "SELECT ?",
    "SELECT $1", "not sql", "", ";", "--", "\0", "SELECT 'x" * 3,
)  # fmt: skip


@pytest.fixture
def asked(tmp_path):
    home = Home(tmp_path)
    store = Store(home.store)
    store.save(Job(id="a", title="t", procedure="x:y", arguments={}, lane="quick", state="done", created_at=now()))
    yield lambda statement, **more: asking.select(home, store, statement, **more)
    assert [job.id for job in store.all(Job)] == ["a"]
    assert list(home.jobs.iterdir()) == []
    store.close()


def test_anything_but_one_select_of_rows_is_one_line(asked, tmp_path):
    (copy := tmp_path / "copies").mkdir()
    Store(copy / "store.duckdb").close()
    for statement in REFUSED:
        with pytest.raises(InputError) as told:
            one_select.answer(copy / "store.duckdb", statement, 10)
        assert "root:" not in str(told.value)


@pytest.mark.parametrize("number", range(0, len(REFUSED), 9))
def test_in_the_child_too(asked, number):
    with pytest.raises(RightsizeError) as told:
        asked(REFUSED[number])
    check_text(told.value.message)
    assert "root:" not in str(told.value.as_dict())


def test_text_that_is_none_and_text_without_end(asked):
    for statement in ("SELECT '\udcff'", "SELECT 1 " * 30_000):
        with pytest.raises(InputError) as told:
            asked(statement)
        check_text(told.value.message)


BOMBS = (
    "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b", "SELECT repeat('x', 9000000000)",
    "SELECT list(x) FROM range(10000000000) t(x)", "SELECT lpad('x', 2000000000, 'y') || lpad('x', 2000000000, 'y')",
    "WITH RECURSIVE t AS (SELECT 'x' s UNION ALL SELECT s || s FROM t) SELECT max(length(s)) FROM t",
    "WITH RECURSIVE t AS (SELECT 1 n UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t",
    "SELECT regexp_replace(repeat('a', 30000000), '(a*)*b', '')", "SELECT range(3000000000)", "(" * 5_000 + "SELECT 1",
)  # fmt: skip


@pytest.mark.parametrize(
    "statement",
    [pytest.param(text, marks=() if place < 2 else pytest.mark.hostile, id=text[:40]) for place, text in
     enumerate(BOMBS)],
)  # fmt: skip
def test_a_bomb_is_ended(asked, monkeypatch, statement):
    monkeypatch.setattr(asking, "LIMITS", Limits(seconds=4.0, memory_bytes=1 << 30))
    started = time.monotonic()
    try:
        asked(statement)
    except (InputError, MeasurementError) as error:
        check_text(error.message)
    assert time.monotonic() - started < 30  # four for the child; the rest is what a busy machine may take


def test_a_select_gives_its_rows_as_they_are(asked):
    rows, cut = asked(
        "SELECT id, title AS id, 1.5::DOUBLE AS d, 'nan'::DOUBLE AS n, NULL AS z, [1, 2] AS l, {'a': 1} AS s, "
        "DATE '2026-01-02' AS day, 'x'::BLOB AS b, 1::HUGEINT AS h, true AS t FROM \"Job\""
    )
    assert not cut
    assert list(rows.columns) == ["id", "id_2", "d", "n", "z", "l", "s", "day", "b", "h", "t"]
    (row,) = rows.itertuples(index=False, name=None)
    assert row[:3] == ("a", "t", 1.5) and row[5:] == ([1, 2], {"a": 1}, "2026-01-02", "78", 1, True)


@pytest.mark.parametrize(("limit", "got"), [(7, 7), (5_000, 5_000)])
def test_rows_are_cut_where_there_are_too_many(asked, limit, got):
    rows, cut = asked("SELECT * FROM range(100000)", row_limit=limit)
    assert (len(rows), cut) == (got, True)


def test_rows_are_cut_where_they_are_too_long(asked, monkeypatch):
    rows, cut = asked("SELECT repeat('x', 1000000) FROM range(100)")
    assert cut and 5 < len(rows) < 20


def test_markup_and_formulas_come_through_as_text(asked):
    rows, _ = asked("SELECT '=1+1<script>' AS x")
    assert rows["x"].tolist() == ["=1+1<script>"]


def test_a_store_in_memory_says_so(tmp_path):
    with pytest.raises(Unavailable) as told:
        asking.select(Home(tmp_path), Store(), "SELECT 1")
    check_text(told.value.message)
