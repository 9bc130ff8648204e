"""docs/extending.md, followed to the letter: its files go into a copy of Rightsize, and each kind's contract runs."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"\*\*`([^`]+)`\*\*\n\n```\w+\n(.*?)```", re.DOTALL)
FILES = dict(BLOCK.findall((ROOT / "docs/extending.md").read_text()))


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    """A copy of Rightsize with the files of the page in it."""
    copy = tmp_path_factory.mktemp("extended")
    for part in ("data", "profiler", "advisor", "tests", "docs"):
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__", "shots"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, copy / name)
    for name, text in FILES.items():
        assert not (copy / name).exists(), f"{name} is there already"
        (copy / name).write_text(text)
    return copy


def run(extended, *words, env=None):
    done = subprocess.run(
        [sys.executable, *words], cwd=extended, capture_output=True, text=True, timeout=300, check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **(env or {})},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_the_page_shows_one_file_of_every_kind():
    kinds = {"advisor/exporters", "advisor/techniques", "profiler/runtimes", "profiler/meters", "profiler/formats"}
    assert {str(Path(name).parent) for name in FILES} == kinds | {"advisor/cli", "data/sql/ready", "data/tables/energy"}


def test_each_is_found_and_its_contract_holds(extended):
    """One run over the suites, asked for the new members alone."""
    new = "short or half_storage or reference or hwmon or largest or Largest"
    suites = [f"tests/contract/test_{kind}.py" for kind in ("exporters", "techniques", "runtimes", "meters")]
    said = run(extended, "-m", "pytest", "-v", *suites, "tests/unit/advisor/test_history_command.py", "-k", new)
    assert int(re.search(r"(\d+) passed", said).group(1)) >= 25


def test_they_keep_the_house(extended):
    names = [name for name in FILES if name.endswith(".py")]
    run(extended, "-m", "ruff", "check", *names)
    listed = " or ".join(Path(name).name for name in names)
    run(extended, "-m", "pytest", "tests/test_architecture.py", "-k", f"({listed}) and not pages")


def test_the_format_reads_the_table_counts_the_question_answers(extended, tmp_path):
    code = """
import json, sys
from pathlib import Path
import numpy as np
from data import energy, tables
from data.questions import ready
from profiler.inspect import recognise
from profiler.meters import Window
from profiler.meters.hwmon import Hwmon
folder = Path(sys.argv[1])
np.savez(folder / "w.npz", a=np.ones((3, 4), np.float32), b=np.zeros(5, np.float32))
model = recognise(folder / "w.npz").read(folder / "w.npz", {})
(folder / "hwmon0").mkdir()
(folder / "hwmon0/power1_average").write_text("12500000")
meter = Hwmon(folder)
reading = meter.stop(meter.start("cpu"), Window(wall_s=4.0, cpu_s=1.0))
print(json.dumps({
    "format": recognise(folder / "w.npz").NAME, "parameters": model.parameter_count, "cannot_run": model.cannot_run,
    "joules": reading.energy_j.mid, "kettle": energy.equivalent("kettle_litre").value, "faults": tables.check(),
    "questions": list(ready()), "missing": Hwmon(folder / "nowhere").missing(),
}))
"""
    found = json.loads(run(extended, "-c", code, str(tmp_path)))
    assert (found["format"], found["parameters"]) == ("numpy_weights", 17)
    assert "architecture" in found["cannot_run"]
    assert found["joules"] == 50.0
    assert (found["kettle"], found["faults"]) == (0.11, [])
    assert "Largest models" in found["questions"]
    assert found["missing"].endswith(".")


def test_the_command_is_there(extended):
    assert run(extended, "-m", "advisor", "shrink", "1048576", "0.5").strip() == "512 KiB"
