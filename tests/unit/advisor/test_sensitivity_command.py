"""The commands around compression: layers ranked headless, packed files restored; and the chart of the ranking."""

import json

import pandas as pd
import pytest
import small_models as small

from advisor.__main__ import main
from advisor.figures import named as figures
from advisor.techniques import Request, techniques


def test_layers_are_ranked_headless(tmp_path, capsys):
    path = small.outlier_layer(tmp_path / "planted.onnx")
    assert main(["sensitivity", str(path), "--bits", "8", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["layers"][0]["layer"] == "fc3" and found["inputs"] == "random"
    assert main(["sensitivity", str(path), "--bits", "4"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("fc3") and "loss" in told[0]


def test_a_model_without_layers_is_refused_in_one_line(tmp_path, capsys):
    path = small.no_weights(tmp_path / "relu.onnx")
    assert main(["sensitivity", str(path)]) == 2
    assert "no weights" in capsys.readouterr().err


def test_a_packed_file_is_restored(tmp_path, capsys):
    path = small.mlp(tmp_path / "mlp.onnx")
    product = techniques()["kmeans"].apply(
        Request(model=small.facts(path), source=path, option={"bits": 4}, folder=tmp_path, machine=small.MACHINE)
    )
    assert main(["restore", str(product.file), "--out", str(tmp_path / "restored.onnx")]) == 0
    assert (tmp_path / "restored.onnx").read_bytes() == product.decoded.read_bytes()
    assert main(["restore", str(path), "--out", str(tmp_path / "other.onnx")]) == 2
    assert "not a packed model file" in capsys.readouterr().err


def test_the_bars_show_the_most_sensitive_layers():
    rows = pd.DataFrame({"layer": [f"fc{number}" for number in range(20)], "loss": [0.001 * n for n in range(20)]})
    figure = figures.sensitive_layers(rows, "light", top=5)
    assert list(figure.data[0].x) == pytest.approx([0.019, 0.018, 0.017, 0.016, 0.015])
    assert figure.layout.yaxis.ticktext[0] == "fc19"
