"""`python -m advisor predict FILE|config.json --device ID`: latency on hardware that is not here."""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from advisor.device_energy import energy_per_call
from advisor.latency.operators import DTYPES
from advisor.latency.predict import RUNTIMES, Prediction, predict
from data.console import shape
from data.errors import InputError
from data.records import to_plain
from data.tables import device, devices
from data.words import percent
from profiler.headless import headless
from profiler.intake import look
from profiler.types import Axis, Model

CONFIG = "hf_config"


def add(subparsers: Any) -> None:
    """The command and its options."""
    parser = subparsers.add_parser(
        "predict",
        help="predict the latency of a model on a device of the table",
        description="From the graph alone, with an interval: python -m advisor predict model.onnx --device nvidia-l4 "
        "--batch 8. A Hugging Face config.json works without its weights.",
    )
    parser.add_argument("file", type=Path, nargs="?", help="the model file, or a Hugging Face config.json")
    parser.add_argument("--device", help="a device of the table (--list-devices)")
    parser.add_argument("--list-devices", action="store_true", help="the devices there are")
    parser.add_argument("--batch", type=int, default=1, help="samples in one call (1)")
    parser.add_argument("--seq", type=int, help="tokens of a sequence (128)")
    parser.add_argument("--shape", action="append", default=[], metavar="NAME=1x3x224x224", help="an input's shape")
    parser.add_argument("--dtype", choices=DTYPES, default="fp32", help="what it computes in (fp32)")
    parser.add_argument(
        "--runtime", choices=tuple(RUNTIMES), help="what runs it (pytorch for a config, else onnxruntime)"
    )
    parser.add_argument("--cores", type=float, help="physical cores of a CPU (a whole socket)")
    parser.add_argument("--json", action="store_true", help="the answer as JSON on stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Prints the prediction, or the list of devices. Raises InputError where something is missing or unknown."""
    if args.list_devices:
        every = listed()
        print(json.dumps(every) if args.json else "\n".join(f"{one['device']:32s} {one['name']}" for one in every))
        return
    if args.file is None or args.device is None:
        raise InputError("A file and a device are needed.", hint="predict FILE --device nvidia-l4; --list-devices.")
    if args.batch < 1 or (args.seq is not None and args.seq < 1):
        raise InputError("Batch and sequence length are 1 or more.")
    on = device(args.device)
    share = min((args.cores or on.cores or 1) / (on.cores or 1), 1.0) if on.kind == "cpu" else 1.0
    model = model_at(args.file, args.batch, args.seq, dict(shape(each) for each in args.shape))
    prediction = predicted(model, args)
    print(json.dumps(contract(prediction, share)) if args.json else words(prediction, share))


def listed() -> list[dict[str, Any]]:
    """Every device with its kind and the dtypes it has a rate for."""
    rates = {"fp32": "fp32_flop_per_s", "fp16": "fp16_flop_per_s", "bf16": "bf16_flop_per_s", "fp8": "fp8_flop_per_s",
             "int8": "int8_op_per_s"}  # fmt: skip
    return [
        {
            "device": one.device_id, "name": one.name, "kind": one.kind,
            "dtypes": [dtype for dtype, column in rates.items() if getattr(one, column) is not None],
        }
        for one in devices()
    ]  # fmt: skip


def model_at(file: Path, batch: int, tokens: int | None, shapes: Mapping[str, Sequence[int]]) -> Model:
    """The file's model with its graph at this batch and sequence length, read in the locked child."""
    with headless() as desk:
        model = look(desk, file, file.name, shapes)
        asked = {
            tensor.name: [_length(axis, batch, tokens, was) for axis, was in zip(tensor.shape, at, strict=True)]
            for tensor in model.inputs
            if tensor.name not in shapes and (at := model.shapes.get(tensor.name)) is not None
        }
        if any(list(model.shapes[name]) != lengths for name, lengths in asked.items()):
            model = look(desk, file, file.name, {**shapes, **asked})
    return model


def predicted(model: Model, args: argparse.Namespace) -> Prediction:
    """The prediction for a model read at the batch asked for, where its first axis could be set."""
    if not model.layers:
        raise InputError(f"No latency can be predicted: {model.cannot_run or (model.notes or ('no graph',))[0]}")
    runtime = args.runtime or ("pytorch" if model.format == CONFIG else "onnxruntime")
    return predict(
        model.layers, args.device, dtype=args.dtype, batch=args.batch, layers_batch=built_batch(model, args.batch),
        runtime=runtime, cores=args.cores,
    )  # fmt: skip


def built_batch(model: Model, batch: int) -> int:
    """The batch the graph was built for: its first input's first axis, or 1 where that is no batch."""
    first = next(iter(model.inputs), None)
    at = model.shapes.get(first.name, ()) if first else ()
    if not at or first is None:
        return 1
    named = first.shape[0] if first.shape else None
    return batch if not isinstance(named, int) else max(int(at[0]), 1)


def contract(found: Prediction, share: float = 1.0) -> dict[str, Any]:
    """The answer as JSON: {"latency_ms", "basis", "bound", "device", ...}."""
    latency = found.latency_ms
    energy = energy_per_call(found, share)
    return {
        "latency_ms": {"low": latency.low, "mid": latency.mid, "high": latency.high},
        "basis": latency.basis,
        "bound": {
            "compute_frac": found.compute_frac, "memory_frac": found.memory_frac, "overhead_frac": found.overhead_frac,
        },
        "energy_j": to_plain(energy), "device": found.device_id, "dtype": found.dtype, "batch": found.batch,
        "runtime": found.runtime, "notes": list(found.notes),
    }  # fmt: skip


def words(found: Prediction, share: float = 1.0) -> str:
    """The answer in a few lines."""
    latency, energy = found.latency_ms, energy_per_call(found, share)
    lines = [
        f"{found.device_id}, {found.dtype}, batch {found.batch}, {found.runtime}",
        f"latency  {latency.mid:.4g} ms predicted ({latency.low:.4g} to {latency.high:.4g}, 90 in 100)",
        f"bound    compute {percent(found.compute_frac)}, memory {percent(found.memory_frac)}, "
        f"overhead {percent(found.overhead_frac)}",
        f"energy   {energy.low:.3g} to {energy.high:.3g} J a call, {energy.basis}" if energy else "energy   unknown",
    ]
    return "\n".join([*lines, *(f"note     {note}" for note in found.notes)])


def _length(axis: Axis, batch: int, tokens: int | None, was: int) -> int:
    if isinstance(axis, int):
        return axis
    name = (axis or "").lower()
    if "batch" in name or name in ("n", "b"):
        return batch
    return tokens if tokens is not None and was > 1 else was
