"""What each format holds, held against files that were read by eye once: tests/golden."""

import csv
import io
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from huggingface_hub import ModelCard
from reports import HOSTILE, MODEL, report
from small_models import mlp

from advisor.exporters import exporters
from advisor.exporters.codecarbon_csv import COLUMNS
from advisor.report import markdown as report_markdown
from advisor.report.reproduce import reproduce
from advisor.types import Budget, Step
from data.text import FORMULA_STARTS

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests/golden"


def rendered(name, made=None):
    return exporters()[name].render(made or report()).decode()


@pytest.mark.parametrize("name", ["markdown", "csv", "model_card", "codecarbon_csv", "script"])
def test_the_text_formats_are_as_they_were(name):
    """RIGHTSIZE_GOLDEN=1 writes them anew: read the difference before you keep it."""
    kept = GOLDEN / f"report{exporters()[name].SUFFIX}"
    made = rendered(name)
    if os.environ.get("RIGHTSIZE_GOLDEN"):
        kept.write_text(made)
    assert made == kept.read_text()


def test_no_cell_is_a_formula():
    hostile = report(model=replace(MODEL, name="=HYPERLINK(1)"))
    for name in ("csv", "codecarbon_csv"):
        for row in csv.reader(io.StringIO(rendered(name, hostile))):
            for cell in row:
                assert not cell.startswith(FORMULA_STARTS) or cell[1:2].isdigit(), cell


def test_csv_and_parquet_hold_the_same_rows_with_the_numbers_of_the_report():
    made = report()
    table = pd.read_csv(io.StringIO(rendered("csv")))
    assert list(table["standing"]) == ["original", "recommended", "ruled out"]
    assert table["energy_per_call_j"][0] == pytest.approx(0.08)
    assert table["energy_kwh_per_year"][0] == pytest.approx(8.1111111)
    assert table["size_ratio"][1] == 0.25
    after = made.footprint_after  # the recommended file's year is the report's: not missing, and not of another run
    assert table["energy_kwh_per_year"][1] == after.kwh_per_year.mid
    assert table["carbon_g_co2e_per_year"][1] == after.g_co2e_per_year.mid
    assert table["energy_per_call_j"][1] == after.energy_j_per_call.mid
    assert table["latency_ratio"][1] == made.recommendation.plan.latency_ratio.mid
    again = pd.read_parquet(io.BytesIO(exporters()["parquet"].render(made)))
    assert list(again.columns) == [*table.columns, "samples_ms"]
    assert list(again["samples_ms"][1]) == list(made.measurements[1].samples_ms)


def test_the_model_card_is_read_by_the_hub_s_own_class():
    card = ModelCard(rendered("model_card"))
    found = card.data.co2_eq_emissions
    assert set(found) == {"emissions", "source", "training_type", "geographical_location", "hardware_used"}
    # 8.1111 kWh x 0.4 x 332 g/kWh
    assert found["emissions"] == pytest.approx(8.1111111 * 0.4 * 332, rel=1e-3)
    assert found["geographical_location"] == "Germany"
    assert "training not included" in found["training_type"]
    assert "co2_eq_emissions" not in ModelCard(rendered("model_card", report(Budget(latency_ms=20.0)))).data.to_dict()


def test_emissions_csv_has_codecarbon_s_columns_and_units():
    rows = list(csv.DictReader(io.StringIO(rendered("codecarbon_csv"))))
    assert tuple(rows[0]) == COLUMNS
    assert [row["run_id"][-8:] for row in rows] == ["original", "9ab-plan"]
    assert float(rows[0]["emissions"]) == pytest.approx(2.692889)  # kg
    assert float(rows[0]["energy_consumed"]) == pytest.approx(8.111111)  # kWh
    assert float(rows[0]["cpu_power"]) == pytest.approx(8.111111 * 1000 / 8760)  # W over the year
    assert rows[0]["country_iso_code"] == "DEU"
    assert rows[0]["gpu_energy"] == "", "what is not known is empty, not 0"
    assert float(rows[0]["emissions"]) / float(rows[0]["duration"]) == pytest.approx(float(rows[0]["emissions_rate"]))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("# no heading", "\\# no heading"),
        ("1. no list", "1\\. no list"),
        ("1.5 times", "1.5 times"),
        ("- no list", "\\- no list"),
        ("a | b", "a \\| b"),
        ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;"),
        ("[click](javascript:alert(1))", "\\[click\\](javascript:alert(1))"),
        ("`code` *bold* _it_", "\\`code\\` \\*bold\\* \\_it\\_"),
        ("@everyone", "&#64;everyone"),
        ("two\nlines", "two lines"),
        ("12 kg CO2e", "12 kg CO₂e"),
    ],
)
def test_nothing_foreign_is_a_mark_of_markdown(given, said):
    assert report_markdown.text(given) == said


def test_markdown_shows_a_hostile_name_as_text():
    made = rendered("markdown")
    assert HOSTILE not in made
    rows = [line for line in made.splitlines() if line.startswith("|")]
    assert len(rows) > 40
    for line in rows:
        assert line.endswith("|")


def test_the_script_makes_the_same_file_again(tmp_path):
    source = mlp(tmp_path / "model.onnx")
    steps = [("int8_dynamic", {"operators": "matrix products"})]
    first = reproduce(source, steps, tmp_path / "first", shapes={"x": (1, 32)})
    made = report()
    variants = tuple(
        replace(one, sha256=first.sha256, steps=(Step(technique=steps[0][0], options=steps[0][1], title="INT8"),))
        for one in made.variants[:1]
    )
    run = replace(made.baseline, workload=replace(made.baseline.workload, shapes={"x": (1, 32)}))
    from profiler.files import sha256_of

    model = replace(MODEL, sha256=sha256_of(source, ()), name='it\'s \\ "quoted"')
    script = tmp_path / "again.py"
    script.write_bytes(exporters()["script"].render(replace(made, model=model, variants=variants, baseline=run)))
    done = subprocess.run(
        [sys.executable, str(script), str(source)], cwd=tmp_path, capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("the same file")
    assert (tmp_path / "reproduced" / first.file.name).read_bytes() == first.file.read_bytes()
