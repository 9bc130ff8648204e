"""A build's model against the last one that passed: by hand, and for real through the command."""

import json
import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from small_models import mlp

from advisor.__main__ import main
from advisor.regression import Allowed, Check, regressions
from advisor.types import Quality
from data.estimate import Estimate
from data.home import home
from data.store import Store


def check(**fields):
    return Check(
        id="c", name="m", created_at="2026-11-22", model_sha256="a" * 64, file_bytes=100, passed=True, **fields
    )


def ratio(low, mid, high):
    return Estimate(low=low, mid=mid, high=high, basis="measured", source="paired rounds")


def accuracy(before, after):
    return Quality(kind="accuracy", samples=100, accuracy_before=before, accuracy_after=after)


@pytest.mark.parametrize(
    ("found", "worse"),
    [
        (check(), 0),
        (check(size_ratio=1.05), 0),
        (check(size_ratio=1.06), 1),
        (check(latency_ratio=ratio(1.04, 1.2, 1.4)), 0),  # not beyond the noise
        (check(latency_ratio=ratio(1.06, 1.2, 1.4)), 1),
        (check(latency_ratio=ratio(0.5, 0.6, 0.7)), 0),
        (check(quality=accuracy(0.99, 0.985)), 0),
        (check(quality=accuracy(0.99, 0.97)), 1),
        (check(quality=accuracy(0.9, 0.99)), 0),
        (check(quality=Quality(kind="agreement", samples=9, cosine=0.1)), 0),  # says nothing of right or wrong
        (check(size_ratio=2.0, latency_ratio=ratio(2, 2, 2), quality=accuracy(0.9, 0.5)), 3),
    ],
)
def test_what_counts_as_worse(found, worse):
    told = regressions(found, Allowed())
    assert len(told) == worse
    assert all(one.endswith(".") and len(one) < 160 for one in told)


@pytest.fixture
def series(tmp_path, capfd):
    """Checks a model of this width whose answers the data's labels call right; (exit code, the answer)."""
    data = tmp_path / "data.npz"

    def run(width, *more, damaged=False):
        path = mlp(tmp_path / f"{width}.onnx", width)
        if damaged:
            model = onnx.load(path)
            for tensor in model.graph.initializer:
                noise = np.random.default_rng(1).standard_normal(numpy_helper.to_array(tensor).shape)
                tensor.CopyFrom(numpy_helper.from_array(noise.astype(np.float32), tensor.name))
            onnx.save(model, path)
        words = ["history", "check", str(path), "--name", "mlp", "--data", str(data), "--seconds", "1", "--json", *more]
        code = main(words)
        return code, json.loads(capfd.readouterr().out)

    inputs = np.random.default_rng(0).standard_normal((256, 32)).astype(np.float32)
    from onnxruntime import InferenceSession

    session = InferenceSession(str(mlp(tmp_path / "teacher.onnx", 64)), providers=["CPUExecutionProvider"])
    scores = session.run(None, {"x": inputs})[0]
    np.savez(data, x=inputs, labels=scores.argmax(1))
    return run


def test_a_series_passes_fails_and_goes_on_from_the_last_that_passed(series):
    code, first = series(64)
    assert (code, first["passed"], first["reference_sha256"]) == (0, True, None)
    code, same = series(64)
    assert (code, same["size_ratio"], same["latency_ratio"]) == (0, 1.0, None)
    code, worse = series(64, "--max-latency-ratio", "100", damaged=True)
    assert (code, worse["passed"]) == (1, False)
    assert worse["quality"]["accuracy_before"] == 1.0
    assert worse["quality"]["accuracy_after"] < 0.5
    (why,) = worse["regressions"]
    assert why.startswith("Accuracy falls from 1.0000 to")
    code, large = series(2048, "--max-latency-ratio", "1000", "--max-loss", "1")
    assert code == 1
    assert large["reference_sha256"] == first["model_sha256"], "the damaged one did not pass, and is no reference"
    # (32 + 1) x 2048 + 2048 x 10 + 10 parameters over those of width 64, and the graph around them
    assert large["size_ratio"] == pytest.approx(88_074 / 2_762, rel=0.2)
    assert large["latency_ratio"]["low"] > 1
    assert "times as large" in large["regressions"][0]
    assert len(Store(home().store).all(Check, name="mlp")) == 4


def test_a_store_that_an_app_holds_is_no_history(series):
    code = (
        "import pathlib, sys\nfrom data.store import Store\n"
        "store = Store(pathlib.Path(sys.argv[1]))\nprint('open', flush=True)\ninput()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(home().store)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline().strip() == "open"
    try:
        exit_code, answer = series(64)
        assert exit_code == 3
        assert "holds the measurement store" in answer["error"]
    finally:
        holder.communicate("\n", timeout=20)
