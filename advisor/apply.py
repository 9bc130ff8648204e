"""Apply one technique in the locked child and see that what it made really runs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor import samples
from advisor.agreement import not_finite
from advisor.samples import Samples
from advisor.surgery import onnx_rewrite
from advisor.techniques import Product, Request, Technique, techniques
from data import words
from data.errors import InputError
from data.records import from_plain
from profiler.files import bytes_on_disk, sha256_of
from profiler.measure import Entry, load
from profiler.tasks import ChildDesk, task
from profiler.types import Machine, Model

if TYPE_CHECKING:
    from numpy import ndarray

CALIBRATION_SAMPLES, PER_CALL = 64, 8
RANDOM_SAMPLES = 16  # more of them say nothing new
MOSTLY_LEFT = 0.9  # of the size: recurrent layers, for one, are quantized by few techniques


@task
def apply(
    desk: ChildDesk,
    *,
    technique: str,
    option: dict[str, Any],
    path: str,
    model: dict[str, Any],
    machine: dict[str, Any],
    calibration: str | None = None,
    calibration_samples: int = CALIBRATION_SAMPLES,
    training: str | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Writes the compressed file into the desk's folder, loads it, runs it once, and says what it is.

    `path` is the model's file, `model` and `machine` are their records as plain values, `calibration` is an .npz
    (None: random inputs), `training` an .npz of labelled inputs for techniques that train: where it is there, others
    calibrate on it too, so that quality can be measured on all of the rest. Files in the answer are relative to the
    folder. Raises InputError where the technique refuses, changes nothing, or makes a file that does
    not run or answers NaN.
    """
    wall, cpu = time.perf_counter(), time.process_time()
    what, where = from_plain(Model, model), from_plain(Machine, machine)
    member = known(technique)
    if (reason := member.refuses(what, where)) is not None:
        raise InputError(reason)
    given, said = calibration_inputs(what, calibration, training, calibration_samples, seed)
    request = Request(
        model=what, source=Path(path), option=option, folder=desk.folder, machine=where, calibration=given.calls,
        calibration_is_random=given.is_random, training=Path(training) if training else None, seed=seed,
        progress=lambda done, text: desk.progress(0.8 * done, text),
    )  # fmt: skip
    product = member.apply(request)
    spent = {"make_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
    desk.progress(0.8, "Running the result once")
    _verify(product, request)
    desk.progress(1.0, "Done")
    return _described(member, product, request) | spent | {"calibrated_on": said}


def calibration_inputs(
    model: Model, data: str | None, training: str | None, most: int, seed: int = 0
) -> tuple[Samples, str]:
    """The calls to calibrate on, and in words what they are: of the training data where there are, else of the given
    data, apart from what quality is measured on where they suffice, else random. Raises InputError on a misfit."""
    if data is None and training is None:
        drawn = samples.read(model, None, most=min(most, RANDOM_SAMPLES), per_call=PER_CALL, seed=seed)
        return drawn, "random inputs"
    file = Path(training or data or "")
    given = samples.read(model, file, most=most, per_call=PER_CALL, part=samples.CALIBRATION)
    count = sum(samples.length(call) for call in given.calls)
    if training is not None:
        return given, f"{count} samples of the training data"
    if given.is_cut:
        return given, f"{count} of the given inputs; quality is measured on the others"
    return given, f"the given inputs, {count} of them: too few to measure quality on others"


def known(name: str) -> Technique:
    """The technique of that name. Raises InputError where there is none."""
    found = techniques().get(name)
    if found is None:
        raise InputError(f"There is no technique '{name}'.", hint=f"Known are {', '.join(techniques())}.")
    return found


def _verify(product: Product, request: Request) -> None:
    """Runs the product on one call. NaN that the original answers too is the original's fault, and said so."""
    outputs = _run(product.runtime, product.decoded or product.file, product.runtime_options, request.calibration[0])
    if not outputs:
        raise InputError("The compressed model answers nothing.")
    if not (broken := not_finite(outputs)):
        return
    before = not_finite(_run("onnxruntime", request.source, {}, request.calibration[0]))
    if before:
        raise InputError(f"The model itself answers NaN or infinity at '{before}', so nothing can be compared.")
    raise InputError(f"The compressed model answers NaN or infinity at '{broken}'.")


def _run(runtime: str, path: Path, options: Mapping[str, str], call: Mapping[str, ndarray]) -> dict[str, ndarray]:
    entry = Entry(label="result", path=str(path), runtime=runtime, options={"threads": "1", **options})
    return load(entry)[0].run(call)


def _described(member: Technique, product: Product, request: Request) -> dict[str, Any]:
    files = [product.file, *product.companions]
    runnable = product.decoded or product.file
    if product.file.suffix == ".onnx":
        weight_bytes = onnx_rewrite.weight_bytes(onnx_rewrite.load(product.file))
    else:
        weight_bytes = sum(path.stat().st_size for path in product.companions or [product.file])
    for path in request.folder.iterdir():
        if path.is_file() and path not in {*files, runnable}:
            path.unlink()
    file_bytes = bytes_on_disk(product.file, product.companions)
    notes = list(product.notes)
    if member.STAGE == "quantize" and member.CALIBRATES and request.calibration_is_random:
        notes.append("Calibrated on random inputs: the ranges may not fit real data.")
    if member.STAGE == "quantize" and file_bytes > MOSTLY_LEFT * request.model.file_bytes:
        share = words.percent(file_bytes / request.model.file_bytes)
        notes.append(f"The file is {share} of the original's: most weights stayed.")
    return {
        "file": product.file.name,
        "companions": [path.name for path in product.companions],
        "decoded": product.decoded.name if product.decoded else None,
        "runtime": product.runtime,
        "runtime_options": dict(product.runtime_options),
        "sha256": sha256_of(product.file, product.companions),
        "file_bytes": file_bytes,
        "weight_bytes": weight_bytes,
        "changed_count": product.changed_count,
        "notes": notes,
    }
