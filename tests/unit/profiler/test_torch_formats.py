"""TorchScript, .pt2 and configurations: what their files tell, what must be given, what is refused."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from data.errors import InputError, Unavailable
from profiler.examples import bert
from profiler.formats.hf_config import FORMAT as CONFIG
from profiler.formats.pt2 import FORMAT as PT2
from profiler.formats.torchscript import FORMAT as SCRIPT
from profiler.inputs import random_feeds
from profiler.runtimes import runtimes
from profiler.torch_graph.layers import module_path


def script(path, module, *inputs):
    torch.jit.trace(module.eval(), inputs).save(str(path))
    return path


def test_a_script_tells_the_first_layers_shape_and_asks_for_the_rest(tmp_path):
    path = script(tmp_path / "m.pt", nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), torch.zeros(1, 3, 8, 8))
    model = SCRIPT.read(path, {})
    assert model.inputs[0].shape == ("batch", 3, "height", "width")
    assert (model.flop, model.parameter_count) == (None, 112)
    assert any("--shape input=?x3x?x?" in note for note in model.notes)
    model = SCRIPT.read(path, {"input": (1, 3, 8, 8)})
    assert model.flop == 2 * 36 * 4 * 27
    assert model.outputs[0].shape == ("batch", 4, 6, 6)


def test_a_script_of_text_finds_its_ids_and_masks(tmp_path):
    module = bert.network(layers=1, width=32, heads=2)
    ids = torch.ones(1, 16, dtype=torch.int64)
    model = SCRIPT.read(script(tmp_path / "b.pt", module, ids, ids.clone(), ids.clone()), {})
    assert [(each.name, each.dtype, each.upper_bound) for each in model.inputs] == [
        ("input_ids", "int64", 30_522), ("attention_mask", "int64", None), ("token_type_ids", "int64", 2),
    ]  # fmt: skip
    assert model.cannot_run is None
    assert model.flop == 2 * (128 * 12 * 32 * 32 + 2 * 128 * 128 * 32 + 32 * 32 + 32 * 10)


def test_a_script_whose_shapes_cannot_be_told_says_so(tmp_path):
    model = SCRIPT.read(script(tmp_path / "m.pt", nn.ReLU(), torch.zeros(2, 3)), {})
    assert model.cannot_run == (
        'Latency needs the shape of "input", which the file does not keep: give --shape input=...'
    )
    assert SCRIPT.read(tmp_path / "m.pt", {"input": (2, 3)}).other_flop == 6


@pytest.mark.filterwarnings("ignore")
def test_weights_that_torch_packed_are_told_not_counted(tmp_path):
    model = torch.ao.quantization.quantize_dynamic(nn.Sequential(nn.Linear(64, 4)), {nn.Linear})
    torch.jit.script(model).save(tmp_path / "packed.pt")
    assert any("not counted" in note for note in SCRIPT.read(tmp_path / "packed.pt", {}).notes)


def test_an_exported_program_names_its_dynamic_axes(tmp_path):
    module = bert.network(layers=1, width=32, heads=2)
    ids = torch.ones(2, 16, dtype=torch.int64)
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("sequence", max=512)}
    program = torch.export.export(module, (ids, ids.clone(), ids.clone()), dynamic_shapes=(axes, axes, axes))
    torch.export.save(program, tmp_path / "m.pt2")
    model = PT2.read(tmp_path / "m.pt2", {"input_ids": (1, 20)})
    assert model.shapes["attention_mask"] == (1, 20)
    assert [each.upper_bound for each in model.inputs] == [30_522, None, 2]
    assert model.flop == 2 * (20 * 12 * 32 * 32 + 2 * 20 * 20 * 32 + 32 * 32 + 32 * 10)
    assert model.parameter_count == sum(parameter.numel() for parameter in module.parameters())


class Named(nn.Module):
    """Two parts, one of them called twice; inputs by keyword and in a mapping."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(8, 16), nn.ReLU())
        self.head = nn.Linear(16, 4)

    def forward(self, batch, *, scale):
        once = self.head(self.encoder(batch["x"]))
        return {"logits": once * scale, "again": self.head(self.encoder(batch["m"]))}


def named(path):
    inputs = {"x": torch.ones(2, 8), "m": torch.zeros(2, 8)}
    torch.export.save(torch.export.export(Named().eval(), (inputs,), {"scale": torch.tensor([3.0])}), path)
    return path


