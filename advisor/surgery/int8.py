"""Static INT8 by onnxruntime.quantization: QDQ, per channel, in the data types this CPU computes fastest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.surgery import facts, onnx_rewrite
from data.errors import InputError
from profiler.types import Machine, Model

if TYPE_CHECKING:
    from numpy import ndarray

METHODS = {"minmax": "MinMax", "percentile": "Percentile", "entropy": "Entropy"}
PERCENTILE = 99.99
RANGES = {
    "minmax": "ranges from the smallest value seen to the largest",
    "percentile": f"ranges that hold {PERCENTILE} % of the values seen",
    "entropy": "ranges that lose the least information",
}
# A histogram calibration keeps every activation of every call: more calls than this take too much memory.
HISTOGRAM_CALLS = 16
COMPUTES = ("Conv", "ConvTranspose", "MatMul", "Gemm")
ALL, PRODUCTS = "all", "matrix products"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to quantize: which operators (ALL or PRODUCTS), how activation ranges are found, whether activations are
    signed, one scale a channel or a tensor, and the nodes to leave alone."""

    operators: str = ALL
    calibration: str = "minmax"
    signed: bool = False
    per_channel: bool = True
    exclude: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.calibration not in METHODS:
            raise InputError(f"Calibration is one of {', '.join(METHODS)}.")
        if self.operators not in (ALL, PRODUCTS):
            raise InputError(f"The operators are '{ALL}' or '{PRODUCTS}'.")


def scopes(model: Model) -> list[str]:
    """ALL and PRODUCTS, the more promising first: quantizing all operators wrecks attention models."""
    if not facts.count(model, facts.MATRIX_PRODUCTS):
        return [ALL]
    convolutional = facts.count(model, facts.CONVOLUTIONS) >= facts.count(model, facts.MATRIX_PRODUCTS)
    return [ALL, PRODUCTS] if convolutional else [PRODUCTS, ALL]


def quantize(
    source: Path,
    target: Path,
    calls: Sequence[Mapping[str, ndarray]],
    machine: Machine,
    settings: Settings,
    *,
    large: bool,
    ranges: Path | None = None,
) -> list[str]:
    """Writes the quantized form of a prepared model; returns notes. `large` models keep their weights beside the
    file; `ranges` keeps calibrated ranges between calls.

    Unsigned activations and signed weights run fastest on x86; without VNNI the weights get 7 bits, because 8 would
    saturate (ONNX Runtime's guide). ARM wants signed activations."""
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    signed = settings.signed or bool({"neon", "asimd"} & set(machine.isa))
    reduced = not machine.has_vnni and not signed
    scope = list(facts.MATRIX_PRODUCTS) if settings.operators == PRODUCTS else None
    used = calls if settings.calibration == "minmax" else calls[:HISTOGRAM_CALLS]
    extra: dict[str, Any] = {"ActivationSymmetric": signed, "MatMulConstBOnly": scope is not None}
    if settings.calibration == "percentile":
        extra["CalibPercentile"] = PERCENTILE
    with onnx_rewrite.edge("Static INT8 quantization"):
        quantize_static(
            str(source), str(target), _reader(used), quant_format=QuantFormat.QDQ, op_types_to_quantize=scope,
            per_channel=settings.per_channel, reduce_range=reduced, weight_type=QuantType.QInt8,
            activation_type=QuantType.QInt8 if signed else QuantType.QUInt8,
            nodes_to_exclude=list(settings.exclude), calibration_cache_path=ranges,
            use_external_data_format=large,
            calibrate_method=CalibrationMethod[METHODS[settings.calibration]], extra_options=extra,
        )  # fmt: skip
    bytes_ = "signed" if signed else "unsigned"
    kind = f"Activations in {bytes_} bytes, weights in signed ones; {RANGES[settings.calibration]}."
    return [kind, "Weights have 7 bits: this CPU has no VNNI and would saturate with 8."] if reduced else [kind]


def computing_on_integers(proto: Any) -> int:
    """Convolutions and matrix products both of whose factors come from DequantizeLinear."""
    dequantized = {node.output[0] for node in proto.graph.node if node.op_type == "DequantizeLinear"}
    return sum(
        1 for node in proto.graph.node if node.op_type in COMPUTES and dequantized.issuperset(list(node.input)[:2])
    )


def _reader(calls: Sequence[Mapping[str, ndarray]]) -> Any:
    """The calls as onnxruntime's quantizers read them."""
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._calls: Iterator[Mapping[str, ndarray]] = iter(calls)

        def get_next(self) -> Mapping[str, ndarray] | None:
            return next(self._calls, None)

    return Reader()
