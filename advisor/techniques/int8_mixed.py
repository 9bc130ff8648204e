"""INT8 with the sensitive layers left in float32: as many as it takes to keep the loss within a limit."""

from typing import Any

from advisor.surgery import facts, int8
from advisor.surgery.mixed_precision import within_loss
from advisor.techniques import Product, Request
from data.errors import InputError, Unavailable
from profiler.types import Machine, Model

LOSS = 0.01  # 1 - cosine on the calibration inputs


class Int8Mixed:
    NAME = "int8_mixed"
    TITLE = "INT8, mixed precision"
    STAGE = "quantize"
    GAINS = ("latency", "size", "memory")
    CALIBRATES = True

    def options(self, model: Model, machine: Machine) -> list[dict[str, Any]]:
        """The looser limit keeps more layers in 8 bits."""
        return [{"max_loss": LOSS}, {"max_loss": 2 * LOSS}]

    def refuses(self, model: Model, machine: Machine) -> str | None:
        reason = facts.refusal(model, needs=int8.COMPUTES)
        if reason is None and facts.count(model, int8.COMPUTES) < 2:
            return "With a single layer there is nothing to mix."
        return reason

    def apply(self, request: Request) -> Product:
        """Ranks the layers by their own error and excludes the most sensitive ones until the loss is allowed."""
        if not request.calibration:
            raise Unavailable("Mixed precision needs inputs to calibrate on.", hint="Give an .npz of inputs.")
        limit = float(request.option.get("max_loss", LOSS))
        if not 0.0 < limit < 1.0:
            raise InputError("The allowed loss lies between 0 and 1.")
        return within_loss(request, limit)


TECHNIQUE = Int8Mixed()
