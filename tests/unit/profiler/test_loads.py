"""Several loads of the same files as one run, and the interval that holds what they differ by."""

import dataclasses
import math

import numpy as np
import pytest

from data.estimate import Estimate
from data.home import home
from data.records import from_plain
from data.store import Store
from profiler import loads, stats
from profiler.inspect import inspect
from profiler.jobs import Desk
from profiler.measure import Feed
from profiler.profile import Subject, Wish
from profiler.timing import Settings
from profiler.types import Load, Machine, Measurement, Model, Workload
from tests import small_models
from tests.fakes import Keeper

HERE = Machine(fingerprint="f", cpu="c", isa=(), physical_cores=1, logical_cores=1, memory_bytes=1)


def run(ms, rounds=4, *, stable=True, peak_bytes=None, load_ms=1.0, name="m", pressure=0.0):
    return Measurement(
        id=name, group_id="g", created_at="", model_sha256="s", machine=HERE, runtime="r", provider="p", options={},
        workload=Workload(), samples_ms=(ms,) * 2 * rounds, cpu_samples_ms=(ms,) * rounds, warmup_ms=(ms,),
        load_ms=load_ms, stable=stable, calls_per_round=2, peak_bytes=peak_bytes, notes=() if stable else ("busy",),
        energy_j=Estimate(low=ms, mid=2 * ms, high=3 * ms, basis="modelled", source="watts"),
        load_after=Load(cpu_pressure_frac=pressure),
    )  # fmt: skip


def test_the_interval_is_students_over_the_loads_medians():
    """Two loads at 0.9 and 1.0: 12.706 x (ln 1 - ln 0.9) / 2 to either side of the geometric mean. Student's t of one
    degree of freedom is Cauchy's distribution, whose 97.5th percentile is tan(0.475 pi) = 12.706."""
    found = stats.over_loads([[0.9] * 5, [1.0] * 50])
    half = math.tan(0.475 * math.pi) * -math.log(0.9) / 2
    assert found.mid == pytest.approx(math.sqrt(0.9))
    assert found.low == pytest.approx(math.sqrt(0.9) * math.exp(-half))
    assert found.high == pytest.approx(math.sqrt(0.9) * math.exp(half))
    assert found.basis == "measured" and "2 loads" in found.source
    three = stats.over_loads([[0.5, 0.5, 0.9]] * 3)
    assert three.mid == pytest.approx(0.5) and three.high == 0.9, "no narrower than the rounds themselves"
    with pytest.raises(ValueError):
        stats.over_loads([[0.9]])


def test_the_interval_covers_a_gain_that_differs_from_load_to_load():
    """What one load says of itself is wrong nearly always; over five loads 95 of 100 intervals hold the truth."""
    draw = np.random.default_rng(3)
    once = over = 0
    for _ in range(400):
        truth = draw.normal(math.log(0.9), 0.03, 5)
        rounds = [np.exp(load + draw.normal(0, 0.01, 40)) for load in truth]
        first = stats.paired_ratio(rounds[0], [1.0] * 40)
        once += first.low <= 0.9 <= first.high
        whole = stats.paired_ratio(np.concatenate(rounds), [1.0] * 200, rounds_per_load=[40] * 5)
        over += whole.low <= 0.9 <= whole.high
    assert once / 400 < 0.4
    assert 0.92 <= over / 400 <= 0.98


def test_loads_become_one_run_with_every_sample():
    parts = [run(2.0, 3, peak_bytes=7, load_ms=5.0), run(4.0, 5, load_ms=9.0, pressure=0.3), run(3.0, 4, load_ms=6.0)]
    whole = loads.merged(parts)
    assert whole.rounds_per_load == (3, 5, 4) and len(whole.samples_ms) == 24 and len(whole.cpu_samples_ms) == 12
    assert whole.samples_ms[:6] == (2.0,) * 6 and whole.samples_ms[6] == 4.0 and len(whole.warmup_ms) == 3
    assert whole.load_ms == 6.0 and whole.peak_bytes == 7 and whole.load_after.cpu_pressure_frac == 0.3
    assert whole.energy_j.mid == pytest.approx(6.0) and whole.energy_j.low == pytest.approx(3.0)
    assert loads.merged(parts[:1]) is parts[0]
    with pytest.raises(ValueError):
        loads.merged([parts[0], dataclasses.replace(parts[1], calls_per_round=1)])


def test_it_is_stable_where_most_loads_were():
    quiet, busy = run(1.0), run(1.0, stable=False)
    assert loads.merged([quiet, busy, quiet]).stable
    assert not loads.merged([quiet, busy]).stable
    assert loads.merged([busy, busy, quiet]).notes == ("busy",), "what is no reason of the samples stays"


