"""ONNX Runtime: CPU, and CUDA where the GPU build is installed. The baseline of every comparison."""

import importlib.util
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import InputError, MeasurementError, RightsizeError, Unavailable

if TYPE_CHECKING:
    from numpy import ndarray

    from profiler.runtimes import Feeds

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
FATAL_ONLY = 4


class OnnxRuntime:
    """Options: "threads" (intra-operator; one operator at a time), "device" ("cpu", "cuda", "cuda:1"), "spinning"
    ("0" as default: threads sleep between operators), "optimisations" ("all" as default, "none"), "profile" (a file
    prefix: ONNX Runtime writes its own profile there), "optimised" (a file for the graph it made of the model)."""

    NAME = "onnxruntime"
    FORMATS = ("onnx",)

    def missing(self) -> str | None:
        if importlib.util.find_spec("onnxruntime") is None:
            return "ONNX Runtime is not installed: pip install onnxruntime."
        return None

    def warm(self) -> None:
        import onnxruntime as ort

        if PROVIDERS["cuda"] in ort.get_available_providers() and hasattr(ort, "preload_dlls"):
            ort.preload_dlls()  # finds CUDA and cuDNN in the packages beside it: no LD_LIBRARY_PATH is needed

    def load(self, path: Path, options: Mapping[str, str]) -> "OrtSession":
        if sentence := self.missing():
            raise Unavailable(sentence)
        import onnxruntime as ort

        device, _, index = options.get("device", "cpu").partition(":")
        provider = PROVIDERS.get(device)
        if provider is None or provider not in ort.get_available_providers():
            raise Unavailable(
                f"This ONNX Runtime cannot run on the device '{device}'.",
                hint="Measure on 'cpu', or set up a GPU machine with `make run GPU=1`.",
            )
        providers: list[Any] = [provider]
        if device == "cuda":
            providers = [(provider, {"device_id": index or "0"}), PROVIDERS["cpu"]]
            self.warm()
        settings = session_options(options)
        if device == "cuda":
            settings.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
        try:
            session = ort.InferenceSession(str(path), settings, providers=providers)
        except Exception as error:
            raise _readable(error, loading=True) from error
        if session.get_providers()[0] != provider:
            raise Unavailable(f"ONNX Runtime fell back from {device} to {session.get_providers()[0]}.")
        return OrtSession(session, f"{provider}:{index or '0'}" if device == "cuda" else provider, options)


def session_options(options: Mapping[str, str]) -> Any:
    """ONNX Runtime's session options for these options of ours."""
    import onnxruntime as ort

    settings = ort.SessionOptions()
    level = ort.GraphOptimizationLevel
    settings.graph_optimization_level = (
        level.ORT_DISABLE_ALL if options.get("optimisations") == "none" else level.ORT_ENABLE_ALL
    )
    settings.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    settings.intra_op_num_threads = int(options.get("threads", "1"))
    settings.inter_op_num_threads = 1
    settings.log_severity_level = FATAL_ONLY
    for pool in ("intra_op", "inter_op"):
        settings.add_session_config_entry(f"session.{pool}.allow_spinning", options.get("spinning", "0"))
    if prefix := options.get("profile"):
        settings.enable_profiling = True
        settings.profile_file_prefix = prefix
    if file := options.get("optimised"):
        settings.optimized_model_filepath = file
    return settings


class OrtSession:
    """A loaded ONNX model."""

    def __init__(self, session: Any, provider: str, options: Mapping[str, str]) -> None:
        self._session = session
        self.provider = provider
        self.settings = {
            "optimisations": options.get("optimisations", "all"), "spinning": options.get("spinning", "0"),
            "execution": "sequential",
        }  # fmt: skip
        self.output_names = [output.name for output in session.get_outputs()]

    def run(self, feeds: "Feeds") -> "dict[str, ndarray]":
        try:
            return dict(zip(self.output_names, self._session.run(None, dict(feeds)), strict=True))
        except Exception as error:
            raise _readable(error, loading=False) from error

    def device_facts(self, feeds: "Feeds") -> Mapping[str, float]:
        return {} if self.provider == PROVIDERS["cpu"] else _assigned(self._session)

    def prepare(self, feeds: "Feeds") -> Callable[[], object]:
        """On the CPU the plain `session.run`; on a GPU inputs and outputs stay on the device, and the call ends when
        the device is done."""
        self.run(feeds)
        if self.provider == PROVIDERS["cpu"]:
            return partial(self._session.run, None, dict(feeds))
        return self._bound(feeds)

    def _bound(self, feeds: "Feeds", device: str = "cuda") -> Callable[[], object]:
        import onnxruntime as ort

        index = int(self.provider.partition(":")[2] or 0)
        binding, session = self._session.io_binding(), self._session
        for name, value in feeds.items():
            binding.bind_ortvalue_input(name, ort.OrtValue.ortvalue_from_numpy(value, device, index))
        for name in self.output_names:
            binding.bind_output(name, device, index)

        def call() -> None:
            session.run_with_iobinding(binding)
            binding.synchronize_outputs()

        return call

    def end_profiling(self) -> Path:
        """Ends ONNX Runtime's own profile and returns its file."""
        return Path(self._session.end_profiling())


