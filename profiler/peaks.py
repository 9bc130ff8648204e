"""What this machine reaches at best: matrix products and streams, run through the runtimes that run the models.

A matrix product of constant weights shows the arithmetic peak (torch reaches half of ONNX Runtime's on some CPUs, so
the runtime matters); a chain of negations shows the bandwidth, counting bytes read and written as STREAM does
(McCalpin 1995). bfloat16 runs in OpenVINO: ONNX Runtime has no bfloat16 product on x86.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.errors import InputError, Unavailable
from data.estimate import Estimate
from data.records import from_plain, to_plain
from data.units import BYTES_PER_MIB, FLOP_PER_MAC, MS_PER_S
from profiler import jobs, timing
from profiler.machine import Watch, machine, threads_of
from profiler.profile import device_lock
from profiler.runtimes import runtimes
from profiler.tasks import ChildDesk, procedure, task
from profiler.types import Machine, Peaks

if TYPE_CHECKING:
    import onnx

SIZES = (512, 1024, 2048)
CHAIN = 16
MEMORY_BYTES = 256 * BYTES_PER_MIB
CACHED_BYTES = 4 * BYTES_PER_MIB
FLOAT_BYTES = 4
SETTINGS = timing.Settings(budget_s=1.5, warmup_s=0.1, least_calls=20, least_s=0.5)


@procedure
def measure_peaks(desk: jobs.Desk, *, threads: int | None = None, device: str = "cpu") -> dict[str, Any]:
    """Measures this machine's peaks on so many threads (None: the physical cores) and saves them; {"id"}."""
    peaks = measured_peaks(desk, threads, device)
    desk.save(machine(), peaks)
    return {"id": peaks.id}


def measured_peaks(desk: jobs.Desk, threads: int | None = None, device: str = "cpu") -> Peaks:
    """The peaks, just measured and not saved. Raises what running raises."""
    here = machine()
    threads = threads_of(threads, here)
    with device_lock(desk, device):
        watch = Watch()
        found = desk.task(
            probe, {"threads": threads, "device": device, "cached_bytes": cached_bytes(here)},
            meter_start=watch.start, meter_stop=lambda label, window: watch.stop(label),
        )  # fmt: skip
    rates = {name: from_plain(Estimate, value) for name, value in found["rates"].items()}
    return Peaks(
        id=key(here, threads, device), fingerprint=here.fingerprint, device=device, threads=threads,
        created_at=jobs.now(), cpu_pressure_frac=watch.during("peaks").cpu_pressure_frac,
        notes=tuple(found["notes"]), **rates,
    )  # fmt: skip


def kept_peaks(keeper: jobs.Keeper | jobs.Desk, threads: int | None = None, device: str = "cpu") -> Peaks | None:
    """The peaks kept for this very machine; None where they were not measured yet."""
    here = machine()
    return keeper.get(Peaks, key(here, threads or here.physical_cores, device))


def all_peaks(keeper: jobs.Keeper | jobs.Desk, here: Machine) -> list[Peaks]:
    """All that was measured on this very machine, by device and number of threads."""
    return sorted(keeper.all(Peaks, fingerprint=here.fingerprint), key=lambda one: (one.device, one.threads))


def key(here: Machine, threads: int, device: str) -> str:
    """The id under which a machine's peaks are kept."""
    return f"{here.fingerprint}-{device.replace(':', '-')}-{threads}"


def cached_bytes(here: Machine) -> int:
    """A buffer that stays in the cache: a quarter of the last level, at most 4 MiB; half of L2 where that is last."""
    last = here.caches_bytes.get("L3", 0) // 4 or here.caches_bytes.get("L2", 0) // 2
    return min(last or CACHED_BYTES, CACHED_BYTES)


@task
def probe(desk: ChildDesk, *, threads: int, device: str, cached_bytes: int) -> dict[str, Any]:
    """{"rates": {field of Peaks: Estimate}, "notes"}: each the best of its sizes."""
    options = {"threads": str(threads), "device": device}
    rates: dict[str, Estimate] = {}
    notes: list[str] = []
    probes: list[tuple[str, Callable[[], Estimate]]] = [
        (name, partial(product, desk.folder, name, options)) for name in _products(device)
    ]
    probes.append(("memory_bytes_per_s", lambda: stream(desk.folder, MEMORY_BYTES, options)))
    if device == "cpu":
        probes.append(("cache_bytes_per_s", lambda: stream(desk.folder, cached_bytes, options)))
    with desk.metered("peaks"):
        for number, (name, work) in enumerate(probes):
            desk.progress(number / len(probes), f"Measuring the peak {name.split('_')[0]}")
            try:
                rates[name] = work()
            except (InputError, Unavailable) as error:
                notes.append(f"{name.split('_')[0]}: {error.message}")
    return {"rates": to_plain(rates), "notes": notes}


