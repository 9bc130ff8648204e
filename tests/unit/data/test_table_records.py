"""Records of the shipped facts: what a reader of the sources can check by hand."""

import pandas as pd
import pytest

from data import tables
from data.errors import InputError


def test_a_zone_by_hand():
    """Electricity Maps: France 49 (2023), 33 (2024), 31 (2025) g/kWh."""
    france = tables.zone("FR")
    assert (france.g_per_kwh, france.low_g_per_kwh, france.high_g_per_kwh, france.year) == (31, 31, 49, 2025)
    assert france.estimate().source == "grid/electricity_maps"
    assert france.estimate().basis == "modelled"


def test_a_country_is_embers_and_a_zone_is_not():
    assert tables.country("FR").g_per_kwh == 41.44
    assert tables.country("FR").source == "grid/ember"
    assert tables.country("FR").basis != tables.zone("FR").basis
    assert tables.country("WORLD").g_per_kwh == 458.29
    with pytest.raises(InputError):
        tables.zone("WORLD")
    with pytest.raises(InputError):
        tables.country("US-CAL-CISO")


def test_zones_rank_on_one_year_and_one_basis():
    assert {zone.year for zone in tables.zones()} == {2025}
    assert len({zone.basis for zone in tables.zones()}) == 1
    assert len(tables.zones()) == 352
    assert len(tables.countries()) == 216


def test_regions_know_their_zone_pue_and_place():
    paris = tables.region("gcp", "europe-west9")
    assert (paris.zone_id, paris.pue, paris.pue_scope) == ("FR", 1.09, "provider fleet")
    assert paris.operational_g_per_kwh == 16.3
    assert paris.carbon_free_hourly_frac == pytest.approx(0.96)
    assert paris.pue_estimate().low < 1.09 < paris.pue_estimate().high
    stockholm = tables.region("aws", "eu-north-1")
    assert stockholm.zone_id == "SE-SE3"
    assert stockholm.latitude == pytest.approx(59.3, abs=0.2)
    assert tables.region("lambda", "us-east-1").zone_id is None
    assert tables.region("lambda", "us-east-1").pue_estimate() is None


def test_every_region_with_a_zone_can_be_ranked():
    zones = {zone.zone_id for zone in tables.zones()}
    assert all(region.zone_id in zones for region in tables.regions() if region.zone_id)
    assert sum(region.zone_id is None for region in tables.regions()) == 17


def test_a_device_in_our_units():
    t4 = tables.device("nvidia-t4")
    assert t4.fp16_flop_per_s == 65.13e12
    assert t4.int8_op_per_s == 130e12
    assert t4.memory_bytes == 16_000_000_000
    assert t4.memory_bytes_per_s == 320e9
    assert t4.l2_bytes == 4 * 1024**2
    assert t4.tdp_w == 70.0
    assert t4.embodied_kg_co2e is None
    assert "int8_op_per_s" in t4.unverified_fields
    xeon = tables.device("intel-xeon-8259cl")
    assert (xeon.cores, xeon.threads_per_core, xeon.base_hz) == (24, 2, 2.5e9)


def test_a_cpu_peak_is_cores_times_clock_times_operations_a_cycle():
    """Xeon 8259CL: 24 cores x 3.1 GHz all-core x 64 FLOP a cycle = 4.76 TFLOP/s."""
    xeon = tables.device("intel-xeon-8259cl")
    assert xeon.fp32_flop_per_s == pytest.approx(24 * 3.1e9 * 64, rel=1e-3)


def test_a_device_is_found_by_the_name_measurements_use():
    assert tables.device_called("Tesla T4").device_id == "nvidia-t4"
    assert tables.device_called("NVIDIA_A100-PCIE-40GB").device_id == "nvidia-a100-pcie-40gb"
    assert tables.device_called("nvidia t4").device_id == "nvidia-t4"
    assert tables.device_called("NVIDIA H100 80GB HBM3").device_id == "nvidia-h100-sxm5-80gb"
    assert tables.device_called("NVIDIA H200").device_id == "nvidia-h200-sxm-141gb"
    assert tables.device_called("Quantum 9000") is None


def test_instances_and_prices():
    c5 = next(instance for instance in tables.instances() if instance.instance_type == "c5.2xlarge")
    assert (c5.vcpus, c5.memory_bytes, c5.cpu_device_id) == (8, 16 * 1024**3, "intel-xeon-8124m")
    price = next(p for p in tables.prices() if (p.instance_type, p.region_id) == ("c5.2xlarge", "us-east-1"))
    assert (price.usd_per_h, price.as_of, price.source_id) == (0.34, "2026-07-05", "aws")
    assert all(price.usd_per_h > 0 for price in tables.prices())
    tpu = next(instance for instance in tables.instances() if instance.instance_type == "tpu-v4-8")
    assert tpu.vcpus is None and tpu.accelerator_count == 4


@pytest.mark.parametrize(
    "lookup, name, near",
    [(tables.device, "nvidia-t5", "nvidia-t4"), (tables.zone, "GBR", "GB"), (tables.country, "DEE", "DE")],
)
def test_what_is_not_known_is_said_with_what_is_near(lookup, name, near):
    with pytest.raises(InputError, match=name) as error:
        lookup(name)
    assert near in error.value.hint


def test_an_unknown_region_is_refused():
    with pytest.raises(InputError, match="aws/eu-nowhere-9"):
        tables.region("aws", "eu-nowhere-9")


def test_records_take_missing_cells_as_none_and_ids_as_tuples():
    rows = pd.DataFrame(
        {"device_id": ["a"], "name": ["A"], "vendor": ["V"], "kind": ["cpu"], "cores": [8.0], "tdp_w": [float("nan")],
         "source_ids": ["x; y"], "unverified_fields": [None], "unknown": [1]}
    )  # fmt: skip
    (found,) = tables.records(tables.Device, rows)
    assert found.cores == 8 and isinstance(found.cores, int)
    assert found.tdp_w is None
    assert isinstance(tables.zone("FR").g_per_kwh, float) and isinstance(tables.zone("FR").year, int)
    assert found.source_ids == ("x", "y") and found.unverified_fields == ()


def test_an_unverified_cell_is_a_wide_interval():
    t4 = tables.device("nvidia-t4")
    assert (t4.estimate("tdp_w").low, t4.estimate("tdp_w").high) == (70.0, 70.0)
    assert t4.estimate("tdp_w").basis == "claimed"
    wide = t4.estimate("int8_op_per_s")
    assert (wide.low, wide.mid, wide.high) == (65e12, 130e12, 260e12)
    assert t4.estimate("embodied_kg_co2e") is None


def test_catalogues_disagree_as_little_as_is_said():
    """This catalogue against Epoch AI's of July 2026, by device name: the basis of UNVERIFIED_RATIO."""
    theirs = tables.frame("trends", "hardware").set_index("device")
    same = {"fp32_flop_per_s": "fp32_flop_per_s", "memory_bytes_per_s": "memory_bytes_per_s", "tdp_w": "rated_w"}
    ratios = {True: [], False: []}
    for device in tables.devices():
        if device.name in theirs.index:
            for mine, other in same.items():
                value, told = getattr(device, mine), theirs.at[device.name, other]
                if value and told == told:
                    ratios[mine in device.unverified_fields].append(max(value / told, told / value))
    assert len(ratios[False]) > 50
    assert max(ratios[False]) < 1.15
    assert max(ratios[True], default=1.0) <= tables.UNVERIFIED_RATIO + 0.01
