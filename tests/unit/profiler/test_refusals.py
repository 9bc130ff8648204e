"""The same file twice: the same verdict and text, the second time without reading it again."""

import pytest

from data.errors import InputError, MeasurementError
from data.home import Home
from data.store import Store
from profiler import intake, refusals
from profiler.jobs import Desk
from profiler.types import Refusal
from tests.hostile.build_files import onnx_bytes
from tests.hostile.build_onnx import external, model, node


@pytest.fixture
def desk(tmp_path):
    store = Store()
    yield Desk(Home(tmp_path / "home"), store, lambda done_frac, text: None)
    store.close()


def refused(desk, path, **more):
    with pytest.raises(InputError) as told:
        intake.take_in(desk, path=str(path), **more)
    return told.value.as_dict()


def test_a_refusal_is_known_again_by_its_hash(desk, tmp_path, monkeypatch):
    (tmp_path / "bad.onnx").write_bytes(model([node("Rocket", domain="evil.corp")]).SerializeToString())
    first = refused(desk, tmp_path / "bad.onnx")
    assert "Rocket" in first["error"] and len(desk.all(Refusal)) == 1
    monkeypatch.setattr(desk, "task", lambda *_, **__: pytest.fail("it was read again"))
    (tmp_path / "again.onnx").write_bytes((tmp_path / "bad.onnx").read_bytes())
    assert refused(desk, tmp_path / "again.onnx", name="bad.onnx") == first
    kept = desk.all(Refusal)[0]
    assert "bad.onnx" not in str(kept) and str(tmp_path) not in str(kept)


def test_an_upload_refused_again_is_removed_too(desk, tmp_path):
    for _ in range(2):
        folder = desk.home.uploads / "one"
        folder.mkdir()
        (folder / "upload.onnx").write_bytes(b"hello " * 100)
        refused(desk, folder / "upload.onnx", name="m.onnx", move=True)
        assert list(desk.home.uploads.iterdir()) == []
    assert len(desk.all(Refusal)) == 1


def test_other_files_beside_it_other_shapes_other_rules_are_judged_anew(desk, tmp_path, monkeypatch):
    file = tmp_path / "m.onnx"
    file.write_bytes(external(location="w.bin").SerializeToString())
    assert "missing" in refused(desk, file)["error"]
    keys = [refusals.key_of(file, "m.onnx", {})]
    keys += [refusals.key_of(file, "m.pt", {}), refusals.key_of(file, "m.onnx", {"x": (2,)})]
    (tmp_path / "w.bin").write_bytes(bytes(16))
    keys.append(refusals.key_of(file, "m.onnx", {}))
    monkeypatch.setattr(refusals, "rules", lambda: "others")
    keys.append(refusals.key_of(file, "m.onnx", {}))
    assert len(set(keys)) == len(keys)
    assert intake.take_in(desk, path=str(file))["sha256"]


@pytest.mark.parametrize(
    "error",
    [MeasurementError("This needs more memory than it may use."), InputError("The model could not be processed.")],
)
def test_what_the_moment_is_to_blame_for_is_not_remembered(desk, tmp_path, monkeypatch, error):
    (tmp_path / "m.onnx").write_bytes(onnx_bytes())

    def fail(*_, **__):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(desk, "task", fail)
        with pytest.raises(type(error)):
            intake.take_in(desk, path=str(tmp_path / "m.onnx"))
    assert desk.all(Refusal) == []
    assert intake.take_in(desk, path=str(tmp_path / "m.onnx"))["sha256"]
