"""The ways to run a file here: by format, with the reason where one cannot be taken."""

from profiler.types import Gpu, Machine
from profiler.ways import ways


def here(**more):
    fields = {"fingerprint": "f", "cpu": "c", "isa": (), "physical_cores": 1, "logical_cores": 1, "memory_bytes": 1}
    return Machine(**fields | more)


def test_a_processor_runs_onnx_in_two_runtimes_and_bf16_where_it_has_it():
    found = {way.key: way for way in ways("onnx", here())}
    assert list(found) == ["onnxruntime-cpu", "openvino-cpu", "openvino-bf16"]
    assert found["onnxruntime-cpu"].missing is None
    assert "no bfloat16" in found["openvino-bf16"].missing
    able = {way.key: way for way in ways("onnx", here(isa=("amx_bf16",)))}
    assert able["openvino-bf16"].missing is None
    assert able["openvino-bf16"].options == {"precision": "bf16"}


def test_each_gpu_is_a_way_and_needs_the_cuda_build():
    boards = (Gpu(index=0, name="A", memory_bytes=1), Gpu(index=1, name="B", memory_bytes=1))
    found = {way.key: way for way in ways("onnx", here(gpus=boards, versions={"onnxruntime": "1"}))}
    assert found["onnxruntime-cuda-1"].device == "cuda:1"
    assert "make run GPU=1" in found["onnxruntime-cuda-1"].missing
    built = {way.key: way for way in ways("onnx", here(gpus=boards, versions={"onnxruntime-gpu": "1"}))}
    assert built["onnxruntime-cuda-0"].missing is None and "GPU 0, A" in built["onnxruntime-cuda-0"].title
    torch = {way.key: way for way in ways("pt2", here(gpus=boards, versions={"torch": "2.13.0+cpu"}))}
    assert list(torch) == ["torch-cpu", "torch-cuda-0", "torch-cuda-1"]
    assert torch["torch-cuda-0"].missing


def test_weights_alone_have_no_way():
    assert ways("safetensors", here()) == ()
