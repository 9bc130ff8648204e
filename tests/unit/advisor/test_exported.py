"""A torch file in the techniques' world: its export is kept with a hash of its own, and both ratios are told."""

import dataclasses

import pytest
import reports
import small_models as small
import torch
from torch import nn

from advisor.apply import apply
from advisor.exported import compared, exported
from advisor.find_sensitive import find_sensitive
from advisor.plan import plan
from advisor.report.contents import document
from advisor.report.frames import tried
from advisor.report.reproduce import recipe, reproduce
from advisor.techniques import techniques
from advisor.types import Plan, Recommendation, Report, Variant
from data.errors import InputError
from data.estimate import exact
from data.home import home
from data.records import to_plain
from profiler.intake import take_in
from profiler.jobs import Desk
from profiler.types import Model
from tests.fakes import Keeper

EXPORT = techniques()["to_onnx"]


@pytest.fixture
def script(tmp_path):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 8)).eval()
    path = tmp_path / "net.pt"
    torch.jit.trace(network, torch.randn(2, 32)).save(str(path))
    return path


@pytest.fixture
def desk():
    return Desk(home(), Keeper(), lambda done_frac, text: None)


def test_the_export_is_a_variant_with_its_own_hash_and_says_how_far_it_is(script, desk):
    sha256 = take_in(desk, path=str(script))["sha256"]
    model = desk.get(Model, sha256)
    found = exported(desk, model, script, {})
    assert found.variant.parent_sha256 == sha256 and found.variant.sha256 not in ("", sha256)
    assert [step.technique for step in found.variant.steps] == ["to_onnx"]
    assert found.file.is_file() and found.model.format == "onnx" and found.model.sha256 == sha256
    told = " ".join(found.variant.notes)
    assert "differs from torch by at most" in told and "at other lengths" in told
    again = exported(desk, model, script, {})
    assert again.variant == dataclasses.replace(found.variant, make_s=again.variant.make_s)


def test_an_onnx_file_is_not_exported_again(desk, tmp_path):
    path = small.mlp(tmp_path / "m.onnx")
    assert exported(desk, small.facts(path), path, {}) is None
    assert EXPORT.refuses(small.facts(path), small.MACHINE) == "The file is ONNX already."


@pytest.mark.parametrize("format", ["safetensors", "gguf", "state_dict", "hf_config"])
def test_what_is_no_torch_program_is_refused_in_one_sentence(format):
    model = dataclasses.replace(reports.MODEL, format=format)
    assert EXPORT.refuses(model, small.MACHINE).endswith(f"this one is {format.replace('_', ' ')}.")
    child = type("Child", (), {"folder": home().jobs, "progress": lambda self, done_frac, text: None})()
    with pytest.raises(InputError, match="Only TorchScript"):
        apply(
            child, technique="to_onnx", option={}, path="x", model=to_plain(model), machine=to_plain(small.MACHINE)
        )  # fmt: skip


def test_both_ratios_by_hand():
    """Torch takes 4 ms, the export 2 ms, the plan 1 ms: 0.25 of the original, 0.5 of the export."""
    base = reports.report()
    steps = base.variants[0].steps
    export = Variant(id="export", sha256="0" * 64, parent_sha256=base.model.sha256, steps=steps)
    timed = [
        dataclasses.replace(
            base.baseline, id=str(ms), variant_id=name, samples_ms=(ms,) * 40, cpu_samples_ms=(ms,) * 40,
            calls_per_round=1, stable=True,
        )
        for name, ms in ((None, 4.0), ("export", 2.0), ("plan", 1.0))
    ]  # fmt: skip
    plans = tuple(
        Plan(steps=steps, variant_id=name, latency_ratio=exact(ratio, "measured", "by hand"))
        for name, ratio in (("plan", 0.25), ("export", 0.5))
    )
    found = Recommendation(
        verdict="compress", headline="", reasons=("First.", "Last."), plan=plans[0], runner_up=plans[1], tried=plans
    )
    told = compared(found, timed, export)
    assert told.plan.export_ratio.mid == 0.5 and told.tried[0].export_ratio.mid == 0.5
    assert told.tried[1].export_ratio.mid == 1.0
    assert told.reasons[0] == "First." and told.reasons[2] == "Last."
    assert "run by PyTorch (eager)" in told.reasons[1] and "0.500×" in told.reasons[1]


def test_the_whole_way_of_a_script(script, desk, tmp_path):
    """The original runs on torch, everything else on its export; the recipe makes the recommended file again."""
    sha256 = take_in(desk, path=str(script))["sha256"]
    done = plan(
        desk, sha256=sha256, budget={"max_loss": 0.05}, seconds=8.0, threads=1, only=["int8_dynamic"]
    )  # fmt: skip
    report = desk.get(Report, done["report"])
    runs = {run.variant_id: run for run in report.measurements}
    assert runs[None].runtime == "torch" and report.baseline.runtime == "torch"
    export = next(one for one in report.variants if [step.technique for step in one.steps] == ["to_onnx"])
    assert runs[export.id].runtime == "onnxruntime"
    others = [one for one in report.variants if one.failed is None and one.id != export.id]
    assert others and all(one.steps[0].technique == "to_onnx" and len(one.steps) == 2 for one in others)
    timed = [one for one in report.recommendation.tried if one.variant_id in runs and one.variant_id != export.id]
    assert all(one.export_ratio is not None for one in timed)
    if timed:
        assert "export_ratio" in tried(report).columns
        columns = next(section for section in document(report).sections if section.id == "tried").tables[0].columns
        assert "Latency, of the ONNX export's" in columns
    if report.recommendation.plan is not None:
        how = recipe(report)
        assert how["steps"][0][0] == "to_onnx"
        assert reproduce(script, folder=tmp_path / "again", **how).same


def test_layers_are_ranked_on_the_export(script, desk):
    sha256 = take_in(desk, path=str(script))["sha256"]
    found = find_sensitive(desk, sha256=sha256, seconds=10.0)
    assert len(found["layers"]) == 2 and all(layer["op"] in ("Gemm", "MatMul") for layer in found["layers"])
