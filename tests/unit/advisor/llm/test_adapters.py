"""A LoRA adapter merged into its base: merged output = base + adapter."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from advisor.llm.adapters import merge
from data.errors import InputError


@pytest.fixture
def files(tmp_path):
    import torch
    from safetensors.torch import save_file

    generator = torch.Generator().manual_seed(1)

    def draw(*shape):
        return torch.randn(*shape, generator=generator)

    base = {"model.layers.0.q_proj.weight": draw(12, 8), "model.norm.weight": draw(8)}
    stem = "base_model.model.model.layers.0.q_proj"
    adapter = {f"{stem}.lora_A.weight": draw(2, 8), f"{stem}.lora_B.weight": draw(12, 2)}
    save_file(base, tmp_path / "base.safetensors")
    save_file(adapter, tmp_path / "adapter.safetensors")
    return tmp_path, base, adapter


def run(folder, base="base", adapter="adapter", **options):
    desk = SimpleNamespace(folder=folder, progress=lambda done, text: None)
    paths = {"base": str(folder / f"{base}.safetensors"), "adapter": str(folder / f"{adapter}.safetensors")}
    return merge(desk, **paths, **options)


def test_merged_answers_as_base_plus_adapter(files):
    import torch
    from safetensors.torch import load_file

    folder, base, adapter = files
    found = run(folder, alpha=4.0)
    merged = load_file(folder / found["file"])
    down, up = adapter.values()
    x = torch.randn(5, 8)
    wanted = x @ base["model.layers.0.q_proj.weight"].T + (4.0 / 2) * (x @ down.T) @ up.T
    assert torch.allclose(x @ merged["model.layers.0.q_proj.weight"].T, wanted, atol=1e-5)
    assert torch.equal(merged["model.norm.weight"], base["model.norm.weight"])
    assert (found["merged_count"], found["adapter_parameters"]) == (1, 2 * 8 + 12 * 2)
    assert found["largest_error"] < 1e-5


def test_what_does_not_fit_is_refused(files):
    from safetensors.torch import save_file

    folder, _, adapter = files
    with pytest.raises(InputError, match="no LoRA matrix"):
        run(folder, adapter="base")
    save_file({name: tensor.T.contiguous() for name, tensor in adapter.items()}, folder / "turned.safetensors")
    with pytest.raises(InputError, match="does not fit"):
        run(folder, adapter="turned")
    save_file({"other.lora_A.weight": next(iter(adapter.values()))}, folder / "other.safetensors")
    with pytest.raises(InputError, match="no partner"):
        run(folder, adapter="other")


def test_what_would_be_lost_or_is_not_finite_is_refused(files):
    import torch
    from safetensors.torch import save_file

    folder, _, adapter = files
    (down_name, down), (up_name, up) = adapter.items()
    extra = {down_name.replace("lora_A", "lora_magnitude_vector"): down[0].clone()}
    save_file(adapter | extra, folder / "dora.safetensors")
    with pytest.raises(InputError, match="would lose it"):
        run(folder, adapter="dora")
    save_file({down_name: down, up_name: up * float("nan")}, folder / "nan.safetensors")
    with pytest.raises(InputError, match="not finite"):
        run(folder, adapter="nan")
    save_file({down_name: torch.zeros(0, 8), up_name: torch.zeros(12, 0)}, folder / "none.safetensors")
    with pytest.raises(InputError, match="no matrix"):
        run(folder, adapter="none")
    (folder / "cut.safetensors").write_bytes((folder / "adapter.safetensors").read_bytes()[:-5])
    with pytest.raises(InputError, match="no whole safetensors"):
        run(folder, adapter="cut")


def test_the_job_keeps_the_merged_file(files, tmp_path):
    from contextlib import contextmanager

    from advisor.forget import forget
    from advisor.llm.adapters import merge_files
    from data import home as homes
    from data.store import Store
    from profiler.files import sha256_of

    folder, _, _ = files

    class Desk:
        home = homes.home()

        @contextmanager
        def folder(self):
            made = tmp_path / "job"
            made.mkdir()
            yield made

        def task(self, function, arguments, folder, readable):
            return function(SimpleNamespace(folder=folder, progress=lambda *_: None), **arguments)

    found = merge_files(
        Desk(), base=str(folder / "base.safetensors"), adapter=str(folder / "adapter.safetensors"), alpha=4.0, move=True
    )
    from safetensors import safe_open

    with safe_open(found["file"], framework="numpy") as kept:
        assert "model.norm.weight" in kept.keys()  # noqa: SIM118
    assert (folder / "base.safetensors").exists()  # the user's own file stays
    store = Store()
    forget(homes.home(), store, "0" * 64)
    assert Path(found["file"]).exists()  # another model was deleted
    forget(homes.home(), store, sha256_of(folder / "base.safetensors"))
    assert not Path(found["file"]).exists()


def test_the_command_merges_in_the_locked_child(files, capsys):
    import json

    from advisor.__main__ import main

    folder, _, _ = files
    out = folder / "merged out.safetensors"
    names = [str(folder / "base.safetensors"), str(folder / "adapter.safetensors")]
    assert main(["adapter", *names, "--out", str(out), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert out.exists() and found["merged_count"] == 1 and found["largest_error"] < 1e-5
    assert main(["adapter", names[0], "nowhere", "--out", str(out)]) == 2
