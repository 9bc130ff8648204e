"""INT8, static: weights and activations as 8-bit integers, activation ranges calibrated beforehand (QDQ)."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from advisor import facts, onnx_rewrite
from advisor.techniques import Product, Request
from data.errors import InputError, Unavailable
from profiler.types import Machine, Model

if TYPE_CHECKING:
    from numpy import ndarray

METHODS = {"minmax": "MinMax", "percentile": "Percentile", "entropy": "Entropy"}
# A histogram calibration keeps every activation of every call: more calls than this take too much memory.
HISTOGRAM_CALLS = 16
FEW_SAMPLES = 32
COMPUTES = ("Conv", "ConvTranspose", "MatMul", "Gemm")


class Int8Static:
    NAME = "int8_static"
    TITLE = "INT8, static"
    STAGE = "quantize"
    GAINS = ("latency", "size", "memory")
    CALIBRATES = True

    def options(self, model: Model, machine: Machine) -> list[dict[str, Any]]:
        """Signed-by-unsigned where the CPU has VNNI (S8S8 was seen 57 times slower there), 7-bit weights elsewhere.
        Quantizing all operators wrecks attention models, so those start with the matrix products alone."""
        convolutional = facts.count(model, facts.CONVOLUTIONS) >= facts.count(model, facts.MATRIX_PRODUCTS)
        scopes = ["all", "matrix products"] if convolutional else ["matrix products", "all"]
        if not facts.count(model, facts.MATRIX_PRODUCTS):
            scopes = ["all"]
        found: list[dict[str, Any]] = [{"operators": scope, "calibration": "minmax"} for scope in scopes]
        found += [{"operators": scopes[0], "calibration": method} for method in ("percentile", "entropy")]
        return found

    def refuses(self, model: Model, machine: Machine) -> str | None:
        reason = facts.refusal(model, needs=COMPUTES)
        if reason is None and facts.is_large(model):
            return "Calibrating a model of more than 2 GB takes more memory than a job may use."
        return reason

    def apply(self, request: Request) -> Product:
        """Quantizes with onnxruntime.quantization: QDQ, per channel, calibrated on the request's inputs."""
        if not request.calibration:
            raise Unavailable("Static INT8 needs inputs to calibrate on.", hint="Give an .npz of inputs.")
        target = request.folder / "int8_static.onnx"
        request.progress(0.05, "Preparing the graph")
        source = onnx_rewrite.prepared(request.source, request.folder, large=False)
        request.progress(0.2, "Calibrating activation ranges")
        notes = self._quantize(request, source, target)
        counts = onnx_rewrite.operator_counts(onnx_rewrite.load(target))
        changed = _computing_on_integers(onnx_rewrite.load(target))
        if not changed:
            raise InputError("No convolution or matrix product was quantized, so nothing would change.")
        notes += [f"{changed} operators quantized", f"{counts.get('QuantizeLinear', 0)} activations calibrated"]
        if request.calibration_is_random:
            notes.append("calibrated on random inputs: the ranges may not fit real data")
        elif len(request.calibration) < FEW_SAMPLES:
            notes.append(f"calibrated on {len(request.calibration)} calls only")
        return Product(file=target, changed_count=changed, notes=tuple(notes))

    def _quantize(self, request: Request, source: Any, target: Any) -> list[str]:
        from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

        vnni, option = request.machine.has_vnni, request.option
        method = str(option.get("calibration", "minmax"))
        if method not in METHODS:
            raise InputError(f"Calibration is one of {', '.join(METHODS)}.")
        calls = request.calibration if method == "minmax" else request.calibration[:HISTOGRAM_CALLS]
        scope = list(facts.MATRIX_PRODUCTS) if option.get("operators") == "matrix products" else None
        signed = str(option.get("activations", "unsigned")) == "signed" or "neon" in request.machine.isa
        extra: dict[str, Any] = {"ActivationSymmetric": signed, "MatMulConstBOnly": scope is not None}
        if method == "percentile":
            extra["CalibPercentile"] = float(option.get("percentile", 99.99))
        with onnx_rewrite.edge("Static INT8 quantization"):
            quantize_static(
                str(source), str(target), _reader(calls), quant_format=QuantFormat.QDQ, op_types_to_quantize=scope,
                per_channel=bool(option.get("per_channel", True)), reduce_range=not vnni,
                activation_type=QuantType.QInt8 if signed else QuantType.QUInt8, weight_type=QuantType.QInt8,
                nodes_to_exclude=list(option.get("exclude", ())), calibrate_method=CalibrationMethod[METHODS[method]],
                extra_options=extra,
            )  # fmt: skip
        kind = f"{'S8' if signed else 'U8'}S8, {method} calibration"
        return [kind] if vnni else [kind, "7-bit weights: this CPU has no VNNI and would saturate with 8"]


def _reader(calls: tuple[Mapping[str, "ndarray"], ...]) -> Any:
    """The calls as onnxruntime's quantizers read them."""
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._calls: Iterator[Mapping[str, ndarray]] = iter(calls)

        def get_next(self) -> Mapping[str, "ndarray"] | None:
            return next(self._calls, None)

    return Reader()


def _computing_on_integers(proto: Any) -> int:
    """Convolutions and matrix products all of whose first two inputs come from DequantizeLinear."""
    dequantized = {node.output[0] for node in proto.graph.node if node.op_type == "DequantizeLinear"}
    return sum(
        1 for node in proto.graph.node if node.op_type in COMPUTES and dequantized.issuperset(list(node.input)[:2])
    )


TECHNIQUE = Int8Static()
