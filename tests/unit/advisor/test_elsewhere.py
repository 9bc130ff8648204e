"""The script of the libraries alone really makes what Rightsize made: same operators, about the same size."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import onnx
import pytest
import reports
import small_models as small

from advisor.apply import apply
from advisor.exporters import exporters
from advisor.report.elsewhere import MAKERS, Here, script, snippet
from advisor.techniques import techniques
from advisor.types import Step
from data.records import to_plain

MODELS = {"int8_dynamic": small.mlp, "int8_static": small.cnn, "fp16": small.cnn}


class Desk:
    def __init__(self, folder):
        self.folder = folder

    def progress(self, done_frac, text):
        """Nobody listens."""


def report_of(step, model, runtime="onnxruntime", options=None):
    report = reports.report()
    chosen = report.recommendation.plan
    variant = next(one for one in report.variants if one.id == chosen.variant_id)
    changed = replace(variant, steps=(step,), runtime=runtime, runtime_options=options or {})
    others = tuple(one for one in report.variants if one is not variant)
    return replace(report, model=model, variants=(changed, *others), machine=small.MACHINE)


def operators(path):
    if path.suffix == ".xml":
        import openvino

        found = [node.get_type_name() for node in openvino.Core().read_model(str(path)).get_ordered_ops()]
    else:
        found = [node.op_type for node in onnx.load(path).graph.node]
    return {name: found.count(name) for name in set(found)}


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_the_libraries_alone_make_the_same(name, tmp_path):
    path = MODELS.get(name, small.cnn)(tmp_path / "model.onnx")
    model = small.facts(path)
    option = techniques()[name].options(model, small.MACHINE)[0]
    data = tmp_path / "data.npz"
    np.savez(data, **small.feeds(model, calls=1, batch=16)[0])
    (tmp_path / "ours").mkdir()
    ours = apply(
        Desk(tmp_path / "ours"), technique=name, option=option, path=str(path), model=to_plain(model),
        machine=to_plain(small.MACHINE), calibration=str(data),
    )  # fmt: skip
    report = report_of(Step(technique=name, options=option), model, ours["runtime"], ours["runtime_options"])
    text, written = script(report), tmp_path / "make.py"
    written.write_text(text)
    target = tmp_path / f"theirs{snippet(Step(technique=name, options=option), Here()).suffix}"
    subprocess.run(
        [sys.executable, str(written), str(path), str(target), str(data)], check=True, capture_output=True, timeout=240
    )
    own = tmp_path / "ours" / ours["file"]
    assert operators(target) == operators(own)
    assert target.stat().st_size == pytest.approx(own.stat().st_size, rel=0.1)
    weights = target.with_suffix(".bin")
    if weights.exists():
        assert weights.stat().st_size == pytest.approx(own.with_suffix(".bin").stat().st_size, rel=0.05)


def test_what_no_library_does_is_said_and_nothing_else_made():
    text = script(report_of(Step(technique="hadamard", title="Hadamard rotation"), reports.MODEL))
    assert "No library does 'Hadamard rotation' the same way" in text
    assert all(line.startswith("#") for line in text.splitlines())


def test_the_original_needs_no_script():
    assert "there is nothing to make" in script(reports.CASES["keep the original"]())


def test_hostile_names_stay_strings():
    """The names of inputs come from the file: whatever they hold, the script is Python and runs none of it."""
    hostile = replace(reports.MODEL.inputs[0], name='x"]; import os; os.system("true")  #\n')
    model = replace(reports.MODEL, inputs=(hostile,))
    text = exporters()["libraries"].render(report_of(Step(technique="int8_static", options={}), model)).decode("ascii")
    import ast

    assert ast.parse(text)
    assert repr(hostile.name) in text
