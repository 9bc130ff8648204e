"""Files of weights without an architecture: types, true bits, zeros, what is left out, what is refused."""

import json
import struct

import numpy as np
import pytest
import torch

from data.errors import InputError
from profiler.dtypes import sizes
from profiler.formats.gguf import FORMAT as GGUF
from profiler.formats.safetensors import FORMAT as SAFETENSORS
from profiler.formats.state_dict import FORMAT as STATE_DICT


def save_safetensors(path, **tensors):
    from safetensors.torch import save_file

    save_file(tensors, path, metadata={"format": "pt"})
    return path


def test_safetensors_types_and_zeros(tmp_path):
    half = torch.tensor([[0.0, -0.0, 1.0, 2.0]])
    path = save_safetensors(
        tmp_path / "w", a=torch.tensor([0.0, 1.0, -0.0, 3.0]), b=half.half(), c=half.bfloat16(),
        d=torch.tensor([0, 1, 2], dtype=torch.int8), e=torch.zeros(2, 2).to(torch.float8_e4m3fn), f=torch.arange(3),
        g=half.double(), h=torch.empty(0, 4),
    )  # fmt: skip
    model = SAFETENSORS.read(path, {})
    found = {tensor.name: (tensor.dtype, tensor.zero_frac) for tensor in model.tensors}
    assert found == {
        "a": ("float32", 0.5), "b": ("float16", 0.5), "c": ("bfloat16", 0.5), "d": ("int8", pytest.approx(1 / 3)),
        "e": ("float8_e4m3", None), "f": ("int64", None),
        "g": ("float64", 0.5), "h": ("float32", None),
    }  # fmt: skip
    assert model.parameter_count == 4 + 4 + 4 + 3 + 4 + 4  # the int64 tensor is none
    assert model.parameters_by_dtype["bfloat16"] == 4
    assert model.weight_bytes == 16 + 8 + 8 + 3 + 4 + 24 + 32


def test_a_large_tensor_is_counted_piece_by_piece(tmp_path, monkeypatch):
    monkeypatch.setattr("profiler.weight_table.CHUNK_BYTES", 4096)
    values = torch.ones(100, 1000)
    values[:, :250] = 0
    (tensor,) = SAFETENSORS.read(save_safetensors(tmp_path / "w", a=values), {}).tensors
    assert tensor.zero_frac == 0.25


def test_a_damaged_header_is_one_line(tmp_path):
    path = save_safetensors(tmp_path / "w", a=torch.ones(4))
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(InputError, match="damaged or cut off"):
        SAFETENSORS.read(path, {})


def test_training_state_is_left_out_and_tied_weights_count_once(tmp_path):
    weight = torch.ones(10, 4)
    state = {"words.weight": weight, "head.weight": weight, "n.running_mean": torch.zeros(4), "steps": torch.tensor(3)}
    optimizer = {"state": {0: {"exp_avg": torch.zeros(10, 4)}}}
    path = tmp_path / "checkpoint.pth"
    torch.save({"epoch": 3, "state_dict": state, "optimizer": optimizer}, path)
    model = STATE_DICT.read(path, {})
    assert model.parameter_count == 40
    assert model.weight_bytes == 160 + 16 + 8
    assert any("epoch, optimizer" in note for note in model.notes)


def trained():
    """A module and its optimizer after one step."""
    module = torch.nn.Linear(10, 4)
    optimizer = torch.optim.AdamW(module.parameters())
    module(torch.ones(2, 10)).sum().backward()
    optimizer.step()
    return module.state_dict(), optimizer.state_dict()


def test_an_optimizer_s_state_is_no_parameter_whatever_lies_beside_it(tmp_path):
    """A random generator's state and a best score are tensors beside the model in many checkpoints."""
    weights, optimizer = trained()
    path = tmp_path / "checkpoint.pt"
    rest = {"optimizer": optimizer, "rng": torch.get_rng_state(), "best": torch.tensor(0.9)}
    torch.save({"model": weights, **rest}, path)
    model = STATE_DICT.read(path, {})
    assert (model.parameter_count, model.weight_bytes) == (44, 176)
    assert any("optimizer, rng, best" in note for note in model.notes)
    torch.save({"generator": weights, "critic": weights, "adam": optimizer}, path)
    model = STATE_DICT.read(path, {})
    assert [tensor.name for tensor in model.tensors[:2]] == ["generator.weight", "generator.bias"]
    assert model.parameter_count == 44 and any("adam" in note for note in model.notes)


