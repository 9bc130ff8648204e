"""`python -m profiler`: the headless contract, exit codes, and nothing but the answer on stdout."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from data import console
from data.home import home
from data.store import Store
from profiler import load
from profiler.__main__ import main
from profiler.timing import Settings
from profiler.types import Measurement, Model
from tests import small_models

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def command(capfd):
    """Runs the command in this process; (exit code, stdout, stderr)."""

    def run(*arguments):
        code = console.run(main, [str(argument) for argument in arguments])
        return code, *capfd.readouterr()

    return run


def test_the_module_runs_as_a_command():
    words = [sys.executable, "-m", "profiler", "machine", "--json"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0
    assert json.loads(done.stdout)["physical_cores"] >= 1


def test_inspect_answers_with_the_keys_of_the_contract(tmp_path, command):
    code, out, _ = command("inspect", small_models.mlp(tmp_path / "m.onnx"), "--json")
    assert code == 0
    found = json.loads(out)
    assert {"sha256", "format", "parameter_count", "weight_bytes", "flop", "inputs", "layers", "seconds"} <= set(found)
    assert found["parameter_count"] == 64 * 32 + 64 + 10 * 64 + 10
    assert found["inputs"][0]["name"] == "x"
    assert found["seconds"] < 30


def test_measure_answers_with_statistics_and_stores_what_it_measured(tmp_path, command):
    path = small_models.mlp(tmp_path / "m.onnx")
    code, out, err = command("measure", path, "--batch", 2, "--threads", 1, "--seconds", 1, "--json")
    assert code == 0, err
    found = json.loads(out)
    for key in ("runtime", "samples_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "cpu_p50_ms", "load_ms", "peak_bytes",
                "energy_j", "stable", "machine"):  # fmt: skip
        assert key in found
    assert found["p50_ms"] <= found["p90_ms"] <= found["p95_ms"] <= found["p99_ms"]
    assert found["workload"]["shapes"] == {"x": [2, 32]}
    assert "Measuring" in err
    store = Store(home().store)
    (kept,) = store.all(Measurement)
    assert list(kept.samples_ms) == found["samples_ms"]
    assert store.get(Model, kept.model_sha256) is not None


def test_the_batch_is_what_the_shape_says_and_memory_is_told_in_full(tmp_path, command):
    path = small_models.mlp(tmp_path / "m.onnx")
    code, out, err = command("measure", path, "--shape", "x=3x32", "--threads", 1, "--seconds", 0.5, "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["workload"]["batch_size"] == 3 and found["workload"]["shapes"] == {"x": [3, 32]}
    # Power x mean time of a call is its energy; a counter reads both in a run of its own, after the samples.
    close = 0.001 if found["energy_j"]["basis"] == "modelled" else 0.5
    assert found["power_w"]["mid"] == pytest.approx(found["energy_j"]["mid"] * 1e3 / found["mean_ms"], rel=close)
    code, out, err = command("memory", path, "--batch", 5, "--json")
    assert code == 0, err
    told = json.loads(out)
    assert told["static_bytes"] == told["weight_bytes"] + told["peak_activation_bytes"]
    assert told["peak_activation_bytes"] == 5 * (32 + 64 + 10) * 4  # the input is held throughout
    assert told["fits"][0]["target"] == "microcontroller"
    assert told["training"]["full"]["total_bytes"] > 4 * told["weight_bytes"]
    code, out, _ = command("memory", path)
    assert code == 0 and "fits" in out and "by arithmetic" in out
    assert command("memory", path, "--step")[0] == 2  # ONNX has no gradients


def test_operators_load_and_sweep_answer_in_json(tmp_path, command, monkeypatch):
    quick = Settings(budget_s=0.2, warmup_s=0.01, least_calls=20, least_s=0.05, most_calls=200)
    monkeypatch.setattr(load, "SWEPT", quick)
    path = small_models.mlp(tmp_path / "m.onnx")
    _, out, _ = command("operators", path, "--threads", 1, "--json")
    assert sum(row["flop"] for row in json.loads(out)["operators"]) == 2 * (64 * 32 + 10 * 64)
    _, out, _ = command("load", path, "--rate", 200, "--seconds", 1, "--threads", 1, "--json")
    assert json.loads(out)["p50_ms"] > 0
    _, out, _ = command("sweep", path, "--batch", 1, 2, "--threads", 1, "--json")
    assert [run["workload"]["batch_size"] for run in json.loads(out)["runs"]] == [1, 2]
    assert Store(home().store).ask("sweep", model_sha256=json.loads(out)["runs"][0]["model_sha256"]).shape[0] == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("inspect", "nowhere.onnx"), 2),
        (("measure", "MODEL", "--shape", "x=2xhello"), 2),
        (("measure", "MODEL", "--shape", "z=1x2"), 2),
        (("measure", "MODEL", "--batch", "0"), 2),
        (("measure", "MODEL", "--no-such-flag"), 2),
        (("measure", "MODEL", "--device", "abacus"), 3),
        (("measure", "MODEL", "--seconds", "nan"), 2),
        (("measure", "MODEL", "--threads", "100000"), 2),
        (("operators", "MODEL", "--threads", "100000"), 2),
        (("load", "MODEL", "--rate", "0"), 2),
        (("measure", "TEXT"), 2),
    ],
)
def test_a_refusal_is_one_line_and_its_exit_code(arguments, code, tmp_path, command):
    files = {"MODEL": small_models.mlp(tmp_path / "m.onnx"), "TEXT": tmp_path / "notes.onnx"}
    files["TEXT"].write_text("this is no model")
    returned, out, err = command(*(files.get(word, word) for word in arguments), "--json")
    assert returned == code, err
    answer = json.loads(out)
    assert answer["error"]
    assert len(answer["error"]) <= 200
    assert err.strip().splitlines()[-1].startswith(answer["error"])
    assert "Traceback" not in err
