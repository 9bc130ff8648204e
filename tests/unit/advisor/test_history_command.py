"""`python -m advisor history` and `export`: rows out, runs in, refusals in one line."""

import json

import pandas as pd
import pytest
import reports

from advisor.__main__ import main
from advisor.exporters import exporters
from data.home import home
from data.questions import ready
from data.records import to_plain
from data.store import Store
from profiler.said import shown
from profiler.types import Measurement


@pytest.fixture
def kept():
    """The hand-made report in the store."""
    store = Store(home().store)
    store.save(reports.report())
    store.close()


@pytest.fixture
def command(capfd):
    def run(*words):
        code = main([str(word) for word in words])
        out, err = capfd.readouterr()
        return code, out, err

    return run


@pytest.mark.parametrize("what", ["runs", "reports", "checks", "models"])
def test_lists_are_there_with_and_without_rows(what, command):
    assert command("history", "list", "--what", what) == (0, "Nothing yet.\n", "")
    store = Store(home().store)
    store.save(reports.report())
    store.close()
    code, out, _ = command("history", "list", "--what", what, "--json")
    assert code == 0
    assert len(json.loads(out)) == {"runs": 3, "reports": 1, "checks": 0, "models": 1}[what]


@pytest.mark.parametrize("title", ready())
def test_every_ready_question_runs(title, kept, command):
    code, out, err = command("history", "ask", title, "--json")
    assert code == 0, err
    json.loads(out)


def test_rows_are_written_as_csv_and_parquet(tmp_path, kept, command):
    for suffix, read in ((".csv", pd.read_csv), (".parquet", pd.read_parquet)):
        out = tmp_path / f"rows{suffix}"
        assert command("history", "ask", 'SELECT id FROM "Measurement" ORDER BY id', "--out", out)[0] == 0
        assert list(read(out)["id"]) == ["run-None", "run-fp16", "run-int8"]


@pytest.mark.parametrize(
    "statement", ['DELETE FROM "Model"', "SELECT 1; SELECT 2", "nonsense", "COPY (SELECT 1) TO 'x'"]
)
def test_only_one_select_is_run(statement, kept, command):
    code, _, err = command("history", "ask", statement)
    assert code == 2
    assert "\n" not in err.strip()


def test_two_runs_are_compared_by_id_and_by_file(tmp_path, kept, command):
    file = tmp_path / "run.json"
    file.write_text(json.dumps(shown(reports.run(4.0, "int8"))))
    for second in ("run-int8", file):
        code, out, err = command("history", "compare", "run-None", second, "--json")
        assert code == 0
        rows = {row["quantity"]: row for row in json.loads(out)["quantities"]}
        assert rows["Latency, median"]["ratio"] == pytest.approx(0.4)
        assert rows["Latency, median"]["first"]["mid"] == pytest.approx(10.0, rel=0.01)
        assert "variant" in json.loads(out)["warnings"][0]
    code, out, err = command("history", "compare", "run-None", "run-int8")
    assert "−60 %" in out and "differ in variant" in err
    assert command("history", "compare", "run-None", "nowhere")[0] == 2


def test_runs_and_reports_from_elsewhere_are_kept_once_and_checked(tmp_path, command):
    run, report = tmp_path / "run.json", tmp_path / "report.json"
    run.write_text(json.dumps(to_plain(reports.run(4.0))))
    report.write_bytes(exporters()["json"].render(reports.report()))
    code, out, _ = command("history", "import", run, "--json")
    assert (code, json.loads(out)["kept"]) == (0, ["run run-None of Test CPU"])
    # The report holds another run under the same id: one of the two is not what it says.
    code, _, err = command("history", "import", report)
    assert code == 2 and "contradicts" in err
    plain = to_plain(reports.run(4.0))
    for wrong in (
        {"samples_ms": []},
        {"samples_ms": [-1.0]},
        {"machine": "f00d"},
        {"id": "../x"},
        {"samples_ms": ["1"]},
    ):
        run.write_text(json.dumps(plain | wrong))
        code, _, err = command("history", "import", run)
        assert code == 2, wrong
        assert "\n" not in err.strip()
    store = Store(home().store)
    assert [one.id for one in store.all(Measurement)] == ["run-None"]


def test_a_kept_report_is_exported_in_any_format(tmp_path, kept, command):
    outs = [
        tmp_path / f"again{exporters()[name].SUFFIX}" for name in ("json", "markdown", "csv", "script", "model_card")
    ]
    words = [word for out in outs for word in ("--out", out)]
    code, _, err = command("export", "0123456789ab", *words)
    assert code == 0, err
    assert outs[0].read_bytes() == exporters()["json"].render(reports.report())
    code, _, _ = command("export", outs[0], "--out", tmp_path / "README.md", "--format", "model_card")
    assert (tmp_path / "README.md").read_bytes() == outs[4].read_bytes()
    assert command("export", outs[0], "--out", tmp_path / "x.doc")[0] == 2
    assert command("export", "nowhere", "--out", tmp_path / "x.md")[0] == 2
    assert command("export", outs[0])[0] == 2
