"""PyTorch, eager: TorchScript archives and torch.export programs, on the CPU or a GPU."""

import importlib.util
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from data.errors import InputError, MeasurementError, RightsizeError, Unavailable

if TYPE_CHECKING:
    from numpy import ndarray

    from profiler.runtimes import Feeds


EVENT_CALLS = 20
PROFILED_CALLS = 60  # enough for a middle half; what comes after is run without being heard


class Torch:
    """Options: "threads", "device" ("cpu", "cuda", "cuda:1"), "profile" (a file prefix: the operators of the first
    calls are heard by torch's profiler and written there). Without gradients; no compilation."""

    NAME = "torch"
    FORMATS = ("torchscript", "pt2")

    def missing(self) -> str | None:
        if importlib.util.find_spec("torch") is None:
            return "PyTorch is not installed: pip install torch."
        return None

    def warm(self) -> None:
        import io

        import torch

        file = io.BytesIO()
        torch.export.save(torch.export.export(torch.nn.Identity(), (torch.zeros(1),)), file)
        file.seek(0)
        torch.export.load(file).module()

    def load(self, path: Path, options: Mapping[str, str]) -> "TorchSession":
        if sentence := self.missing():
            raise Unavailable(sentence)
        import torch

        device = options.get("device", "cpu")
        if device.partition(":")[0] not in ("cpu", "cuda"):
            raise Unavailable(f"PyTorch is not run on the device '{device}' here.", hint="Choose 'cpu' or 'cuda:0'.")
        if device.startswith("cuda") and not torch.cuda.is_available():
            raise Unavailable("This PyTorch sees no GPU.", hint="Measure on 'cpu', or set up with `make run GPU=1`.")
        torch.set_num_threads(int(options.get("threads", "1")))
        try:
            module, names = _module(path)
            module = module.to(device)
        except Exception as error:
            raise _readable(error, loading=True) from error
        return TorchSession(module, names, device, options.get("profile"))


def _module(path: Path) -> tuple[Any, list[str]]:
    """The module that runs, and the names of its inputs in order."""
    import torch

    if path.suffix == ".pt2" or _is_export(path):
        from profiler.torch_graph.program import flat

        program = torch.export.load(str(path))
        return flat(program), [str(name) for name in program.graph_signature.user_inputs]
    script = torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
    script.eval()
    return script, [argument.name for argument in script.forward.schema.arguments[1:]]


def _is_export(path: Path) -> bool:
    """Whether the archive is a torch.export program, whatever its name: those have an archive_format entry."""
    import zipfile

    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("archive_format") for name in archive.namelist())


