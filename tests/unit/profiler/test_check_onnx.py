"""Each rule of the ONNX check, on the smallest model that breaks it, and on one that must pass."""

import pytest

from data.errors import InputError
from profiler.onnx_graph.check import check_onnx
from tests.hostile.build_onnx import BROKEN, SOUND


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "w.bin").write_bytes(bytes(24))
    (tmp_path / "link.bin").symlink_to(tmp_path / "w.bin")
    return tmp_path


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_model_passes(name, folder):
    check_onnx(SOUND[name], folder / "model.onnx")


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_model_is_refused_in_one_line(name, folder):
    broken, reason = BROKEN[name]
    with pytest.raises(InputError) as refused:
        check_onnx(broken, folder / "model.onnx")
    assert reason in refused.value.message
    assert len(refused.value.message) <= 200
