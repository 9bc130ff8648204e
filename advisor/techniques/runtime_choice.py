"""Another runtime as a step like any other: the same model on OpenVINO, in float32 or bfloat16."""

from typing import Any

from advisor.surgery import facts, onnx_rewrite
from advisor.techniques import Product, Request
from data.errors import InputError
from profiler.types import Machine, Model

PRECISIONS = ("bf16", "f32")


class RuntimeChoice:
    NAME = "runtime_choice"
    TITLE = "OpenVINO"
    STAGE = "runtime"
    GAINS = ("latency", "size", "memory")
    CALIBRATES = False

    def options(self, model: Model, machine: Machine) -> list[dict[str, Any]]:
        return [{"precision": precision} for precision in PRECISIONS if precision == "f32" or machine.has_bf16]

    def refuses(self, model: Model, machine: Machine) -> str | None:
        if not facts.is_onnx(model):
            return f"This works on ONNX files; this one is {model.format.replace('_', ' ')}."
        if not machine.isa or not {"avx2", "avx512f", "avx512_vnni", "neon", "asimd"} & set(machine.isa):
            return "OpenVINO needs a CPU with AVX2 or NEON."
        return facts.weightless(model)

    def apply(self, request: Request) -> Product:
        """Converts to OpenVINO's own file pair. For bfloat16 the weights are stored in 16 bits; the arithmetic is the
        runtime's."""
        import openvino

        precision = str(request.option.get("precision", "f32"))
        if precision not in PRECISIONS:
            raise InputError("The precision is f32 or bf16.")
        if precision == "bf16" and not request.machine.has_bf16:
            raise InputError("This CPU has no bfloat16 arithmetic, so bf16 would gain nothing.")
        target = request.folder / f"openvino_{precision}.xml"
        request.progress(0.2, "Converting to OpenVINO")
        with onnx_rewrite.edge("OpenVINO conversion"):
            model = openvino.Core().read_model(str(request.source))
            openvino.save_model(model, str(target), compress_to_fp16=precision == "bf16")
        weights = target.with_suffix(".bin")
        notes = ["It computes in bfloat16 and stores weights in 16 bits."] if precision == "bf16" else []
        return Product(
            file=target, companions=(weights,), runtime="openvino", runtime_options={"precision": precision},
            changed_count=len(model.get_ordered_ops()), notes=(*notes, "It runs on OpenVINO instead of ONNX Runtime."),
        )  # fmt: skip


TECHNIQUE = RuntimeChoice()
