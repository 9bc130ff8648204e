"""The search in a planted world: what it makes, in which order, what it drops early, what it measures in earnest."""

import dataclasses
import random

import numpy as np
import pytest

from advisor import search
from advisor.candidates import candidates, slow_here
from advisor.compress import failed, titled
from advisor.search import Search, waves
from advisor.techniques import techniques
from advisor.trials import Question
from advisor.types import Budget, Quality, Variant
from data.estimate import Estimate
from data.home import home
from profiler.jobs import SO_FAR
from profiler.types import Machine, Measurement, Model, Workload

HERE = Machine(
    fingerprint="f", cpu="c", isa=("avx2", "avx512_vnni", "avx512_bf16"), physical_cores=1, logical_cores=1,
    memory_bytes=1,
)  # fmt: skip
CONV = Model(
    sha256="s", name="m", format="onnx", file_bytes=10**8, parameter_count=25 * 10**6, weight_bytes=10**8,
    parameters_by_dtype={"float32": 25 * 10**6}, operators={"Conv": 53, "Gemm": 1, "Relu": 49}, flop=8 * 10**9,
)  # fmt: skip


class Desk:
    """Keeps what is saved and told."""

    def __init__(self):
        self.saved, self.told, self.home, self.aside = [], [], home(), ""

    def save(self, *records):
        self.saved += records

    def progress(self, done_frac, text):
        self.told.append(text + (SO_FAR + self.aside if self.aside else ""))

    def span(self, low, high):
        import contextlib

        return contextlib.nullcontext()


def run(ms, name, rounds=8, loads=(), peak_bytes=None):
    noise = np.random.default_rng(len(name)).normal(1.0, 0.002, rounds * max(1, len(loads)))
    samples = tuple(ms * noise)
    return Measurement(
        id=f"{name}-{rounds}-{len(loads)}", group_id="g", created_at="", model_sha256="s", machine=HERE, runtime="r",
        provider="p", options={}, workload=Workload(), samples_ms=samples, cpu_samples_ms=samples, warmup_ms=(),
        load_ms=1.0, stable=True, rounds_per_load=loads, peak_bytes=peak_bytes,
        energy_j=Estimate(low=ms / 2, mid=ms, high=2 * ms, basis="modelled"),
    )  # fmt: skip


class World:
    """Techniques with planted ratios and losses: {technique: (ratio, loss)}; `luck` multiplies a quick ratio."""

    training = None

    def __init__(self, planted, *, luck=None, unmade=(), broken=(), once=False):
        self.once = once
        self.planted, self.luck, self.unmade, self.broken = planted, luck or {}, unmade, broken
        self.made, self.screened, self.compared_names, self.in_earnest = [], [], [], []

    def make(self, step, before, seconds):
        steps = (*(before.steps if before else ()), step)
        self.made.append("+".join(one.technique for one in steps))
        if step.technique in self.unmade:
            return failed(CONV, steps, "It could not be made.")
        name = " + ".join(f"{one.technique} {one.options}" for one in steps)
        return Variant(id=name, sha256=name, parent_sha256="s", steps=steps, file="f", file_bytes=100)

    def screen(self, variants):
        self.screened.append([variant.steps[-1].technique for variant in variants])
        original = run(10.0, f"original of {variants[0].id}")
        return {
            variant.id: "It crashed." if variant.steps[-1].technique in self.broken
            else (run(10.0 * self.ratio(variant) * self.lucky(variant), variant.id), original)
            for variant in variants
        }  # fmt: skip

    def compared(self, variants):
        self.compared_names += [variant.steps[-1].technique for variant in variants]
        return [
            dataclasses.replace(variant, quality=Quality(kind="agreement", samples=9, cosine=1 - self.loss(variant)))
            for variant in variants
        ]

    def earnest(self, variants, seconds):
        self.in_earnest.append([variant.steps[-1].technique for variant in variants])
        loads = (8, 8, 8)
        return [
            run(10.0, "original", loads=loads, peak_bytes=9),
            *(run(10.0 * self.ratio(variant), variant.id, loads=loads, peak_bytes=9) for variant in variants),
        ]

    def together(self):
        return 9

    def ratio(self, variant):
        return float(np.prod([self.planted.get(one.technique, (1.0, 0.0))[0] for one in variant.steps]))

    def lucky(self, variant):
        """A technique's first option alone is lucky where `once`."""
        name = variant.steps[-1].technique
        if self.once:
            return self.luck.pop(name, 1.0)
        return self.luck.get(name, 1.0)

    def loss(self, variant):
        return max(self.planted.get(one.technique, (1.0, 0.0))[1] for one in variant.steps)


