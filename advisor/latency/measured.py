"""Everything measured that the latency model can be held against, as operators beside their measured time."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from advisor.latency import gpu as latency_gpu
from advisor.latency.gpu import Gpu
from advisor.latency.operators import (
    BATCHED,
    CONVOLUTION,
    DEPTHWISE,
    ELEMENTWISE,
    MATMUL,
    NORM,
    SOFTMAX,
    Numbers,
    Ops,
    graph,
)
from data.tables import device, frame
from data.units import MS_PER_S

OPERATORS, PRODUCTS, SQUARES, MODELS, ENGINES = "operators", "products", "squares", "models", "engines"
# Chips sold under several names: whoever leaves one out leaves all of them out.
CHIPS = {
    "p100": "GP100", "p40": "GP102", "p4": "GP104", "v100": "GV100", "v100s": "GV100", "t4": "TU104",
    "rtx-2080": "TU102", "a100": "GA100", "a30": "GA100", "rtx-3090": "GA102", "rtx-a6000": "GA102", "a40": "GA102",
    "a10": "GA102", "a2": "GA107", "a16": "GA107", "l4": "AD104", "rtx-4090": "AD102", "l40s": "AD102",
    "l40": "AD102", "h100": "GH100", "h200": "GH100", "h20": "GH100", "gh200": "GH100", "b200": "GB100",
    "rtx-5090": "GB202", "rtx-pro": "GB202", "jetson-agx-orin": "GA10B", "jetson-orin": "GA10B",
    "jetson-agx-xavier": "GV10B", "jetson-xavier": "GV10B",
}  # fmt: skip
# Timing one operator in eager PyTorch with events adds about this much: the offset of latency against bytes.
EVENT_S = {"product": 30e-6, "norm": 40e-6, "other": 15e-6}
LEAST_S = {"product": 4e-4, "other": 1.5e-4}  # below, the host's work is measured, not the device's
TWO_INPUTS = ("add", "mul", "div", "pow")
OPERATOR_KIND = {"linear": MATMUL, "bmm": BATCHED, "conv": CONVOLUTION, "softmax": SOFTMAX, "ln": NORM}
ENGINE_BATCH = 64
# Engines skip padding: a sample of MLPerf's BERT has about 180 tokens on average (general knowledge), of 384.
BERT_TOKENS, BERT_PADDED = 180, 384


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Measured times of one kind, and the operators that make each up: row i belongs to measurement `group[i]`.

    `added_s` is what measuring added; `rounds` marks products whose activations are rounded to 8 bits first."""

    kind: str
    ops: Ops
    on: Gpu
    group: NDArray[np.int64]
    seconds: Numbers
    added_s: Numbers
    device_id: NDArray[Any]
    chip: NDArray[Any]
    label: NDArray[Any]
    weight: Numbers

    def __len__(self) -> int:
        return len(self.seconds)

    def where(self, keep: NDArray[np.bool_]) -> "Measured":
        """Only these measurements."""
        rows = keep[self.group]
        place = np.cumsum(keep) - 1
        per_measurement = ("seconds", "added_s", "device_id", "chip", "label", "weight")
        return replace(
            self, ops=self.ops.take(rows), on=self.on.take(rows), group=place[self.group[rows]],
            **{name: getattr(self, name)[keep] for name in per_measurement},
        )  # fmt: skip


def chip(device_id: str) -> str:
    """The chip inside a device, where several devices share it; else the device's id."""
    name = device_id.removeprefix("nvidia-")
    fits = [start for start in CHIPS if name == start or name.startswith(f"{start}-")]
    return CHIPS[max(fits, key=len)] if fits else device_id


def thinned(rows: pd.DataFrame, by: list[str], count: int, seed: int = 0) -> pd.DataFrame:
    """At most `count` rows of each group, drawn at random."""
    order = np.random.default_rng(seed).permutation(len(rows))
    return rows.iloc[order].groupby(by, sort=False).head(count).sort_index()


