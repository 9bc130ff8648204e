"""How close a variant stays to the original, judged and in words: what the loss is, and when it proves little."""

import math
from collections.abc import Sequence

from advisor.types import Quality
from data import words

CONSTANT = 1e-6  # 1 - cosine between two samples of an output that does not depend on the inputs at all


def name(quality: Quality) -> str:
    """What the loss is, as the title of an axis or the beginning of a cell."""
    if quality.kind == "accuracy":
        return "Drop in accuracy"
    return "Share of answers that differ" if quality.cosine is None else "1 - cosine"


def what(quality: Quality | None) -> str:
    """What the loss is, as the beginning of a sentence."""
    if quality is not None and quality.kind == "accuracy":
        return "Accuracy falls by"
    return "The share of answers that differ is" if quality is not None and quality.cosine is None else "1 - cosine is"


def no_better_than_constant(quality: Quality | None) -> str | None:
    """The sentence that rules out a plan whose answers follow the original's no better than always the same answer
    would: a high cosine is no merit where the original's own answers hardly differ. None otherwise; with labels too,
    and on random inputs: noise may all look the same to a model that tells real inputs well apart."""
    if quality is None or quality.kind != "agreement" or quality.inputs == "random":
        return None
    for told in quality.per_output.values():
        cosine, constant = told.get("cosine"), told.get("constant_cosine")
        if cosine is not None and constant is not None and cosine <= constant and 1.0 - constant > CONSTANT:
            lost, same = words.number(1.0 - cosine, 2), words.number(1.0 - constant, 2)
            return f"Always the same answer would be as close to the original's: 1 - cosine is {lost}, of that {same}."
    return None


def hardly_differ(qualities: Sequence[Quality | None], max_loss: float) -> str | None:
    """The warning that the loss proves little on these inputs: always the same answer would be within the limit."""
    found = (quality for quality in qualities if quality is not None and quality.kind == "agreement")
    outputs = next((list(quality.per_output.values()) for quality in found), [])
    known = [one for told in outputs if (one := told.get("constant_cosine")) is not None]
    varying = [one for one in known if 1.0 - one > CONSTANT]
    if not varying or 1.0 - min(varying) > max_loss:
        return None
    lost = words.number(1.0 - min(varying), 2)
    return f"The original hardly tells these inputs apart: always the same answer loses {lost}. Give varied, real ones."


def unsure(quality: Quality | None, max_loss: float) -> str:
    """What too few labelled samples leave open: a drop beyond the limit that its 95 % interval holds; else empty."""
    drop = None if quality is None else quality.accuracy_drop
    if quality is None or drop is None or drop.high <= max_loss:
        return ""
    few = f"{words.many(quality.samples, 'sample')} cannot rule out a drop of {words.number(drop.high, 2)}"
    return f"{few}, above the allowed {max_loss:g}: more labelled ones would tell."


def sentence(quality: Quality | None) -> str:
    """What the quality is, as a reason for a plan; empty where it is not known."""
    if quality is None:
        return ""
    if quality.kind == "accuracy":
        change = f"from {quality.accuracy_before:.4f} to {quality.accuracy_after:.4f}"
        return f"Accuracy goes {change} on {words.many(quality.samples, 'sample')}."
    if quality.cosine is None:
        same = words.percent(quality.top1_agreement, 3)
        return f"{same} of the answers are the same on {quality.samples} {quality.inputs} inputs."
    return f"Outputs agree to a cosine of {_cosine(quality.cosine)} on {quality.samples} {quality.inputs} inputs."


def _cosine(value: float) -> str:
    """Four decimals, or as many as tell it from 1: "0.9871", "0.999983"."""
    apart = 1.0 - value
    if apart < 1e-12:
        return "1"
    return f"{value:.{max(4, 1 - math.floor(math.log10(apart)))}f}"
