"""Hours of the day, rooms of one's own, what a share is charged, what making adds, and a user's own runs: by hand."""

from dataclasses import replace

import pytest
import reports

from advisor import device_energy
from advisor.latency.own import own_rows
from advisor.placement import hours, placed, rooms
from advisor.placement.types import Placement
from data.errors import InputError
from data.estimate import Estimate, exact
from data.store import Store
from data.tables import frame, zone
from profiler.types import Layer, Peaks


def placement(**changes):
    made = Placement(
        variant_id="original", device_id="nvidia-h100-sxm5-80gb", instance="i", provider="gcp", region="europe-west4",
        zone="NL", replicas=2, utilisation_frac=0.4, latency_ms=exact(1.0, "predicted"), network_ms=0.0,
        kwh_per_year=exact(100.0, "modelled"), g_co2e_per_year=None, usd_per_year=None,
    )  # fmt: skip
    return replace(made, **changes)


def test_the_cleanest_hours_of_california_by_hand():
    rows = frame("grid", "hourly").query("zone_id == 'US-CAL-CISO' and month == 0").sort_values("hour_local")
    means = rows["mean_g_per_kwh"].tolist()
    windows = {start: sum(means[(start + step) % 24] for step in range(4)) / 4 for start in range(24)}
    best = min(windows, key=lambda start: windows[start])
    found = hours.cleanest("US-CAL-CISO", 4)
    assert (found.first_hour, found.last_hour) == (best, best + 4)
    assert found.ratio.mid == pytest.approx(windows[best] / (sum(means) / 24))
    annual = zone("US-CAL-CISO").g_per_kwh
    assert hours.day("US-CAL-CISO")["g_per_kwh"].mean() == pytest.approx(annual)
    saved = hours.saved_g_co2e(exact(1000.0), found)
    assert saved.mid == pytest.approx(1000 * annual * (1 - found.ratio.mid)) and saved.low <= saved.mid <= saved.high


def test_all_24_hours_save_nothing_and_a_zone_without_a_shape_is_not_guessed():
    assert hours.cleanest("GB", 24).ratio.mid == pytest.approx(1.0)
    with pytest.raises(InputError, match="No hourly shape"):
        hours.cleanest("DE", 4)
    with pytest.raises(InputError, match="between 1 and 24"):
        hours.cleanest("GB", 25)


def test_a_room_of_ones_own_by_hand():
    # Cloud over own = PUE 1.09 / 2.0 x 0.25 / 0.65 busy (middle): own takes 100 / that.
    found = rooms.rooms(placement(region="", zone=None), zone("DE"), exact(2.0), exact(0.25))
    ratio = rooms.own_pue().mid / 2.0 * 0.25 / 0.65
    assert found.energy_ratio.mid == pytest.approx(ratio)
    assert found.own_kwh.mid == pytest.approx(100.0 / ratio)
    assert found.own_g_co2e.mid == pytest.approx(100.0 / ratio * zone("DE").g_per_kwh)
    assert found.cloud_location_g_co2e is None and found.cloud_market_g_co2e is None


def test_location_and_market_stand_apart_and_the_claim_sums_as_printed():
    carbon = exact(100.0, "modelled") * zone("NL").estimate()
    found = rooms.rooms(placement(g_co2e_per_year=carbon), None)
    assert found.cloud_location_g_co2e.mid == pytest.approx(100.0 * zone("NL").g_per_kwh)
    match = found.renewable_match_annual_frac
    assert match is not None and found.cloud_market_g_co2e.basis == "claimed"
    assert found.cloud_market_g_co2e.mid == pytest.approx(found.cloud_location_g_co2e.mid * (1 - match))
    told = rooms.claims().set_index("claim")["value"]
    saved = told["saved by renewable energy and location"] + told["saved by efficiency"]
    assert saved == pytest.approx(told["saved in all, as printed"])


def test_a_share_bears_the_unsold_share_and_never_more_than_the_whole():
    whole = Estimate(low=10.0, mid=20.0, high=40.0, basis="modelled")
    tenth = device_energy.charged(whole, 0.1)
    assert (tenth.low, tenth.mid, tenth.high) == pytest.approx((1.0, 20 * 0.1 / 0.65, 40 * 0.25))
    assert device_energy.charged(whole, 1.0).high == 40.0 and device_energy.charged(whole, 2.0).mid == 40.0
    assert device_energy.charged(whole, 0.9).mid == 20.0


def test_making_the_devices_is_spread_over_their_life_and_not_guessed():
    # Two H100 of 164 kg each over 4 years.
    assert placed.making_g_co2e(placement(), 1.0, 4.0).mid == pytest.approx(2 * 164_000 / 4)
    assert placed.making_g_co2e(placement(device_id="nvidia-l4"), 1.0, 4.0) is None
    with pytest.raises(InputError):
        placed.making_g_co2e(placement(), 1.0, 0.0)


def test_own_runs_join_the_backtest_where_peaks_are_kept(own_home):
    dims = {"batch": 1, "m": 1, "n": 4096, "k": 4096}
    layer = Layer(name="x", op="Gemm", flop=2 << 24, weight_bytes=4 << 24, read_bytes=1 << 14, written_bytes=1 << 14,
                  dims=dims)  # fmt: skip
    model = replace(reports.MODEL, layers=(layer,))
    store = Store(None)
    store.save(model, reports.run(10.0))
    assert own_rows(store).empty  # neither the peaks nor "Test CPU" are known
    rate = exact(1e11, "measured")
    store.save(Peaks(
        id="p", fingerprint="f00d", device="cpu", threads=1, created_at="2026", fp32_flop_per_s=rate,
        memory_bytes_per_s=exact(1e10, "measured"), cache_bytes_per_s=exact(1e11, "measured"),
    ))  # fmt: skip
    found = own_rows(store).iloc[0]
    assert found["kind"] == "here" and found["measured_ms"] == pytest.approx(10.0, rel=0.02)
    assert found["roofline_ms"] == pytest.approx((4 * 2**24 + 2 * 2**14) / 1e10 * 1e3, rel=0.01)  # memory's bandwidth
    assert found["error_frac"] == pytest.approx(found["predicted_ms"] / found["measured_ms"] - 1)
    store.close()