def product(folder: Path, name: str, options: Mapping[str, str]) -> Estimate:
    """Operations a second of a square matrix product, the best of three sizes. Raises what the runtime raises."""
    import numpy as np

    kind = name.partition("_")[0]
    runtime, extra = ("openvino", {"precision": "bf16"}) if kind == "bf16" else ("onnxruntime", {})
    best: Estimate | None = None
    for size in SIZES:
        path = folder / f"{kind}-{size}.onnx"
        _save(_int8_product(size) if kind == "int8" else _float_product(size, half=kind == "fp16"), path)
        dtype = {"int8": np.uint8, "fp16": np.float16}.get(kind, np.float32)
        feeds = {"x": np.random.default_rng(0).integers(0, 100, (size, size)).astype(dtype)}
        found = _rate(runtime, path, {**options, **extra}, feeds, FLOP_PER_MAC * size**3, f"{size} x {size} product")
        best = found if best is None or found.mid > best.mid else best
    assert best is not None
    return best


def stream(folder: Path, size_bytes: int, options: Mapping[str, str]) -> Estimate:
    """Bytes read and written a second by a chain of element-wise operations on one buffer of this size."""
    import numpy as np

    length = size_bytes // FLOAT_BYTES
    path = folder / f"stream-{length}.onnx"
    _save(_chain(length), path)
    moved = (2 * CHAIN + 1) * length * FLOAT_BYTES
    feeds = {"x": np.ones(length, np.float32)}
    text = f"stream over {size_bytes / BYTES_PER_MIB:g} MiB"
    return _rate("onnxruntime", path, {**options, "optimisations": "none"}, feeds, moved, text)


def _products(device: str) -> tuple[str, ...]:
    if device == "cpu":
        return ("fp32_flop_per_s", "bf16_flop_per_s", "int8_op_per_s")
    return ("fp32_flop_per_s", "fp16_flop_per_s")


def _rate(
    runtime: str, path: Path, options: Mapping[str, str], feeds: Mapping[str, Any], amount: float, text: str
) -> Estimate:
    """Amount over time: of the median call (low), of the fastest tenth (mid), of the fastest call (high), so that a
    busy moment does not pass for the machine. Raises Unavailable where the runtime is missing."""
    import numpy as np

    chosen = runtimes()[runtime]
    if sentence := chosen.missing():
        raise Unavailable(sentence)
    session = chosen.load(path, options)
    run = timing.interleave({"call": session.prepare(feeds)}, SETTINGS)["call"]
    low, mid, high = (amount * MS_PER_S / float(np.percentile(run.samples_ms, percent)) for percent in (50, 10, 0))
    return Estimate(low=low, mid=mid, high=high, basis="measured", source=f"{text}, {session.provider}")


def _float_product(size: int, *, half: bool) -> "onnx.ModelProto":
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    weights = np.random.default_rng(1).standard_normal((size, size)).astype(np.float16 if half else np.float32)
    dtype = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    square, stored = [size, size], [numpy_helper.from_array(weights, "w")]
    return _model([node], [("x", dtype, square)], [("y", dtype, square)], stored)


def _int8_product(size: int) -> "onnx.ModelProto":
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    weights = np.random.default_rng(1).integers(-100, 100, (size, size)).astype(np.int8)
    node = helper.make_node("MatMulInteger", ["x", "w"], ["y"])
    square = [size, size]
    stored = [numpy_helper.from_array(weights, "w")]
    return _model([node], [("x", TensorProto.UINT8, square)], [("y", TensorProto.INT32, square)], stored)


def _chain(length: int) -> "onnx.ModelProto":
    """Negations one after the other, and a maximum, so that only one number leaves the runtime."""
    from onnx import TensorProto, helper

    names = ["x", *(f"a{place}" for place in range(CHAIN))]
    nodes = [helper.make_node("Neg", [names[place]], [names[place + 1]]) for place in range(CHAIN)]
    nodes.append(helper.make_node("ReduceMax", [names[-1]], ["y"], keepdims=0))
    return _model(nodes, [("x", TensorProto.FLOAT, [length])], [("y", TensorProto.FLOAT, [])], [])


def _model(nodes: list[Any], inputs: list[Any], outputs: list[Any], stored: list[Any]) -> "onnx.ModelProto":
    from onnx import helper

    values = [[helper.make_tensor_value_info(*each) for each in side] for side in (inputs, outputs)]
    graph = helper.make_graph(nodes, "peak", *values, stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _save(model: "onnx.ModelProto", path: Path) -> None:
    path.write_bytes(model.SerializeToString())
