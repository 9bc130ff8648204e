"""The operators of a graph as arrays: what the latency model works on, one row a distinct operator.

Kinds are matrix products (one, or many small ones side by side), convolutions, recurrent steps, and what only moves
bytes: element-wise work, softmax, normalisation and table look-ups. Layers that move nothing (reshapes) cost nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.tables import frame
from profiler.types import Layer

MATMUL, BATCHED, CONVOLUTION, DEPTHWISE, STEP, ELEMENTWISE, SOFTMAX, NORM, LOOKUP = range(9)
KINDS = {
    "matmul": MATMUL, "batched": BATCHED, "convolution": CONVOLUTION, "depthwise": DEPTHWISE, "step": STEP,
    "elementwise": ELEMENTWISE, "softmax": SOFTMAX, "norm": NORM, "lookup": LOOKUP,
}  # fmt: skip
PRODUCTS = (MATMUL, BATCHED, CONVOLUTION, DEPTHWISE, STEP)
DTYPES = ("fp32", "fp16", "bf16", "fp8", "int8")
OWN = "own"  # every layer computes in what its file says: the graph of a variant
COMPUTES_IN = {"float16": "fp16", "bfloat16": "bf16", "int8": "int8", "uint8": "int8", "float8_e4m3": "fp8",
               "float8_e5m2": "fp8"}  # fmt: skip
WEIGHT_BYTES = {"fp32": 4.0, "fp16": 2.0, "bf16": 2.0, "fp8": 1.0, "int8": 1.0}
# Activations stay in bfloat16 beside fp8 weights: they are rounded on the way into each product.
ACTIVATION_BYTES = {"fp32": 4.0, "fp16": 2.0, "bf16": 2.0, "fp8": 2.0, "int8": 1.0}
STORED = {
    "float64": 8.0, "float32": 4.0, "float16": 2.0, "bfloat16": 2.0, "int8": 1.0, "uint8": 1.0, "float8_e4m3": 1.0,
    "float8_e5m2": 1.0, "int4": 0.5, "uint4": 0.5,
}  # fmt: skip
# What a runtime folds into the product before it: activations, and sums with a bias or a second branch.
FOLDED = {
    "relu", "clip", "hardtanh", "sigmoid", "hardswish", "hardsigmoid", "add", "mul", "gelu", "silu", "tanh", "sub",
}  # fmt: skip
NUMBERS = ("batch", "m", "n", "k", "weight_bytes", "read_bytes", "written_bytes", "other_flop", "launches", "repeat")
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ops:
    """Distinct operators, one row each. `batch` products of (m x k) by (k x n); bytes are those of one pass;
    `other_flop` is arithmetic outside the products; `repeat` says how often the row occurs, `launches` how many
    kernels one occurrence starts (0 where it moves nothing, or is folded into its neighbour), and `nodes` how many
    operators the runtime steps through for it (0 where it is folded)."""

    kind: NDArray[np.int64]
    batch: Numbers
    m: Numbers
    n: Numbers
    k: Numbers
    weight_bytes: Numbers
    read_bytes: Numbers
    written_bytes: Numbers
    other_flop: Numbers
    repeat: Numbers
    launches: Numbers
    nodes: Numbers

    def __len__(self) -> int:
        return len(self.kind)

    @property
    def flop(self) -> Numbers:
        """2 x batch x m x n x k; depthwise convolutions are groups (batch) of one output channel."""
        return 2.0 * self.batch * self.m * self.n * self.k

    @property
    def moved_bytes(self) -> Numbers:
        """Weights and tensors read and tensors written, in one pass."""
        return self.weight_bytes + self.read_bytes + self.written_bytes

    def is_product(self) -> NDArray[np.bool_]:
        """Which rows are matrix products of some kind."""
        return np.isin(self.kind, PRODUCTS)

    def take(self, rows: Any) -> "Ops":
        """The rows of a mask or of indices."""
        return Ops(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def in_dtype(self, dtype: str) -> "Ops":
        """The same graph, written down in fp32, computing in `dtype`: fewer bytes, the same products."""
        weight, activation = WEIGHT_BYTES[dtype] / 4.0, ACTIVATION_BYTES[dtype] / 4.0
        return replace(
            self,
            weight_bytes=self.weight_bytes * weight,
            read_bytes=self.read_bytes * activation,
            written_bytes=self.written_bytes * activation,
        )

    def at_batch(self, ratio: float) -> "Ops":
        """The same graph at `ratio` times its batch: rows of activations grow, weights do not."""
        many = (self.kind == BATCHED) | (self.kind == DEPTHWISE)
        return replace(
            self,
            batch=np.where(many, self.batch * ratio, self.batch),
            m=np.where(many, self.m, self.m * ratio),
            read_bytes=self.read_bytes * ratio,
            written_bytes=self.written_bytes * ratio,
            other_flop=self.other_flop * ratio,
        )


def from_layers(layers: Iterable[Layer], dtype: str, *, folds: bool) -> Ops:
    """The layers as operators computing in `dtype` (one of DTYPES); equal ones are one row with a count.

    `folds` says that the runtime folds element-wise work into the product before it, as ONNX Runtime, TensorRT and
    compiled PyTorch do; eager PyTorch does not."""
    layers = tuple(layers)
    folded = _folded(layers) if folds else set()
    return _counted((layer, dtype, place in folded) for place, layer in enumerate(layers))


def parts(layers: Iterable[Layer], dtype: str, *, folds: bool) -> dict[str, Ops]:
    """As `from_layers`, apart by the dtype they compute in: one part for one of DTYPES, and for OWN as many as the
    graph has, each layer in its own and with the bytes its file stores."""
    layers = tuple(layers)
    if dtype != OWN:
        return {dtype: from_layers(layers, dtype, folds=folds)}
    folded = _folded(layers) if folds else set()
    apart: dict[str, list[tuple[Layer, str, bool]]] = {}
    for place, layer in enumerate(layers):
        own = COMPUTES_IN.get(layer.dtype, "fp32")
        apart.setdefault(own, []).append((layer, own, place in folded))
    return {own: _counted(rows) for own, rows in sorted(apart.items())}


def _counted(asked: Iterable[tuple[Layer, str, bool]]) -> Ops:
    """Equal layers as one row with a count; what a loop does in all its turns is told of one turn, and counted."""
    counts: dict[tuple[float, ...], float] = {}
    for layer, dtype, folded in asked:
        for row in _rows(_one_turn(layer), dtype, folded):
            counts[row] = counts.get(row, 0.0) + layer.repeat
    return from_rows([(*row, count) for row, count in counts.items()])


def _one_turn(layer: Layer) -> Layer:
    """The layer as one turn of the loop it is in: its FLOP and bytes are those of all turns."""
    if layer.repeat <= 1:
        return layer
    whole = ("flop", "other_flop", "weight_bytes", "read_bytes", "written_bytes")
    return replace(layer, **{name: getattr(layer, name) // layer.repeat for name in whole})


def from_rows(rows: list[tuple[float, ...]]) -> Ops:
    """Operators from rows: kind, batch, m, n, k, weight, read, written bytes, other FLOP, launches, nodes, repeat."""
    table = np.array(rows, dtype=float).reshape(-1, 12).T
    columns = dict(zip(NUMBERS[:-1], table[1:10], strict=True))
    return Ops(kind=table[0].astype(np.int64), nodes=table[10], **columns | {"repeat": table[11]})


@cache
def graph(name: str) -> Ops:
    """The operators of a shipped graph (table latency/graphs) at batch 1 in FP32."""
    rows = frame("latency", "graphs").query("graph == @name")
    columns = {field.name: rows[field.name].to_numpy(float) for field in fields(Ops) if field.name != "kind"}
    return Ops(kind=np.array([KINDS[text] for text in rows["kind"]], dtype=np.int64), **columns)


def _rows(layer: Layer, dtype: str, folded: bool) -> list[tuple[float, ...]]:
    stored = STORED.get(layer.dtype, 4.0)
    weight = layer.weight_bytes * WEIGHT_BYTES[dtype] / stored
    scale = ACTIVATION_BYTES[dtype] / stored
    read, written = layer.read_bytes * scale, layer.written_bytes * scale
    if folded:  # only what the neighbour does not hold already is read: a bias, or the second branch of a sum
        return [(ELEMENTWISE, 1, 0, 0, 0, weight, max(read - written, 0.0), 0.0, layer.other_flop, 0, 0)]
    dims = layer.dims
    if "m" in dims:
        kind = BATCHED if dims.get("batch", 1) > 1 or not layer.weight_bytes else MATMUL
        product = (dims.get("batch", 1), dims["m"], dims["n"], dims["k"])
        return [(kind, *product, weight, read, written, layer.other_flop, 1, 1)]
    if "out_positions" in dims:
        return [_convolution(layer, weight, read, written)]
    if "heads" in dims:
        return _attention(layer, weight, read, written)
    if "steps" in dims:
        return _recurrent(layer, weight, read, written)
    starts = 1 if read + written > 0.0 else 0
    return [(_moves(layer.op.lower()), 1, 0, 0, 0, weight, read, written, layer.other_flop, starts, 1)]


def _convolution(layer: Layer, weight: float, read: float, written: float) -> tuple[float, ...]:
    dims, groups = layer.dims, max(layer.dims["groups"], 1)
    k = dims["in_channels"] // groups * dims["kernel_positions"]
    n = dims["out_channels"] // groups
    m = dims["batch"] * dims["out_positions"]
    if groups > 1 and n <= 2:
        rows = (DEPTHWISE, groups * dims["batch"], dims["out_positions"], n, k)
    else:
        rows = (CONVOLUTION, groups, m, n, k)
    return (*rows, weight, read, written, layer.other_flop, 1, 1)


def _attention(layer: Layer, weight: float, read: float, written: float) -> list[tuple[float, ...]]:
    """One kernel that never writes the scores: the two products, and the softmax between them as arithmetic."""
    dims = layer.dims
    many, query, key, size = dims["batch"] * dims["heads"], dims["query"], dims["key"], dims["head_size"]
    return [
        (BATCHED, many, query, key, size, weight, read, 0.0, layer.other_flop, 1, 1),
        (BATCHED, many, query, size, key, 0.0, 0.0, written, 0.0, 0, 0),
    ]


def _recurrent(layer: Layer, weight: float, read: float, written: float) -> list[tuple[float, ...]]:
    """The input's product for all steps at once, then one product a step, each reading the recurrent weights again."""
    dims = layer.dims
    ways, steps, wide = dims["directions"], dims["steps"], dims["gates"] * dims["hidden_size"]
    share = dims["hidden_size"] / (dims["hidden_size"] + dims["input_size"])
    whole = (MATMUL, ways, dims["batch"] * steps, wide, dims["input_size"])
    step = (STEP, 1, dims["batch"], wide, dims["hidden_size"], weight * share / ways, 0.0, 0.0, 0.0, 1, 0)
    return [(*whole, weight * (1 - share), read, written, layer.other_flop, 1, 1), *[step] * (steps * ways)]


def _moves(op: str) -> int:
    if "softmax" in op:
        return SOFTMAX
    if "norm" in op:
        return NORM
    return LOOKUP if "gather" in op or "embedding" in op else ELEMENTWISE


def _folded(layers: tuple[Layer, ...]) -> set[int]:
    """Places of the layers that follow a product (or one already folded) as the only reader of its output."""
    readers: dict[str, int] = {}
    makers: dict[str, int] = {}
    for place, layer in enumerate(layers):
        for name in layer.inputs:
            readers[name] = readers.get(name, 0) + 1
        makers |= dict.fromkeys(layer.outputs, place)
    found: set[int] = set()
    for place, layer in enumerate(layers):
        if layer.flop or layer.op.lower().split(".")[-1] not in FOLDED:
            continue
        for name in layer.inputs:
            maker = makers.get(name)
            if maker is not None and maker < place and readers[name] == 1 and (layers[maker].flop or maker in found):
                found.add(place)
                break
    return found
