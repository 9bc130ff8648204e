"""Every format found in the registry, on six models: recognised by content, parameters equal to the source's."""

import dataclasses
import json
import zipfile

import make_models
import numpy as np
import pytest

from data.records import from_plain, to_plain
from profiler.examples import bert, digits
from profiler.examples.export import to_onnx
from profiler.formats import formats
from profiler.inspect import recognise
from profiler.types import Model

TOKENS = {0: "batch", 1: "sequence"}


def ids(below, *shape):
    import torch

    return torch.randint(0, below, shape, generator=torch.Generator().manual_seed(0))


def tiny_models():
    """name -> (module, example inputs by name)."""
    import torch

    torch.manual_seed(0)
    ones = torch.ones(2, 16, dtype=torch.int64)
    text = {"input_ids": ids(30_522, 2, 16), "attention_mask": ones, "token_type_ids": ones.clone()}
    return {
        "mlp": (make_models.mlp(), {"input": torch.randn(2, 128)}),
        "cnn": (digits.network(), {"input": torch.randn(2, 1, 8, 8)}),
        "lstm": (make_models.lstm(), {"frames": torch.randn(2, 8, 128)}),
        "bert": (bert.network(layers=1, width=32, heads=2), text),
        "gpt": (make_models.gpt2(layers=1, width=32, heads=2), {"input_ids": ids(50_257, 2, 16)}),
        "dlrm": (make_models.dlrm(4, 50, 16), {"dense": torch.randn(2, 13), "categories": ids(50, 2, 4)}),
    }  # fmt: skip


SHAPES = {"cnn": {"input": (1, 1, 8, 8)}, "dlrm": {"dense": (1, 13), "categories": (1, 4)}}


def write(format, name, module, inputs, folder):
    """The model as a file of that format."""
    import torch

    path = folder / f"{name}.{format}"
    if format == "onnx":
        axes = {key: TOKENS if name in ("bert", "gpt") else {0: "batch"} for key in inputs}
        to_onnx(module, inputs, path, axes=axes, traced=name == "lstm")
    if format == "onnx_bundle":
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(path.with_suffix(".onnx"), "inside.onnx")
    elif format == "torchscript":
        torch.jit.trace(module, tuple(inputs.values())).save(str(path))
    elif format == "pt2":
        batch = tuple({0: torch.export.Dim("batch")} for _ in inputs)
        torch.export.save(torch.export.export(module, tuple(inputs.values()), dynamic_shapes=batch), str(path))
    elif format == "state_dict":
        torch.save(module.state_dict(), path)
    elif format == "safetensors":
        from safetensors.torch import save_file

        save_file({key: value.detach() for key, value in module.named_parameters()}, path)
    elif format == "gguf":
        import gguf

        writer = gguf.GGUFWriter(str(path), "test")
        for key, value in module.named_parameters():
            writer.add_tensor(key, value.detach().numpy())
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    return path


def folded(module):
    """Parameters an ONNX exporter folds away: a batch norm's weight and bias go into the convolution before it."""
    from torch import nn

    return sum(2 * part.num_features for part in module.modules() if isinstance(part, nn.BatchNorm2d))


def config_files(folder):
    """Configurations of six families, tiny, with the module the library builds of each."""
    import transformers

    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    for kind, name, fields in (
        ("bert", "BertForSequenceClassification", sizes),
        ("gpt2", "GPT2LMHeadModel", {"n_embd": 32, "n_layer": 2, "n_head": 2}),
        ("llama", "LlamaForCausalLM", sizes | {"num_key_value_heads": 1, "vocab_size": 100}),
        ("vit", "ViTForImageClassification", sizes | {"image_size": 32, "patch_size": 8}),
        ("t5", "T5ForConditionalGeneration", {"d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 2, "num_heads": 2}),
        ("resnet", "ResNetForImageClassification", {"embedding_size": 8, "hidden_sizes": [16, 32], "depths": [1, 1]}),
    ):  # fmt: skip
        path = folder / f"{kind}.json"
        path.write_text(json.dumps({"model_type": kind, "architectures": [name], **fields}))
        config = transformers.AutoConfig.for_model(kind, **fields)
        yield path, getattr(transformers, name)(config)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """format -> [(file, module, model's name)]."""
    folder = tmp_path_factory.mktemp("formats")
    found = {
        format: [
            (write(format, name, module.eval(), inputs, folder), module, name)
            for name, (module, inputs) in tiny_models().items()
        ]
        for format in sorted(formats(), key=len)  # the bundles are made of the ONNX files
        if format != "hf_config"
    }
    return found | {"hf_config": [(path, module, path.stem) for path, module in config_files(folder)]}


@pytest.mark.parametrize("format", list(formats()))
def test_parameters_are_those_of_the_source_in_six_models(format, files):
    assert len(files[format]) >= 6
    for path, module, name in files[format]:
        model = recognise(path).read(path, SHAPES.get(name, {}))
        wanted = sum(parameter.numel() for parameter in module.parameters())
        wanted -= folded(module) if format.startswith("onnx") else 0
        assert model.parameter_count == wanted, name
        assert sum(model.parameters_by_dtype.values()) == model.parameter_count
        assert model.weight_bytes >= 4 * wanted
        if model.cannot_run is None or format == "hf_config":
            assert model.flop and model.peak_activation_bytes, (name, model.notes)
            assert sum(layer.flop for layer in model.layers) == model.flop


@pytest.mark.parametrize("format", list(formats()))
def test_a_file_is_recognised_by_content_and_read_the_same_again(format, files, tmp_path):
    path, _, name = files[format][0]
    renamed = tmp_path / "without_a_name"
    renamed.write_bytes(path.read_bytes())
    with path.open("rb") as file:
        head = file.read(1 << 16)
    assert [each.NAME for each in formats().values() if each.sniff(head, renamed)] == [format]
    one, two = (recognise(file).read(file, SHAPES.get(name, {})) for file in (path, renamed))
    assert dataclasses.replace(one, name="x") == dataclasses.replace(two, name="x")
    assert from_plain(Model, json.loads(json.dumps(to_plain(one)))) == one  # as it crosses from the child
    assert one.format == ("onnx" if format == "onnx_bundle" else format)


@pytest.mark.parametrize("format", ["torchscript", "pt2"])
def test_torch_files_count_the_same_flop_as_onnx(format, files):
    counted = {
        name: recognise(path).read(path, SHAPES.get(name, {})).flop
        for path, _, name in files["onnx"]
        if name not in ("bert", "gpt", "lstm")  # traced at other lengths
    }
    for path, _, name in files[format]:
        if name in counted:
            assert recognise(path).read(path, SHAPES.get(name, {})).flop == counted[name], name


@pytest.mark.parametrize("format", ["state_dict", "safetensors", "gguf"])
def test_weights_alone_say_that_latency_needs_the_architecture(format, files):
    path, module, _ = files[format][0]
    model = recognise(path).read(path, {})
    assert model.cannot_run.startswith("Latency needs the architecture:")
    stored = {tensor.name: tensor for tensor in model.tensors}
    for name, parameter in module.named_parameters():
        assert stored[name].shape == tuple(parameter.shape)
        assert stored[name].zero_frac == np.mean(parameter.detach().numpy() == 0)
