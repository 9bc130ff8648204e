"""Power between idle and busy, joules a call, and MLPerf's power rows."""

import pytest

from advisor import device_energy
from advisor.latency.predict import Prediction
from data.errors import InputError
from data.estimate import exact
from data.tables import device, frame

SERVER_OVERHEAD = 1.33


def prediction(device_id, latency_ms, overhead_frac=0.0):
    return Prediction(
        latency_ms=exact(latency_ms, "predicted"), compute_frac=1.0 - overhead_frac, memory_frac=0.0,
        overhead_frac=overhead_frac, device_id=device_id, dtype="fp32", batch=1, runtime="engine",
    )  # fmt: skip


def test_power_runs_from_idle_to_busy():
    t4 = device("nvidia-t4")  # 70 W, 8.1 W idle in the table
    assert device_energy.power_w(t4, 0.0).mid == pytest.approx(8.1)
    assert device_energy.power_w(t4, 1.0).mid == pytest.approx(0.83 * 70)
    assert device_energy.power_w(t4, 0.5).mid == pytest.approx((8.1 + 0.83 * 70) / 2)
    assert device_energy.power_w(t4, 0.0).low == pytest.approx(0.06 * 70)


def test_joules_of_a_call_are_watts_times_seconds():
    # 100 ms on a 70 W card that works all the time: 0.1 s x 58.1 W.
    assert device_energy.energy_per_call(prediction("nvidia-t4", 100.0)).mid == pytest.approx(5.81)
    half = device_energy.energy_per_call(prediction("nvidia-t4", 100.0, overhead_frac=0.5))
    assert half.mid == pytest.approx(0.1 * (0.5 * 58.1 + 0.5 * 8.1))
    assert device_energy.energy_above_idle(prediction("nvidia-t4", 100.0)).mid == pytest.approx(0.1 * (58.1 - 8.1))


def test_a_share_of_the_cores_draws_its_share():
    whole, half = (device_energy.busy_w(device("intel-xeon-8488c"), share) for share in (1.0, 0.5))
    assert half.mid == pytest.approx(whole.mid / 2)


def test_unknown_rated_power_stays_unknown_and_shares_are_checked():
    nameless = next(one for one in map(device, ("google-axion", "azure-cobalt-100")) if one.tdp_w is None)
    assert device_energy.power_w(nameless, 0.5) is None
    with pytest.raises(InputError):
        device_energy.power_w(device("nvidia-t4"), 1.2)


def test_mlperf_systems_draw_what_their_devices_and_a_host_are_said_to():
    rows = frame("devices", "mlperf").dropna(subset=["system_w"])
    assert len(rows) == 26
    inside = 0
    for device_id, count, watts in rows[["device_id", "devices_count", "system_w"]].itertuples(index=False):
        busy = device_energy.busy_w(device(device_id))
        inside += busy.low * count < watts < busy.high * count * SERVER_OVERHEAD
    assert inside / len(rows) >= 0.9
