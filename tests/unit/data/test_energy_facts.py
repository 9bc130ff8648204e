"""Facts of energy, as printed in their sources."""

import pytest

from data import energy, tables
from data.errors import InputError


def test_operations_as_printed():
    assert energy.operation_pj("add", "int8", 45).mid == 0.03
    assert energy.operation_pj("mul", "float32", 7).mid == 1.31
    dram = energy.operation_pj("dram_ddr", node_nm=45)
    assert (dram.low, dram.high) == (1300, 2600)
    assert dram.source == "energy/jouppi_2021; energy/horowitz_2014"
    assert energy.operation_pj("mul", "bfloat16", 45) is None


def test_what_the_table_lacks_is_refused():
    with pytest.raises(InputError, match="5 nm"):
        energy.operation_pj("add", "int8", 5)
    with pytest.raises(InputError, match="int2"):
        energy.operation_pj("add", "int2")
    with pytest.raises(InputError, match="bfloat16"):
        energy.chip_area_um2("add", "bfloat16")
    with pytest.raises(InputError, match="elephants"):
        energy.equivalent("elephants")


def test_sources_of_energy_facts_are_credited():
    credited = {source.id for source in tables.sources()}
    assert {found.source for found in energy.equivalents().values()} <= credited
    assert set(energy.operation_pj("add", "int8").source.split("; ")) <= credited


@pytest.mark.parametrize(
    "name, cores, low, high",
    [
        ("Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz", 2, 17.5, 17.5),  # 210 W x 2 / 24
        ("Intel(R) Xeon(R) CPU E5-2686 v4 @ 2.30GHz", 18, 145, 145),
        ("AMD EPYC 7R13 Processor", 48, 225, 225),
        ("AMD EPYC 7R13 Processor", 96, 225, 225),  # no more than the socket
        ("Intel(R) Xeon(R) Processor @ 2.80GHz", 2, 2 * 500 / 128, 2 * 240 / 18),  # 6980P to 8124M
    ],
)
def test_rated_power_of_a_cpu(name, cores, low, high):
    found = energy.rated_w(name, cores)
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-3)
    assert found.basis == ("claimed" if low == high else "modelled")


def test_rated_power_of_an_unknown_cpu_is_none():
    assert energy.rated_w("Transputer T800", 1) is None


def test_the_ladder_of_trainings():
    runs = {run.system: run for run in energy.trainings()}
    assert runs["GPT-3 175B (davinci)"].energy_kwh == 1_287_000
    assert runs["BLOOM-176B"].carbon_kg_co2e == 24_700
    assert "88 times too high" in runs["NAS / Evolved Transformer (P100, upper bound)"].notes
    assert runs["GPT-2"].unverified_fields == ("energy_kwh", "carbon_kg_co2e")
    energies = [run.energy_kwh for run in energy.trainings() if run.energy_kwh is not None]
    assert energies == sorted(energies)


def test_distilgpt2_reconciles():
    """8 GPUs x 300 W x 168 h = 403.2 kWh; 149.2 kg over that is 0.37 kg/kWh."""
    run = next(run for run in energy.trainings() if run.system == "DistilGPT2")
    assert run.chips_count * run.chip_w * run.days * 24 / 1000 == pytest.approx(run.energy_kwh)
    assert run.carbon_kg_co2e / run.energy_kwh == pytest.approx(0.37, rel=1e-3)


def test_nas_is_never_without_its_correction():
    claims = tables.frame("claims")
    nas = claims[claims.claim.str.contains("architecture search")].iloc[0]
    assert nas.value == 626_155 and nas.overstated_ratio == 88 and "88x" in nas.correction
    assert claims[claims.status == "corrected"].correction.notna().all()


def test_regulation_is_dated_and_has_a_status():
    rules = tables.frame("claims", "regulation").set_index("training_flop")
    assert rules.status.to_dict() == {1e25: "in force", 1e26: "revoked"}
    assert rules.revoked_date[1e26] == "2025-01-20"
