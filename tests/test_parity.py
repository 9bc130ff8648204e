"""What the pages can do, the commands can do: every job a page starts and every change it makes has its command."""

import json
import re
from pathlib import Path

import pytest
import reports
from test_docs import subcommand

from advisor.__main__ import main
from advisor.__main__ import parser as advisor_parser
from advisor.types import Report
from data.home import home
from data.store import Store
from profiler.__main__ import _parser as profiler_parser
from profiler.types import Model

ROOT = Path(__file__).resolve().parent.parent
PAGES = "\n".join(path.read_text() for path in sorted((ROOT / "pages").rglob("*.py")))
JOBS = {  # what a page queues: the command that does it
    "take_in": "advisor plan", "take_example": "advisor example", "take_data": "advisor plan --data",
    "take_training": "advisor plan --train",
    "profile_whole": "profiler measure", "measure_kept": "profiler measure", "sweep_kept": "profiler sweep",
    "load_kept": "profiler load", "plan": "advisor plan", "profile_kept": "profiler operators",
    "find_sensitive": "advisor sensitivity", "read_at": "profiler inspect --shape",
    "store_smaller": "advisor store", "train_kept": "profiler memory --step",
    "measure_peaks": "profiler machine --peaks", "size_file": "advisor size", "merge_files": "advisor adapter",
    "read_variants": "advisor place --report", "retell": "advisor export --zone",
}  # fmt: skip
CHANGES = {  # what a page does at once
    "history.bring": "advisor history import", "history.compare": "advisor history compare",
    "(*select(": "advisor history ask", "forget(": "advisor forget", "chosen.render(": "advisor export",
    "history.take": "advisor export --keep", "source.put": None, "fits.": "advisor trends",
    "clip.put(": "advisor trends --into", "clip.take_out(": None, "training.run(": "advisor train",
    "calculators.fleet(": "advisor fleet", "own.add_device(": "advisor own --device",
    "own.add_zone(": "advisor own --zone",
    "own.add_price(": "advisor own --price", "own.remove(": "advisor own --forget",
    "with_placement(": "advisor place --report",
}  # fmt: skip


def test_every_job_of_a_page_has_a_command():
    queued = set(re.findall(r"state\.submit\(\s*(\w+)", PAGES))
    assert queued <= set(JOBS), f"no command is named for {queued - set(JOBS)}"


@pytest.mark.parametrize("command", sorted({*JOBS.values(), *filter(None, CHANGES.values())}))
def test_the_commands_are_there(command):
    room, *words = command.split()
    known = subcommand(advisor_parser() if room == "advisor" else profiler_parser(), words)
    assert all(word in known for word in words if word.startswith("--"))
    assert "--json" in known or words[0] in ("export", "report"), f"{command} has no --json"


def test_what_pages_change_is_still_named_so():
    assert [name for name in CHANGES if name not in PAGES] in ([], ["fits."])


def test_a_model_is_forgotten_by_its_first_digits(capsys):
    store = Store(home().store)
    store.save(reports.report())
    store.close()
    assert main(["forget", "abab"]) == 2
    assert main(["forget", "cdcdcdcd"]) == 2
    capsys.readouterr()
    assert main(["forget", "abababab", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sha256"] == reports.MODEL.sha256
    store = Store(home().store)
    assert store.all(Model) == []
    store.close()


def test_a_trend_chart_goes_into_a_report(capsys):
    store = Store(home().store)
    store.save(reports.report())
    store.close()
    words = ["trends", "--among", "frontier", "--since", "2018", "--value", "8.4e22", "--into"]
    assert main([*words, reports.report().id]) == 0
    assert main([*words, "nothing"]) == 2
    assert "no report of this id" in capsys.readouterr().err
    store = Store(home().store)
    (kept,) = store.get(Report, reports.report().id).clippings
    store.close()
    assert (kept.lines[0].n, kept.chart.star.value) == (77, 8.4e22)
    assert any("months" in sentence and "behind" in sentence for sentence in kept.says)


def test_a_training_and_a_fleet_without_a_page(capsys):
    assert main(["fleet", "28936", "--watts", "400", "--load", "0.5", "--overhead", "1.33", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kwh_per_day"]["mid"] == pytest.approx(184_727, rel=1e-5)
    bloom = ["--chip-hours", "1082990", "--chip", "nvidia-a100-sxm4-80gb", "--overhead", "1", "--pue", "1"]
    assert main(["train", *bloom, "--json"]) == 0
    energy = json.loads(capsys.readouterr().out)["energy_kwh"]
    assert (energy["low"], energy["mid"], energy["high"]) == pytest.approx((433_196,) * 3)
    assert main(["train", "--parameters", "7B", "--tokens", "2T", "--trials", "3", "--zone", "DE"]) == 0
    told = capsys.readouterr().out
    assert "2.52e+23 FLOP at 35 % of the peak" in told and "Each trial costs a whole run" in told and "CO2e:" in told
    for wrong in (["train", "--tokens", "2T"], ["fleet", "3"], ["train", "--flop", "x"]):
        assert main(wrong) == 2
        assert "\n" not in capsys.readouterr().err.strip()


def test_what_is_yours_without_a_page(capsys):
    assert main(["own", "--zone", "DE=12", "--device", "My card", "--tdp-w", "300", "--fp16-tflop-per-s", "100"]) == 0
    assert main(["own", "--price", "aws/p5.48xlarge/us-east-1=24", "--json"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    names = [(one["what"], one["name"]) for one in json.loads(last)]
    assert names == [("price", "aws/p5.48xlarge/us-east-1"), ("device", "own-my-card"), ("zone", "DE")]
    assert main(["own", "--forget", "zone/DE"]) == 0 and "zone/DE" not in capsys.readouterr().out
    for wrong in (["--zone", "DE"], ["--price", "aws=3"], ["--forget", "zone/DE"], ["--device", "empty"]):
        assert main(["own", *wrong]) == 2
        assert "\n" not in capsys.readouterr().err.strip()


def test_a_trend_is_told_with_its_interval(tmp_path, capsys):
    out = tmp_path / "rows.csv"
    words = ["trends", "--among", "frontier", "--since", "2018", "--value", "1e20", "--json", "--out", str(out)]
    assert main(words) == 0
    found = json.loads(capsys.readouterr().out)
    # Epoch AI, December 2024: frontier compute doubles roughly every six months.
    low, mid, high = (found["doubling_months"][end] for end in ("low", "mid", "high"))
    assert 4.5 < low < mid < high < 7
    assert found["larger_than_frac"] == 0
    assert out.read_text().count("\n") == found["n"] + 1
    for wrong in (["--metric", "x"], ["--among", "y"], ["--since", "2030"], ["--method", "z"]):
        assert main(["trends", *wrong]) == 2
        assert "\n" not in capsys.readouterr().err.strip()
