"""What flows into each layer on given inputs: ranges, outlier channels, and what to do about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.surgery import layers
from advisor.surgery.fake_quant import Seen

if TYPE_CHECKING:
    from numpy import ndarray

OUTLIER = 10.0  # a channel this many times the median channel's peak is an outlier
NAMED = 5
LONG_TAIL = 3.0  # the largest value over the 99.9th percentile


def watch(
    proto: Any, wanted: Sequence[layers.Weight], calls: Sequence[Mapping[str, ndarray]], folder: Path, seed: int = 0
) -> dict[str, Seen]:
    """The ranges of every layer's input over the calls, by the layer's name; layers whose input is not a float tensor
    of the graph (a weight, or a shared one seen before) are left out."""
    import numpy as np

    stored = {tensor.name for tensor in proto.graph.initializer}
    fed = [weight for weight in wanted if weight.node.input[0] not in stored]
    lows: dict[str, float] = {}
    highs: dict[str, float] = {}
    peaks: dict[str, ndarray] = {}
    tails: dict[str, list[float]] = {}
    for values_of in layers.tensors(proto, fed, calls, folder):
        for weight in fed:
            values, name = values_of(weight), weight.name
            if values.dtype != np.float32 or not values.size:
                continue
            lows[name] = min(lows.get(name, np.inf), float(values.min()))
            highs[name] = max(highs.get(name, -np.inf), float(values.max()))
            peak = _channel_peaks(values, weight)
            peaks[name] = np.maximum(peaks.get(name, np.zeros_like(peak)), peak)
            tails.setdefault(name, []).append(float(np.percentile(np.abs(values), 99.9)))
    return {
        name: Seen(
            low=lows[name], high=highs[name], channel_peaks=tuple(peaks[name].tolist()),
            percentile_999=max(tails[name]),
        )
        for name in lows
    }  # fmt: skip


def _channel_peaks(values: ndarray, weight: layers.Weight) -> ndarray:
    """The largest magnitude of each channel: axis 1 before a convolution, the last axis elsewhere."""
    import numpy as np

    axis = 1 if weight.node.op_type in ("Conv", "ConvTranspose") and values.ndim > 1 else values.ndim - 1
    others = tuple(index for index in range(values.ndim) if index != axis)
    return np.asarray(np.abs(values).max(axis=others))


def outliers(seen: Seen) -> list[tuple[int, float]]:
    """(channel, its peak over the median channel's) of the channels that stand out, the largest first."""
    import numpy as np

    peaks = np.asarray(seen.channel_peaks)
    middle = float(np.median(peaks)) if peaks.size else 0.0
    if middle <= 0.0:
        return []
    ratios = peaks / middle
    order = np.argsort(-ratios, kind="stable")
    return [(int(channel), float(ratios[channel])) for channel in order[:NAMED] if ratios[channel] >= OUTLIER]


def advice(seen: Seen) -> str:
    """What helps a layer with these inputs: one sentence."""
    if found := outliers(seen):
        channels = ", ".join(str(channel) for channel, _ in found)
        times = f"{found[0][1]:.0f}"
        return f"Channel {channels} stretches the range {times} times: rotate, use groups, or exclude the layer."
    peak = max(abs(seen.low), abs(seen.high))
    if seen.percentile_999 > 0 and peak > LONG_TAIL * seen.percentile_999:
        return "A few large values stretch the range: calibrate by percentile or entropy."
    return "The range is well used: min-max calibration is enough."
