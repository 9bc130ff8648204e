"""The Profile page and the machine's tab: what is measured stands beside what is modelled, and every control works."""

from dataclasses import replace

import pytest
import reports

from advisor.find_sensitive import kept_id
from advisor.sensitivity import Ranking, Sensitivity
from data.estimate import Estimate
from data.home import home
from data.store import Store
from profiler.machine import machine
from profiler.peaks import key
from profiler.run_types import OperatorProfile, OperatorTime, TrainingStep
from profiler.types import Layer, Peaks, Workload

LAYERS = (
    Layer(name="/body/0/MatMul", op="MatMul", flop=8_000, weight_bytes=4_000, read_bytes=40, written_bytes=400,
          parameter_count=1_000, dims={"batch": 1, "m": 1, "n": 100, "k": 40}),
    Layer(name="/body/1/Relu", op="Relu", flop=0, other_flop=100, read_bytes=400, written_bytes=400),
)  # fmt: skip


def facts(test):
    """What the tables of facts on a page say."""
    return "\n".join(str(row) for table in test.table for row in table.value.to_dict("records")).replace("\\", "")


def watts(value):
    return Estimate(low=value / 2, mid=value, high=value * 2, basis="measured", source="RAPL counters of package-0")


@pytest.fixture
def profiled(seeded):
    """The seeded model with layers, a run of known power, a profile, peaks and a training step."""
    here = machine()
    model = replace(
        reports.MODEL, layers=LAYERS, flop=8_000, other_flop=100, peak_activation_bytes=800, format="pt2",
        weight_bytes=4_000, parameter_count=1_000, shapes={"x": (1, 40)},
    )  # fmt: skip
    run = replace(
        seeded.baseline, id="powered", power_w=watts(8.0), energy_j=watts(8.0) * 0.01, idle_w=watts(1.0),
        model_sha256=model.sha256, workload=Workload(threads=2, shapes={"x": (1, 40)}), peak_bytes=9_600,
    )  # fmt: skip
    operators = (
        OperatorTime(name="fused", op="MatMul", ms=0.9, low_ms=0.8, high_ms=1.0, flop=8_000, weight_bytes=4_000,
                     moved_bytes=4_440, layers=("/body/0/MatMul", "/body/1/Relu")),
        OperatorTime(name="ReorderOutput_1", op="ReorderOutput", ms=0.1, low_ms=0.1, high_ms=0.1),
    )  # fmt: skip
    profile = OperatorProfile(
        id="op", created_at="t", model_sha256=model.sha256, fingerprint=here.fingerprint, runtime="onnxruntime",
        options={"device": "cpu"}, workload=Workload(threads=2), operators=operators, sum_ms=1.0, run_ms=1.1,
        latency_ms=1.0, calls=10, notes=("The operators' times add up to 100 % of the latency.",),
    )  # fmt: skip
    peaks = Peaks(
        id=key(here, 2, "cpu"), fingerprint=here.fingerprint, device="cpu", threads=2, created_at="t",
        fp32_flop_per_s=watts(2e11), memory_bytes_per_s=watts(1e10), cache_bytes_per_s=watts(8e10),
        int8_op_per_s=watts(8e11), cpu_pressure_frac=0.5, notes=("bf16: not here.",),
    )  # fmt: skip
    step = TrainingStep(
        id="s", created_at="t", model_sha256=model.sha256, fingerprint=here.fingerprint, mode="full",
        workload=Workload(), load_bytes=1, peak_bytes=40_000, trained_count=1_000, parameter_count=1_000,
    )  # fmt: skip
    store = Store(home().store)
    store.save(model, run, profile, peaks, step)
    store.close()
    return model


def test_energy_is_power_times_time_and_idle_is_left_out_by_choice(open_page, profiled):
    test = open_page("profile")
    told = facts(test)
    assert "8.00 W" in told and "80.0 mJ" in told and "10.0 ms a call" in told  # 8 W x 10 ms = 80 mJ
    assert "1.00 W" in told  # idle, shown
    assert not any(metric.label == "Energy above idle" for metric in test.metric)
    test.toggle(key="above-idle").set_value(True).run()
    above = {metric.label: metric.value for metric in test.metric}
    assert above["Energy above idle"] == "70.0 mJ"  # 80 mJ - 1 W x 10 ms


def test_memory_stands_beside_its_estimate_and_the_ladder_and_training_are_there(open_page, said, profiled):
    test = open_page("profile")
    told = said(test)
    assert "2.00 × the estimate" in told  # 9,600 of 4,800
    assert "The measured peak is 2.00 times the estimate." in told
    assert "One float32 step with Adam" in told
    assert any(button.key == "train" for button in test.button)  # torch's format: a real step can be taken


def test_layers_carry_time_and_energy_and_sum_to_the_total(open_page, said, profiled):
    test = open_page("profile")
    (table,) = [frame.value for frame in test.dataframe if "runs_with" in frame.value.columns]
    assert table["time_ms"].sum() == pytest.approx(1000.0)  # shown in microseconds
    assert list(table["runs_with"].fillna("-"))[:2] == ["-", "/body/0/MatMul"]  # no "nan" on the screen
    assert "2 layers: 8.00 kFLOP" in said(test)
    assert any(one.key == "layers-csv" for one in test.download_button)
    test.segmented_control(key="times-by").set_value("kind").run()
    test.segmented_control(key="node").set_value(45).run()
    assert not test.exception


def test_the_machine_tab_shows_caches_peaks_and_that_they_were_disturbed(open_page, said, profiled):
    test = open_page("about")
    told = said(test)
    assert "Other work ran while these were measured" in told and "bf16: not here" in told.replace("\\", "")
    test.session_state["peaks-arithmetic_table"] = test.session_state["peaks-streams_table"] = True
    test.run()
    frames = [frame.value for frame in test.dataframe if "basis" in frame.value.columns]
    names = {name for frame in frames for name in frame["name"]}
    assert {"float32, 2 threads", "int8, 2 threads", "from memory, 2 threads", "from the cache, 2 threads"} <= names
    assert "INT8 in one step" in facts(test) and "Fingerprint" in facts(test)


def test_run_with_names_what_is_here(open_page, profiled):
    test = open_page("profile")
    (chosen,) = [box for box in test.selectbox if box.label == "Run with"]
    assert chosen.options[0] == "PyTorch on the processor"


def test_a_measured_sensitivity_is_a_column_of_the_layers(open_page, said, profiled):
    one = Sensitivity(layer="/body/0/MatMul", op="MatMul", weight_bytes=4_000, loss=0.0625, snr_db=12.0)
    store = Store(home().store)
    store.save(Ranking(id=kept_id(profiled.sha256, 8), created_at="t", model_sha256=profiled.sha256, layers=(one,),
                       bits=8, inputs="given", calls=4))  # fmt: skip
    store.close()
    test = open_page("profile")
    table = next(frame.value for frame in test.dataframe if "runs_with" in frame.value.columns)
    assert table.set_index("name")["sensitivity"]["/body/0/MatMul"] == 0.0625
    assert "with this layer alone in 8 bits, measured on 4 calls with given inputs" in said(test)
