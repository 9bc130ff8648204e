"""Memory as rows and charts: the estimate beside the peak, the ladder to the byte, training part by part."""

from dataclasses import replace

import pytest
import reports

from advisor import memory_frames
from advisor.figures import named as figures
from profiler.memory import tiers
from profiler.run_types import TrainingStep
from profiler.types import Layer, Model, Workload

MODEL = Model(
    sha256="m", name="m", format="pt2", file_bytes=1, parameter_count=100, parameters_by_dtype={}, weight_bytes=400,
    layers=(Layer(name="l", op="MatMul", flop=2, read_bytes=8, written_bytes=40, parameter_count=100),), flop=2,
    peak_activation_bytes=60, shapes={"x": (1, 4)},
)  # fmt: skip


def run(**changes):
    return replace(reports.report().baseline, peak_bytes=920, workload=Workload(shapes={"x": (1, 4)}), **changes)


def test_the_estimate_stands_beside_the_peak_with_its_ratio():
    rows = memory_frames.running(MODEL, run())
    parts = dict(zip(rows["part"], rows["memory_bytes"], strict=True))
    assert parts == {"Weights": 400, "Activations": 60, "Peak": 920}
    assert list(rows["basis"]) == ["modelled", "modelled", "measured"]
    assert memory_frames.ratio(MODEL, run()) == "The measured peak is 2.00 times the estimate."
    assert memory_frames.beside(MODEL, run()) == "2.00 × the estimate"
    other = replace(run(), workload=Workload(shapes={"x": (8, 4)}))
    assert memory_frames.ratio(MODEL, other) == ""  # the estimate is for other shapes
    assert memory_frames.running(replace(MODEL, peak_activation_bytes=None), None).empty
    on_board = memory_frames.running(MODEL, run(gpu_peak_bytes=5))
    assert list(on_board["what"])[-1] == "On the GPU"


def test_the_ladder_turns_at_the_exact_byte():
    flash = next(tier for tier in tiers() if tier.weights_in == "storage")
    assert flash.storage_bytes is not None
    exact = replace(MODEL, weight_bytes=flash.storage_bytes, peak_activation_bytes=10)
    larger = replace(exact, weight_bytes=flash.storage_bytes + 1)
    fitting, beyond = (memory_frames.fits(model).iloc[0] for model in (exact, larger))
    assert (fitting["fits"], fitting["spare_bytes"], fitting["needed_frac"]) == (True, 0, 1.0)
    assert (beyond["fits"], beyond["spare_bytes"]) == (False, -1)
    assert beyond["verdict"] == "does not fit: 1.00 bytes missing"
    assert fitting["verdict"] == "fits, 0 bytes spare"


def test_training_is_told_part_by_part_and_beside_the_step():
    step = TrainingStep(
        id="s", created_at="t", model_sha256="m", fingerprint="f", mode="full", workload=Workload(), load_bytes=400,
        peak_bytes=2_000, trained_count=100, parameter_count=100,
    )  # fmt: skip
    rows = memory_frames.training(MODEL, [step])
    totals = rows.groupby("what", sort=False)["memory_bytes"].sum()
    assert totals["All layers, estimate"] == 4 * 400 + 40  # weights, gradients, two moments, the layer's output
    assert totals["All layers, measured"] == 2_000
    assert totals["Last layer alone, estimate"] == 4 * 400 + 60
    assert "Last layer alone, measured" not in totals


@pytest.mark.parametrize("mode", figures.MODES)
def test_the_charts_mark_what_fits_and_what_does_not(mode):
    rows = memory_frames.fits(replace(MODEL, weight_bytes=10**9))
    figure = figures.ladder(rows, mode)
    symbols = next(trace for trace in figure.data if trace.mode == "markers").marker.symbol
    assert symbols[0] == "x" and symbols[-1] == "circle"
    assert figure.layout.xaxis.title.text and figure.layout.xaxis.type == "log"
    parts = figures.memory_parts(memory_frames.training(MODEL), mode)
    assert [trace.name for trace in parts.data] == ["Weights", "Gradients", "Optimizer", "Activations"]
    assert parts.layout.xaxis.title.text == "Memory (KiB)" and parts.layout.barmode == "stack"