def operators(count: int = 200, seed: int = 0) -> Measured:
    """Single operators in eager PyTorch (FP32), those long enough to show the device and not the host; large linear
    layers of odd sizes ran 30 % below models on Pascal, and are left out there."""
    rows = frame("devices", "op_latency")
    kind = rows["op"].map(OPERATOR_KIND).fillna(ELEMENTWISE).astype(int)
    product = kind.isin((MATMUL, BATCHED, CONVOLUTION))
    least_ms = np.where(product, LEAST_S["product"], LEAST_S["other"]) * MS_PER_S
    rows = rows.assign(kind=kind)[rows.latency_ms > least_ms]
    rows = thinned(rows, ["device_id", "kind"], count, seed)
    old = rows.device_id.map(lambda name: latency_gpu.units_of(device(name))[1] == latency_gpu.OLD)
    weight = np.where(rows.kind.isin((BATCHED, CONVOLUTION)), 0.6, 1.0)
    weight = weight * np.where(old & (rows.kind == MATMUL), 0.0, 1.0)
    weight = weight * np.where(rows.device_id.isin(("nvidia-t4", "nvidia-p4")), 0.35, 1.0)  # their clocks follow heat
    added = rows.kind.map(lambda one: EVENT_S["product" if one < DEPTHWISE else "norm" if one == NORM else "other"])
    ops = _operator_ops(rows.drop(columns="op").fillna(0).astype({"device_id": str}), rows["op"])
    return _measured(OPERATORS, ops, rows, "fp32", rows["op"], added.to_numpy(float), weight)


def products(count: int = 400, seed: int = 0) -> Measured:
    """Matrix products in bf16 and fp8 as vLLM runs them, in captured graphs; fp8 rounds its activations first."""
    rows = thinned(frame("devices", "gemm_latency"), ["device_id", "dtype"], count, seed)
    dtype = rows["dtype"].map({"bfloat16": "bf16", "fp8": "fp8"})
    size = np.where(dtype == "fp8", 1.0, 2.0)
    m, n, k = (rows[name].to_numpy(float) for name in "mnk")
    ops = _ops(MATMUL, np.ones(len(rows)), m, n, k, n * k * size, m * k * size, m * n * 2.0)
    return _measured(PRODUCTS, ops, rows, dtype, dtype, np.zeros(len(rows)), np.ones(len(rows)))


def squares() -> Measured:
    """Large square products, as users of the cards report their rates; 2,048 and more."""
    rows = frame("latency", "square_gemm").query("size >= 2048")
    size = rows["size"].to_numpy(float)
    item = np.where(rows["dtype"] == "fp32", 4.0, 2.0)
    square = size**2 * item
    ops = _ops(MATMUL, np.ones(len(rows)), size, size, size, square, square, square)
    rows = rows.assign(latency_ms=2.0 * size**3 / rows["flop_per_s"] * MS_PER_S)
    return _measured(SQUARES, ops, rows, rows["dtype"], rows["dtype"], np.zeros(len(rows)), np.full(len(rows), 6.0))


def models() -> Measured:
    """Whole language models in eager PyTorch (FP32)."""
    rows = frame("devices", "model_latency")
    parts = [graph(name).at_batch(batch) for name, batch in zip(rows["model"], rows["batch"], strict=True)]
    return _many(MODELS, parts, rows, ["fp32"] * len(rows), rows["model"], 8.0)


def engines() -> Measured:
    """ResNet-50 and BERT-large in inference engines (MLPerf, offline): the best submission of each GPU."""
    rows = frame("devices", "mlperf")
    rows = rows[rows.benchmark.isin(("resnet50", "bert-99", "bert-99.9")) & (rows.scenario == "Offline")]
    rows = rows[rows.device_id.str.startswith("nvidia-") & (rows.nodes_count == 1)]
    rows = rows.sort_values("value_per_device").groupby(["benchmark", "device_id"], as_index=False).last()
    rows["latency_ms"] = MS_PER_S / rows["value_per_device"]
    dtypes = [engine_dtype(*pair) for pair in zip(rows["benchmark"], rows["device_id"], strict=True)]
    parts = []
    for name, dtype in zip(rows["benchmark"], dtypes, strict=True):
        ops = graph("resnet50" if name == "resnet50" else "bert_large_384").in_dtype(dtype).at_batch(ENGINE_BATCH)
        shorter = 1.0 if name == "resnet50" else BERT_TOKENS / BERT_PADDED
        parts.append(replace(ops, repeat=ops.repeat * shorter / ENGINE_BATCH))
    return _many(ENGINES, parts, rows, dtypes, rows["benchmark"], 2.0)


