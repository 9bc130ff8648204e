"""Fit, folds, intervals and backtest: planted parameters come back, a left-out chip is left out, figures by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from advisor.latency import backtest
from advisor.latency import fit as latency_fit
from advisor.latency import parameters as latency_parameters
from advisor.latency.intervals import LeftOut, covered, interval
from advisor.latency.measured import models, squares
from advisor.latency.own import row as own_row
from advisor.latency.parameters import NAMES
from data.estimate import exact
from data.tables import frame
from profiler.types import Layer, Machine, Measurement, Model, Peaks, Workload


def planted(**changed):
    """The square products, as if these parameters were the truth."""
    truth = replace(latency_parameters.fitted(), **changed)
    measured = squares()
    return replace(measured, seconds=latency_fit.predicted(measured, truth)), truth


def loose():
    prior = latency_parameters.prior()
    return replace(prior, spread=prior.spread * 20)


def test_planted_parameters_come_back():
    measured, truth = planted(fp32_full_frac=0.85, fp32_shared_frac=0.55, matrix16_frac=0.9)
    found = latency_fit.fit([measured], loose())
    for name in ("fp32_full_frac", "fp32_shared_frac", "matrix16_frac"):
        assert getattr(found, name) == pytest.approx(getattr(truth, name), rel=0.02)


def test_a_chip_that_is_left_out_has_no_say():
    measured, _ = planted(fp32_wide_frac=0.7)
    spoiled = replace(measured, seconds=np.where(measured.chip == "GV100", measured.seconds * 7, measured.seconds))
    folds = [latency_fit.leave_out([one], "GV100") for one in (measured, spoiled)]
    values = [[getattr(fold.parameters, name) for name in NAMES] for fold in folds]
    assert values[0] == pytest.approx(values[1])
    assert folds[1].measured_s == pytest.approx(folds[0].measured_s * 7)
    assert set(folds[0].device_id) == {"nvidia-v100-sxm2-16gb", "nvidia-v100s-pcie-32gb"}


def test_the_interval_is_that_of_a_random_effects_model():
    # Chip means 0 and 0.2 (variance 0.02), each chip 0.1 around its mean (0.01): 0.03^2 / (0.02^2 + 0.01^2 / 2) = 2.
    rows = LeftOut(kind="models", chip=np.array(["a", "a", "b", "b"]), log_ratio=np.array([-0.1, 0.1, 0.1, 0.3]))
    half = 2.91999 * np.sqrt(0.02 * 1.5 + 0.01)  # Student's t, 95 %, 2 degrees of freedom
    assert np.log(interval(rows)) == pytest.approx([0.1 - half, 0.1 + half], rel=1e-4)


def test_coverage_judges_each_chip_by_the_others():
    chips = np.repeat(["a", "b", "c"], 4)
    near = np.tile([-0.1, -0.05, 0.05, 0.1], 3)
    assert covered(LeftOut(kind="models", chip=chips, log_ratio=near)) == (12, 12)
    far = near + np.where(chips == "c", 3.0, 0.0)
    inside, count = covered(LeftOut(kind="models", chip=chips, log_ratio=far))
    assert count == 12 and inside == 8  # c lies outside what a and b say; with c among them, a and b are covered


def test_the_shipped_backtest_keeps_its_promises():
    rows = backtest.rows()
    whole = rows[rows.kind == "models"]
    error = whole.assign(error=whole.error_frac.abs()).groupby("chip").error
    assert error.size().to_dict() == {"GA100": 10, "GV100": 8, "GP100": 5, "TU104": 5, "GP104": 3}
    assert whole[whole.chip.isin(("GA100", "GV100", "GP100"))].error_frac.abs().mean() <= 0.08
    assert (error.mean()[["GA100", "GV100", "GP100"]] <= 0.12).all() and (error.mean() <= 0.18).all()
    products = rows[rows.kind == "products"].groupby("label").error_frac
    assert (products.apply(lambda each: each.abs().median()) <= 0.15).all()


def test_the_shipped_left_out_rows_are_those_of_the_tables():
    rows, table = backtest.rows(), frame("devices", "model_latency")
    assert sorted(rows[rows.kind == "models"].measured_ms) == pytest.approx(sorted(table.latency_ms), rel=1e-6)


def test_summary_by_hand():
    rows = pd.DataFrame({
        "kind": "models", "device_id": ["a", "a", "b"], "error_frac": [0.1, -0.3, 0.2],
        "roofline_error_frac": [-0.5, -0.7, 0.1], "inside": [True, False, True],
    })  # fmt: skip
    told = backtest.summary(rows).set_index("device_id")
    assert told.loc["a", "mean_error_frac"] == pytest.approx(0.2)
    assert told.loc["a", "bias_frac"] == pytest.approx(-0.1)
    assert told.loc["a", "roofline_error_frac"] == pytest.approx(0.6)
    assert told.loc["a", "inside_frac"] == pytest.approx(0.5) and told.loc["b", "rows_count"] == 1


def test_the_plain_roofline_takes_a_model_whole():
    measured = models()
    place = int(np.flatnonzero((measured.device_id == "nvidia-t4") & (measured.label == "gpt2_large"))[0])
    rows = measured.group == place
    flop = float(measured.ops.flop[rows] @ measured.ops.repeat[rows])
    assert backtest.roofline_s(measured)[place] == pytest.approx(flop / 8.141e12)


def test_a_measurement_of_ones_own_joins():
    layer = Layer(name="x", op="MatMul", flop=2 * 10**9, weight_bytes=4 * 10**6, read_bytes=4_000, written_bytes=4_000,
                  dims={"batch": 1, "m": 1000, "n": 1000, "k": 1000})  # fmt: skip
    model = Model(sha256="0", name="one", format="onnx", file_bytes=1, parameter_count=1, parameters_by_dtype={},
                  weight_bytes=4 * 10**6, layers=(layer,))  # fmt: skip
    machine = Machine(fingerprint="f", cpu="a CPU", isa=(), physical_cores=1, logical_cores=1, memory_bytes=1,
                      caches_bytes={"L3": 32_000_000})  # fmt: skip
    measured = Measurement(
        id="1", group_id="1", created_at="2026-01-01", model_sha256="0", machine=machine, runtime="onnxruntime",
        provider="CPU", options={}, workload=Workload(), samples_ms=(20.0,) * 5, cpu_samples_ms=(20.0,) * 5,
        warmup_ms=(), load_ms=1.0, stable=True,
    )  # fmt: skip
    peaks = Peaks(id="p", fingerprint="f", device="cpu", threads=1, created_at="2026-01-01",
                  fp32_flop_per_s=exact(1e11, "measured"), memory_bytes_per_s=exact(1e10, "measured"))  # fmt: skip
    own = backtest.judged(pd.DataFrame([own_row(model, measured, peaks)]))
    row = backtest.rows(own).iloc[-1]
    assert (row.kind, row.label, row.measured_ms) == ("here", "one, batch 1", 20.0)
    assert row.roofline_ms == pytest.approx(20.0)
    assert row.predicted_ms == pytest.approx(20.0, rel=0.05)


def test_others_errors_are_told_with_their_source():
    told = backtest.published()
    assert {"NeuSight", "Habitat (Yu et al. 2021)", "Li et al. 2023"} == set(told.tool)
    assert told.source.notna().all()
