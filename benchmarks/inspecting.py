"""Inspecting a large file given by path: how long, and what the process that asked has to hold."""

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np
import psutil
from onnx import TensorProto, helper, numpy_helper, save

from benchmarks import Effort, Row
from benchmarks.bench_tools import desk, folder
from profiler.intake import look

WIDTH, BLOCKS = 5_000, 4  # four square matrices of 100 MB


def run(effort: Effort) -> Iterator[Row]:
    """Time and memory growth of inspecting a 400 MB ONNX file."""
    path = large(folder() / "large.onnx")
    process, spent = psutil.Process(), []
    look(desk(), path, path.name, {})
    before = process.memory_info().rss
    for _ in range(effort.pairs):
        started = time.perf_counter()
        model = look(desk(), path, path.name, {})
        spent.append(time.perf_counter() - started)
    grown = process.memory_info().rss - before
    size = path.stat().st_size
    yield Row(what=f"inspecting {size / 1e6:.0f} MB, {model.parameter_count:,} parameters", limit="5 s",
              value=f"{median(spent):.2f} s (worst {max(spent):.2f} s)", passed=median(spent) < 5)  # fmt: skip
    yield Row(what="growth of the asking process", value=f"{grown / 1e6:.1f} MB", limit="100 MB", passed=grown < 1e8)


def large(path: Path) -> Path:
    """A chain of matrix products whose weights lie in the file."""
    generator = np.random.default_rng(0)
    nodes, stored = [], []
    for block in range(BLOCKS):
        weights = generator.standard_normal((WIDTH, WIDTH), dtype=np.float32)
        stored.append(numpy_helper.from_array(weights, f"w{block}"))
        nodes.append(helper.make_node("MatMul", [f"x{block}", f"w{block}"], [f"x{block + 1}"]))
    values = [helper.make_tensor_value_info(f"x{place}", TensorProto.FLOAT, ["batch", WIDTH]) for place in (0, BLOCKS)]
    graph = helper.make_graph(nodes, "large", [values[0]], [values[1]], stored)
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


SUITE = run
