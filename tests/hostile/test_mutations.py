"""Random damage to good files of every format: the app's process lives, each text is one line."""

import pytest

from profiler.sandbox import Limits
from tests.hostile.test_core import SOUND
from tests.hostile.world import CORPUS, TOLD, check_text, corpus, run

NAMES = {
    "onnx": "model.onnx", "onnx_bundle": "model.zip", "torchscript": "model.pt", "pt2": "model.pt2",
    "state_dict": "weights.pth", "safetensors": "weights.safetensors", "gguf": "weights.gguf",
    "hf_config": "config.json",
}  # fmt: skip
SAMPLE, ALL = 40, 500
SLOW = {"torchscript": 20, "pt2": 20, "state_dict": 20, "hf_config": 8}  # torch loads or traces what passes the triage
SEED = 20261122


def chewed(folder, kind, data, count):
    (folder / "job").mkdir()
    (folder / "whole").write_bytes(data)
    arguments = {"path": str(folder / "whole"), "name": NAMES[kind], "count": count, "seed": SEED}
    limits = Limits(seconds=900, memory_bytes=4 << 30)
    found = run("chew", arguments, folder / "job", readable=[folder / "whole"], limits=limits)
    assert found["accepted"] + found["refused"] == count
    assert found["refused"] > 0
    TOLD["mutations"][kind, "accepted"] += found["accepted"]
    TOLD["mutations"][kind, "refused"] += found["refused"]
    for text in found["told"]:
        if text:
            check_text(text)


@pytest.mark.parametrize("kind", SOUND)
def test_a_sample_of_mutations(tmp_path, kind):
    chewed(tmp_path, kind, SOUND[kind], SLOW.get(kind, SAMPLE))


@pytest.mark.hostile
@pytest.mark.parametrize("kind", SOUND)
def test_all_mutations(tmp_path, kind):
    chewed(tmp_path, kind, SOUND[kind], ALL)


@pytest.mark.hostile
@pytest.mark.parametrize("kind", SOUND)
def test_all_mutations_of_real_files(tmp_path, kind):
    good = [item for item in corpus()["items"] if item["category"] == "control"]
    controls = {item["format"].replace("onnx-zip", "onnx_bundle"): item for item in good}
    if kind not in controls:
        pytest.skip("the corpus has no good file of this kind")
    chewed(tmp_path, kind, (CORPUS / controls[kind]["file"]).read_bytes(), ALL)
