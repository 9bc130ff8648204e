"""Building small ONNX graphs for tests, and reading what the profiler says of them."""

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

from profiler.formats.onnx import FORMAT
from profiler.types import Layer, Model

FLOAT, INT64, INT8, UINT8 = TensorProto.FLOAT, TensorProto.INT64, TensorProto.INT8, TensorProto.UINT8


def weight(name: str, *shape: int, dtype: str = "float32", seed: int = 0):
    """A stored tensor of small random numbers."""
    generator = np.random.default_rng([seed, *name.encode()])
    if dtype.startswith("float"):
        return numpy_helper.from_array((generator.standard_normal(shape) * 0.2).astype(dtype), name)
    return numpy_helper.from_array(generator.integers(0, 100, shape).astype(dtype), name)


def constant(name: str, values, dtype: str = "int64"):
    """A stored tensor of these values."""
    return numpy_helper.from_array(np.array(values, dtype), name)


def build(path: Path, nodes, inputs, outputs, stored=(), opset: int = 21, functions=()) -> Path:
    """Write a model. `inputs` and `outputs`: {name: shape} for floats, or {name: (type, shape)}."""

    def info(name, kind):
        dtype, shape = kind if isinstance(kind, tuple) else (FLOAT, kind)
        return helper.make_tensor_value_info(name, dtype, shape)

    graph = helper.make_graph(
        nodes, "test", [info(*item) for item in inputs.items()], [info(*item) for item in outputs.items()], list(stored)
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    save(helper.make_model(graph, opset_imports=opsets, ir_version=10, functions=functions), str(path))
    return path


def read(path: Path, **shapes) -> Model:
    """What the profiler says of the file."""
    return FORMAT.read(path, shapes)


def layer(model: Model, op: str) -> Layer:
    """The only layer of that operator."""
    (found,) = [each for each in model.layers if each.op == op]
    return found
