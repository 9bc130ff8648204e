"""What the loss is, in words: never rounded to a perfection that it is not."""

import pytest

from advisor import closeness
from advisor.types import Quality


@pytest.mark.parametrize(
    ("cosine", "told"),
    [
        (0.5, "0.5000"),
        (0.98714, "0.9871"),
        (0.99996, "0.999960"),
        (0.9999829, "0.999983"),
        (1.0, "1"),
        (-0.2, "-0.2000"),
    ],
)
def test_a_cosine_near_one_is_not_rounded_to_one(cosine, told):
    quality = Quality(kind="agreement", samples=64, cosine=cosine)
    assert closeness.sentence(quality) == f"Outputs agree to a cosine of {told} on 64 random inputs."


def test_nothing_known_says_nothing():
    assert closeness.sentence(None) == "" and closeness.unsure(None, 0.01) == ""
    assert closeness.no_better_than_constant(None) is None and closeness.hardly_differ([None], 0.01) is None


def test_the_loss_has_the_name_of_what_was_measured():
    assert closeness.name(Quality(kind="accuracy", samples=1)) == "Drop in accuracy"
    assert closeness.name(Quality(kind="agreement", samples=1, cosine=1.0)) == "1 - cosine"
    assert closeness.name(Quality(kind="agreement", samples=1, top1_agreement=1.0)) == "Share of answers that differ"
