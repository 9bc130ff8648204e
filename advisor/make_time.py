"""How long a search may take, and one candidate of it, by the size of the model."""

import math

from advisor.techniques import techniques
from advisor.types import Step
from profiler.types import Model

SHORT_S, LONG_S = 11.0, 150.0  # default budgets of a model of up to 1 MB of weights, and of 50 MB to 1 GB
SHORT_BYTES, LONG_BYTES, LARGE_BYTES = 1e6, 5e7, 1e9  # above the last, the budget grows in proportion to the weights
LEAST_MAKE_S, SURE_LEAST_MAKE_S = 10.0, 25.0
TRAIN_LEAST_MAKE_S = 45.0  # training in earnest takes some 4 s on a quiet machine, several times as long on a busy one
MAKE_S_PER_BYTE = 90e-9  # 90 s a GB: INT8 of 1 GB took 17 to 44 s on two busy cores, each weight read and written


def default_seconds(model: Model) -> float:
    """The time budget of a search nobody set: more for larger models, evenly in the logarithm of their weights; above
    a GB in proportion to them, as making a variant then takes most of it."""
    place = math.log(max(model.weight_bytes, 1) / SHORT_BYTES) / math.log(LONG_BYTES / SHORT_BYTES)
    usual = SHORT_S + (LONG_S - SHORT_S) * min(1.0, max(0.0, place))
    return usual * max(1.0, model.weight_bytes / LARGE_BYTES)


def least_make_s(model: Model, *, sure: bool, training: bool = False) -> float:
    """What making one candidate may take however short the budget is: of the most promising (`sure`) the more the
    more weights there are; one that trains is given more."""
    if not sure:
        return LEAST_MAKE_S
    usual = TRAIN_LEAST_MAKE_S if training else SURE_LEAST_MAKE_S
    return max(usual, MAKE_S_PER_BYTE * model.weight_bytes)


def trains(step: Step) -> bool:
    """Whether the step changes the structure, after which it trains where there are labelled samples."""
    return techniques()[step.technique].STAGE == "structure"
