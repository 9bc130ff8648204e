"""The latency model on planted operators, by hand: padding, ramps, the power limit, streams, launches, folding."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.latency import cpu as latency_cpu
from advisor.latency import gpu as latency_gpu
from advisor.latency import parameters as latency_parameters
from advisor.latency.cpu import Cpu
from advisor.latency.gpu import Gpu
from advisor.latency.operators import BATCHED, ELEMENTWISE, MATMUL, SOFTMAX, from_layers, from_rows, graph
from advisor.latency.parameters import Parameters
from advisor.latency.predict import RUNTIMES, predict, predict_ops
from data.errors import InputError
from data.tables import device, devices
from profiler.types import Layer

PLANTED = Parameters(
    fp32_full_frac=0.5, fp32_wide_frac=0.4, fp32_shared_frac=0.3, fp32_old_frac=0.2, matrix16_frac=0.8,
    matrix8_frac=0.6, fp32_pj_per_flop=10.0, matrix16_pj_per_flop=2.0, board_w=20.0, fp32_ramp=0.0, matrix_ramp=0.0,
    matrix_tile=0.0, hbm_frac=0.9, gddr_frac=0.8, old_memory_frac=0.7, convolution_frac=1.0, launch_us=2.0,
    rounding_launch_us=4.0, rounding_per_ns=2.0, engine_frac=0.5,
)  # fmt: skip
# 10 TFLOP/s, 100 multiprocessors, 1 TB/s, so many watts that they never bind: 5 TFLOP/s sustained, 0.9 TB/s streamed.
PLAIN = Gpu(
    peak_flop_per_s=10e12, matrix=False, bits8=False, memory_bytes_per_s=1e12, tdp_w=1e9, node_nm=12.0,
    multiprocessors=100.0, issue=latency_gpu.FULL, hbm=True,
)  # fmt: skip


def row(kind, batch=1, m=0, n=0, k=0, weight=0.0, read=0.0, written=0.0, other=0.0, launches=1, nodes=1, repeat=1):
    return (kind, batch, m, n, k, weight, read, written, other, launches, nodes, repeat)


def layer(op, name="x", *, inputs=(), outputs=(), **fields):
    return Layer(name=name, op=op, flop=fields.pop("flop", 0), inputs=inputs, outputs=outputs, **fields)


def planted(ops, on=PLAIN, p=PLANTED):
    return latency_gpu.seconds(ops, on, p)


def test_a_product_of_whole_tiles_runs_at_the_sustained_rate():
    ops = from_rows([row(MATMUL, m=12_800, n=1_280, k=1_000)])  # 1,000 tiles of 128 x 128, ten for each of 100
    assert planted(ops).compute[0] == pytest.approx(2 * 12_800 * 1_280 * 1_000 / 5e12)


def test_padding_to_whole_tiles_costs_what_it_adds():
    ops = from_rows([row(MATMUL, m=12_800, n=1_281, k=1_000)])
    # One column too many: 100 more tiles of 128 x 32 (half width 10, so 1 + 10 (1/128 + 1/32 - 1/64) / 2 slower each),
    # or 11 instead of 10 columns of 128 x 128: 10 % more.
    whole = 2 * 12_800 * 1_408 * 1_000 / 5e12
    assert planted(ops).compute[0] == pytest.approx(whole, rel=0.05)
    assert planted(ops).compute[0] > 2 * 12_800 * 1_281 * 1_000 / 5e12


def test_fewer_tiles_than_multiprocessors_leave_some_idle():
    ops = from_rows([row(BATCHED, batch=50, m=32, n=32, k=1_000)])  # 50 tiles of 32 x 32 on 100; k of many is not cut
    slower = 1 + 10 * (1 / 32 + 1 / 32 - 1 / 64) / 2
    assert planted(ops).compute[0] == pytest.approx(2 * 32 * 32 * 1_000 * 100 / 5e12 * slower)


def test_the_power_limit_caps_the_rate():
    # (60 - 20) W / 10 pJ = 4 TFLOP/s of the 5 the chip would reach; the smooth minimum stays below both.
    limited = Gpu(**{name: getattr(PLAIN, name) for name in Gpu.__dataclass_fields__} | {"tdp_w": 60.0})
    rate = latency_gpu.sustained_flop_per_s(limited, PLANTED)
    assert rate == pytest.approx(5e12 * (1 + (5 / 4) ** 8) ** (-1 / 8))
    assert 3.5e12 < rate < 4e12
    finer = Gpu(**{name: getattr(limited, name) for name in Gpu.__dataclass_fields__} | {"node_nm": 3.0})
    assert latency_gpu.sustained_flop_per_s(finer, PLANTED) == pytest.approx(5e12, rel=1e-3)


def test_streams_run_at_a_share_of_the_bandwidth_and_softmax_reads_twice():
    ops = from_rows([row(ELEMENTWISE, read=0.6e9, written=0.3e9), row(SOFTMAX, read=0.6e9, written=0.3e9)])
    assert planted(ops).memory == pytest.approx([1e-3, 1.5e-3])
    assert planted(ops).kernel == pytest.approx([1e-3, 1.5e-3])


def test_arithmetic_and_memory_overlap_but_not_for_nothing():
    ops = from_rows([row(MATMUL, m=12_800, n=1_280, k=1_000, read=0.9e12 * 2 * 12_800 * 1_280 * 1_000 / 5e12)])
    times = planted(ops)
    assert times.memory[0] == pytest.approx(times.compute[0])
    assert times.kernel[0] == pytest.approx(times.compute[0] * 2 ** (1 / 4))


def test_rounding_to_8_bits_is_paid_by_element_and_row():
    # 1,000 x 2,000: moved 6 MB at 0.9 TB/s = 6.7 us; worked (1,000 + 50) rows x 2,000 / (2 per ns x 100) = 10.5 us.
    seconds = latency_gpu.rounding_seconds(np.array([1000.0]), np.array([2000.0]), PLAIN.rows(1), PLANTED)
    assert seconds[0] == pytest.approx(10.5e-6 + 4e-6)


def test_a_cpu_streams_its_weights_and_multiplies_at_the_rate_it_was_seen_to_reach():
    on = Cpu(
        product_flop_per_s=100e9, vector_flop_per_s=100e9, memory_bytes_per_s=10e9, cache_bytes_per_s=50e9,
        cache_bytes=1e6,
    )  # fmt: skip
    sizes = ({"m": 1, "k": 1_000}, {"m": 1_000, "k": 992})
    ops = from_rows([row(MATMUL, n=1_600, weight=6.4e6, **size) for size in sizes])
    times = latency_cpu.seconds(ops, on)
    # 6.4 MB at 10 GB/s, then 1,600 x (k + a ramp of 8) multiply-adds a row at 100 GFLOP/s.
    assert times.kernel == pytest.approx([0.64e-3 + 2 * 1_600 * 1_008 / 100e9, 0.64e-3 + 2 * 1_600 * 1e6 / 100e9])


def test_a_recurrent_layer_reads_its_weights_again_every_step():
    dims = {"batch": 1, "steps": 64, "input_size": 128, "hidden_size": 512, "gates": 4, "directions": 1}
    ops = from_layers([layer("LSTM", flop=1, weight_bytes=5_120_000, dims=dims)], "fp32", folds=True)
    assert ops.flop @ ops.repeat == 2 * 64 * (128 + 512) * 4 * 512
    assert ops.weight_bytes @ ops.repeat == pytest.approx(5_120_000 * (0.2 + 64 * 0.8))


def test_a_runtime_that_folds_pays_an_activation_once():
    dims = {"batch": 1, "m": 8, "n": 8, "k": 8}
    layers = [
        layer("MatMul", flop=1024, weight_bytes=256, read_bytes=256, written_bytes=256, dims=dims, outputs=("a",)),
        layer("Relu", read_bytes=256, written_bytes=256, inputs=("a",), outputs=("b",)),
        layer("Softmax", read_bytes=256, written_bytes=256, inputs=("b",), outputs=("c",)),
    ]
    eager, folded = (from_layers(layers, "fp32", folds=folds) for folds in (False, True))
    assert eager.launches @ eager.repeat == 3
    assert folded.launches @ folded.repeat == 2
    assert eager.moved_bytes.sum() - folded.moved_bytes.sum() == 512


def test_half_the_bytes_in_half_the_precision():
    whole, half = graph("bert_large"), graph("bert_large").in_dtype("bf16")
    assert half.moved_bytes.sum() == pytest.approx(whole.moved_bytes.sum() / 2)
    assert half.flop.sum() == whole.flop.sum()


def test_shipped_graphs_have_the_flop_of_the_closed_form():
    # BERT-large at 512 tokens: 24 layers of 12 h^2 + 2 x 512 h multiply-adds a token, and a head of h^2 + h x 30,522.
    h, tokens = 1024, 512
    macs = tokens * (24 * (12 * h * h + 2 * tokens * h) + h * h + h * 30_522)
    ops = graph("bert_large")
    assert ops.flop @ ops.repeat == pytest.approx(2 * macs, rel=1e-3)


def test_every_gpu_that_has_a_rate_is_predicted_and_the_shares_sum_to_one():
    dims = {"batch": 1, "m": 128, "n": 768, "k": 768}
    moved = {"weight_bytes": 2_359_296, "read_bytes": 393_216, "written_bytes": 393_216}
    layers = [layer("MatMul", flop=2 * 128 * 768 * 768, dims=dims, **moved)]
    told = 0
    for one in devices():
        try:
            found = predict(layers, one.device_id, dtype="fp32", batch=4)
        except InputError:
            continue
        told += 1
        latency = found.latency_ms
        assert 0 < latency.low < latency.mid < latency.high, one.device_id
        assert found.compute_frac + found.memory_frac + found.overhead_frac == pytest.approx(1.0)
    assert told > 120


def test_unknown_device_missing_rate_and_empty_graph_are_said_plainly():
    dims = {"batch": 1, "m": 8, "n": 8, "k": 8}
    layers = [layer("MatMul", flop=1024, weight_bytes=256, read_bytes=256, written_bytes=256, dims=dims)]
    for asked, words in (
        ({"device_id": "nvidia-t5"}, "nvidia-t4"),
        ({"device_id": "nvidia-p100-pcie-16gb", "dtype": "int8"}, "no int8 rate"),
        ({"device_id": "nvidia-t4", "dtype": "fp12"}, "fp12"),
        ({"device_id": "nvidia-t4", "batch": 0}, "batch of 0"),
    ):
        with pytest.raises(InputError) as error:
            predict(layers, **asked)
        assert words in f"{error.value.message} {error.value.hint}"
    with pytest.raises(InputError):
        predict((), "nvidia-t4")


def test_the_shipped_parameters_are_few_and_within_their_bounds():
    p, prior = latency_parameters.fitted(), latency_parameters.prior()
    values = np.array([getattr(p, name) for name in latency_parameters.NAMES])
    assert len(values) <= 20
    assert (values >= prior.low).all() and (values <= prior.high).all()


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(("resnet50", "bert_large_384", "gpt2_large")),
    device_id=st.sampled_from(("nvidia-t4", "nvidia-l4", "nvidia-h100-sxm5-80gb", "nvidia-b200-sxm-180gb", "amd-mi300x",
                               "apple-m2", "google-tpu-v5e", "intel-xeon-8480plus", "aws-graviton3", "raspberry-pi-5")),
    runtime=st.sampled_from(tuple(RUNTIMES)), batch=st.integers(1, 48), more=st.integers(1, 16),
    field=st.sampled_from(("memory_bytes_per_s", "tdp_w")), ratio=st.floats(1.0, 4.0),
)  # fmt: skip
def test_more_work_is_never_quicker_and_a_better_device_never_slower(
    name, device_id, runtime, batch, more, field, ratio
):
    on = device(device_id)
    dtype = "fp32" if on.fp32_flop_per_s else "bf16"
    ops = graph(name).in_dtype(dtype)
    one = predict_ops(ops.at_batch(batch), on, dtype=dtype, batch=batch, runtime=runtime).latency_ms
    two = predict_ops(ops.at_batch(batch + more), on, dtype=dtype, batch=batch + more, runtime=runtime).latency_ms
    better = replace(on, **{field: getattr(on, field) * ratio})
    new = predict_ops(ops.at_batch(batch), better, dtype=dtype, batch=batch, runtime=runtime).latency_ms
    for end in ("low", "mid", "high"):
        assert getattr(two, end) >= getattr(one, end) * (1 - 1e-9)
        assert getattr(new, end) <= getattr(one, end) * (1 + 1e-9)
    assert 0.0 < one.low < one.mid < one.high


def test_intervals_are_wider_where_nothing_of_the_kind_was_measured():
    def width(device_id, dtype="fp32"):
        found = predict_ops(graph("resnet50").in_dtype(dtype).at_batch(32), device(device_id), dtype=dtype, batch=32)
        return found.latency_ms.high / found.latency_ms.low, found.notes

    known, vendor = width("nvidia-h100-sxm5-80gb"), width("amd-mi210")
    assert vendor[0] == pytest.approx(known[0] ** 2, rel=0.01) and "AMD" in vendor[1][0]
    doubted = width("nvidia-rtx-4070", "fp16")
    assert doubted[0] > known[0] * 2 and any("not verified" in note.lower() for note in doubted[1])
    intel, arm = width("intel-xeon-8480plus"), width("aws-graviton3")
    assert arm[0] == pytest.approx(intel[0] ** 2) and any("AWS" in note for note in arm[1])
