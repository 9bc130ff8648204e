"""TorchScript archives: weights and code; run in the full sandbox alone, as the code can reach for files.

The file does not hold the shapes of its inputs. They are given by the user, or taken from the first layer each input
meets, as far as that tells.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data.errors import InputError
from data.text import plain
from profiler.torch_graph.model import dtype_of, model_of
from profiler.types import Axis, Model, Tensor

HANDS_ON = ("aten::to", "aten::contiguous", "aten::float", "aten::detach", "aten::type_as")
# After these the shape is another one, but ids are still ids.
RESHAPES = ("aten::select", "aten::slice", "aten::unsqueeze", "aten::squeeze", "aten::view", "aten::reshape", "aten::t")
SPATIAL = ("depth", "height", "width")


class TorchScript:
    """One TorchScript archive."""

    NAME = "torchscript"
    SUFFIXES = (".pt", ".pth", ".ts", ".torchscript", ".jit")

    def sniff(self, head: bytes, path: Path) -> bool:
        """An archive with data.pkl and code, and no exported program."""
        import zipfile

        if not head.startswith(b"PK") or not zipfile.is_zipfile(path):
            return False
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        exported = any(name.endswith("archive_format") for name in names)
        return not exported and any("/code/" in name or name.endswith("constants.pkl") for name in names)

    def read(self, path: Path, shapes: Mapping[str, tuple[int, ...]]) -> Model:
        """Parameters, and the layers where the inputs' shapes are given or can be told."""
        module = load(path)
        inputs = inputs_of(module, shapes)
        unknown = [tensor.name for tensor in inputs if not tensor.shape]
        guessed = [tensor.name for tensor in inputs if tensor.shape and tensor.name not in shapes]
        cannot_run, notes = None, []
        if unknown:
            name = plain(unknown[0], 40)
            cannot_run = f'Latency needs the shape of "{name}", which the file does not keep: give --shape {name}=...'
        if guessed:
            notes.append(f"The shape of {plain(', '.join(guessed), 60)} was taken from the first layer it meets.")
        if packed := sum("PackedParams" in each.original_name for each in module.modules()):
            notes.append(f"{packed} layers hold weights that torch quantized and packed: they are not counted.")
        return model_of(path, self.NAME, module, inputs, shapes, cannot_run=cannot_run, notes=notes)


def load(path: Path) -> Any:
    """The script module of a file, in eval mode. Raises InputError where it cannot be read."""
    import torch

    try:
        module = torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
    except Exception as error:  # torch raises many kinds for a damaged archive
        raise InputError(
            "This TorchScript archive cannot be read: it is damaged, or of another torch.",
            hint="Save it again with torch.jit.save, or export the model to ONNX.", details=str(error),
        ) from None  # fmt: skip
    return module.eval()


def inputs_of(module: Any, shapes: Mapping[str, tuple[int, ...]]) -> tuple[Tensor, ...]:
    """The arguments of `forward`, with shapes as given or as the first layer tells; () where neither does."""
    import torch

    arguments = module.forward.schema.arguments[1:]
    if not all(str(argument.type) == "Tensor" or argument.has_default_value() for argument in arguments):
        raise InputError("This TorchScript takes inputs that are no tensors.", hint="Export the model to ONNX.")
    names = [argument.name for argument in arguments if str(argument.type) == "Tensor"]
    guesses = _guesses(module, names)
    floating = next((dtype_of(each) for each in module.parameters() if each.is_floating_point()), "float32")
    ids = next((shape for shape, dtype in guesses.values() if dtype == "int64"), None)
    found = []
    for name in names:
        shape, dtype = guesses.get(name, ((), floating))
        if not shape and ids and any(word in name.lower() for word in ("mask", "type", "position", "segment")):
            shape, dtype = ids, "int64"
        if name not in guesses and name.lower().endswith("ids"):  # changed on their way to the table
            dtype = "int64"
        if name in shapes:
            shape = ("batch", *shapes[name][1:])
        found.append(Tensor(name=name, dtype=dtype if dtype != "float" else floating, shape=shape))
    assert isinstance(module, torch.nn.Module)
    return tuple(found)


def _guesses(module: Any, names: list[str]) -> dict[str, tuple[tuple[Axis, ...], str]]:
    """Input name -> (shape, number type), by the weights of the first layer that reads it."""
    import torch

    try:
        frozen = torch.jit.freeze(module)  # type: ignore[no-untyped-call]
        values = list(frozen.inlined_graph.inputs())[1:]
    except RuntimeError:  # a script that changes itself cannot be frozen: then nothing is told
        return {}
    found: dict[str, tuple[tuple[Axis, ...], str]] = {}
    for name, value in zip(names, values, strict=False):
        pending = [(value, True)]
        while pending:
            value, whole = pending.pop()
            for use in value.uses():
                kind = use.user.kind()
                if kind in HANDS_ON or kind in RESHAPES:
                    pending.append((use.user.output(), whole and kind in HANDS_ON))
                elif (guess := _by_layer(use.user, use.offset)) is not None and (whole or guess[1] == "int64"):
                    found.setdefault(name, guess if whole else ((), guess[1]))
    return found


def _by_layer(node: Any, place: int) -> tuple[tuple[Axis, ...], str] | None:
    inputs = [each.toIValue() for each in node.inputs()]
    kind = node.kind().removeprefix("aten::")
    if kind == "embedding" and place == 1:
        return ("batch", "sequence"), "int64"
    if place != 0 or len(inputs) < 2:
        return None
    if kind in ("conv1d", "conv2d", "conv3d", "_convolution", "convolution") and inputs[1] is not None:
        weight = inputs[1]
        groups = inputs[8] if "convolution" in kind else inputs[6]
        return ("batch", int(weight.shape[1]) * groups, *SPATIAL[5 - weight.dim() :]), "float"
    if kind == "linear" and inputs[1] is not None:
        return ("batch", int(inputs[1].shape[1])), "float"
    if kind == "lstm":
        axes: tuple[Axis, ...] = ("batch", "sequence") if inputs[-1] else ("sequence", "batch")
        return ((*axes, int(inputs[2][0].shape[1])), "float") if inputs[2] else None
    return None


FORMAT = TorchScript()