def test_layers_of_a_program_are_called_as_in_the_module_it_came_from(tmp_path):
    model = PT2.read(named(tmp_path / "m.pt2"), {})
    assert [layer.name for layer in model.layers if layer.flop] == [
        "encoder.0.addmm", "head.addmm", "encoder.0.addmm_2", "head.addmm_2",
    ]  # fmt: skip
    assert [tensor.name for tensor in model.outputs] == ["logits", "again"]
    assert model.flop == 2 * 2 * 2 * (8 * 16 + 16 * 4)
    assert module_path({"a": ("encoder", "x"), "b": ("encoder.0@1", "x")}) == "encoder.0"
    assert module_path(None) == module_path({}) == ""


def test_a_program_with_inputs_by_keyword_and_in_a_mapping_runs(tmp_path):
    path = named(tmp_path / "m.pt2")
    model = PT2.read(path, {})
    session = runtimes()["torch"].load(path, {"threads": "1"})
    feeds = {tensor.name: np.ones(tensor.shape, np.float32) for tensor in model.inputs}
    assert list(feeds) == ["batch_x", "batch_m", "scale"]
    answer = session.run(feeds)
    np.testing.assert_allclose(answer["logits"], answer["again"], rtol=1e-5)
    session.prepare(feeds)()


def test_a_module_of_bfloat16_runs_on_inputs_of_its_type(tmp_path):
    module = nn.Linear(8, 3).bfloat16()
    path = script(tmp_path / "m.pt", module, torch.ones(2, 8, dtype=torch.bfloat16))
    model = SCRIPT.read(path, {})
    assert model.inputs[0].dtype == "bfloat16"
    session, feeds = runtimes()["torch"].load(path, {"threads": "1"}), random_feeds(model, {"input": (2, 8)}, seed=0)
    (answer,) = session.run(feeds).values()
    x = torch.from_numpy(feeds["input"].astype(np.float32)).bfloat16()
    assert answer.dtype == np.float32
    np.testing.assert_array_equal(answer, module(x).detach().float().numpy())
    session.prepare(feeds)()


def test_damaged_archives_are_one_line(tmp_path):
    path = tmp_path / "m"
    path.write_bytes(b"PK\x03\x04 and no more")
    for format in (SCRIPT, PT2):
        with pytest.raises(InputError, match="cannot be read"):
            format.read(path, {})


def config(path, **fields):
    path.write_text(json.dumps(fields))
    return path


GPT2_LARGE = {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "n_embd": 1280, "n_layer": 36, "n_head": 20}


def test_gpt2_large_at_4_by_1024_tokens(tmp_path):
    path = config(tmp_path / "config.json", **GPT2_LARGE)
    model = CONFIG.read(path, {"input_ids": (4, 1024), "attention_mask": (4, 1024)})
    tokens, width, layers, words = 4 * 1024, 1280, 36, 50_257
    closed = 2 * tokens * (layers * (12 * width * width + 2 * 1024 * width) + width * words)
    assert model.flop == closed
    assert closed == pytest.approx(7_098e9, rel=1e-3)
    assert model.parameter_count == 774_030_080
    assert model.cannot_run.startswith("Latency needs a model that runs")


def test_experts_count_as_often_as_they_are_chosen(tmp_path):
    path = config(
        tmp_path / "c.json", model_type="mixtral", architectures=["MixtralForCausalLM"], hidden_size=64, vocab_size=100,
        intermediate_size=128, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, num_local_experts=8,
        num_experts_per_tok=2, head_dim=16, torch_dtype="bfloat16",
    )  # fmt: skip
    model = CONFIG.read(path, {})
    tokens = 128
    attention = 2 * tokens * (64 * 64 * 2 + 2 * 64 * 32) + 2 * 2 * tokens * tokens * 64
    experts = 2 * tokens * (64 * 8 + 2 * 3 * 64 * 128)  # the router, then two experts of three matrices
    assert model.flop == 2 * (attention + experts) + 2 * tokens * 64 * 100
    assert model.parameters_by_dtype == {"bfloat16": model.parameter_count}


def test_code_of_its_own_is_refused(tmp_path):
    path = config(tmp_path / "c.json", **GPT2_LARGE, auto_map={"AutoModel": "evil--modeling.Model"})
    with pytest.raises(InputError, match="auto_map"):
        CONFIG.read(path, {})


@pytest.mark.parametrize(
    ("fields", "error", "line"),
    [
        ({"model_type": "no_such_family"}, Unavailable, "does not know the model type"),
        ({"model_type": "bert", "hidden_size": -5}, InputError, "No model can be built"),
        ({"model_type": "bert", "hidden_size": "large"}, InputError, "No model can be built"),
        ({"architectures": ["BertModel"]}, InputError, "names no model_type"),
    ],
)
def test_wrong_configurations_are_one_line(fields, error, line, tmp_path):
    with pytest.raises(error, match=line):
        CONFIG.read(config(tmp_path / "c.json", **fields), {})
