"""Memory by arithmetic, against numbers worked by hand."""

import pytest

from data.errors import InputError, MeasurementError
from data.tables import devices
from profiler import memory
from profiler.memory import Tier, fit, ladder, tiers, training_estimates, training_memory
from profiler.types import Layer, Model

FLASH = Tier(tier_id="m", title="M", memory_bytes=300, storage_bytes=1000, weights_in="storage", source_id="s")
PLAIN = Tier(tier_id="p", title="P", memory_bytes=1000, weights_in="memory", source_id="s")


def model(**fields):
    known = {"sha256": "s", "name": "m", "format": "onnx", "file_bytes": 1, "parameters_by_dtype": {},
             "parameter_count": 100, "weight_bytes": 400}  # fmt: skip
    return Model(**known | fields)


def test_quantizing_turns_no_into_yes_at_the_exact_byte():
    assert not fit(PLAIN, 901, 100).fits
    assert fit(PLAIN, 900, 100).fits
    assert fit(PLAIN, 901, 100).spare_bytes == -1


def test_a_microcontroller_keeps_weights_in_flash():
    verdict = fit(FLASH, 1000, 300)
    assert verdict.fits
    assert fit(FLASH, 1001, 10).limit == "storage"
    assert fit(FLASH, 1001, 10).spare_bytes == -1
    assert fit(FLASH, 10, 301).limit == "memory"


def test_the_ladder_climbs_from_microcontroller_to_server_and_agrees_with_the_device_table():
    found = ladder(25_557_032 * 4, 6_422_528)  # a ResNet-50
    assert found[0].tier.tier_id == "microcontroller"
    assert not found[0].fits
    assert all(verdict.fits for verdict in found[1:])
    known = {device.device_id: device for device in devices()}
    for tier in tiers():
        if tier.device_id and known[tier.device_id].memory_bytes:
            assert tier.memory_bytes == known[tier.device_id].memory_bytes, tier.tier_id


def test_the_static_estimate_is_weights_and_live_activations():
    assert memory.static_bytes(model(peak_activation_bytes=50)) == 450
    assert memory.static_bytes(model()) is None


def test_adam_takes_four_times_the_weights():
    bert_bytes = 413 << 20  # accelerate's table: bert-base 413 MB, training with Adam 1.61 GB
    found = training_memory(bert_bytes // 4, 0)
    assert found.total_bytes == 4 * bert_bytes
    assert found.total_bytes / (1 << 30) == pytest.approx(1.61, rel=0.05)


def test_training_parts_by_hand():
    found = training_memory(1000, 77, trained_count=10, optimizer="momentum")
    assert (found.weight_bytes, found.gradient_bytes, found.optimizer_bytes) == (4000, 40, 40)
    assert found.total_bytes == 4157
    with pytest.raises(InputError):
        training_memory(1, 0, optimizer="abacus")


def test_head_only_training_takes_less_than_full():
    layers = (
        Layer(name="a", op="Gemm", flop=1, parameter_count=90, read_bytes=10, written_bytes=200),
        Layer(name="r", op="Relu", flop=0, read_bytes=200, written_bytes=200),
        Layer(name="b", op="Gemm", flop=1, parameter_count=10, read_bytes=200, written_bytes=40),
        Layer(name="s", op="Softmax", flop=0, read_bytes=40, written_bytes=40),
    )
    found = training_estimates(model(layers=layers, peak_activation_bytes=100))
    assert found["full"].activation_bytes == 480
    assert found["full"].total_bytes == 16 * 100 + 480
    assert found["head"].total_bytes == 400 + 12 * 10 + 240
    assert set(training_estimates(model())) == {"full"}


def test_too_large_a_model_is_refused_with_its_figures_before_it_is_loaded():
    large = model(weight_bytes=3 << 30, peak_activation_bytes=1 << 30, shapes={"x": (1, 10)})
    memory.check_fits(large, {"x": (1, 10)}, 4 << 30)
    with pytest.raises(MeasurementError) as caught:
        memory.check_fits(large, {"x": (1, 10)}, (4 << 30) - 1)
    assert "4.0 GiB (3.0 of weights, 1.0 of activations)" in caught.value.message
    assert len(caught.value.message) <= 200 and "memory_mb" in caught.value.hint
    with pytest.raises(MeasurementError, match=r"5.0 GiB \(3.0 of weights, 2.0 of activations\)"):
        memory.check_fits(large, {"x": (2, 10)}, 4 << 30)


def test_a_model_without_a_graph_is_judged_by_its_weights():
    memory.check_fits(model(weight_bytes=10), {"x": (9, 9)}, 10)
    with pytest.raises(MeasurementError):
        memory.check_fits(model(weight_bytes=11), {}, 10)
