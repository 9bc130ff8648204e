"""Modelled energy of layers, by hand from the published picojoules."""

import pytest

from advisor import physics
from data.errors import InputError
from profiler.types import Layer, Model

# 1,000 multiply-adds, 4,000 bytes of weights, 800 bytes in and 800 out.
GEMM = Layer(name="fc", op="Gemm", flop=2000, weight_bytes=4000, read_bytes=800, written_bytes=800)


def test_a_layer_by_hand_at_45_nm():
    """3,700 pJ multiply, 900 pJ add, 5,600 / 8 x 100 pJ SRAM, 5,600 / 8 x 1,300 to 2,600 pJ DRAM."""
    split = physics.of_layer(GEMM, 45)
    assert split.multiply_j.mid == pytest.approx(3700e-12)
    assert split.add_j.mid == pytest.approx(900e-12)
    assert split.sram_j.mid == pytest.approx(70_000e-12)
    assert split.dram_j.mid == pytest.approx(910_000e-12)
    assert split.dram_j.low == pytest.approx(4000 / 8 * 1300e-12)  # activations fit the cache
    assert split.dram_j.high == pytest.approx(1_820_000e-12)
    assert split.total_j.mid == pytest.approx(984_600e-12)
    assert split.total_j.basis == "modelled"
    assert split.dram_frac == pytest.approx(910_000 / 984_600)


def test_activations_beyond_the_cache_cross_dram_for_sure():
    assert physics.of_layer(GEMM, 7, cache_bytes=1000).dram_j.low == pytest.approx(700 * 1300e-12)


def test_a_model_that_fits_the_cache_whole_may_leave_dram_out():
    fits, exceeds = (physics.of_layers([GEMM, GEMM], 7, cache_bytes=size).dram_j for size in (1 << 20, 1000))
    assert fits.low == 0.0 and fits.mid == exceeds.mid
    assert exceeds.low > 0.0


def test_the_parts_of_a_model_add_up():
    model = Model(
        sha256="0", name="m", format="onnx", file_bytes=1, parameter_count=1, parameters_by_dtype={}, weight_bytes=1,
        layers=(GEMM, GEMM, Layer(name="relu", op="Relu", flop=0, other_flop=200, read_bytes=800, written_bytes=800)),
    )  # fmt: skip
    split = physics.of_model(model, 7)
    parts = split.multiply_j.mid + split.add_j.mid + split.sram_j.mid + split.dram_j.mid
    assert split.total_j.mid == pytest.approx(parts)
    assert split.multiply_j.mid == pytest.approx(2000 * 1.31e-12)
    assert split.add_j.mid == pytest.approx(2200 * 0.38e-12)


def test_int8_what_if_by_hand():
    """A quarter of the bytes; int8 multiplies 0.07 pJ, added in int32 at 0.03 pJ."""
    (small,) = physics.at_dtype([GEMM], "int8")
    assert (small.weight_bytes, small.read_bytes, small.dtype) == (1000, 200, "int8")
    split = physics.of_layer(small, 7)
    assert split.multiply_j.mid == pytest.approx(1000 * 0.07e-12)
    assert split.add_j.mid == pytest.approx(1000 * 0.03e-12)
    assert split.dram_j.mid == pytest.approx(physics.of_layer(GEMM, 7).dram_j.mid / 4)


def test_a_layer_that_does_not_multiply_keeps_its_dtype():
    relu = Layer(name="relu", op="Relu", flop=0, other_flop=200)
    assert physics.at_dtype([relu], "int8") == (relu,)


def test_dtypes_without_a_figure_are_named_and_not_counted():
    odd = Layer(name="m", op="MatMul", flop=2000, dtype="float64", weight_bytes=8)
    split = physics.of_layers([odd, GEMM], 7)
    assert split.not_modelled == ("MatMul",)
    assert split.multiply_j.mid == pytest.approx(1000 * 1.31e-12)


def test_an_empty_layer_costs_nothing():
    split = physics.of_layer(Layer(name="r", op="Reshape", flop=0, dtype="int64"))
    assert split.total_j.mid == 0 and split.dram_frac is None and split.not_modelled == ()


def test_better_memory_costs_less():
    ddr, hbm = (physics.of_layer(GEMM, 7, memory).dram_j.mid for memory in ("dram_ddr", "dram_hbm2"))
    assert hbm / ddr == pytest.approx(250 / 1300)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: physics.of_layer(GEMM, 5),
        lambda: physics.of_layer(GEMM, 7, "punch cards"),
        lambda: physics.of_layer(GEMM, 45, "dram_hbm2"),
        lambda: physics.at_dtype([GEMM], "int4"),
        lambda: physics.of_layer(physics.at_dtype([GEMM], "bfloat16")[0], 45),
        lambda: physics.of_model(
            Model(
                sha256="0", name="m", format="safetensors", file_bytes=1, parameter_count=1, parameters_by_dtype={},
                weight_bytes=1, notes=("The file has no graph.",),
            )
        ),
    ],
)  # fmt: skip
def test_what_is_not_published_is_refused(wrong):
    with pytest.raises(InputError) as error:
        wrong()
    assert error.value.hint


def test_printed_ratios():
    assert physics.energy_ratio("add") == pytest.approx(30.0)
    assert physics.energy_ratio("mul", node_nm=7) == pytest.approx(18.71, abs=0.01)
    assert physics.area_ratio("add") == pytest.approx(116.2, abs=0.05)
    assert physics.fetch_in_multiplies("int8", 45) == pytest.approx(6500)
    assert len(physics.node_ratios()) == 11
    assert physics.node_ratio_mean() == pytest.approx(2.607, abs=5e-4)
    assert physics.node_ratio_mean(()) == pytest.approx(2.857, abs=5e-4)
