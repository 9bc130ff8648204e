"""Every technique gives a file that loads, runs and differs, or refuses with a sentence."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import small_models as small

from advisor.apply import apply
from advisor.techniques import STAGES, techniques
from data.errors import RightsizeError
from data.records import to_plain
from profiler import sandbox
from profiler.inspect import recognise
from profiler.runtimes import runtimes

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(name for name, technique in techniques().items() if technique.STAGE != "export")
EXPORTS = sorted(name for name, technique in techniques().items() if technique.STAGE == "export")
# The small model each technique is applied to; an MLP where nothing is said.
ON_OPENVINO = ("int8_openvino", "weight_only_openvino", "runtime_choice")
FITTING = {
    "int8_static": small.cnn, "fp16": small.cnn, "hadamard": small.attention, "sparse_storage": small.pruned,
    "int8_mixed": small.outlier_layer, "reconstruct": small.cnn, "wanda": small.cnn, "low_rank": small.thin,
    "graph_optimise": small.attention,
}  # fmt: skip


class Desk:
    """A child's desk that writes to a folder and remembers what it was told."""

    def __init__(self, folder):
        self.folder, self.told = folder, []

    def progress(self, done_frac, text):
        self.told.append((done_frac, text))


def applied(name, path, tmp_path, *, option=None, machine=small.MACHINE, calibration=None, model=None):
    model = model or small.facts(path)
    technique = techniques()[name]
    folder = tmp_path / "job"
    folder.mkdir(exist_ok=True)
    chosen = technique.options(model, machine)[0] if option is None else option
    answer = apply(
        Desk(folder), technique=name, option=chosen, path=str(path), model=to_plain(model),
        machine=to_plain(machine), calibration=calibration and str(calibration), calibration_samples=8,
    )  # fmt: skip
    return answer, folder


def in_a_child(name, path, tmp_path):
    """The same in the locked child, as the product does it."""
    model, folder = small.facts(path), tmp_path / "job"
    folder.mkdir()
    arguments = {
        "technique": name, "option": techniques()[name].options(model, small.MACHINE)[0], "path": str(path),
        "model": to_plain(model), "machine": to_plain(small.MACHINE), "calibration_samples": 8,
    }  # fmt: skip
    return sandbox.run("advisor.apply:apply", arguments, folder=folder, readable=[path]), folder


@pytest.fixture(params=NAMES)
def technique(request):
    if request.param in ON_OPENVINO and (sentence := runtimes()["openvino"].missing()):
        pytest.skip(sentence)
    return techniques()[request.param]


def test_it_says_what_it_is(technique):
    assert technique.STAGE in STAGES
    assert technique.TITLE
    assert set(technique.GAINS) <= {"latency", "size", "memory"} and technique.GAINS


def test_it_gives_a_file_that_loads_runs_and_differs(technique, tmp_path):
    path = FITTING.get(technique.NAME, small.mlp)(tmp_path / "model.onnx")
    model = small.facts(path)
    assert technique.refuses(model, small.MACHINE) is None
    for number, option in enumerate(technique.options(model, small.MACHINE)):
        place = tmp_path / str(number)
        place.mkdir()
        answer, folder = applied(technique.NAME, path, place, option=option)
        file = folder / answer["file"]
        assert answer["file_bytes"] == sum(
            (folder / name).stat().st_size for name in [answer["file"], *answer["companions"]]
        )
        assert answer["sha256"] and answer["changed_count"] > 0 and answer["notes"]
        for note in answer["notes"]:
            sentence(note)
        assert file.read_bytes() != path.read_bytes()
        runnable = folder / answer["decoded"] if answer["decoded"] else file
        session = runtimes()[answer["runtime"]].load(runnable, {"threads": "1", **answer["runtime_options"]})
        call = small.feeds(model, calls=1)[0]
        got, wanted = session.run(call), small.outputs(path, call)
        assert got.keys() == wanted.keys()
        for output, values in wanted.items():
            assert got[output].shape == values.shape
            assert np.isfinite(got[output]).all()
            cosine = float((got[output] * values).sum() / np.linalg.norm(got[output]) / np.linalg.norm(values))
            assert cosine > (0.2 if technique.STAGE == "structure" else 0.5), f"{option}: {cosine}"
        left = {path.name for path in folder.iterdir()} - {answer["file"], answer["decoded"], *answer["companions"]}
        assert not left, "the job folder holds what nobody asked for"


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_takes_what_is_not_onnx_and_refuses_what_is(name, tmp_path):
    import torch
    from torch import nn

    technique, onnx_model = techniques()[name], small.facts(small.mlp(tmp_path / "mlp.onnx"))
    sentence(technique.refuses(onnx_model, small.MACHINE))
    sentence(technique.refuses(dataclasses.replace(onnx_model, format="safetensors"), small.MACHINE))
    path, call = tmp_path / "m.torchscript", torch.ones(2, 32)
    network = nn.Sequential(nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 4)).eval()
    torch.jit.trace(network, call).save(str(path))
    model = recognise(path).read(path, {"input": (1, 32)})
    assert technique.refuses(model, small.MACHINE) is None
    answer, folder = applied(name, path, tmp_path, model=model)
    for note in answer["notes"]:
        sentence(note)
    got = runtimes()[answer["runtime"]].load(folder / answer["file"], {"threads": "1"}).run({"input": call.numpy()})
    assert np.allclose(next(iter(got.values())), network(call).detach().numpy(), atol=1e-5)


