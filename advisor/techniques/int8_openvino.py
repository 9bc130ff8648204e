"""INT8 on OpenVINO: post-training quantization by NNCF, with bias correction, calibrated on given inputs."""

from typing import Any

from advisor.surgery import facts, onnx_rewrite
from advisor.techniques import Product, Request
from data import words
from data.errors import InputError, Unavailable
from profiler.types import Machine, Model

WORKS_ON = (*facts.CONVOLUTIONS, *facts.MATRIX_PRODUCTS)
PRESETS = {
    "performance": "ranges lie evenly about zero, which is faster",
    "mixed": "ranges fit the values, which is closer",
}


class Int8OpenVino:
    NAME = "int8_openvino"
    TITLE = "INT8 on OpenVINO"
    STAGE = "quantize"
    GAINS = ("latency", "size", "memory")
    CALIBRATES = True

    def options(self, model: Model, machine: Machine) -> list[dict[str, Any]]:
        """Symmetric activations ("performance") run faster, asymmetric ones ("mixed") stay closer to the original; what
        is not quantized runs in bfloat16 where the CPU has it."""
        precisions = ("bf16", "f32") if machine.has_bf16 else ("f32",)
        return [
            {"preset": preset, "precision": precision}
            for precision in precisions
            for preset in ("performance", "mixed")
        ]

    def refuses(self, model: Model, machine: Machine) -> str | None:
        return facts.refusal(model, needs=WORKS_ON)

    def apply(self, request: Request) -> Product:
        """Quantizes with nncf.quantize, as a transformer where the graph has attention."""
        onnx_rewrite.without_telemetry()
        import nncf
        import openvino

        if not request.calibration:
            raise Unavailable("INT8 on OpenVINO needs inputs to calibrate on.", hint="Give an .npz of inputs.")
        preset, precision = str(request.option.get("preset", "mixed")), str(request.option.get("precision", "f32"))
        if preset not in PRESETS:
            raise InputError("The preset is mixed or performance.")
        kind = nncf.ModelType.TRANSFORMER if facts.is_transformer(request.model) else None
        ignored = nncf.IgnoredScope(names=list(request.option.get("exclude", ())), validate=False)
        request.progress(0.1, "Calibrating")
        with onnx_rewrite.edge("INT8 quantization on OpenVINO"):
            model = openvino.Core().read_model(str(request.source))
            quantized = nncf.quantize(
                model, nncf.Dataset([dict(call) for call in request.calibration]),
                preset=nncf.QuantizationPreset(preset), model_type=kind, ignored_scope=ignored,
                subset_size=len(request.calibration), fast_bias_correction=True,
            )  # fmt: skip
        changed = sum(1 for node in quantized.get_ordered_ops() if node.get_type_name() == "FakeQuantize")
        if not changed:
            raise InputError("No operator was quantized, so nothing would change.")
        target = request.folder / "int8_openvino.xml"
        with onnx_rewrite.edge("Writing the OpenVINO file"):
            openvino.save_model(quantized, str(target), compress_to_fp16=False)
        notes = [f"{words.many(changed, 'tensor')} quantized, weights among them; {PRESETS[preset]}."]
        return Product(
            file=target, companions=(target.with_suffix(".bin"),), runtime="openvino",
            runtime_options={"precision": precision}, changed_count=changed, notes=tuple(notes),
        )  # fmt: skip


TECHNIQUE = Int8OpenVino()
