"""OpenVINO on the CPU: ONNX files and its own IR, in f32, or in bf16 where the CPU has it."""

import importlib.util
import json
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import InputError, MeasurementError, RightsizeError, Unavailable

if TYPE_CHECKING:
    from numpy import ndarray

    from profiler.runtimes import Feeds

PRECISIONS = {"f32": "FP32", "bf16": "BF16"}
ONE_LINE = 400
NS_PER_US, US_PER_S = 1_000, 1_000_000
BIAS_APART = "/WithoutBiases"  # what OpenVINO adds to the name of a product whose bias it takes apart


class OpenVino:
    """Options: "threads", "precision" ("f32" as default, "bf16"): OpenVINO by itself would silently take bf16 on a
    CPU that has it, so the precision is always set, and the one that it really took is told by `provider`. "profile"
    (a file prefix): each call's operators are timed by OpenVINO's own counters and written there."""

    NAME = "openvino"
    FORMATS = ("onnx", "openvino_ir")

    def missing(self) -> str | None:
        if importlib.util.find_spec("openvino") is None:
            return "OpenVINO is not installed: pip install openvino."
        return None

    def warm(self) -> None:
        import openvino

        openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")

    def load(self, path: Path, options: Mapping[str, str]) -> "OpenVinoSession":
        if sentence := self.missing():
            raise Unavailable(sentence)
        import openvino

        if options.get("device", "cpu") != "cpu":
            raise Unavailable("OpenVINO runs on the CPU here.", hint="Measure on 'cpu', or with ONNX Runtime on a GPU.")
        core, precision = openvino.Core(), options.get("precision", "f32")
        if PRECISIONS.get(precision) not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            raise Unavailable(f"This CPU has no {precision} arithmetic.", hint="Choose the precision f32.")
        settings = {
            "INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1,
            "INFERENCE_NUM_THREADS": int(options.get("threads", "1")), "ENABLE_CPU_PINNING": False,
        }  # fmt: skip
        if "profile" in options:
            settings["PERF_COUNT"] = True
        try:
            compiled = core.compile_model(str(path), "CPU", settings)
        except Exception as error:
            raise _readable(error, loading=True) from error
        return OpenVinoSession(compiled, openvino, options.get("profile"))


class OpenVinoSession:
    """A compiled model and one request, whose input and output memory is kept between calls."""

    def __init__(self, compiled: Any, openvino: Any, profile: str | None = None) -> None:
        self._openvino, self._profile = openvino, profile
        self._told: list[tuple[int, float, dict[str, tuple[str, float]]]] = []
        self._count, self._spent_us, self._read_at = 0, 0.0, 2
        self._compiled, self._request = compiled, compiled.create_infer_request()
        taken = str(compiled.get_property("INFERENCE_PRECISION_HINT").to_string())
        device = ",".join(compiled.get_property("EXECUTION_DEVICES"))
        self.provider = f"OpenVINO {device} {taken}"
        self.settings = {"hint": "latency", "streams": "1", "pinning": "0"}
        self._inputs = {name: port for port in compiled.inputs for name in port.get_names()}
        self._outputs = {port.get_any_name() if port.get_names() else f"output_{place}": port
                         for place, port in enumerate(compiled.outputs)}  # fmt: skip

    def run(self, feeds: "Feeds") -> "dict[str, ndarray]":
        self._bind(feeds)
        try:
            self._request.infer()
            self._count += 1
        except Exception as error:
            raise _readable(error, loading=False) from error
        return {name: self._request.get_tensor(port).data.copy() for name, port in self._outputs.items()}

    def device_facts(self, feeds: "Feeds") -> Mapping[str, float]:
        return {}

    def prepare(self, feeds: "Feeds") -> Callable[[], object]:
        """A call as ONNX Runtime's: the inputs are handed over and read where they lie, the outputs are the caller's
        own. The bare request, with everything left in its own memory, would flatter OpenVINO on small models."""
        self.run(feeds)
        return self._call if self._profile is None else self._call_and_tell

    def _call(self) -> object:
        return self._request.infer(self._kept, share_inputs=True)

    def _call_and_tell(self) -> None:
        """One call; OpenVINO's own counters are read after 2, 4, 8, ... calls. They are means since the first call in
        whole microseconds: only the difference over a window as long as all before it is finer than one."""
        start = time.perf_counter_ns()
        self._call()
        self._count += 1
        self._spent_us += (time.perf_counter_ns() - start) / NS_PER_US
        if self._count >= self._read_at:
            self._read_counters()

    def _read_counters(self) -> None:
        self._read_at = 2 * self._count
        ran = {}
        for one in self._request.profiling_info:
            if "EXECUTED" in str(one.status):
                total_us = one.real_time.total_seconds() * US_PER_S * self._count
                ran[one.node_name.removesuffix(BIAS_APART)] = (one.node_type, total_us)
        self._told.append((self._count, self._spent_us, ran))

    def end_profiling(self) -> Path:
        """Writes what was told in the form of ONNX Runtime's profile, one operator after the other: each window between
        two readings as one mean call; the file."""
        if self._told and self._told[-1][0] < self._count:
            self._read_counters()
        events: list[dict[str, Any]] = []
        at_us = 0.0
        for (first, before_us, earlier), (last, spent_us, later) in pairwise(self._told):
            count, node_us = last - first, at_us
            run_us = (spent_us - before_us) / count
            events.append({"cat": "Session", "name": "model_run", "ts": at_us, "dur": run_us})
            for name, (kind, total_us) in later.items():
                took_us = max(0.0, total_us - earlier.get(name, ("", 0.0))[1]) / count
                events.append({"cat": "Node", "name": f"{name}_kernel_time", "ts": node_us, "dur": took_us,
                               "args": {"op_name": kind}})  # fmt: skip
                node_us += took_us
            at_us = max(at_us + run_us, node_us) + 1.0
        path = Path(f"{self._profile}.json")
        path.write_text(json.dumps(events), encoding="utf-8")
        return path

    def _bind(self, feeds: "Feeds") -> None:
        import numpy as np

        unknown = sorted(set(feeds) - set(self._inputs))
        if unknown or len(feeds) < len(self._compiled.inputs):
            raise InputError(
                "The inputs do not have the names the model expects.", hint="Name the arrays like the model's inputs."
            )
        self._kept = {name: np.require(value, requirements=("C", "W")) for name, value in feeds.items()}
        for name, value in self._kept.items():
            port = self._inputs[name]
            try:
                self._request.set_tensor(port, self._openvino.Tensor(value, shared_memory=True))
            except Exception as error:
                raise _readable(error, loading=False) from error


def _readable(error: Exception, *, loading: bool) -> RightsizeError:
    text = f"{error}"[-ONE_LINE:]
    lower = f"{error}".lower()
    if isinstance(error, MemoryError) or "bad_alloc" in lower or "allocate" in lower:
        return MeasurementError("The model ran out of memory.", hint="Try a smaller batch or smaller input shapes.")
    if loading:
        return InputError("OpenVINO cannot load this model.", hint="Try the runtime onnxruntime.", details=text)
    if "shape" in lower:
        return InputError(
            "The inputs do not have the shape the model expects.", hint="Give each input's shape with --shape.",
            details=text,
        )  # fmt: skip
    if "element" in lower or "type" in lower:
        return InputError("The inputs do not have the data type the model expects.", details=text)
    return InputError("The model fails on these inputs.", hint="Check the inputs' values.", details=text)


RUNTIME = OpenVino()
