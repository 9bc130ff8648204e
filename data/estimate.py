"""An interval that knows where it comes from."""

from __future__ import annotations

import math
from dataclasses import dataclass

# From the surest to the least sure; a combination is only as sure as its least sure part.
# "given" (typed by the user) stands first: an input that is exact by decree does not weaken a measurement.
BASES = ("given", "measured", "predicted", "modelled", "claimed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number with its interval, its basis (one of BASES) and its source.

    Sums and products add and multiply the ends, as if every part erred in the same direction: wider than
    independent errors would give, and never too narrow. Raises ValueError on a basis that is not known, on
    ends out of order and on anything that is not finite.
    """

    low: float
    mid: float
    high: float
    basis: str
    source: str = ""

    def __post_init__(self) -> None:
        if self.basis not in BASES:
            raise ValueError(f"basis must be one of {', '.join(BASES)}, not {self.basis!r}")
        if not all(math.isfinite(end) for end in (self.low, self.mid, self.high)):
            raise ValueError("an estimate is finite; what is not known is None")
        if not self.low <= self.mid <= self.high:
            raise ValueError(f"low <= mid <= high does not hold for {self.low}, {self.mid}, {self.high}")

    def __add__(self, other: Estimate | float) -> Estimate:
        if not isinstance(other, Estimate):
            other = exact(other)
        return Estimate(
            low=self.low + other.low,
            mid=self.mid + other.mid,
            high=self.high + other.high,
            basis=weakest(self.basis, other.basis),
            source=_joined(self.source, other.source),
        )

    __radd__ = __add__

    def __mul__(self, other: Estimate | float) -> Estimate:
        if not isinstance(other, Estimate):
            other = exact(other)
        ends = [mine * theirs for mine in (self.low, self.high) for theirs in (other.low, other.high)]
        return Estimate(
            low=min(ends),
            mid=self.mid * other.mid,
            high=max(ends),
            basis=weakest(self.basis, other.basis),
            source=_joined(self.source, other.source),
        )

    __rmul__ = __mul__

    def __truediv__(self, other: Estimate | float) -> Estimate:
        """Raises ZeroDivisionError where the divisor's interval holds 0."""
        if not isinstance(other, Estimate):
            other = exact(other)
        if other.low <= 0 <= other.high:
            raise ZeroDivisionError("the divisor's interval holds 0")
        inverse = Estimate(
            low=1 / other.high, mid=1 / other.mid, high=1 / other.low, basis=other.basis, source=other.source
        )
        return self * inverse


def exact(value: float, basis: str = "given", source: str = "") -> Estimate:
    """An interval of no width: a definition, or a value the user typed."""
    return Estimate(low=value, mid=value, high=value, basis=basis, source=source)


def weakest(*bases: str) -> str:
    """The least sure of these bases."""
    return max(bases, key=BASES.index)


def _joined(*sources: str) -> str:
    parts = [part for source in sources for part in source.split("; ") if part]
    return "; ".join(dict.fromkeys(parts))
