"""The rows of layers and operators: every column sums to its total, whatever was fused, looped or added."""

import math
from dataclasses import replace

import pytest

from advisor import layer_frames, physics
from advisor.sensitivity import Ranking, Sensitivity
from profiler.run_types import OperatorProfile, OperatorTime
from profiler.types import Layer, Model, Workload


def layer(name, flop=0, **more):
    return Layer(name=name, op="MatMul" if flop else "Add", flop=flop, **more)


LAYERS = (
    layer("first", 2_000, weight_bytes=400, read_bytes=40, written_bytes=40, parameter_count=100,
          dims={"batch": 1, "m": 10, "n": 10, "k": 10}),
    layer("bias", other_flop=10, read_bytes=80, written_bytes=40),
    layer("looped", 6_000, weight_bytes=3 * 400, read_bytes=120, written_bytes=120, parameter_count=100, repeat=3),
)  # fmt: skip
MODEL = Model(
    sha256="m", name="m", format="onnx", file_bytes=1, parameter_count=200, parameters_by_dtype={}, weight_bytes=800,
    layers=LAYERS, flop=8_000,
)  # fmt: skip
OPERATORS = (
    OperatorTime(name="fused", op="FusedGemm", ms=0.5, low_ms=0.4, high_ms=0.6, layers=("first", "bias"), flop=2_000),
    OperatorTime(name="looped", op="MatMul", ms=0.3, low_ms=0.3, high_ms=0.3, layers=("looped",), flop=6_000),
    OperatorTime(name="ReorderInput_3", op="ReorderInput", ms=0.2, low_ms=0.2, high_ms=0.2),
)
PROFILE = OperatorProfile(
    id="p", created_at="t", model_sha256="m", fingerprint="f", runtime="onnxruntime", options={}, workload=Workload(),
    operators=OPERATORS, sum_ms=1.0, run_ms=1.1, latency_ms=1.0, calls=10,
)  # fmt: skip


def test_every_column_sums_to_the_total_of_the_model_and_of_the_profile():
    rows = layer_frames.layers(MODEL, PROFILE)
    sums = layer_frames.totals(rows)
    assert sums["flop"] == MODEL.flop  # a layer in a loop already holds all its turns
    assert sums["moved_bytes"] == 400 + 80 + 120 + 1200 + 240
    assert sums["weight_bytes"] == 1600
    assert sums["parameter_count"] == MODEL.parameter_count
    assert sums["time_ms"] == pytest.approx(PROFILE.sum_ms)
    assert sums["energy_j"] == pytest.approx(physics.of_model(MODEL).total_j.mid)
    assert rows["flop_frac"].sum() == pytest.approx(1.0)


def test_a_fused_layer_names_the_one_it_runs_with_and_what_was_added_has_its_row():
    rows = layer_frames.layers(MODEL, PROFILE, ridge=3.0).set_index("name")
    assert rows.loc["bias", "runs_with"] == "first"
    assert rows["time_ms"].isna()["bias"]
    assert rows.loc[layer_frames.ADDED, "time_ms"] == 0.2
    assert rows.loc["first", "shape"] == "10 × 10 × 10"
    assert (rows.loc["first", "bound"], rows.loc["bias", "bound"]) == ("compute", "memory")  # 2000 / 480 is 4.2
    alone = layer_frames.layers(MODEL)
    assert alone["time_ms"].isna().all()
    assert layer_frames.totals(alone)["time_ms"] is None


def test_sensitivity_is_the_measured_layers_alone_and_of_fused_and_renamed_ones_too():
    def one(name, output, loss):
        return Sensitivity(layer=name, op="Gemm", output=output, weight_bytes=4, loss=loss, snr_db=None)

    assert layer_frames.layers(MODEL)["sensitivity"].isna().all()
    ranked = (one("first/MatMulAddFusion", "sum", 0.25), one("renamed", "made", 0.125), one("elsewhere", "no", 0.5))
    model = replace(MODEL, layers=(LAYERS[0], LAYERS[1], replace(LAYERS[2], outputs=("made",))))
    rows = layer_frames.layers(model, ranking=Ranking(layers=ranked, bits=8, inputs="random", calls=8))
    found = rows.set_index("name")["sensitivity"]
    assert (found["first"], found["looped"]) == (0.25, 0.125)
    assert math.isnan(found["bias"])


def test_kinds_sum_up_the_operators():
    rows = layer_frames.operator_times(PROFILE)
    assert list(rows["name"]) == ["first", "looped", "ReorderInput_3"]
    kinds = layer_frames.kinds(rows).set_index("name")
    assert kinds["time_frac"].sum() == pytest.approx(1.0)
    assert kinds.loc["FusedGemm", "operators_count"] == 1


@pytest.mark.parametrize(("name", "op", "shown"), [
    ("/3/body/body.0/Conv", "Conv", "3/body/body.0"), ("gemm_nchwc", "Conv", "gemm"),
    ("/a/very/long/path/of/modules/to/the/layer/Conv", "Conv", "…modules/to/the/layer"),
])  # fmt: skip
def test_operators_are_shown_by_the_end_of_their_layers_name(name, op, shown):
    one = OperatorTime(name=name, op=op, ms=1.0, low_ms=1.0, high_ms=1.0)
    assert layer_frames.shown(one).endswith(shown.lstrip("…"))
    assert len(layer_frames.shown(one)) <= layer_frames.SHOWN_CHARS


@pytest.mark.parametrize(("dims", "said"), [
    ({"in_channels": 3, "out_channels": 32, "groups": 1, "kernel_positions": 9, "out_positions": 4}, "3 → 32, 3 × 3"),
    ({"in_channels": 8, "out_channels": 8, "groups": 8, "kernel_positions": 5, "out_positions": 4},
     "8 → 8, 5, 8 groups"),
    ({"batch": 12, "m": 2, "n": 3, "k": 4}, "12 of 2 × 3 × 4"),
    ({"batch": 1, "heads": 12, "query": 5, "key": 9, "head_size": 4}, "12 heads, 5 on 9"),
    ({"steps": 64, "input_size": 8, "hidden_size": 16, "gates": 4}, "64 steps, 8 → 16"), ({}, ""),
])  # fmt: skip
def test_shapes_in_words(dims, said):
    assert layer_frames.dims(layer("x", dims=dims)) == said
