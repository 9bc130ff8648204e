"""A model as candidates, and this machine as a place, by hand."""

from dataclasses import replace

import pytest
import reports

from advisor.placement.inputs import candidates, stored_as, this_machine
from data.errors import InputError
from data.estimate import Estimate
from profiler.types import Tensor

TIMED = Estimate(low=9.0, mid=10.0, high=11.0, basis="measured")


def test_only_the_stored_dtype_was_measured_and_weights_follow_the_dtype():
    whole, half = candidates(reports.MODEL, ("fp32", "fp16"), TIMED)
    assert stored_as(reports.MODEL) == "fp32"
    assert (whole.measured_ms, half.measured_ms) == (TIMED, None)
    assert (whole.weight_bytes, half.weight_bytes) == (398_120, 99_530 * 2)


def test_the_graph_is_taken_back_to_one_sample():
    fixed = replace(
        reports.MODEL, inputs=(Tensor(name="x", dtype="float32", shape=(4, 784)),), shapes={"x": (4, 784)},
        peak_activation_bytes=4_000,
    )  # fmt: skip
    one = candidates(fixed, ("fp32",))[0]
    assert (one.layers_batch, one.activation_bytes) == (4, 1_000)
    assert candidates(reports.MODEL, ("fp32",))[0].layers_batch == 1


def test_a_file_without_a_graph_is_refused():
    with pytest.raises(InputError, match="cannot be predicted"):
        candidates(replace(reports.MODEL, layers=()), ("fp32",))


def test_watts_of_this_machine_follow_its_rated_power():
    here = this_machine(replace(reports.HERE, cpu="AMD EPYC 2", physical_cores=2), "DE")
    twice = this_machine(replace(reports.HERE, cpu="AMD EPYC 2", physical_cores=4), "DE")
    assert 0 < here.idle_w.mid < here.busy_w.mid and here.busy_w.basis == "modelled"
    assert twice.busy_w.mid == pytest.approx(2 * here.busy_w.mid)
    assert this_machine(replace(reports.HERE, cpu="no such processor"), None).busy_w is None