def _assigned(session: Any) -> dict[str, float]:
    """How many operators there are, and how many of them ONNX Runtime left to the CPU."""
    told = [(part.ep_name, len(part.get_nodes())) for part in session.get_provider_graph_assignment_info()]
    on_cpu = sum(count for name, count in told if name == PROVIDERS["cpu"])
    return {"operators": float(sum(count for _, count in told)), "cpu_operators": float(on_cpu)}


# What ONNX Runtime says, and what it means to the user; the first that fits.
_MEANINGS: tuple[tuple[tuple[str, ...], type[RightsizeError], str, str], ...] = (
    (
        ("bad allocation", "failed to allocate", "out of memory", "bad_alloc", "cuda_error_out_of_memory"),
        MeasurementError, "The model ran out of memory.", "Try a smaller batch or smaller input shapes.",
    ),
    (
        ("external", "filesystem error"),
        InputError, "The model's external data file is missing or damaged.",
        "Give the model together with its data file, as a folder or a zip.",
    ),
    (
        ("could not find an implementation", "not implemented"),
        InputError, "ONNX Runtime has no implementation of one of the model's operators.",
        "Export the model with another opset or data type.",
    ),
    (
        ("is under development", "guarantees* support", "unsupported model ir version"),
        InputError, "The model was exported for a newer ONNX than this ONNX Runtime knows.",
        "Export it again with a lower opset.",
    ),
    (
        ("not a registered function", "no opset import", "no op registered", "unknown op"),
        InputError, "The model uses an operator that is not part of ONNX (a custom operator).",
        "Export the model with standard operators only.",
    ),
    (
        ("indices element out of data bounds", "out of bounds", "index out of range"),
        InputError, "An id in the inputs lies outside the table the model looks it up in.",
        "Give ids below the size of the model's vocabulary.",
    ),
    (
        ("invalid rank", "got invalid dimensions", "invalid dimension"),
        InputError, "The inputs do not have the shape the model expects.", "Give each input's shape with --shape.",
    ),
    (
        ("cannot be reshaped", "attempting to broadcast", "dimension mismatch", "incompatible dimensions"),
        InputError, "With these input shapes, sizes inside the model do not fit each other.",
        "An open axis may have been fixed at export: give the lengths it was exported with, or export it again.",
    ),
    (
        ("unexpected input data type",),
        InputError, "The inputs do not have the data type the model expects.", "Give arrays of the model's data types.",
    ),
    (
        ("required inputs", "invalid feed input name", "missing from input feed"),
        InputError, "The inputs do not have the names the model expects.", "Name the arrays like the model's inputs.",
    ),
    (
        ("cuda", "cudnn", "cublas"),
        Unavailable, "The GPU could not run this model.", "Measure it on 'cpu', or check the NVIDIA driver.",
    ),
)  # fmt: skip


def _readable(error: Exception, *, loading: bool) -> RightsizeError:
    text = f"{error}"
    lower = text.lower()
    for words, kind, message, hint in _MEANINGS:
        if any(word in lower for word in words):
            return kind(message, hint=hint, details=text)
    if isinstance(error, MemoryError):
        return MeasurementError("The model ran out of memory.", hint="Try a smaller batch or smaller input shapes.")
    if loading:
        return InputError(
            "ONNX Runtime cannot load this model.", hint="Check that the file is complete and valid.", details=text
        )
    return InputError(
        "The model fails on these inputs.", hint="Check the inputs' shapes, types and values.", details=text
    )


RUNTIME = OnnxRuntime()
