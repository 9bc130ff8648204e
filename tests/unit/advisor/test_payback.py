"""Pay-back: by hand, with all that was spent on a chain."""

import pytest

from advisor import payback
from advisor.types import Step, Variant

PRUNE, PACK = Step(technique="structured", title="pruned"), Step(technique="int8_static", title="packed")


def variant(*steps, make_s):
    return Variant(id="-".join(step.title for step in steps), sha256="", parent_sha256="", steps=steps, make_s=make_s)


def test_a_chain_took_as_long_as_all_its_steps():
    first, chain = variant(PRUNE, make_s=40.0), variant(PRUNE, PACK, make_s=2.5)
    alone = variant(PACK, make_s=2.0)
    made = (alone, first, chain)
    assert payback.making_s(chain, made) == pytest.approx(42.5)
    assert payback.making_s(alone, made) == 2.0


def test_what_a_step_before_took_is_not_guessed():
    assert payback.making_s(variant(PRUNE, PACK, make_s=2.5), ()) is None
    assert payback.making_s(variant(PACK, make_s=None), ()) is None
