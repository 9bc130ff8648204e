"""Writing a torch module of the examples as an ONNX file."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from profiler.onnx_graph import tools as onnx_tools

if TYPE_CHECKING:
    from torch import Tensor, nn


def to_onnx(
    module: "nn.Module",
    inputs: "Mapping[str, Tensor]",
    path: Path,
    *,
    axes: Mapping[str, Mapping[int, str]],
    outputs: tuple[str, ...] = ("logits",),
    traced: bool = False,
) -> Path:
    """Writes `module`, called with `inputs` in order, with these dynamic axes ({input: {axis: its name}}).

    `traced` takes torch's older exporter: it keeps an LSTM's weights whole, where the newer one leaves them to be
    put together at run time from 26 slices, out of a quantizer's reach.
    """
    import logging

    import torch

    if traced:
        torch.onnx.export(
            module.eval(), tuple(inputs.values()), str(path), dynamo=False, input_names=list(inputs),
            output_names=list(outputs), dynamic_axes={**axes, **{name: {0: "batch"} for name in outputs}},
            opset_version=17,
        )  # fmt: skip
        return path
    apart = tuple(tensor.clone() for tensor in inputs.values())  # one tensor given twice would become one input
    named = {name: torch.export.Dim(name) for places in axes.values() for name in places.values()}
    dynamic = tuple({place: named[axis] for place, axis in axes.get(name, {}).items()} for name in inputs)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    program = torch.onnx.export(
        module.eval(), apart, dynamo=True, dynamic_shapes=dynamic,
        input_names=list(inputs), output_names=list(outputs), verbose=False,
    )  # fmt: skip
    assert program is not None
    model = program.model_proto
    for node in onnx_tools.nodes(model):
        del node.metadata_props[:]  # where in the source it came from: paths of this machine
    onnx_tools.save(model, path)
    return path
