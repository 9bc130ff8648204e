"""The time of a search and of one candidate grow with the model."""

import dataclasses

import pytest
from test_search import CONV, HERE, World, searched

from advisor import search
from advisor.candidates import candidates
from advisor.make_time import default_seconds, least_make_s
from advisor.types import Budget


def sized(weight_bytes):
    return dataclasses.replace(CONV, weight_bytes=weight_bytes)


def test_the_default_budget_grows_with_the_logarithm_and_above_a_gigabyte_with_the_size():
    assert [default_seconds(sized(many)) for many in (0, 10**6, 5 * 10**7, 10**9)] == [11.0, 11.0, 150.0, 150.0]
    assert default_seconds(sized(3 * 10**9)) == pytest.approx(450.0)


def test_one_candidate_may_take_ninety_seconds_a_gigabyte():
    assert least_make_s(sized(10**8), sure=True) == 25.0
    assert least_make_s(sized(10**9), sure=True) == pytest.approx(90.0)
    assert least_make_s(sized(2_400_000_000), sure=True) == pytest.approx(216.0)
    assert least_make_s(sized(2_400_000_000), sure=False) == 10.0
    assert least_make_s(sized(10**6), sure=True, training=True) == 45.0


class Watched(World):
    """Notes how long each candidate may take."""

    def make(self, step, before, seconds):
        self.given = {**getattr(self, "given", {}), step.technique: seconds}
        return super().make(step, before, seconds)


def test_a_large_model_gives_its_promising_candidates_that_long_whatever_the_budget():
    world = Watched({"int8_static": (0.33, 0.001)})
    searched(world, model=sized(2_400_000_000), seconds=60.0, max_loss=0.02)
    assert world.given["int8_static"] == pytest.approx(216.0)


def test_what_trains_comes_first_where_there_are_labels():
    model = dataclasses.replace(CONV, weight_bytes=10**6, flop=10**7)
    steps, _ = candidates(model, HERE, Budget(max_loss=0.01), training=True)
    assert [step.technique for step in steps[:2]] == ["structured", "int8_static"]
    steps, _ = candidates(model, HERE, Budget(max_loss=0.01))
    assert steps[0].technique == "int8_static"


def test_a_chain_the_time_did_not_suffice_for_is_listed(monkeypatch):
    now_s = [0.0]

    class Slow(World):
        """The last of the promising takes all the time that is left (mixed precision is not made: it is needless)."""

        def make(self, step, before, seconds):
            now_s[0] += 100.0 if len(self.made) == search.SURE - 2 else 1.0
            return super().make(step, before, seconds)

    world = Slow({"structured": (0.6, 0.001), "int8_static": (0.5, 0.001)})
    world.training = "labels"
    monkeypatch.setattr(search.time, "monotonic", lambda: now_s[0])
    told = searched(world, seconds=60.0, max_loss=0.02).recommendation.not_tried
    assert not any("+" in name for name in world.made)
    assert all(one.endswith(": the time budget was spent") for one in told)
    assert len([one for one in told if " and then " in one]) == 1, told