def engine_dtype(benchmark: str, device_id: str) -> str:
    """What such a submission computes in: int8; where 99.9 % is asked for, fp8 if the device has it, else fp16."""
    if benchmark != "bert-99.9":
        return "int8"
    return "fp8" if device(device_id).fp8_flop_per_s else "fp16"


SETS: dict[str, Callable[[], Measured]] = {
    OPERATORS: operators, PRODUCTS: products, SQUARES: squares, MODELS: models, ENGINES: engines,
}  # fmt: skip


def gpus(device_ids: list[str], dtypes: list[str]) -> Gpu:
    """One row of the device's numbers for each (device, dtype)."""
    known = {pair: latency_gpu.gpu(device(pair[0]), pair[1]) for pair in set(zip(device_ids, dtypes, strict=True))}
    rows = [known[pair] for pair in zip(device_ids, dtypes, strict=True)]
    return Gpu(**{field.name: np.array([getattr(row, field.name) for row in rows]) for field in fields(Gpu)})


def _operator_ops(rows: pd.DataFrame, op: pd.Series) -> Ops:
    column = {name: rows[name].to_numpy(float) for name in rows.columns if name != "device_id"}
    kind = rows["kind"].to_numpy()
    area = column["input_size"] ** 2
    conv = kind == CONVOLUTION
    batch = np.where(kind == BATCHED, column["b"], 1.0)
    m = np.where(conv, column["b"] * area, column["m"])
    n = np.where(conv, column["out_channels"], column["n"])
    k = np.where(conv, column["in_channels"] * column["kernel_size"] ** 2, column["k"])
    moved = column["b"] * column["h"] * 4.0
    simple = (kind == ELEMENTWISE) | (kind == SOFTMAX) | (kind == NORM)
    read = np.where(conv, column["b"] * column["in_channels"] * area * 4.0, batch * m * k * 4.0)
    read = np.where(simple, moved * np.where(op.isin(TWO_INPUTS), 2.0, 1.0), read)
    written = np.where(simple, moved, batch * m * n * 4.0)
    weight = np.where(simple, 0.0, batch * n * k * 4.0)
    return _ops(kind, np.where(simple, 1.0, batch), m, n, k, weight, read, written)


def _ops(kind: Any, batch: Any, m: Any, n: Any, k: Any, weight: Any, read: Any, written: Any) -> Ops:
    ones = np.ones(len(m))
    return Ops(
        kind=np.broadcast_to(np.asarray(kind, np.int64), m.shape), batch=batch, m=m, n=n, k=k, weight_bytes=weight,
        read_bytes=read, written_bytes=written, other_flop=0.0 * ones, repeat=ones, launches=ones, nodes=ones,
    )  # fmt: skip


def _measured(
    kind: str, ops: Ops, rows: pd.DataFrame, dtype: Any, label: pd.Series, added_s: Numbers, weight: Numbers
) -> Measured:
    ids = list(rows["device_id"])
    return Measured(
        kind=kind, ops=ops, on=gpus(ids, [dtype] * len(ids) if isinstance(dtype, str) else list(dtype)),
        group=np.arange(len(rows)), seconds=rows["latency_ms"].to_numpy(float) / MS_PER_S, added_s=added_s,
        device_id=np.array(ids), chip=np.array([chip(name) for name in ids]), label=label.to_numpy(str), weight=weight,
    )  # fmt: skip


def _many(
    kind: str, parts: list[Ops], rows: pd.DataFrame, dtypes: list[str], label: pd.Series, weight: float
) -> Measured:
    ids, count = list(rows["device_id"]), [len(part) for part in parts]
    joined = Ops(**{
        field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Ops)
    })  # fmt: skip
    group = np.repeat(np.arange(len(rows)), count)
    return Measured(
        kind=kind, ops=joined, on=gpus(ids, dtypes).take(group), group=group,
        seconds=rows["latency_ms"].to_numpy(float) / MS_PER_S, added_s=np.zeros(len(rows)), device_id=np.array(ids),
        chip=np.array([chip(name) for name in ids]), label=label.to_numpy(str), weight=np.full(len(rows), weight),
    )  # fmt: skip
