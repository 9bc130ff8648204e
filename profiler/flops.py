"""FLOP of the operators that matter, in closed form: 2 for each multiply-add. Pure; shared by every kind of graph."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from data.units import FLOP_PER_MAC

# Arithmetic besides the multiply-adds, by step of the definition; one function evaluation (exp, tanh) is one.
SOFTMAX_STEPS = 5  # maximum, difference, exp, sum, division
GATE_STEPS = {1: 1, 3: 10, 4: 9}  # activations and products per hidden unit of an RNN, GRU, LSTM


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one operator computes, and its shape in standard terms (see `profiler.types.Layer.dims`)."""

    flop: int = 0
    other_flop: int = 0
    dims: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def matmul(batch: int, m: int, n: int, k: int, *, bias: bool = False) -> Cost:
    """`batch` products of an m x k by a k x n matrix, with or without an added bias."""
    return Cost(
        flop=FLOP_PER_MAC * batch * m * n * k,
        other_flop=batch * m * n if bias else 0,
        dims={"batch": batch, "m": m, "n": n, "k": k},
    )


def matmul_of(a: Sequence[int], b: Sequence[int], *, bias: bool = False) -> Cost:
    """The product of two tensors as numpy's matmul forms it: vectors get an axis, leading axes broadcast."""
    left, right = tuple(a) if len(a) > 1 else (1, *a), tuple(b) if len(b) > 1 else (*b, 1)
    (m, k), n = left[-2:], right[-1]
    if len(right) == 2:  # one matrix for all rows: the batch joins them
        return matmul(1, math.prod(left[:-2]) * m, n, k, bias=bias)
    return matmul(math.prod(broadcast(left[:-2], right[:-2])), m, n, k, bias=bias)


def broadcast(a: Sequence[int], b: Sequence[int]) -> tuple[int, ...]:
    """The shape two shapes broadcast to."""
    longest = max(len(a), len(b))
    left, right = (1,) * (longest - len(a)) + tuple(a), (1,) * (longest - len(b)) + tuple(b)
    return tuple(max(pair) if 0 not in pair else 0 for pair in zip(left, right, strict=True))


def convolution(
    x: Sequence[int], weight: Sequence[int], y: Sequence[int], *, groups: int = 1, transposed: bool = False,
    bias: bool = False, channels_last: bool = False,
) -> Cost:  # fmt: skip
    """x (N, C, ...) by weight (M, C/groups, kernel...) to y (N, M, ...); transposed: weight (C, M/groups, kernel...).

    Each output position takes kernel x C/groups multiply-adds for each of M channels (dilation does not change
    that); a transposed one spends them at each input position.
    """
    if channels_last:
        x, y = (x[0], x[-1], *x[1:-1]), (y[0], y[-1], *y[1:-1])
    in_channels, kernel = x[1], math.prod(weight[2:])
    out_channels, out_positions = y[1], math.prod(y[2:])
    positions = math.prod(x[2:]) if transposed else out_positions
    return Cost(
        flop=FLOP_PER_MAC * x[0] * positions * out_channels * (in_channels // groups) * kernel,
        other_flop=math.prod(y) if bias else 0,
        dims={
            "batch": x[0], "in_channels": in_channels, "out_channels": out_channels, "groups": groups,
            "out_positions": out_positions, "kernel_positions": kernel,
        } | ({"in_positions": positions} if transposed else {}),
    )  # fmt: skip


def attention(
    batch: int, heads: int, query: int, key: int, head_size: int, value_size: int | None = None, projection: int = 0
) -> Cost:
    """Scores of every query against every key, and the values weighted by them (the causal half is not left out);
    `projection` is the FLOP of projections in the same operator."""
    scores = batch * heads * query * key
    value = head_size if value_size is None else value_size
    return Cost(
        flop=FLOP_PER_MAC * scores * (head_size + value) + projection,
        other_flop=(SOFTMAX_STEPS + 1) * scores,
        dims={"batch": batch, "heads": heads, "query": query, "key": key, "head_size": head_size},
    )


def recurrent(batch: int, steps: int, input_size: int, hidden_size: int, gates: int, directions: int) -> Cost:
    """One recurrent layer: `gates` (RNN 1, GRU 3, LSTM 4) products of input and state at each step."""
    units = batch * steps * directions * hidden_size
    return Cost(
        flop=FLOP_PER_MAC * units * gates * (input_size + hidden_size),
        other_flop=units * GATE_STEPS.get(gates, gates),
        dims={
            "batch": batch, "steps": steps, "input_size": input_size, "hidden_size": hidden_size, "gates": gates,
            "directions": directions,
        },
    )  # fmt: skip


def einsum(equation: str, shapes: Sequence[Sequence[int]]) -> Cost:
    """Einstein summation, contracted pairwise from the left: each step multiplies over all its letters."""
    inputs, output = _letters(equation, shapes)
    lengths: dict[str, int] = {}
    for letters, shape in zip(inputs, shapes, strict=True):
        for letter, length in zip(letters, shape, strict=True):
            lengths[letter] = max(length, lengths.get(letter, 1))
    if len(inputs) == 1:
        return Cost(other_flop=math.prod(lengths.values()), dims={"elements": _size(output, lengths)})
    flop = other_flop = 0
    left, dims = inputs[0], {}
    for place, right in enumerate(inputs[1:], start=1):
        kept = set(output).union(*inputs[place + 1 :])
        both = dict.fromkeys(left + right)
        result = "".join(letter for letter in both if letter in kept)
        work = _size("".join(both), lengths)
        if len(result) < len(both):
            flop += FLOP_PER_MAC * work
        else:
            other_flop += work
        dims = {
            "batch": _size([x for x in result if x in left and x in right], lengths),
            "m": _size([x for x in result if x not in right], lengths),
            "n": _size([x for x in result if x not in left], lengths),
            "k": _size([x for x in both if x not in kept], lengths),
        }
        left = result
    return Cost(flop=flop, other_flop=other_flop, dims=dims if flop else {"elements": _size(output, lengths)})


def _letters(equation: str, shapes: Sequence[Sequence[int]]) -> tuple[list[str], str]:
    """The letters of each operand and of the result; "..." becomes capital-free letters of its own."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    operands = left.split(",")
    widest = max(
        (len(shape) - len(part.replace("...", "")) for part, shape in zip(operands, shapes, strict=True)
         if "..." in part), default=0,
    )  # fmt: skip
    spare = [chr(code) for code in range(0x3B1, 0x3B1 + widest)]  # Greek: no equation uses them
    expanded = []
    for part, shape in zip(operands, shapes, strict=True):
        count = len(shape) - len(part.replace("...", ""))
        expanded.append(part.replace("...", "".join(spare[widest - count :])))
    if arrow:
        return expanded, right.replace("...", "".join(spare))
    joined = "".join(expanded)
    once = sorted(letter for letter in set(joined) if joined.count(letter) == 1 and letter not in spare)
    return expanded, "".join(spare) + "".join(once)


def _size(letters: Sequence[str], lengths: Mapping[str, int]) -> int:
    return math.prod(lengths[letter] for letter in letters)
