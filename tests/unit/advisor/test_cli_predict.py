"""`advisor predict`: the contract of its JSON, batches, refusals and exit codes."""

import json

import pytest
import small_models

from advisor.__main__ import main


@pytest.fixture
def said(capsys):
    def ask(*arguments):
        code = main(["predict", *map(str, arguments)])
        out = capsys.readouterr()
        return code, (json.loads(out.out) if "--json" in arguments and out.out else out.out), out.err

    return ask


def test_devices_are_listed_with_what_they_compute_in(said):
    code, listed, _ = said("--list-devices", "--json")
    by_id = {one["device"]: one for one in listed}
    assert code == 0 and len(listed) == 171
    assert by_id["nvidia-t4"]["dtypes"] == ["fp32", "fp16", "int8"]


def test_the_answer_keeps_its_contract(said, tmp_path):
    file = small_models.mlp(tmp_path / "mlp.onnx", width=1024)
    code, answer, _ = said(file, "--device", "nvidia-l4", "--batch", 64, "--dtype", "fp16", "--json")
    assert code == 0
    assert answer["latency_ms"]["low"] < answer["latency_ms"]["mid"] < answer["latency_ms"]["high"]
    assert answer["basis"] == "predicted" and answer["device"] == "nvidia-l4" and answer["batch"] == 64
    assert sum(answer["bound"].values()) == pytest.approx(1.0)
    assert answer["energy_j"]["basis"] == "modelled"
    more = said(file, "--device", "nvidia-l4", "--batch", 65_536, "--dtype", "fp16", "--json")[1]
    assert more["latency_ms"]["mid"] > answer["latency_ms"]["mid"]
    assert "predicted" in said(file, "--device", "nvidia-l4")[1]


def test_refusals_are_one_line_and_exit_2(said, tmp_path):
    file = small_models.mlp(tmp_path / "mlp.onnx")
    for arguments, words in (
        ((file, "--device", "nvidia-t5"), "nvidia-t4"),
        ((file,), "device"),
        ((file, "--device", "nvidia-p100-pcie-16gb", "--dtype", "int8"), "no int8 rate"),
        ((file, "--device", "nvidia-t4", "--batch", 0), "1 or more"),
        ((file, "--device", "mcu-stm32l4r5zi"), "microcontroller"),
    ):
        code, _, err = said(*arguments)
        assert code == 2 and words in err.splitlines()[-1], arguments
