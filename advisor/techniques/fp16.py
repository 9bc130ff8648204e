"""FP16: weights and arithmetic in 16-bit floats. Halves the file; gains no time on most CPUs."""

from typing import Any

from advisor.surgery import facts, layers, onnx_rewrite
from advisor.techniques import Product, Request
from data import words
from data.errors import InputError
from profiler.types import Machine, Model

# Operators whose values outgrow 65504 or vanish below 6e-8 on common models: their float32 form is kept on request.
DELICATE = ("LayerNormalization", "Softmax", "ReduceMean", "ReduceSum", "Pow", "Exp", "BatchNormalization")


class Fp16:
    NAME = "fp16"
    TITLE = "FP16"
    STAGE = "quantize"
    GAINS = ("size", "memory")
    CALIBRATES = False

    def options(self, model: Model, machine: Machine) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = [{}]
        if facts.count(model, DELICATE):
            found.append({"keep_float32": list(DELICATE)})
        return found

    def refuses(self, model: Model, machine: Machine) -> str | None:
        if not facts.is_onnx(model) or facts.is_quantized(model) or model.parameter_count == 0:
            return facts.refusal(model)
        if "float32" not in model.parameters_by_dtype:
            return "The model has no 32-bit floats to make smaller."
        return None

    def apply(self, request: Request) -> Product:
        """Converts with onnxruntime.transformers.float16; inputs and outputs stay float32."""
        import numpy as np
        from onnxruntime.transformers.float16 import DEFAULT_OP_BLOCK_LIST, convert_float_to_float16

        proto = onnx_rewrite.load(request.source)
        onnx_rewrite.name_nodes(proto)
        before = _kinds(proto)
        clipped = sum(
            int((np.abs(onnx_rewrite.array(weight.tensor)) > float(np.finfo(np.float16).max)).sum())
            for weight in layers.weights(proto, smallest=1)
        )
        request.progress(0.3, "Converting to 16-bit floats")
        with onnx_rewrite.edge("FP16 conversion"):
            proto = convert_float_to_float16(
                proto, keep_io_types=True, disable_shape_infer=facts.is_large(request.model),
                op_block_list=[*DEFAULT_OP_BLOCK_LIST, *request.option.get("keep_float32", ())],
                node_block_list=list(request.option.get("exclude", ())),
            )  # fmt: skip
        target = request.folder / "fp16.onnx"
        companions = onnx_rewrite.save(proto, target)
        changed = _kinds(proto).get("FLOAT16", 0) - before.get("FLOAT16", 0)
        if changed <= 0:
            raise InputError("No weight was stored as a 32-bit float, so nothing would change.")
        notes = [f"{words.many(changed, 'tensor')} stored in 16 bits."]
        if clipped:
            notes.append(f"{words.many(clipped, 'weight')} too large for 16 bits, cut to 65,504.")
        return Product(file=target, companions=companions, changed_count=changed, notes=tuple(notes))


def _kinds(proto: Any) -> dict[str, int]:
    """How many stored tensors there are of each data type."""
    import onnx

    kinds: dict[str, int] = {}
    constants = [item.t for node in proto.graph.node if node.op_type == "Constant" for item in node.attribute]
    for tensor in [*proto.graph.initializer, *(value for value in constants if value.data_type)]:
        name = onnx.TensorProto.DataType.Name(tensor.data_type)
        kinds[name] = kinds.get(name, 0) + 1
    return kinds


TECHNIQUE = Fp16()
