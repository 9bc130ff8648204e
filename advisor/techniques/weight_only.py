"""INT4 and INT8 weights in groups, float activations (MatMulNBits): for models that wait for memory, not arithmetic."""

from typing import Any

from advisor.surgery import facts, onnx_rewrite
from advisor.techniques import Product, Request
from data import words
from data.errors import InputError
from profiler.types import Machine, Model

GROUPS = (16, 32, 64, 128)
INT8_COMPUTE = 4  # MatMulNBits' accuracy_level: 4 computes on 8-bit activations, 1 on float32


class WeightOnly:
    NAME = "weight_only"
    TITLE = "Weight-only"
    STAGE = "quantize"
    GAINS = ("latency", "size", "memory")
    CALIBRATES = False

    def options(self, model: Model, machine: Machine) -> list[dict[str, Any]]:
        """Smaller groups are closer to the original and larger; embeddings are quantized where there are any."""
        found: list[dict[str, Any]] = [
            {"bits": 8, "group_size": 128, "compute": "int8"},
            {"bits": 4, "group_size": 32, "compute": "int8"},
            {"bits": 4, "group_size": 128, "compute": "int8"},
            {"bits": 4, "group_size": 16, "compute": "float32"},
        ]
        if facts.count(model, ("Gather",)):
            found.insert(2, {"bits": 4, "group_size": 32, "compute": "int8", "embeddings": True})
        return found

    def refuses(self, model: Model, machine: Machine) -> str | None:
        return facts.refusal(model, needs=facts.MATRIX_PRODUCTS)

    def apply(self, request: Request) -> Product:
        """Quantizes with onnxruntime's MatMulNBitsQuantizer, which sees only MatMul: Gemm is rewritten to MatMul and
        Add first."""
        from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

        bits, group = _checked(request.option)
        proto = onnx_rewrite.load(request.source)
        onnx_rewrite.lift_constants(proto)
        rewritten = onnx_rewrite.gemm_to_matmul(proto)
        onnx_rewrite.name_nodes(proto)
        request.progress(0.2, f"Quantizing weights to {bits} bits")
        operators = ("MatMul", "Gather") if request.option.get("embeddings") else ("MatMul",)
        with onnx_rewrite.edge("Weight-only quantization"):
            quantizer = MatMulNBitsQuantizer(
                proto, bits=bits, block_size=group, is_symmetric=bool(request.option.get("symmetric", False)),
                accuracy_level=INT8_COMPUTE if request.option.get("compute", "int8") == "int8" else 1,
                nodes_to_exclude=_excluded(request.option), op_types_to_quantize=operators,
            )  # fmt: skip
            quantizer.process()
        proto = quantizer.model.model
        counts = onnx_rewrite.operator_counts(proto)
        changed = counts.get("MatMulNBits", 0) + counts.get("GatherBlockQuantized", 0)
        if not changed:
            raise InputError("No matrix product has a stored weight, so nothing would change.")
        target = request.folder / "weight_only.onnx"
        onnx_rewrite.drop_unused(proto)
        companions = onnx_rewrite.save(proto, target)
        notes = [f"{words.many(changed, 'tensor')} stored in {bits} bits, in groups of {group}."]
        if rewritten:
            notes.append(f"Rewritten so that they can be: {words.many(rewritten, 'layer')} (Gemm to MatMul and Add).")
        return Product(file=target, companions=companions, changed_count=changed, notes=tuple(notes))


def _checked(option: Any) -> tuple[int, int]:
    """Bits and group size of the option. Raises InputError where the kernels know no such."""
    bits, group = int(option.get("bits", 4)), int(option.get("group_size", 32))
    if bits not in (4, 8) or group not in GROUPS:
        raise InputError("Weights are stored in 4 or 8 bits, in groups of 16, 32, 64 or 128.")
    return bits, group


def _excluded(option: Any) -> list[str]:
    """Names to leave alone; a Gemm that was rewritten keeps its name on the MatMul."""
    return list(option.get("exclude", ()))


TECHNIQUE = WeightOnly()
