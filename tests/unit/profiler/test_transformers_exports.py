"""Exports of real architectures, by both exporters: read without a note, and the same FLOP as the module itself."""

import pytest
import torch
import transformers

from profiler.onnx_graph.model import read_onnx
from profiler.torch_graph.layers import trace

SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
IDS = {"input_ids": torch.ones(2, 12, dtype=torch.int64), "attention_mask": torch.ones(2, 12, dtype=torch.int64)}
CASES = {
    "llama": ("LlamaForCausalLM", SIZES | {"num_key_value_heads": 2, "vocab_size": 100}, IDS),
    "t5": (
        "T5ForConditionalGeneration",
        {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4, "vocab_size": 100},
        IDS | {"decoder_input_ids": torch.ones(2, 7, dtype=torch.int64)},
    ),
    "swin": (
        "SwinForImageClassification",
        {"image_size": 32, "patch_size": 4, "embed_dim": 16, "depths": [1, 1], "num_heads": [2, 2], "window_size": 4},
        {"pixel_values": torch.zeros(2, 3, 32, 32)},
    ),
}


class Logits(torch.nn.Module):
    """The model called in order, answering with its scores alone."""

    def __init__(self, model, names):
        super().__init__()
        self.model, self.names = model, names

    def forward(self, *inputs):
        return self.model(**dict(zip(self.names, inputs, strict=True))).logits


def axes_of(name, value):
    return {0: "batch", 1: f"{name}_sequence"} if value.dtype == torch.int64 else {0: "batch"}


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "traced"), [("llama", False), ("t5", True), ("swin", True), ("swin", False)])
def test_exports_are_read_and_count_the_same(kind, traced, tmp_path):
    name, fields, inputs = CASES[kind]
    config = transformers.AutoConfig.for_model(kind, **fields)
    config._attn_implementation, config.use_cache = "eager", False
    module = Logits(getattr(transformers, name)._from_config(config), list(inputs)).eval()
    heard = trace(module, lambda: {key: torch.zeros_like(value) for key, value in inputs.items()}, positional=True)
    path, values = tmp_path / "m.onnx", tuple(value.clone() for value in inputs.values())
    names = {"input_names": list(inputs), "output_names": ["logits"]}
    if traced:
        dynamic = {key: axes_of(key, value) for key, value in inputs.items()}
        torch.onnx.export(module, values, str(path), dynamo=False, dynamic_axes=dynamic, opset_version=17, **names)
    else:
        automatic = torch.export.Dim.AUTO
        dynamic = (tuple(dict.fromkeys(axes_of(key, value), automatic) for key, value in inputs.items()),)
        torch.onnx.export(module, values, str(path), dynamo=True, dynamic_shapes=dynamic, verbose=False, **names)
    model = read_onnx(path, {key: tuple(value.shape) for key, value in inputs.items()})
    assert model.flop == heard.summary.flop > 0
    assert model.notes == ()
    assert {each.name: each.upper_bound for each in model.inputs if each.name.endswith("input_ids")} == {
        key: 100 for key in inputs if key.endswith("input_ids")
    }
