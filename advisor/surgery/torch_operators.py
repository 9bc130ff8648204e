"""The ONNX operators that structured pruning passes through, as functions of torch tensors. Loads torch when called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Operator = Callable[[list[Any], Mapping[str, Any]], Any]


def _torch(name: str) -> Operator:
    """The function of torch with this name, on all arguments that are there."""

    def operator(arguments: list[Any], attributes: Mapping[str, Any]) -> Any:
        import torch

        return getattr(torch, name)(*[each for each in arguments if each is not None])

    return operator


def _divide(arguments: list[Any], attributes: Mapping[str, Any]) -> Any:
    import torch

    first, second = arguments
    return torch.div(first, second, rounding_mode=None if first.is_floating_point() else "trunc")


def _clip(arguments: list[Any], attributes: Mapping[str, Any]) -> Any:
    data, low, high = (*arguments, None, None)[:3]
    low = attributes.get("min") if low is None else float(low)
    high = attributes.get("max") if high is None else float(high)
    return data.clamp(low, high)


def _gelu(arguments: list[Any], attributes: Mapping[str, Any]) -> Any:
    import torch

    return torch.nn.functional.gelu(arguments[0], approximate=attributes.get("approximate", "none"))


def _leaky(arguments: list[Any], attributes: Mapping[str, Any]) -> Any:
    import torch

    return torch.nn.functional.leaky_relu(arguments[0], attributes.get("alpha", 0.01))


def _hard_sigmoid(arguments: list[Any], attributes: Mapping[str, Any]) -> Any:
    return (arguments[0] * attributes.get("alpha", 0.2) + attributes.get("beta", 0.5)).clamp(0, 1)


def _hard_swish(arguments: list[Any], attributes: Mapping[str, Any]) -> Any:
    import torch

    return torch.nn.functional.hardswish(arguments[0])


def _softmax(arguments: list[Any], attributes: Mapping[str, Any]) -> Any:
    return arguments[0].softmax(attributes.get("axis", -1))


def _log_softmax(arguments: list[Any], attributes: Mapping[str, Any]) -> Any:
    return arguments[0].log_softmax(attributes.get("axis", -1))


def _pool(kind: str) -> Operator:
    """Max or average pooling by torch, padded as ONNX says."""

    def operator(arguments: list[Any], attributes: Mapping[str, Any]) -> Any:
        import torch
        from torch.nn import functional

        data, kernel = arguments[0], list(attributes["kernel_shape"])
        spatial = len(kernel)
        pads = list(attributes.get("pads", [0] * 2 * spatial))
        strides = list(attributes.get("strides", [1] * spatial))
        ceil = bool(attributes.get("ceil_mode", 0))
        uneven = pads[:spatial] != pads[spatial:]
        if uneven:
            flat = [amount for axis in reversed(range(spatial)) for amount in (pads[axis], pads[spatial + axis])]
            data = functional.pad(data, flat, value=float("-inf") if kind == "max" else 0.0)
            pads = [0] * 2 * spatial
        if kind == "max":
            return getattr(functional, f"max_pool{spatial}d")(data, kernel, strides, pads[:spatial], 1, ceil)
        counted = bool(attributes.get("count_include_pad", 0))
        pooled: torch.Tensor = getattr(functional, f"avg_pool{spatial}d")(
            data, kernel, strides, pads[:spatial], ceil, counted
        )
        return pooled

    return operator


def _global_average(arguments: list[Any], attributes: Mapping[str, Any]) -> Any:
    data = arguments[0]
    return data.mean(dim=tuple(range(2, data.ndim)), keepdim=True)


def _axes(arguments: list[Any], attributes: Mapping[str, Any]) -> tuple[int, ...] | None:
    """The axes of a reduction or squeeze: an attribute in old files, the second input in new ones."""
    if len(arguments) > 1 and arguments[1] is not None:
        return tuple(int(axis) for axis in arguments[1])
    return tuple(attributes["axes"]) if "axes" in attributes else None


def _reduce(kind: str) -> Operator:
    def operator(arguments: list[Any], attributes: Mapping[str, Any]) -> Any:
        data, axes = arguments[0], _axes(arguments, attributes)
        chosen = axes if axes is not None else tuple(range(data.ndim))
        return getattr(data, kind)(dim=chosen, keepdim=bool(attributes.get("keepdims", 1)))

    return operator


def _squeeze(arguments: list[Any], attributes: Mapping[str, Any]) -> Any:
    axes = _axes(arguments, attributes)
    return arguments[0].squeeze() if axes is None else arguments[0].squeeze(axes)


def _unsqueeze(arguments: list[Any], attributes: Mapping[str, Any]) -> Any:
    data = arguments[0]
    axes = _axes(arguments, attributes) or ()
    rank = data.ndim + len(axes)
    for axis in sorted(axis % rank for axis in axes):
        data = data.unsqueeze(axis)
    return data


def _flatten(arguments: list[Any], attributes: Mapping[str, Any]) -> Any:
    data, axis = arguments[0], attributes.get("axis", 1)
    return data.flatten(1) if axis == 1 else data.reshape(data.shape[:axis].numel(), -1)


def _transpose(arguments: list[Any], attributes: Mapping[str, Any]) -> Any:
    data = arguments[0]
    return data.permute(*attributes.get("perm", range(data.ndim - 1, -1, -1)))


def _concat(arguments: list[Any], attributes: Mapping[str, Any]) -> Any:
    import torch

    return torch.cat(arguments, dim=attributes["axis"])


def _gather(arguments: list[Any], attributes: Mapping[str, Any]) -> Any:
    import torch

    data, places = arguments
    axis = attributes.get("axis", 0) % max(data.ndim, 1)
    flat = torch.index_select(data, axis, places.reshape(-1).to(torch.int64) % data.shape[axis])
    return flat.reshape(*data.shape[:axis], *places.shape, *data.shape[axis + 1 :])


def _slice(arguments: list[Any], attributes: Mapping[str, Any]) -> Any:
    data, starts, ends, axes, steps = (*arguments, None, None)[:5]
    chosen = [slice(None)] * data.ndim
    for place in range(len(starts)):
        axis = int(axes[place]) if axes is not None else place
        step = int(steps[place]) if steps is not None else 1
        chosen[axis] = slice(int(starts[place]), min(int(ends[place]), int(data.shape[axis])), step)
    return data[tuple(chosen)]


def _shape(arguments: list[Any], attributes: Mapping[str, Any]) -> Any:
    import torch

    whole = list(arguments[0].shape)
    return torch.tensor(whole[attributes.get("start", 0) : attributes.get("end", len(whole))], dtype=torch.int64)


def _cast(arguments: list[Any], attributes: Mapping[str, Any]) -> Any:
    import torch

    kinds = {1: torch.float32, 6: torch.int32, 7: torch.int64, 9: torch.bool, 10: torch.float16, 11: torch.float64}
    return arguments[0].to(kinds[attributes["to"]])


def _expand(arguments: list[Any], attributes: Mapping[str, Any]) -> Any:
    import torch

    data, target = arguments
    shape = torch.broadcast_shapes(tuple(data.shape), tuple(int(length) for length in target))
    return data.expand(shape)


def _split(arguments: list[Any], attributes: Mapping[str, Any]) -> Any:
    data, axis = arguments[0], attributes.get("axis", 0)
    lengths = arguments[1] if len(arguments) > 1 else attributes.get("split")
    if lengths is not None:
        return tuple(data.split([int(length) for length in lengths], dim=axis))
    return tuple(data.chunk(attributes["outputs"], dim=axis))


def _range(arguments: list[Any], attributes: Mapping[str, Any]) -> Any:
    import torch

    return torch.arange(*(each.item() for each in arguments), dtype=arguments[0].dtype)


def _filled(arguments: list[Any], attributes: Mapping[str, Any]) -> Any:
    import torch

    value = attributes.get("value")
    shape = [int(length) for length in arguments[0]]
    if value is None:
        return torch.zeros(shape)
    kind = torch.int64 if value.data_type == 7 else torch.float32
    from onnx import numpy_helper

    return torch.full(shape, numpy_helper.to_array(value).reshape(-1)[0].item(), dtype=kind)


OPERATORS: dict[str, Operator] = {
    "Add": _torch("add"), "Sub": _torch("sub"), "Mul": _torch("mul"), "Div": _divide, "Pow": _torch("pow"),
    "Sqrt": _torch("sqrt"), "Exp": _torch("exp"), "Log": _torch("log"), "Erf": _torch("erf"), "Tanh": _torch("tanh"),
    "Sigmoid": _torch("sigmoid"), "Relu": _torch("relu"), "Neg": _torch("neg"), "Abs": _torch("abs"),
    "MatMul": _torch("matmul"), "Where": _torch("where"), "Equal": _torch("eq"), "Greater": _torch("gt"),
    "Less": _torch("lt"), "Not": _torch("logical_not"), "And": _torch("logical_and"),
    "Reciprocal": _torch("reciprocal"), "Clip": _clip, "Gelu": _gelu, "LeakyRelu": _leaky,
    "HardSigmoid": _hard_sigmoid, "HardSwish": _hard_swish,
    "Softmax": _softmax, "LogSoftmax": _log_softmax, "MaxPool": _pool("max"), "AveragePool": _pool("average"),
    "GlobalAveragePool": _global_average, "ReduceMean": _reduce("mean"), "ReduceSum": _reduce("sum"),
    "Squeeze": _squeeze, "Unsqueeze": _unsqueeze, "Flatten": _flatten, "Transpose": _transpose, "Concat": _concat,
    "Gather": _gather, "Slice": _slice, "Shape": _shape, "Cast": _cast, "Expand": _expand,
    "Split": _split, "Range": _range, "ConstantOfShape": _filled, "Min": _torch("minimum"), "Max": _torch("maximum"),
    "GreaterOrEqual": _torch("ge"), "LessOrEqual": _torch("le"), "Or": _torch("logical_or"), "Floor": _torch("floor"),
    "Sin": _torch("sin"), "Cos": _torch("cos"),
}  # fmt: skip