def searched(world, model=CONV, *, seconds=60.0, desk=None, **budget):
    asked = Budget(objective="latency", **budget)
    question = Question(model=model, source=home().root, machine=HERE, budget=asked, seconds=seconds)
    return Search(desk or Desk(), question, world).run()


def test_the_known_bad_is_tried_last_of_the_promising_seen_slower_and_never_compared():
    """Issue 2: dynamic INT8 over all operators of a convolutional network."""
    world = World({"int8_static": (0.33, 0.015), "int8_openvino": (0.3, 0.015), "int8_dynamic": (6.5, 0.01)})
    answer = searched(world, max_loss=0.02)
    assert answer.recommendation.plan.steps[0].technique == "int8_openvino"
    place = next(n for n, name in enumerate(world.made) if name == "int8_dynamic")
    assert place < search.SURE, "it must be reached within any budget"
    assert "int8_dynamic" not in world.compared_names
    tried = next(plan for plan in answer.recommendation.tried if plan.steps[0].options == {"operators": "all"})
    assert tried.steps[0].technique == "int8_dynamic" and tried.latency_ratio.low > 5
    assert tried.ruled_out.startswith("It is slower: 6.5")


def test_mixed_precision_waits_for_the_loss_of_all_in_eight_bits():
    fine = World({"int8_static": (0.33, 0.015)})
    answer = searched(fine, max_loss=0.02)
    assert "int8_mixed" not in fine.made
    mixed = next(one for one in answer.variants if one.steps[0].technique == "int8_mixed")
    assert "All layers in 8 bits lose 0.015, within the allowed 0.02" in mixed.failed
    poor = World({"int8_static": (0.33, 0.3)})
    searched(poor, max_loss=0.02)
    assert "int8_mixed" in poor.made


def test_the_first_answer_comes_after_one_candidate_and_is_told_from_then_on():
    desk = Desk()
    searched(World({"runtime_choice": (0.55, 0.0), "int8_static": (0.33, 0.0)}), desk=desk)
    first = next(n for n, text in enumerate(desk.told) if SO_FAR in text)
    assert "OpenVINO" in desk.told[first] and "0.55 of the original" in desk.told[first]
    assert sum(text.startswith("Trying") for text in desk.told[:first]) == 1
    assert all(SO_FAR in text for text in desk.told[first:])
    assert "0.33 of the original" in desk.told[-1]


def test_what_wins_was_measured_in_several_loads():
    """A screen's lucky winner is found out in earnest; the plan that wins instead is measured in earnest too."""
    names = ("int8_static", "int8_openvino", "runtime_choice", "weight_only_openvino")
    world = World(dict.fromkeys(names[:3], (1.0, 0.0)) | {names[3]: (0.8, 0.0)}, luck=dict.fromkeys(names[:3], 0.7),
                  once=True)  # fmt: skip
    answer = searched(world)
    assert names[3] not in world.in_earnest[0] and names[3] in world.in_earnest[-1]
    assert len(world.in_earnest) <= 1 + search.ANEW
    plan = answer.recommendation.plan
    assert plan.steps[0].technique == names[3] and "3 loads" in plan.latency_ratio.source
    assert answer.finals[0] is answer.baseline and len(answer.finals) == 1 + sum(map(len, world.in_earnest))
    assert all(len(one.rounds_per_load) == 3 for one in answer.finals)
    quick = [one for one in answer.recommendation.tried if (one.ruled_out or "").startswith("Only timed quickly")]
    assert quick == [] or all("3 loads" not in one.latency_ratio.source for one in quick)


