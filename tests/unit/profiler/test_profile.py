"""The parent's half: locked children for real on a small model, records that say all, one measurement at a time."""

import pytest

from data.errors import Cancelled, InputError, MeasurementError
from data.estimate import Estimate
from data.home import home
from data.records import from_plain
from profiler import profile, stats
from profiler.device_lock import held
from profiler.inspect import inspect
from profiler.jobs import Desk
from profiler.measure import Feed
from profiler.meters import Window
from profiler.meters.rated_power import METER
from profiler.profile import Subject, Wish, energy_above_idle
from profiler.timing import Settings
from profiler.types import Load, Machine, Measurement, Model, Workload
from tests import small_models
from tests.fakes import Keeper

QUICK = Settings(budget_s=0.5, warmup_s=0.02, least_calls=50, least_s=0.1)


def desk(cancelled=lambda: False):
    return Desk(home(), Keeper(), lambda done_frac, text: None, cancelled)


@pytest.fixture(scope="module")
def group(tmp_path_factory):
    """One measured group of an original and a wider variant."""
    folder = tmp_path_factory.mktemp("group")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RIGHTSIZE_HOME", str(folder / "home"))
        original = small_models.mlp(folder / "original.onnx")
        variant = small_models.mlp(folder / "variant.onnx", width=1024)
        found = desk().task(inspect, {"path": str(original), "name": "original.onnx", "shapes": {}}, readable=[folder])
        model = from_plain(Model, found)
        subjects = [Subject(path=original, model_sha256=model.sha256),
                    Subject(path=variant, model_sha256=model.sha256, variant_id="wide")]  # fmt: skip
        yield profile.measure(
            desk(), subjects, Feed(model=model, batch_size=3, shapes={"x": (3, 32)}), Wish(threads=1, settings=QUICK)
        )


def test_a_group_is_measured_interleaved_and_told_whole(group):
    original, wide = group
    assert original.group_id == wide.group_id
    assert (original.variant_id, wide.variant_id) == (None, "wide")
    assert len(original.samples_ms) == len(wide.samples_ms) >= 50
    assert original.provider == "CPUExecutionProvider"
    assert original.options["threads"] == "1"
    assert original.options["spinning"] == "0"
    assert original.workload == Workload(batch_size=3, threads=1, shapes={"x": (3, 32)})
    assert original.baseline_bytes > 20 << 20
    assert 0 < original.peak_bytes < 200 << 20
    assert original.load_ms > 0
    assert len(original.warmup_ms) >= 3
    ratio = stats.paired_ratio(wide.samples_ms, original.samples_ms, wide.calls_per_round)
    assert ratio.low > 1


def test_energy_is_modelled_from_cpu_time_where_nothing_counts_it(group):
    energy = group[0].energy_j
    if energy is None or energy.basis != "modelled":
        pytest.skip("This machine counts its energy, or its CPU is not in the table.")
    cpu_s = stats.median_interval(group[0].cpu_samples_ms)[1] / 1000
    watts = METER.stop(None, Window(wall_s=1.0, cpu_s=1.0)).energy_j  # of one core, by the device table
    assert energy.low < energy.mid < energy.high
    assert watts.mid / 2 < energy.mid / cpu_s < 3 * watts.mid  # its mean is billed, and a few calls may be slow


def test_a_measurement_that_cannot_be_made_is_one_error(tmp_path):
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a model")
    model = Model(
        sha256="s", name="m", format="onnx", file_bytes=1, parameter_count=1, parameters_by_dtype={}, weight_bytes=1
    )
    with pytest.raises(InputError):
        profile.measure(desk(), [Subject(path=broken, model_sha256="s")], Feed(model=model), Wish(settings=QUICK))


def test_one_measurement_at_a_time_and_a_waiting_one_can_be_cancelled():
    asked = []

    def cancelled():
        asked.append(1)
        return len(asked) > 3

    with held(home().locks, "cpu"):
        with pytest.raises(Cancelled), profile.device_lock(desk(cancelled), "cpu"):
            pytest.fail("the device was not free")
        assert len(asked) == 4
    with profile.device_lock(desk(), "cpu"):
        pass


def test_the_verdict_rests_on_the_pressure_of_the_timed_loop():
    calm, busy, unknown = Load(cpu_pressure_frac=0.01), Load(cpu_pressure_frac=0.5), Load()
    assert profile.waited_frac(busy, calm) == 0.01
    assert profile.waited_frac(calm, busy) == 0.5
    assert profile.waited_frac(busy, unknown) == 0.5
    assert profile.waited_frac(unknown, unknown) is None


def test_both_views_of_the_gpus_memory_are_told():
    assert profile.gpu_notes({"gpu_bytes": 10 << 20, "board_bytes": 300 << 20}) == (
        "GPU memory: 10 MiB by the allocator, 300 MiB more in use on the board.",
    )
    assert profile.gpu_notes({"gpu_bytes": None, "board_bytes": 300 << 20}) == ()
    assert profile.gpu_notes(None) == ()


def test_energy_above_idle_is_the_difference_and_never_negative():
    def measured(idle_w):
        return Measurement(
            id="a", group_id="g", created_at="t", model_sha256="m", runtime="r", provider="p", options={},
            machine=Machine(fingerprint="f", cpu="c", isa=(), physical_cores=1, logical_cores=1, memory_bytes=1),
            workload=Workload(), samples_ms=(100.0,) * 5, cpu_samples_ms=(100.0,) * 5, warmup_ms=(), load_ms=1.0,
            stable=True, energy_j=Estimate(low=4.0, mid=5.0, high=6.0, basis="measured"), idle_w=idle_w,
        )  # fmt: skip

    above = energy_above_idle(measured(Estimate(low=10.0, mid=20.0, high=30.0, basis="measured")))
    assert (above.low, above.mid, above.high) == pytest.approx((1.0, 3.0, 5.0))
    above = energy_above_idle(measured(Estimate(low=100.0, mid=100.0, high=100.0, basis="measured")))
    assert (above.low, above.high) == (0.0, 0.0)
    assert energy_above_idle(measured(None)) is None


def test_what_cannot_fit_is_refused_before_a_child_starts(tmp_path, monkeypatch):
    original = small_models.mlp(tmp_path / "original.onnx")
    told = desk().task(inspect, {"path": str(original), "name": "m", "shapes": {}}, readable=[tmp_path])
    found = from_plain(Model, told)
    monkeypatch.setattr(Desk, "task", lambda *args, **more: pytest.fail("a child was started"))
    subject, limit = Subject(path=original, model_sha256=found.sha256), found.weight_bytes
    with pytest.raises(MeasurementError, match="at least"):
        profile.measure(desk(), [subject], Feed(model=found), Wish(threads=1, memory_limit_bytes=limit))
