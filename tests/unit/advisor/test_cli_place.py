"""`advisor place`: the contract of its JSON, its words and its refusals."""

import json

import small_models

from advisor.__main__ import main


def test_the_answer_keeps_its_contract(capsys, tmp_path):
    file = small_models.mlp(tmp_path / "mlp.onnx", width=1024)
    asked = ["place", str(file), "--latency-ms", "100", "--users-at", "DE", "--country", "DE", "--limit", "3"]
    assert main([*asked, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert len(answer["placements"]) == 3 and 0 < answer["feasible_count"] < answer["considered_count"]
    for one in answer["placements"]:
        assert one["zone"] == "DE" and one["answer_ms"] <= 100 and one["latency_ms"]["basis"] == "predicted"
    assert main(asked) == 0
    assert answer["headline"] in capsys.readouterr().out


def test_refusals_are_one_line_and_exit_2(capsys, tmp_path):
    file = small_models.mlp(tmp_path / "mlp.onnx")
    for wrong, said in ((["--requests-per-day", "0"], "nothing to place"), (["--users-at", "Atlantis"], "not known")):
        assert main(["place", str(file), *wrong]) == 2
        assert said in capsys.readouterr().err