class TorchSession:
    """A loaded module. Outputs that have no name are called output_0, output_1, ..."""

    def __init__(self, module: Any, names: Sequence[str], device: str, profile: str | None = None) -> None:
        self.module, self._names, self._device = module, list(names), device
        self._profile, self._told = profile, list[dict[str, Any]]()
        self.provider = f"torch {device}"
        self.settings = {"mode": "eager", "gradients": "0"}
        if device.startswith("cuda"):
            import torch

            self.provider = f"torch {torch.cuda.get_device_name(device)}"

    def run(self, feeds: "Feeds") -> "dict[str, ndarray]":
        try:
            outputs = self._call(self.arguments(feeds))()
        except RightsizeError:
            raise
        except Exception as error:
            raise _readable(error, loading=False) from error
        return {name: _array(value) for name, value in named(outputs)}

    def device_facts(self, feeds: "Feeds") -> Mapping[str, float]:
        if not self._device.startswith("cuda"):
            return {}
        import torch

        call, spent_ms = self._call(self.arguments(feeds)), []
        for _ in range(EVENT_CALLS):
            before, after = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            before.record()
            call()
            after.record()
            after.synchronize()
            spent_ms.append(before.elapsed_time(after))
        return {"peak_bytes": float(torch.cuda.max_memory_allocated(self._device)), "call_ms": median(spent_ms)}

    def prepare(self, feeds: "Feeds") -> Callable[[], object]:
        self.run(feeds)
        call = self._call(self.arguments(feeds))
        return call if self._profile is None else partial(self._listen, call)

    def _listen(self, call: Callable[[], object]) -> None:
        """One call, heard by torch's profiler unless enough were."""
        from profiler.torch_graph.timed import listened

        if len(self._told) < PROFILED_CALLS:
            self._told.append(listened(call, on_gpu=self._device.startswith("cuda")))
        else:
            call()

    def end_profiling(self) -> Path:
        """Writes what the profiler heard, call by call (`profiler.torch_graph.timed` reads it); the file."""
        path = Path(f"{self._profile}.json")
        path.write_text(json.dumps(self._told), encoding="utf-8")
        return path

    def arguments(self, feeds: "Feeds") -> list[Any]:
        """The feeds as tensors on the device, in the order the module takes them."""
        if len(feeds) != len(self._names) and not set(feeds) <= set(self._names):
            raise InputError(
                "The inputs do not have the names the model expects.", hint="Name the arrays like the model's inputs."
            )
        ordered = [name for name in self._names if name in feeds] or list(feeds)
        return [_tensor(feeds[name]).to(self._device) for name in ordered]

    def _call(self, arguments: list[Any]) -> Callable[[], object]:
        import torch

        module, on_gpu = self.module, self._device.startswith("cuda")

        def call() -> object:
            with torch.inference_mode():
                outputs = module(*arguments)
            if on_gpu:
                torch.cuda.synchronize(self._device)
            return outputs

        return call


def named(outputs: object) -> list[tuple[str, Any]]:
    """Every tensor of a module's answer with its name: a dict's keys, else output_0, output_1, ..."""
    import torch

    if isinstance(outputs, torch.Tensor):
        return [("output_0", outputs)]
    if isinstance(outputs, Mapping):
        return [(str(name), value) for name, value in outputs.items() if isinstance(value, torch.Tensor)]
    if isinstance(outputs, list | tuple):
        flat = [value for item in outputs for _, value in named(item)]
        return [(f"output_{place}", value) for place, value in enumerate(flat)]
    return []


def _tensor(values: "ndarray") -> Any:
    """A copy as a tensor. NumPy knows bfloat16 by another library's type, which torch does not: its bits are taken."""
    import torch

    if values.dtype.name != "bfloat16":
        return torch.from_numpy(values.copy())
    return torch.from_numpy(values.copy().view("int16")).view(torch.bfloat16)


def _array(value: Any) -> "ndarray":
    """A tensor's numbers; bfloat16, which NumPy lacks, as the float32 they are."""
    import torch

    plain = value.detach().cpu()
    found: ndarray = (plain.float() if plain.dtype is torch.bfloat16 else plain).numpy()
    return found


def _readable(error: Exception, *, loading: bool) -> RightsizeError:
    text = f"{error}"
    lower = text.lower()
    if isinstance(error, MemoryError) or "out of memory" in lower or "can't allocate" in lower:
        return MeasurementError("The model ran out of memory.", hint="Try a smaller batch or smaller input shapes.")
    if loading:
        return InputError("PyTorch cannot load this model.", hint="Check that the file is complete.", details=text)
    if "index out of range" in lower:
        return InputError(
            "An id in the inputs lies outside the table the model looks it up in.",
            hint="Give ids below the size of the model's vocabulary.", details=text,
        )  # fmt: skip
    if "shape" in lower or "size" in lower or "expected input" in lower:
        return InputError(
            "The inputs do not have the shape the model expects.", hint="Give each input's shape with --shape.",
            details=text,
        )  # fmt: skip
    return InputError(
        "The model fails on these inputs.", hint="Check the inputs' shapes, types and values.", details=text
    )


RUNTIME = Torch()
