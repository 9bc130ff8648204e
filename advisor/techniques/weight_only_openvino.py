"""INT4 and INT8 weights in groups on OpenVINO, by NNCF's weight compression."""

from typing import Any

from advisor.surgery import facts, onnx_rewrite
from advisor.techniques import Product, Request
from data import words
from data.errors import InputError
from profiler.types import Machine, Model

MODES = {4: "INT4_ASYM", 8: "INT8_ASYM"}
PACKED = {4: ("u4", "i4"), 8: ("u8", "i8")}


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
        """Compresses with nncf.compress_weights; in 4 bits, what has no such kernel (convolutions) or a width that the
        group does not divide gets 8."""
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
        counts = {width: stored(model, kinds) for width, kinds in PACKED.items()}
        if not (changed := sum(counts.values())):
            raise InputError("No weight was compressed, so nothing would change.")
        kept = ", ".join(f"{words.many(count, 'weight')} in {width} bits" for width, count in counts.items() if count)
        target = request.folder / "weight_only_openvino.xml"
        with onnx_rewrite.edge("Writing the OpenVINO file"):
            openvino.save_model(model, str(target), compress_to_fp16=False)
        return Product(
            file=target, companions=(target.with_suffix(".bin"),), runtime="openvino",
            runtime_options={"precision": str(request.option.get("precision", "f32"))}, changed_count=changed,
            notes=(f"Stored: {kept}.",),
        )  # fmt: skip


def stored(model: Any, kinds: tuple[str, ...]) -> int:
    """How many weights of these element types the OpenVINO model holds; their zero points are none."""
    found = (node for node in model.get_ordered_ops() if node.get_type_name() == "Constant")
    packed = (node for node in found if node.get_element_type().get_type_name() in kinds)
    return sum(1 for node in packed if any(_is_scaled(to.get_node(), to.get_index()) for to in _readers(node)))


def _is_scaled(node: Any, place: int) -> bool:
    """Whether what arrives at this input becomes floats and is shifted or scaled there: a weight, no zero point."""
    if node.get_type_name() == "Convert":
        return any(_is_scaled(to.get_node(), to.get_index()) for to in _readers(node))
    return node.get_type_name() in ("Subtract", "Multiply") and place == 0


def _readers(node: Any) -> list[Any]:
    return list(node.output(0).get_target_inputs())


TECHNIQUE = WeightOnlyOpenVino()
