"""One network in every format that is read, on every runtime: what is measured, what is refused and in which words."""

import json
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from advisor.store_weights import store_smaller
from advisor.types import Variant
from benchmarks import Effort, Row
from benchmarks.bench_tools import desk, folder
from data.errors import RightsizeError
from profiler import profile
from profiler.convert import FORMATS as EXPORTED
from profiler.convert import TOLERANCE, to_onnx
from profiler.inputs import filled_shapes
from profiler.intake import take_in
from profiler.kept import kept_model, runtime_for
from profiler.measure import Feed
from profiler.profile import Subject, Wish
from profiler.runtimes import runtimes
from profiler.timing import Settings
from profiler.types import Model

SHAPE = (1, 1, 8, 8)
SHAPES = {"torchscript": {"input": SHAPE}}
ALONE = ("safetensors", "state_dict", "gguf", "hf_config")  # what has no latency, and has to say so
BERT = {
    "model_type": "bert", "architectures": ["BertModel"], "hidden_size": 64, "num_hidden_layers": 2,
    "num_attention_heads": 2, "intermediate_size": 128, "vocab_size": 100, "max_position_embeddings": 128,
}  # fmt: skip


def run(effort: Effort) -> Iterator[Row]:
    """Formats x runtimes: p50 at one thread, or the one line that says why not; and the way each has to a smaller
    file."""
    quick = Settings(budget_s=0.5 * effort.time_factor, least_calls=50, least_s=0.1)
    for name, path in _files(folder() / "formats").items():
        try:
            model = _taken(path, name)
        except RightsizeError as error:
            yield Row(what=f"{name}: read", value=error.message, passed=False)
            continue
        told = f"{model.format}, {model.parameter_count:,} parameters, {model.flop or 'no'} FLOP"
        yield Row(what=f"{name}: read", value=told, limit="recognised", passed=model.parameter_count > 0)
        for runtime in runtimes().values():
            measured, words = _measured(model, runtime.NAME, quick)
            wanted = model.cannot_run is None and model.format in runtime.FORMATS
            yield Row(
                what=f"{name} on {runtime.NAME}", value=words, limit="measured" if wanted else "one line",
                passed=measured == wanted and (measured or len(words) <= 200),
            )  # fmt: skip
        yield _smaller(name, model)


def _taken(path: Path, name: str) -> Model:
    sha256 = take_in(desk(), path=str(path), name=path.name, shapes=SHAPES.get(name, {}))["sha256"]
    return kept_model(desk(), sha256)[0]


def _measured(model: Model, runtime: str, settings: Settings) -> tuple[bool, str]:
    """Whether it was measured, and the figure or the sentence."""
    if model.cannot_run:
        return False, model.cannot_run
    _, file = kept_model(desk(), model.sha256)
    feed = Feed(model=model, shapes=filled_shapes(model.inputs, model.shapes, 1))
    try:
        subject = Subject(
            path=file, model_sha256=model.sha256, runtime=runtime_for(model.format, runtime), readable=(file.parent,)
        )
        wish = Wish(threads=1, settings=settings, memory=False, energy=False)
        found = profile.measure(desk(), [subject], feed, wish)[0]
    except RightsizeError as error:
        return False, error.message
    return True, f"p50 {median(found.samples_ms) * 1e3:.1f} us on {found.provider}"


def _smaller(name: str, model: Model) -> Row:
    """The way to a smaller file: the techniques directly, by an export, or for storing only."""
    what = f"{name}: to a smaller file"
    if model.format == "onnx":
        return Row(what=what, value="every technique, directly", passed=True)
    _, file = kept_model(desk(), model.sha256)
    try:
        if model.format in EXPORTED:
            target = folder() / f"exported-{name}"
            target.mkdir()
            made = to_onnx(file, model, model.shapes, target)
            off = f"off by {made.largest_difference:.1e} (cosine {made.cosine:.6f})"
            told, passed = f"every technique, by {made.exporter}: {off}", made.largest_difference < TOLERANCE
            return Row(what=what, value=told, limit=f"{TOLERANCE:g}", passed=passed)
        ids = store_smaller(desk(), sha256=model.sha256)["made"]
        kept: list[Any] = [desk().get(Variant, each) for each in ids]
        sizes = ", ".join(f"{one.steps[0].options['form']} {one.file_bytes / model.file_bytes:.2f}x" for one in kept)
        return Row(what=what, value=f"to store only: {sizes}", passed=len(kept) > 0)
    except RightsizeError as error:
        return Row(what=what, value=error.message, limit="one line", passed=model.format in ALONE)


def _files(place: Path) -> dict[str, Path]:
    """The digits network (trained by nobody) in every format; the configuration is a small BERT's."""
    import onnx
    import torch
    from safetensors.torch import save_file

    from profiler.examples.digits import network
    from profiler.examples.export import to_onnx as write_onnx

    place.mkdir()
    torch.manual_seed(0)
    module, image = network().eval(), torch.randn(2, *SHAPE[1:])
    found = {"onnx": place / "plain.onnx"}
    write_onnx(module, {"image": image}, found["onnx"], axes={"image": {0: "batch"}})
    found["onnx, weights beside it"] = place / "beside" / "beside.onnx"
    found["onnx, weights beside it"].parent.mkdir()
    proto = onnx.load(found["onnx"])
    onnx.save(
        proto, str(found["onnx, weights beside it"]), save_as_external_data=True, location="beside.data",
        size_threshold=128,
    )  # fmt: skip
    found["zip"] = place / "bundle.zip"
    with zipfile.ZipFile(found["zip"], "w") as archive:
        for part in found["onnx, weights beside it"].parent.iterdir():
            archive.write(part, part.name)
    found["torchscript"] = place / "traced.pt"
    torch.jit.trace(module, image).save(str(found["torchscript"]))  # type: ignore[no-untyped-call]
    found["pt2"] = place / "exported.pt2"
    batch = ({0: torch.export.Dim("batch")},)
    torch.export.save(torch.export.export(module, (image,), dynamic_shapes=batch), found["pt2"])
    found["state_dict"] = place / "weights.pth"
    torch.save(module.state_dict(), found["state_dict"])
    found["safetensors"] = place / "weights.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in module.state_dict().items()}, found["safetensors"])
    found["gguf"] = _gguf(place / "weights.gguf")
    found["hf_config"] = place / "config.json"
    found["hf_config"].write_text(json.dumps(BERT), encoding="utf-8")
    return found


def _gguf(path: Path) -> Path:
    """One tensor of 64 x 32 float32 numbers and the keys every reader asks for."""

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value)) + value.encode()

    head = b"GGUF" + struct.pack("<IQQ", 3, 1, 2)
    head += text("general.architecture") + struct.pack("<I", 8) + text("llama")
    head += text("general.alignment") + struct.pack("<II", 4, 32)
    head += text("blk.0.ffn_up.weight") + struct.pack("<IQQIQ", 2, 64, 32, 0, 0)
    path.write_bytes(head + b"\0" * (-len(head) % 32) + struct.pack("<f", 0.5) * 64 * 32)
    return path


SUITE = run