def test_the_same_twice_is_the_same_file(technique, tmp_path):
    """OpenVINO numbers its operators anew in every process, so its files are compared from two children."""
    path = FITTING.get(technique.NAME, small.mlp)(tmp_path / "model.onnx")
    digests = set()
    for number in range(2):
        place = tmp_path / str(number)
        place.mkdir()
        make = in_a_child if technique.NAME in ON_OPENVINO else applied
        digests.add(make(technique.NAME, path, place)[0]["sha256"])
    assert len(digests) == 1


def sentence(reason):
    assert reason and reason.endswith(".") and "\n" not in reason and len(reason) <= 200, reason
    assert not reason[0].islower(), reason


def test_it_refuses_a_model_without_weights(technique, tmp_path):
    sentence(technique.refuses(small.facts(small.no_weights(tmp_path / "relu.onnx")), small.MACHINE))


def test_it_refuses_a_file_that_is_not_a_graph(technique, tmp_path):
    model = dataclasses.replace(
        small.facts(small.mlp(tmp_path / "mlp.onnx")), format="safetensors", operators={}, inputs=()
    )
    sentence(technique.refuses(model, small.MACHINE))


def test_it_takes_or_refuses_a_quantized_model(technique, tmp_path):
    answer, folder = applied("int8_dynamic", small.mlp(tmp_path / "mlp.onnx"), tmp_path)
    quantized = folder / answer["file"]
    reason = technique.refuses(small.facts(quantized), small.MACHINE)
    if technique.STAGE in ("prune", "rotate", "quantize", "structure", "factorise"):
        sentence(reason)


@pytest.mark.parametrize("build", [small.shared, small.not_a_number, small.lstm], ids=lambda build: build.__name__)
def test_odd_models_run_or_get_one_line(technique, build, tmp_path):
    path = build(tmp_path / "odd.onnx")
    model = small.facts(path)
    reason = technique.refuses(model, small.MACHINE)
    if reason is not None:
        sentence(reason)
        return
    try:
        answer, folder = applied(technique.NAME, path, tmp_path)
    except RightsizeError as error:
        sentence(error.message)
        return
    assert build is not small.not_a_number, "NaN was not noticed"
    assert (folder / answer["file"]).exists()


def test_weights_in_64_bits_are_named_as_the_reason(technique, tmp_path):
    reason = technique.refuses(small.facts(small.double(tmp_path / "double.onnx")), small.MACHINE)
    if technique.STAGE != "runtime":
        assert "64-bit" in reason or "32-bit" in reason


@pytest.mark.parametrize("name", ["int8_static", "int8_mixed", "int8_dynamic"])
def test_a_graph_of_an_old_opset_is_raised_for_8_bits_per_channel(name, tmp_path):
    path = small.old(tmp_path / "old.onnx")
    option = {"max_loss": 0.01} if name == "int8_mixed" else None
    try:
        answer, folder = applied(name, path, tmp_path, option=option)
    except RightsizeError as error:
        assert "none has to stay out" in error.message
        return
    call = small.feeds(small.facts(path), calls=1)[0]
    found, wanted = (small.outputs(file, call)["y"] for file in (folder / answer["file"], path))
    assert np.corrcoef(found.ravel(), wanted.ravel())[0, 1] > 0.98


