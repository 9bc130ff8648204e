"""Claims and their corrections cannot be had apart; the physics as rows says what the talks say."""

import pytest

from advisor import claims, physics_frames
from profiler.types import Layer, Model


def test_what_is_not_simply_claimed_says_why():
    found = claims.claims()
    assert len(found) == 34
    assert all(one.correction for one in found if one.status != "claimed")
    assert all(one.source for one in found)


def test_the_architecture_search_comes_with_its_correction():
    (nas,) = (one for one in claims.claims() if one.value == 626_155)
    assert nas.status == "corrected" and "88x" in nas.correction and nas.corrected_by
    assert nas.corrected == pytest.approx(626_155 / 88)
    rows = claims.training_carbon().set_index("name")
    row = rows.loc[nas.claim]
    assert row["value"] == pytest.approx(626_155 * 453.59237) and row["other"] == pytest.approx(row["value"] / 88)
    assert int(rows["other"].notna().sum()) == 1


def test_the_ratios_of_the_talks():
    at_45 = {one.label: one.ratio for one in physics_frames.ratios(45)}
    assert at_45["FP32 add over INT8"] == pytest.approx(30.0)
    assert at_45["FP32 multiply over INT8"] == pytest.approx(18.5)
    assert at_45["FP32 adder over INT8"] == pytest.approx(116.2, rel=1e-3)
    assert at_45["FP32 multiplier over INT8"] == pytest.approx(27.3, rel=1e-3)
    assert at_45["DRAM fetch over INT8 multiply"] == pytest.approx(6500)
    at_7 = {one.label: one.ratio for one in physics_frames.ratios(7)}
    assert at_7["DRAM fetch over INT8 multiply"] == pytest.approx(18_571, rel=1e-4)
    assert at_7["DRAM over SRAM of 1 MiB"] == pytest.approx(1300 / 14)


def test_operations_and_fetches_as_rows():
    rows = physics_frames.operations()
    assert len(rows) == 16 and rows["name"].iloc[0] == "Add, int8" and rows["name"].iloc[-1] == "DRAM, DDR"
    assert int(rows["other"].isna().sum()) == 4  # bfloat16 twice, HBM2 and GDDR6: not published at 45 nm
    at_45 = physics_frames.fetches(45).set_index("64 bits from")
    assert list(at_45.index) == ["SRAM, 8 KiB", "SRAM, 32 KiB", "SRAM, 1 MiB", "DRAM, DDR"]
    assert at_45.loc["DRAM, DDR", "int8"] == "6,500" and at_45.loc["SRAM, 8 KiB", "float32"] == "2.7"
    assert physics_frames.node_mean() == pytest.approx(2.607, rel=1e-3)
    assert physics_frames.areas()["area_um2"].tolist() == [36, 282, 4184, 7700]


def test_a_model_as_if_narrower():
    """1,000 multiply-adds at 45 nm: 984,600 pJ in float32; a quarter of the bytes and int8 arithmetic in int8."""
    layer = Layer(name="fc", op="Gemm", flop=2000, weight_bytes=4000, read_bytes=800, written_bytes=800)
    model = Model(
        sha256="0", name="m", format="onnx", file_bytes=1, parameter_count=1, parameters_by_dtype={}, weight_bytes=1,
        layers=(layer,),
    )  # fmt: skip
    rows = physics_frames.what_if(model, 45, "dram_ddr").set_index("numbers")
    assert rows.loc["as it is", "energy_j"] == rows.loc["all float32", "energy_j"] == pytest.approx(984_600e-12)
    int8 = 1000 * (0.2 + 0.1) + 1400 / 8 * (100 + 1300)
    assert rows.loc["all int8", "energy_j"] == pytest.approx(int8 * 1e-12)
    assert "all bfloat16" not in rows.index  # not published at 45 nm
    assert "all bfloat16" in physics_frames.what_if(model, 7, "dram_hbm2")["numbers"].to_list()
