"""The ways to run a model here, by its format: runtime, device and precision, and why one cannot be taken."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from profiler.machine import machine
from profiler.runtimes import runtimes
from profiler.types import Gpu, Machine

TITLES = {"onnxruntime": "ONNX Runtime", "openvino": "OpenVINO", "torch": "PyTorch"}
GPU_RUNTIMES = {  # the runtimes that run on a GPU, and the package whose CUDA build they need
    "onnxruntime": "onnxruntime-gpu",
    "torch": "torch",
}
NO_BF16 = "This processor has no bfloat16 arithmetic."
NO_CUDA = "The CUDA build of {} is not installed: `make run GPU=1`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to run a file: `missing` says in one sentence why it cannot be taken here, None where it can."""

    key: str
    title: str
    runtime: str
    device: str = "cpu"
    options: Mapping[str, str] = field(default_factory=dict)
    missing: str | None = None


def ways(format_name: str, here: Machine | None = None) -> tuple[Way, ...]:
    """Every way to run a file of this format, the usual one first."""
    here = here or machine()
    found: list[Way] = []
    able = [one for one in runtimes().values() if format_name in one.FORMATS]
    for runtime in sorted(able, key=lambda one: one.NAME != "onnxruntime"):
        name, title, missing = runtime.NAME, TITLES.get(runtime.NAME, runtime.NAME), runtime.missing()
        found.append(Way(key=f"{name}-cpu", title=f"{title} on the processor", runtime=name, missing=missing))
        if name == "openvino":
            bf16 = missing or (None if here.has_bf16 else NO_BF16)
            found.append(
                Way(key=f"{name}-bf16", title=f"{title} on the processor, bfloat16", runtime=name,
                    options={"precision": "bf16"}, missing=bf16)
            )  # fmt: skip
        if name in GPU_RUNTIMES:
            found += [_on_gpu(gpu, name, title, missing, here) for gpu in here.gpus]
    return tuple(found)


def _on_gpu(gpu: Gpu, name: str, title: str, missing: str | None, here: Machine) -> Way:
    package = GPU_RUNTIMES[name]
    built = package in here.versions and "+cpu" not in here.versions[package]
    return Way(
        key=f"{name}-cuda-{gpu.index}", title=f"{title} on GPU {gpu.index}, {gpu.name}", runtime=name,
        device=f"cuda:{gpu.index}", missing=missing or (None if built else NO_CUDA.format(title)),
    )  # fmt: skip
