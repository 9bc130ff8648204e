"""How long a large ONNX file takes to be told about, and what that costs the app in memory."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil

from benchmarks import Effort, Row
from benchmarks.bench_tools import desk, folder
from data.units import BYTES_PER_MIB
from profiler import intake

SIZES = ((100, 2.0), (400, 5.0))  # MiB, seconds promised
GROWTH_MIB = 100


def run(effort: Effort) -> Iterator[Row]:
    """100 MB under 2 s and 400 MB under 5 s, triage and the locked child included; the app grows by under 100 MB."""
    intake.look(desk(), _written(1), "warm.onnx", {})  # what the first job of an app pays: the sandbox's probe
    for size_mib, limit_s in SIZES:
        for outside in (False, True):
            path = _written(size_mib, outside=outside)
            watch = _Watch()
            started = time.perf_counter()
            found = intake.look(desk(), path, path.name, {})
            seconds = time.perf_counter() - started
            grown = watch.stop() / BYTES_PER_MIB
            where = "weights outside" if outside else "one file"
            yield Row(
                what=f"{size_mib} MiB, {where}", value=f"{seconds:.2f} s", limit=f"{limit_s:.0f} s",
                passed=seconds < limit_s and found.parameter_count >= size_mib * BYTES_PER_MIB / 4,
            )  # fmt: skip
            yield Row(
                what="  the app's memory meanwhile", value=f"+{grown:.0f} MiB", limit=f"{GROWTH_MIB} MiB",
                passed=grown < GROWTH_MIB,
            )  # fmt: skip


def _written(size_mib: int, *, outside: bool = False) -> Path:
    """A stack of 1,024-wide products of that size, in a folder of its own."""
    import onnx
    from onnx import helper, numpy_helper

    place = folder() / f"large-{size_mib}-{outside}"
    place.mkdir()
    nodes, stored = [], []
    for layer in range(max(1, size_mib // 4)):  # 1,024 x 1,024 numbers of 4 bytes: 4 MiB
        values = np.random.default_rng(layer).standard_normal((1024, 1024), dtype=np.float32)
        stored.append(numpy_helper.from_array(values, f"w{layer}"))
        nodes.append(helper.make_node("MatMul", [f"x{layer}", f"w{layer}"], [f"x{layer + 1}"]))
    ends = [helper.make_tensor_value_info(f"x{end}", 1, ["batch", 1024]) for end in (0, len(nodes))]
    graph = helper.make_graph(nodes, "large", ends[:1], ends[1:], stored)
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = place / "large.onnx"
    onnx.save(proto, str(path), save_as_external_data=outside, location="large.data")
    return path


class _Watch:
    """The largest growth of this process's resident memory since it began."""

    def __init__(self) -> None:
        self._process, self._going = psutil.Process(), True
        self._start = self._most = self._process.memory_info().rss
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self) -> None:
        while self._going:
            self._most = max(self._most, self._process.memory_info().rss)
            time.sleep(0.005)

    def stop(self) -> int:
        """Bytes."""
        self._going = False
        self._thread.join()
        return self._most - self._start


SUITE = run
