"""INT8, dynamic: weights stored as 8-bit integers, activations quantized anew at every call. Needs no data."""

from typing import Any

from advisor.surgery import facts, onnx_rewrite
from advisor.techniques import Product, Request
from data import words
from data.errors import InputError
from profiler.types import Machine, Model

MATRICES = ("MatMul", "Gemm", "LSTM", "Attention", "Gather", "EmbedLayerNormalization")
QUANTIZED_BY_IT = ("MatMulInteger", "ConvInteger", "DynamicQuantizeLSTM", "QAttention", "QEmbedLayerNormalization")
WORKS_ON = ("MatMul", "Gemm", "LSTM", "Attention", "Conv", "Gather")


class Int8Dynamic:
    NAME = "int8_dynamic"
    TITLE = "INT8, dynamic"
    STAGE = "quantize"
    GAINS = ("latency", "size", "memory")
    CALIBRATES = False

    def options(self, model: Model, machine: Machine) -> list[dict[str, Any]]:
        """All operators first where most are convolutions: anything less leaves nearly all of such a model as it is.
        They run as ConvInteger, which is often many times slower."""
        found = [{"operators": "matrix products"}] if facts.count(model, MATRICES) else []
        if facts.count(model, ("Conv",)):
            mostly = facts.count(model, ("Conv",)) > facts.count(model, MATRICES)
            found.insert(0 if mostly else len(found), {"operators": "all"})
        return found

    def refuses(self, model: Model, machine: Machine) -> str | None:
        return facts.refusal(model, needs=WORKS_ON)

    def apply(self, request: Request) -> Product:
        """Quantizes with onnxruntime.quantization; 7-bit weights where the CPU would saturate (no VNNI)."""
        from onnxruntime.quantization import QuantType, quantize_dynamic

        large = facts.is_large(request.model)
        target = request.folder / "int8_dynamic.onnx"
        request.progress(0.1, "Preparing the graph")
        source = onnx_rewrite.prepared(request.source, request.folder, large=large)
        before = onnx_rewrite.operator_counts(onnx_rewrite.load(source))
        request.progress(0.5, "Quantizing the weights")
        operators = list(MATRICES) + (["Conv"] if request.option.get("operators") == "all" else [])
        reduced = not request.machine.has_vnni
        with onnx_rewrite.edge("Dynamic INT8 quantization"):
            quantize_dynamic(
                str(source), str(target), op_types_to_quantize=operators, weight_type=QuantType.QInt8,
                per_channel=bool(request.option.get("per_channel", False)), reduce_range=reduced,
                nodes_to_exclude=list(request.option.get("exclude", ())), use_external_data_format=large,
                extra_options={"MatMulConstBOnly": True},
            )  # fmt: skip
        after = onnx_rewrite.operator_counts(onnx_rewrite.load(target))
        gathers = before.get("Gather", 0) and after.get("DequantizeLinear", 0) - before.get("DequantizeLinear", 0)
        changed = sum(after.get(name, 0) - before.get(name, 0) for name in QUANTIZED_BY_IT) + max(0, gathers)
        if not changed:
            raise InputError("No operator with a stored weight was quantized, so nothing would change.")
        notes = [f"{words.many(changed, 'operator')} in 8 bits.", *onnx_rewrite.raised_note(request.model.opset)]
        if reduced:
            notes.append("Weights have 7 bits: this CPU has no VNNI and would saturate with 8.")
        return Product(
            file=target, companions=onnx_rewrite.companions(target), changed_count=changed, notes=tuple(notes)
        )


TECHNIQUE = Int8Dynamic()
