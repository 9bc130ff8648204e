"""INT8, static: weights and activations as 8-bit integers, activation ranges calibrated beforehand (QDQ)."""

from typing import Any

from advisor.surgery import facts, int8, onnx_rewrite
from advisor.techniques import Product, Request
from data import words
from data.errors import InputError, Unavailable
from profiler.types import Machine, Model

FEW_CALLS = 8


class Int8Static:
    NAME = "int8_static"
    TITLE = "INT8, static"
    STAGE = "quantize"
    GAINS = ("latency", "size", "memory")
    CALIBRATES = True

    def options(self, model: Model, machine: Machine) -> list[dict[str, Any]]:
        scopes = int8.scopes(model)
        found: list[dict[str, Any]] = [{"operators": scope, "calibration": "minmax"} for scope in scopes]
        return found + [{"operators": scopes[0], "calibration": method} for method in ("percentile", "entropy")]

    def refuses(self, model: Model, machine: Machine) -> str | None:
        return facts.refusal(model, needs=int8.COMPUTES)

    def apply(self, request: Request) -> Product:
        """Quantizes per channel, calibrated on the request's inputs: unsigned activations by signed weights where the
        CPU has VNNI (signed by signed was seen 57 times slower there), 7-bit weights on x86 without it."""
        if not request.calibration:
            raise Unavailable("Static INT8 needs inputs to calibrate on.", hint="Give an .npz of inputs.")
        option, target = request.option, request.folder / "int8_static.onnx"
        settings = int8.Settings(
            operators=str(option.get("operators", int8.ALL)), calibration=str(option.get("calibration", "minmax")),
            signed=option.get("activations") == "signed", per_channel=bool(option.get("per_channel", True)),
            exclude=tuple(option.get("exclude", ())),
        )  # fmt: skip
        request.progress(0.05, "Preparing the graph")
        large = facts.is_large(request.model)
        source = onnx_rewrite.prepared(request.source, request.folder, large=large)
        request.progress(0.2, "Calibrating activation ranges")
        notes = int8.quantize(source, target, request.calibration, request.machine, settings, large=large)
        proto = onnx_rewrite.load(target)
        changed = int8.computing_on_integers(proto)
        if not changed:
            raise InputError("No convolution or matrix product was quantized, so nothing would change.")
        calibrated = onnx_rewrite.operator_counts(proto).get("QuantizeLinear", 0)
        ranges = words.many(calibrated, "activation range")
        notes += [f"{words.many(changed, 'operator')} in 8 bits; {ranges} calibrated."]
        notes += onnx_rewrite.raised_note(request.model.opset)
        if not request.calibration_is_random and len(request.calibration) < FEW_CALLS:
            notes.append(f"Calibrated on {words.many(len(request.calibration), 'call')} only.")
        return Product(
            file=target, companions=onnx_rewrite.companions(target), changed_count=changed, notes=tuple(notes)
        )


TECHNIQUE = Int8Static()