def test_luck_in_a_quick_run_alone_never_wins():
    world = World({}, luck=dict.fromkeys(techniques(), 0.8))
    assert searched(world).recommendation.verdict == "keep the original"


def test_what_breaks_says_why_and_the_others_go_on():
    world = World({"int8_static": (0.4, 0.0)}, unmade=("runtime_choice",), broken=("int8_openvino",))
    answer = searched(world)
    assert answer.recommendation.plan.steps[0].technique == "int8_static"
    reasons = {plan.steps[0].technique: plan.ruled_out for plan in answer.recommendation.tried}
    assert reasons["runtime_choice"] == "It could not be made." and reasons["int8_openvino"] == "It crashed."
    assert reasons["structured"] is None or reasons["structured"]


def test_structure_and_quantization_are_chained():
    world = World({"structured": (0.6, 0.0), "int8_static": (0.5, 0.0)})
    answer = searched(world)
    assert [one.technique for one in answer.recommendation.plan.steps] == ["structured", "int8_static"]
    assert answer.recommendation.plan.latency_ratio.mid == pytest.approx(0.3, rel=0.01)
    assert world.made.count("structured+int8_static") == 1


def test_time_that_is_spent_leaves_a_list_of_what_was_not_tried():
    answer = searched(World({}), seconds=1e-6)
    assert len(answer.recommendation.not_tried) > 10
    assert all(text.endswith("the time budget was spent") for text in answer.recommendation.not_tried)
    assert answer.recommendation.verdict == "keep the original"


@pytest.mark.parametrize("seed", range(25))
def test_neither_a_violator_nor_a_slower_plan_is_ever_recommended(seed):
    """Any world, however lucky its quick runs."""
    draw = random.Random(seed)
    planted = {name: (draw.choice([0.3, 0.7, 0.95, 1.0, 1.3, 6.0]), draw.choice([0.0, 0.005, 0.02, 0.5]))
               for name in techniques()}  # fmt: skip
    luck = {name: draw.uniform(0.7, 1.2) for name in techniques()}
    world = World(planted, luck=luck, unmade=draw.sample(sorted(techniques()), 3))
    found = searched(world, max_loss=0.01).recommendation
    if found.plan is not None:
        ratio = np.prod([planted[step.technique][0] for step in found.plan.steps])
        assert ratio < 0.97 and found.plan.loss <= 0.01
        assert all(planted[step.technique][1] <= 0.01 for step in found.plan.steps)
    else:
        good = [ratio for name, (ratio, loss) in planted.items() if loss <= 0.01 and ratio < 0.9]
        reached = {name.split("+")[0] for name in world.made} - set(world.unmade)
        assert not [name for name in reached if planted[name][0] < 0.9 and planted[name][1] <= 0.01] or not good


def test_what_every_onnx_file_would_refuse_is_not_told():
    steps, refused = candidates(CONV, HERE, Budget())
    assert "to_onnx" not in {step.technique for step in steps} | {one.steps[0].technique for one in refused}


def test_waves_grow():
    assert [len(wave) for wave in waves([titled("fp16", {})] * 15, (1, 3, 4))] == [1, 3, 4, 4, 3]


def test_very_small_models_try_openvino_last_of_their_kind():
    tiny = dataclasses.replace(CONV, flop=3_600_000)
    assert slow_here("int8_openvino", tiny) and not slow_here("int8_openvino", CONV)
    order = [step.technique for step in candidates(tiny, HERE, Budget(objective="latency"), training=True)[0]]
    first = list(dict.fromkeys(order))
    assert first[:2] == ["structured", "int8_static"] and "runtime_choice" in first[2:]
    without = [step.technique for step in candidates(tiny, HERE, Budget(objective="latency"))[0]]
    assert without.index("structured") > without.index("runtime_choice")
