"""INT4 and INT8 weights in groups on OpenVINO, by NNCF's weight compression."""

from typing import Any

from advisor.surgery import facts, onnx_rewrite
from advisor.techniques import Product, Request
from data.errors import InputError
from profiler.types import Machine, Model

MODES = {4: "INT4_ASYM", 8: "INT8_ASYM"}
PACKED = ("u8", "i8", "u4", "i4")


class WeightOnlyOpenVino:
    NAME = "weight_only_openvino"
    TITLE = "Weight-only on OpenVINO"
    STAGE = "quantize"
    GAINS = ("latency", "size", "memory")
    CALIBRATES = False

    def options(self, model: Model, machine: Machine) -> list[dict[str, Any]]:
        """INT8 is per channel; INT4 in groups, all layers included. Arithmetic in bfloat16 where the CPU has it."""
        precision = "bf16" if machine.has_bf16 else "f32"
        return [
            {"bits": 8, "precision": precision},
            {"bits": 4, "group_size": 64, "precision": precision},
            {"bits": 4, "group_size": 32, "precision": precision},
        ]

    def refuses(self, model: Model, machine: Machine) -> str | None:
        return facts.refusal(model, needs=(*facts.CONVOLUTIONS, *facts.MATRIX_PRODUCTS, "Gather"))

    def apply(self, request: Request) -> Product:
        """Compresses with nncf.compress_weights; layers whose width the group does not divide keep 8 bits."""
        onnx_rewrite.without_telemetry()
        import nncf
        import openvino

        bits = int(request.option.get("bits", 4))
        if bits not in MODES:
            raise InputError("Weights are stored in 4 or 8 bits.")
        settings: dict[str, Any] = {"mode": nncf.CompressWeightsMode[MODES[bits]]}
        if bits == 4:
            settings |= {
                "group_size": int(request.option.get("group_size", 64)), "ratio": 1.0, "all_layers": True,
                "advanced_parameters": nncf.AdvancedCompressionParameters(
                    group_size_fallback_mode=nncf.GroupSizeFallbackMode.ADJUST
                ),
            }  # fmt: skip
        ignored = nncf.IgnoredScope(names=list(request.option.get("exclude", ())), validate=False)
        request.progress(0.2, f"Compressing weights to {bits} bits")
        with onnx_rewrite.edge("Weight compression on OpenVINO"):
            model = openvino.Core().read_model(str(request.source))
            model = nncf.compress_weights(model, ignored_scope=ignored, **settings)
        stored = [node for node in model.get_ordered_ops() if node.get_type_name() == "Constant"]
        changed = sum(1 for node in stored if node.get_element_type().get_type_name() in PACKED and _is_matrix(node))
        if not changed:
            raise InputError("No weight was compressed, so nothing would change.")
        target = request.folder / "weight_only_openvino.xml"
        with onnx_rewrite.edge("Writing the OpenVINO file"):
            openvino.save_model(model, str(target), compress_to_fp16=False)
        return Product(
            file=target, companions=(target.with_suffix(".bin"),), runtime="openvino",
            runtime_options={"precision": str(request.option.get("precision", "f32"))}, changed_count=changed,
            notes=(f"{changed} weights are stored in {bits} bits.",),
        )  # fmt: skip


def _is_matrix(node: Any) -> bool:
    return len(node.get_output_shape(0)) >= 2 and max(node.get_output_shape(0)) > 1


TECHNIQUE = WeightOnlyOpenVino()