def test_the_reasons_of_an_unsteady_run_are_said_once():
    """Each load says how badly it is known; together they say it once, of all samples."""
    draw = np.random.default_rng(1)
    parts = []
    for number in range(3):
        wild = tuple(draw.lognormal(0.0, 1.0, 40))
        part = dataclasses.replace(run(1.0, 20, stable=False), samples_ms=wild, cpu_samples_ms=wild[::2])
        parts.append(dataclasses.replace(part, notes=(*loads.reasons(part), f"output {number} is odd")))
    whole = loads.merged(parts)
    said = [note for note in whole.notes if "median is known" in note]
    assert len(said) == 1 and said == [note for note in loads.reasons(whole) if "median is known" in note]
    assert [note for note in whole.notes if "odd" in note] == [f"output {number} is odd" for number in range(3)]


def test_loads_go_on_until_the_ratio_is_known(monkeypatch):
    """Ratios that differ from load to load are measured up to MOST times; equal ones FEWEST; time bounds both."""
    asked, ratios = [], []

    def measured(desk, subjects, feed, wish):
        ratio = ratios[len(asked) % len(ratios)]
        asked.append(([subject.variant_id for subject in subjects], wish))
        found = {None: run(10.0), "v": run(10.0 * ratio)}
        return [found[subject.variant_id] for subject in subjects]

    monkeypatch.setattr(loads.profile, "measure", measured)
    subjects = [Subject(path=home().root, model_sha256="s", variant_id=name) for name in (None, "v")]
    desk = Desk(home(), Keeper(), lambda done_frac, text: None)
    for planted, seconds, count in (((0.5,), 1e9, 3), ((0.9, 1.1), 1e9, 7), ((0.9, 1.1), 0.0, 3)):
        asked.clear()
        ratios[:] = planted
        original, variant = loads.measure(desk, subjects, None, Wish(), seconds=seconds)
        assert len(asked) == len(variant.rounds_per_load) == count
        assert [order for order, _ in asked[:2]] == [[None, "v"], ["v", None]], "every other load turns round"
        assert asked[0][1].memory and not asked[1][1].memory
        assert asked[0][1].settings.calls_per_round is None and asked[1][1].settings.calls_per_round == 2
        assert original.samples_ms[0] == 10.0


def test_real_loads_of_one_file_are_kept_as_they_were(tmp_path):
    path = small_models.mlp(tmp_path / "original.onnx")
    desk = Desk(home(), Keeper(), lambda done_frac, text: None)
    found = desk.task(inspect, {"path": str(path), "name": path.name, "shapes": {}}, readable=[tmp_path])
    model = from_plain(Model, found)
    subjects = [
        Subject(path=path, model_sha256=model.sha256), Subject(path=path, model_sha256=model.sha256, variant_id="same"),
    ]  # fmt: skip
    settings = Settings(budget_s=0.1, warmup_s=0.01, least_s=0.1)
    wish = Wish(threads=1, settings=settings, memory=False, energy=False)
    runs = loads.measure(desk, subjects, Feed(model=model, shapes={"x": (1, 32)}), wish, seconds=0.0)
    assert all(len(one.rounds_per_load) == 3 for one in runs)
    assert len(runs[0].samples_ms) == sum(runs[0].rounds_per_load) * runs[0].calls_per_round
    ratio = loads.cpu_ratio(runs[1], runs[0])
    assert ratio.low < 1.0 < ratio.high or ratio.mid == pytest.approx(1.0, abs=0.1)
    store = Store()
    store.save(*runs)
    assert store.get(Measurement, runs[1].id).rounds_per_load == runs[1].rounds_per_load


def test_others_work_is_a_reason_and_no_fact():
    """What other programs took in one load is not said beside what they took of all."""
    busy = [dataclasses.replace(run(1.0, 20, stable=False), load_after=Load(others_frac=frac)) for frac in (0.4, 0.6)]
    parts = [dataclasses.replace(one, notes=loads.reasons(one)) for one in busy]
    told = [note for note in loads.merged(parts).notes if note.startswith("Other programs")]
    assert len(told) == 1


def test_power_is_the_loads_mean():
    watts = [Estimate(low=1.0, mid=mid, high=5.0, basis="modelled") for mid in (2.0, 4.0)]
    parts = [dataclasses.replace(run(1.0, 20), power_w=power) for power in watts]
    assert loads.merged(parts).power_w.mid == 3.0