def test_it_says_that_calibration_data_does_not_fit(technique, tmp_path):
    path = small.mlp(tmp_path / "mlp.onnx")
    data = tmp_path / "misfit.npz"
    np.savez(data, x=np.zeros((8, 31), dtype=np.float32))
    if technique.refuses(small.facts(path), small.MACHINE) is None:
        with pytest.raises(RightsizeError) as caught:
            applied(technique.NAME, path, tmp_path, calibration=data)
        assert "takes batchx32" in caught.value.message or "x32" in caught.value.message


def test_weights_outside_the_file_are_found(technique, tmp_path):
    """External data, as every model above 2 GB has it."""
    path = FITTING.get(technique.NAME, small.mlp)(tmp_path / "model.onnx")
    call = small.feeds(small.facts(path), calls=1)[0]
    wanted = small.outputs(path, call)
    whole = small.facts(path)
    proto = onnx.load(path)
    onnx.save(proto, path, save_as_external_data=True, location="model.onnx.data", size_threshold=128)
    answer, folder = applied(technique.NAME, path, tmp_path, model=whole)
    session = runtimes()[answer["runtime"]].load(
        folder / (answer["decoded"] or answer["file"]), {"threads": "1", **answer["runtime_options"]}
    )
    assert session.run(call).keys() == wanted.keys()


def test_a_model_that_is_too_large_for_one_file_works_or_is_refused(technique, tmp_path, monkeypatch):
    """The limit of 1 GiB is made 3 KiB: what follows from it is the same."""
    path = FITTING.get(technique.NAME, small.mlp)(tmp_path / "model.onnx")
    whole = small.facts(path)
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="model.onnx.data", size_threshold=128)
    monkeypatch.setattr("advisor.surgery.facts.ONE_FILE_BYTES", 3 << 10)
    monkeypatch.setattr("profiler.onnx_graph.tools.EXTERNAL_ABOVE_BYTES", 3 << 10)
    if (reason := technique.refuses(whole, small.MACHINE)) is not None:
        sentence(reason)
        assert "1 GB" in reason
        return
    answer, folder = applied(technique.NAME, path, tmp_path, model=whole)
    assert answer["companions"] and all((folder / name).exists() for name in answer["companions"])
    assert answer["file_bytes"] > (folder / answer["file"]).stat().st_size
    left = {path.name for path in folder.iterdir()} - {answer["file"], answer["decoded"], *answer["companions"]}
    assert not left


def test_asking_loads_no_heavy_library(tmp_path):
    code = (
        "import sys, pickle\nfrom advisor.techniques import techniques\n"
        "from profiler.types import Machine, Model\n"
        "model = Model(sha256='', name='', format='onnx', file_bytes=1, parameter_count=9, weight_bytes=9,\n"
        "  parameters_by_dtype={'float32': 9}, operators={'MatMul': 3, 'Conv': 2, 'LSTM': 1, 'Softmax': 1})\n"
        "machine = Machine(fingerprint='', cpu='', isa=('avx512_vnni', 'avx512_bf16'), physical_cores=1,\n"
        "  logical_cores=1, memory_bytes=1)\n"
        "for each in techniques().values():\n    each.refuses(model, machine), each.options(model, machine)\n"
        "heavy = {'torch', 'onnx', 'onnxruntime', 'openvino', 'nncf', 'sklearn', 'numpy', 'scipy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


@pytest.mark.parametrize("name", [name for name, one in techniques().items() if one.STAGE == "quantize"])
def test_ranges_of_random_inputs_are_said_to_be_such_once(name, tmp_path):
    option = {"max_loss": 2e-5} if name == "int8_mixed" else None
    path = small.cnn(tmp_path / "cnn.onnx")
    answer, _ = applied(name, path, tmp_path, option=option)
    said = [note for note in answer["notes"] if "random inputs" in note]
    assert len(said) == int(techniques()[name].CALIBRATES)


def test_a_tree_ensemble_is_told_as_what_it_is(tmp_path):
    plain = small.facts(small.no_weights(tmp_path / "relu.onnx"))
    trees = dataclasses.replace(plain, operators={"ai.onnx.ml.TreeEnsembleRegressor": 1})
    for one in techniques().values():
        if one.STAGE != "export":
            assert "tree ensemble" in one.refuses(trees, small.MACHINE), one.NAME
            assert "tree" not in one.refuses(plain, small.MACHINE), one.NAME
