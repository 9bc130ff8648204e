"""The second walk: an uploaded TorchScript file goes the whole way; files of weights, and a configuration, say what
they can tell and what not."""

import json
import re
import struct

import pytest
from steps import PATIENCE_MS, press, see, taken, upload

pytestmark = pytest.mark.browser


def facts(tab):
    tab.page.locator(".st-key-card-facts").wait_for(timeout=PATIENCE_MS)
    return tab.idle()


def named(tab, name):
    tab.page.wait_for_function(
        "name => [...document.querySelectorAll('input')].some(one => one.value.includes(name))", arg=name
    )
    return tab.idle()


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    """A convolutional network, traced: the file does not keep the size of its images."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, stride=2), nn.ReLU(), nn.Flatten(),
        nn.Linear(32 * 49, 64), nn.ReLU(), nn.Linear(64, 10),
    ).eval()  # fmt: skip
    path = tmp_path_factory.mktemp("uploads") / "traced net.pt"
    torch.jit.trace(network, torch.randn(1, 3, 16, 16)).save(str(path))
    return path


def test_a_torchscript_file_goes_the_whole_way(walk, quick_app, script, tmp_path):
    tab = walk(address=quick_app).open()
    upload(tab, script)
    facts(tab)
    named(tab, "traced net")
    shape = tab.page.get_by_label("Shape of input", exact=True)
    shape.fill("1x3x16x16")
    shape.press("Enter")
    press(tab, "Read at these shapes")
    press(tab, "Measure")
    see(tab, "How it was measured")
    shown = tab.page.locator("body").inner_text()
    assert "torch, torch cpu" in shown and "Latency, median" in shown
    assert tab.findings() == []
    tab.shot("torch-way-profile")

    tab.page.get_by_role("link", name="Compress").click()
    see(tab, "What counts most")
    press(tab, "Compress")
    see(tab, "Everything that was tried", timeout=420_000)
    text = tab.page.locator("body").inner_text()
    assert "Export to ONNX" in text and "run by PyTorch (eager)" in text
    assert tab.findings() == []
    tab.shot("torch-way-compress")

    tab.page.get_by_role("link", name="Place", exact=True).click()
    see(tab, re.compile("Where to run it|The best candidates"))
    assert "Stopped" not in tab.page.locator("body").inner_text()
    assert tab.findings() == []
    tab.shot("torch-way-place")

    tab.page.get_by_role("link", name="Report", exact=True).click()
    see(tab, "Take it away")
    report = json.loads(taken(tab, "JSON", tmp_path).read_text())["report"]
    assert report["model"]["format"] == "torchscript"
    runs = {run["variant_id"]: run for run in report["measurements"]}
    assert runs[None]["runtime"] == "torch"
    export = next(one for one in report["variants"] if [step["technique"] for step in one["steps"]] == ["to_onnx"])
    assert runs[export["id"]]["runtime"] == "onnxruntime" and export["sha256"] != report["model"]["sha256"]
    assert any("ONNX alone takes" in reason for reason in report["recommendation"]["reasons"])
    assert tab.findings() == []
    assert tab.problems() == [] and tab.failures == []


def gguf(path):
    """One tensor and the keys every reader asks for."""
    text = lambda value: struct.pack("<Q", len(value)) + value.encode()  # noqa: E731
    head = b"GGUF" + struct.pack("<IQQ", 3, 1, 2)
    head += text("general.architecture") + struct.pack("<I", 8) + text("llama")
    head += text("general.alignment") + struct.pack("<II", 4, 32)
    head += text("blk.0.ffn_up.weight") + struct.pack("<IQQIQ", 2, 64, 32, 0, 0)
    path.write_bytes(head + b"\0" * (-len(head) % 32) + struct.pack("<f", 0.5) * 64 * 32)
    return path


def test_weights_and_a_configuration_say_what_they_can_tell(walk, tmp_path):
    import torch
    from safetensors.torch import save_file

    weights = tmp_path / "plain weights.safetensors"
    save_file({"layer.weight": torch.randn(128, 64), "layer.bias": torch.zeros(128)}, weights)
    config = tmp_path / "config.json"
    config.write_text(json.dumps({
        "model_type": "bert", "architectures": ["BertModel"], "hidden_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 2, "intermediate_size": 128, "vocab_size": 100, "max_position_embeddings": 128,
    }))  # fmt: skip
    tab = walk()
    for path, says in (
        (weights, "Latency needs the architecture"),
        (gguf(tmp_path / "small model.gguf"), "Latency needs the architecture"),
        (config, "Latency needs a model that runs"),
    ):
        tab.open()
        tab.idle()
        upload(tab, path)
        facts(tab)
        named(tab, path.stem)
        shown = tab.page.locator("body").inner_text()
        assert says in shown, shown[:2000]
        assert tab.page.get_by_role("button", name="Measure", exact=True).count() == 0
        assert ("Size at each precision" in shown) == (path is not config)
        assert tab.findings() == []
        tab.shot(f"torch-way-{path.suffix[1:]}")
        if path is weights:
            press(tab, "Make smaller files")
            made = tab.page.get_by_role("button", name=re.compile("INT4 in groups of 32"))
            made.first.wait_for(timeout=PATIENCE_MS)
            tab.idle()
            assert tab.findings() == []
            tab.shot("torch-way-stored")
    assert tab.problems() == [] and tab.failures == []
