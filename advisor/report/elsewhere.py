"""The recommended steps with the libraries alone, for a pipeline that Rightsize is no part of: lines of Python."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from advisor.surgery import facts
from advisor.types import Report, Step, Variant
from data.version import VERSION

Option = Mapping[str, Any]
CALIBRATION_SAMPLES, PER_CALL = 64, 8
PACKAGES = ("onnx", "onnxruntime", "openvino", "nncf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """One step: lines that read `source` and write `target` (both paths), the packages they need, the ending of the
    file they write, and whether they read `calls`, the list of inputs to calibrate on."""

    lines: tuple[str, ...]
    packages: tuple[str, ...] = ("onnx", "onnxruntime")
    suffix: str = ".onnx"
    calibrates: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """What decided on the report's machine and model: `signed` activations are for ARM, `reduced` (7-bit) weights for
    x86 without VNNI, and NNCF treats a `transformer` differently."""

    signed: bool = False
    reduced: bool = False
    transformer: bool = False


def script(report: Report) -> str:
    """A whole script: `python THIS.py MODEL TARGET [DATA.npz]`. Where a step has no equivalent in a library it says
    so instead of making something else."""
    chosen = report.recommendation.plan
    if chosen is None:
        told = f"# Rightsize {VERSION}, report {report.id}, {report.recommendation.verdict}: there is nothing to make."
        return f"{told}\n# The original's SHA-256 is {report.model.sha256}.\n"
    variant = next(one for one in report.variants if one.id == chosen.variant_id)
    here = Here(
        signed=bool({"neon", "asimd"} & set(report.machine.isa)), reduced=not report.machine.has_vnni,
        transformer=facts.is_transformer(report.model),
    )  # fmt: skip
    made = [snippet(step, here) for step in variant.steps]
    known = [one for one in made if one is not None]
    lacking = [step for step, one in zip(variant.steps, made, strict=True) if one is None]
    head = [f"# Rightsize {VERSION}, report {report.id}: the recommended steps with the libraries alone."]
    if lacking:
        names = ", ".join(repr(step.title or step.technique) for step in lacking)
        return "\n".join([*head, f"# No library does {names} the same way: take Rightsize's own script for it.", ""])
    packages = [name for name in PACKAGES if any(name in one.packages for one in known)]
    versions = report.machine.versions
    pinned = " ".join(f"{name}=={versions[name]}" if name in versions else name for name in packages)
    head += [f"# pip install numpy {pinned}", f"# python THIS.py MODEL.onnx TARGET{known[-1].suffix} [DATA.npz]"]
    return "\n".join([*head, *_start(known, report), *_steps(known), *_use(variant, report)]) + "\n"


def snippet(step: Step, here: Here) -> Snippet | None:
    """The step's equivalent; None where no library has one."""
    make = MAKERS.get(step.technique)
    return None if make is None else make(step.options, here)


def _start(steps: Sequence[Snippet], report: Report) -> list[str]:
    lines = ["import sys", "", "import numpy as np", "", "model, result, *data = sys.argv[1:]"]
    if not any(one.calibrates for one in steps):
        return lines
    names = [tensor.name for tensor in report.model.inputs]
    return [
        *lines,
        "if not data:",
        '    sys.exit("These steps need an .npz of inputs to calibrate on.")',
        f"arrays = {{name: np.load(data[0])[name][:{CALIBRATION_SAMPLES}] for name in {names!a}}}",
        "count = len(next(iter(arrays.values())))",
        f"calls = [{{name: values[i : i + {PER_CALL}] for name, values in arrays.items()}}"
        f" for i in range(0, count, {PER_CALL})]",
    ]


def _steps(steps: Sequence[Snippet]) -> list[str]:
    lines: list[str] = []
    for number, one in enumerate(steps, start=1):
        source = "model" if number == 1 else "target"
        target = "result" if number == len(steps) else f'result + ".step{number}{one.suffix}"'
        lines += ["", f"source, target = {source}, {target}", *one.lines]
    return lines


def _use(variant: Variant, report: Report) -> list[str]:
    threads = report.baseline.options.get("threads", "1")
    if variant.runtime == "openvino":
        precision = variant.runtime_options.get("precision", "f32")
        return [
            "", "# How Rightsize ran and timed it:", "# import openvino",
            f'# settings = {{"INFERENCE_PRECISION_HINT": "{precision}", "PERFORMANCE_HINT": "LATENCY",'
            f' "INFERENCE_NUM_THREADS": {threads}}}',
            '# compiled = openvino.Core().compile_model(result, "CPU", settings)',
        ]  # fmt: skip
    return [
        "", "# How Rightsize ran and timed it:", "# import onnxruntime", "# options = onnxruntime.SessionOptions()",
        f"# options.intra_op_num_threads = {threads}",
        '# options.add_session_config_entry("session.intra_op.allow_spinning", "0")',
        "# session = onnxruntime.InferenceSession(result, options)",
    ]  # fmt: skip


PREPARE = (
    "from onnxruntime.quantization.shape_inference import quant_pre_process",
    "",
    'quant_pre_process(source, target + ".prepared", skip_symbolic_shape=True)',
)
MATRICES = ("MatMul", "Gemm", "LSTM", "Attention", "Gather", "EmbedLayerNormalization")