def test_eight_bit_floats_and_sparse_tensors_are_told_as_they_are_stored(tmp_path):
    path = tmp_path / "odd.pt"
    small = torch.ones(4, 4)
    small[0] = 0
    coo, csr = torch.eye(100).to_sparse(), torch.eye(8).to_sparse_csr()
    torch.save({"f8": small.to(torch.float8_e4m3fn), "coo": coo, "csr": csr}, path)
    told = {tensor.name: tensor for tensor in STATE_DICT.read(path, {}).tensors}
    assert (told["f8"].stored_bytes, told["f8"].zero_frac) == (16, 0.25)
    assert told["coo"].stored_bytes == 100 * (2 * 8 + 4)  # two 64-bit indices and a float32 each
    assert told["coo"].zero_frac == pytest.approx(0.99)
    assert told["csr"].stored_bytes == 9 * 8 + 8 * 8 + 8 * 4 and told["csr"].zero_frac == 0.875


def test_the_old_form_of_torch_save_is_read(tmp_path):
    path = tmp_path / "old.pth"
    torch.save({"w": torch.eye(4)}, path, _use_new_zipfile_serialization=False)
    model = STATE_DICT.read(path, {})
    assert (model.parameter_count, model.tensors[0].zero_frac) == (16, 0.75)


def test_a_pickled_module_is_refused_in_one_line(tmp_path):
    path = tmp_path / "module.pth"
    torch.save(torch.nn.Linear(2, 2), path)
    with pytest.raises(InputError) as caught:
        STATE_DICT.read(path, {})
    assert "state_dict" in caught.value.hint
    torch.save({"epoch": 3}, path)
    with pytest.raises(InputError, match="no tensors"):
        STATE_DICT.read(path, {})


def gguf_file(path, *tensors, words=0):
    """tensors: (name, values, ggml type or None for plain)."""
    import gguf

    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_block_count(2)
    writer.add_context_length(4096)
    if words:
        writer.add_token_list([f"word {place}" for place in range(words)])
    for name, values, kind in tensors:
        if kind is None:
            writer.add_tensor(name, values)
        else:
            writer.add_tensor(name, gguf.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_gguf_tells_the_true_bits_of_every_type(tmp_path):
    from gguf import GGMLQuantizationType as Kind

    values = np.random.default_rng(0).standard_normal((64, 512)).astype(np.float32)
    path = gguf_file(
        tmp_path / "m.gguf", ("a", values, Kind.Q4_0), ("b", values, Kind.Q8_0), ("c", values, Kind.Q5_0),
        ("d", np.zeros((2, 32), np.float32), None), words=1000,
    )  # fmt: skip
    model = GGUF.read(path, {})
    bits = {tensor.name: tensor.stored_bytes * 8 / np.prod(tensor.shape) for tensor in model.tensors}
    # blocks of 32: 16 or 32 bytes of numbers and a 2-byte scale; Q5_0 keeps the fifth bits in 4 bytes more
    assert bits == {"a": 4.5, "b": 8.5, "c": 5.5, "d": 32}
    assert model.parameter_count == 3 * 64 * 512 + 64
    assert model.parameters_by_dtype == {"q4_0": 32768, "q8_0": 32768, "q5_0": 32768, "float32": 64}
    assert model.tensors[0].shape == (64, 512)
    assert {tensor.name: tensor.zero_frac for tensor in model.tensors} == {"a": None, "b": None, "c": None, "d": 1.0}
    assert model.producer == "GGUF, llama"
    assert "block count: 2" in model.notes


def test_a_gguf_that_is_cut_off_or_of_an_unknown_type_is_one_line(tmp_path):
    path = gguf_file(tmp_path / "m.gguf", ("a", np.ones((4, 32), np.float32), None))
    whole = path.read_bytes()
    path.write_bytes(whole[:60])
    with pytest.raises(InputError, match="damaged or cut off"):
        GGUF.read(path, {})
    path.write_bytes(whole[:4] + struct.pack("<I", 9) + whole[8:])
    with pytest.raises(InputError, match="version 9"):
        GGUF.read(path, {})


def test_sizes_at_every_precision():
    assert sizes(1_000_001) == {"float32": 4_000_004, "bfloat16": 2_000_002, "int8": 1_000_001, "int4": 500_001}


def test_a_header_of_safetensors_is_not_taken_for_a_configuration(tmp_path):
    path = tmp_path / "x"
    path.write_text(json.dumps({"model_type": "bert"}))
    assert not SAFETENSORS.sniff(path.read_bytes(), path)