def _int8_dynamic(option: Option, here: Here) -> Snippet:
    operators = [*MATRICES, *(["Conv"] if option.get("operators") == "all" else [])]
    return Snippet(lines=(
        *PREPARE,
        "from onnxruntime.quantization import QuantType, quantize_dynamic",
        "",
        "quantize_dynamic(",
        f'    target + ".prepared", target, op_types_to_quantize={operators!r}, weight_type=QuantType.QInt8,',
        f"    per_channel={bool(option.get('per_channel', False))}, reduce_range={here.reduced},",
        f"    nodes_to_exclude={list(option.get('exclude', ()))!a}, extra_options={{'MatMulConstBOnly': True}},",
        ")",
    ))  # fmt: skip


def _int8_static(option: Option, here: Here) -> Snippet:
    products = option.get("operators") == "matrix products"
    signed = here.signed or option.get("activations") == "signed"
    method = {"minmax": "MinMax", "percentile": "Percentile", "entropy": "Entropy"}[option.get("calibration", "minmax")]
    extra: dict[str, Any] = {"ActivationSymmetric": signed, "MatMulConstBOnly": products}
    if method == "Percentile":
        extra["CalibPercentile"] = 99.99
    return Snippet(calibrates=True, lines=(
        *PREPARE,
        "from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantType, quantize_static",
        "",
        "",
        "class Reader(CalibrationDataReader):",
        "    waiting = iter(calls)",
        "",
        "    def get_next(self):",
        "        return next(self.waiting, None)",
        "",
        "",
        "quantize_static(",
        f'    target + ".prepared", target, Reader(), per_channel={bool(option.get("per_channel", True))},',
        f"    reduce_range={here.reduced and not signed}, weight_type=QuantType.QInt8,",
        f"    activation_type=QuantType.{'QInt8' if signed else 'QUInt8'},",
        f"    calibrate_method=CalibrationMethod.{method}, nodes_to_exclude={list(option.get('exclude', ()))!a},",
        f"    op_types_to_quantize={['MatMul', 'Gemm'] if products else None}, extra_options={extra!r},",
        ")",
    ))  # fmt: skip


def _fp16(option: Option, here: Here) -> Snippet:
    kept = list(option.get("keep_float32", ()))
    return Snippet(lines=(
        "import onnx",
        "from onnxruntime.transformers.float16 import DEFAULT_OP_BLOCK_LIST, convert_float_to_float16",
        "",
        "made = convert_float_to_float16(",
        f"    onnx.load(source), keep_io_types=True, op_block_list=[*DEFAULT_OP_BLOCK_LIST, *{kept!r}]",
        ")",
        "onnx.save(made, target)",
    ))  # fmt: skip


def _runtime_choice(option: Option, here: Here) -> Snippet:
    return Snippet(packages=("openvino",), suffix=".xml", lines=(
        "import openvino",
        "",
        "made = openvino.Core().read_model(source)",
        f"openvino.save_model(made, target, compress_to_fp16={option.get('precision') == 'bf16'})",
    ))  # fmt: skip


def _int8_openvino(option: Option, here: Here) -> Snippet:
    return Snippet(packages=("openvino", "nncf"), suffix=".xml", calibrates=True, lines=(
        "import nncf",
        "import openvino",
        "",
        "made = nncf.quantize(",
        "    openvino.Core().read_model(source), nncf.Dataset(calls),",
        f"    preset=nncf.QuantizationPreset({str(option.get('preset', 'mixed'))!r}), subset_size=len(calls),",
        f"    fast_bias_correction=True, model_type={'nncf.ModelType.TRANSFORMER' if here.transformer else None},",
        f"    ignored_scope=nncf.IgnoredScope(names={list(option.get('exclude', ()))!a}, validate=False),",
        ")",
        "openvino.save_model(made, target, compress_to_fp16=False)",
    ))  # fmt: skip


def _weight_only_openvino(option: Option, here: Here) -> Snippet:
    bits = int(option.get("bits", 4))
    more = "" if bits == 8 else (
        f", group_size={int(option.get('group_size', 64))}, ratio=1.0, all_layers=True,\n"
        "    advanced_parameters=nncf.AdvancedCompressionParameters(\n"
        "        group_size_fallback_mode=nncf.GroupSizeFallbackMode.ADJUST\n    ),"
    )  # fmt: skip
    return Snippet(packages=("openvino", "nncf"), suffix=".xml", lines=(
        "import nncf",
        "import openvino",
        "",
        "made = nncf.compress_weights(",
        f"    openvino.Core().read_model(source), mode=nncf.CompressWeightsMode.INT{bits}_ASYM{more}",
        ")",
        "openvino.save_model(made, target, compress_to_fp16=False)",
    ))  # fmt: skip


MAKERS: dict[str, Callable[[Option, Here], Snippet]] = {
    "int8_dynamic": _int8_dynamic, "int8_static": _int8_static, "fp16": _fp16, "runtime_choice": _runtime_choice,
    "int8_openvino": _int8_openvino, "weight_only_openvino": _weight_only_openvino,
}  # fmt: skip
