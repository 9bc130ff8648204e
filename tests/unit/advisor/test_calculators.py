"""The calculators by hand: a typed turbine, a fleet a day, what a chip rents for, and energy in things people know."""

import pytest

from advisor import calculators, training
from advisor.figures.dots import log_dots
from advisor.turbine import Turbine, turbine
from data import own, tables
from data.errors import InputError
from data.estimate import Estimate, exact
from data.store import Store


def test_a_typed_turbine():
    """2 MW x 3,000 h = 6 GWh: 12 GWh are two of its years, 0.96 of the reference's."""
    mine = turbine(2.0, 3000.0)
    assert mine.kwh_per_year == 6e6
    assert mine.years(exact(12e6)).mid == pytest.approx(2.0)
    assert Turbine().years(exact(12e6)).mid == pytest.approx(0.96)
    for wrong in ((0.0, 2500.0), (5.0, 0.0), (5.0, 9000.0)):
        with pytest.raises(InputError, match="full-load hours"):
            turbine(*wrong)


def test_chatgpt_a_day():
    """28,936 x 400 W x 0.5 x 24 h x 1.33 = 184.727 MWh; / 12,500 MWh = 0.01478 turbine-years; x 365 = 5.39 turbines."""
    given = {"utilisation": 0.5, "overhead": 1.33}
    found = calculators.fleet(28936, exact(400.0), grid=exact(400.0), usd_per_kwh=exact(0.1), **given)
    assert found.kwh_per_day.mid == pytest.approx(184_727, rel=1e-5)
    assert found.turbine_years_per_day.mid == pytest.approx(0.014778, rel=1e-4)
    assert found.turbines.mid == pytest.approx(5.394, rel=1e-3)
    assert found.g_co2e_per_year.mid == pytest.approx(184_727 * 365 * 400, rel=1e-5)
    assert found.usd_per_year.mid == pytest.approx(184_727 * 365 * 0.1, rel=1e-5)
    half = calculators.fleet(28936, exact(400.0), hours_per_day=12, by=Turbine(rated_mw=10), **given)
    assert half.turbines.mid == pytest.approx(found.turbines.mid / 4)
    assert (half.g_co2e_per_year, half.usd_per_year) == (None, None)
    with pytest.raises(InputError, match="24 hours"):
        calculators.fleet(1, exact(1.0), hours_per_day=25)


def test_a_rent_is_that_of_the_tables_until_it_is_yours():
    rent = calculators.usd_per_chip_h("google-tpu-v4")
    assert (rent.low, rent.mid, rent.basis) == (3.22, 3.22, "claimed")
    assert calculators.usd_per_chip_h("apple-m1") is None
    store = Store(None)
    own.add_price(store, "aws", "p5.48xlarge", "us-east-1", 24.0)  # 8 H100
    mine = calculators.usd_per_chip_h("nvidia-h100-sxm5-80gb", own.yours(store).prices)
    assert (mine.mid, mine.basis) == (3.0, "given")
    assert calculators.usd_per_chip_h("google-tpu-v4", own.yours(store).prices) == rent
    store.close()


def test_a_device_of_ones_own_can_be_trained_on():
    store = Store(None)
    made = own.device_of("My card", "gpu", tdp_w=300.0, fp16_tflop_per_s=100.0, memory_gib=24, memory_gb_per_s=900)
    own.add_device(store, made)
    first = calculators.trainable(own.devices(store))[0]
    store.close()
    assert (first.device_id, first.yours, first.memory_bytes) == ("own-my-card", True, 24 << 30)
    assert training.peak_flop_per_s(first) == 100e12 and first.memory_bytes_per_s == 900e9
    power = calculators.power_of(first)
    assert (power.low, power.mid, power.high, power.basis) == (300.0, 300.0, 300.0, "given")
    shipped = calculators.trainable(tables.devices())
    assert all(one.tdp_w for one in shipped) and len(shipped) > 90
    assert [one.release_date for one in shipped] == sorted((one.release_date for one in shipped), reverse=True)
    with pytest.raises(InputError, match="letters or digits"):
        own.device_of("!!", "gpu")


def test_chip_hours_stand_for_the_flop_they_do():
    """BLOOM: 1,082,990 A100-hours at 312 TFLOP/s and 0.35 are 4.26e23 FLOP; run again they take the same hours."""
    flop = training.flop_of_chip_h(1_082_990, 312e12, 0.35)
    assert flop == pytest.approx(4.257e23, rel=1e-3)
    cluster = training.Cluster(chips=384, flop_per_s=312e12, chip_w=exact(400.0), utilisation=exact(0.35))
    run = training.run(flop, cluster)
    assert run.chip_h.mid == pytest.approx(1_082_990) and run.energy_kwh.mid == pytest.approx(433_196)


def test_told_in_things_people_know():
    """84,738,490 g / 120.4 g a km = 703,808 km; 188,702 kWh / 2,500 kWh = 75.5 household-years."""
    rows = calculators.told(exact(188_701.92), exact(84_738_490.0)).set_index("what")
    assert rows.loc["Distance by a new EU car (2018)", "amount"] == pytest.approx(703_808, rel=1e-5)
    assert rows.loc["Distance by a new EU car (2018)", "said"] == "704,000 km"
    household = rows.loc["Two-person household (Germany), electricity for"]
    assert household["amount"] == pytest.approx(75.48, rel=1e-3) and household["said"] == "75.5 years"
    assert (rows["source"].str.len() > 3).all() and rows["one"].str.contains(" ").all()
    assert len(calculators.told(exact(1.0), None)) == 2


def test_the_rows_of_ladder_and_ways():
    spread = Estimate(low=900.0, mid=1000.0, high=1200.0, basis="modelled", source="test")
    rungs = calculators.rungs("mine", spread, Turbine())
    (mine,) = rungs[rungs["yours"]].to_dict("records")
    assert (mine["energy_low_kwh"], mine["energy_high_kwh"]) == (900.0, 1200.0)
    assert mine["turbine_years"] == pytest.approx(8e-5)
    corrected = rungs[rungs["corrected_kwh"].notna()]
    assert list(corrected["name"].str[:3]) == ["NAS"]
    cluster = training.Cluster(chips=8, flop_per_s=312e12, chip_w=exact(400.0))
    ways = calculators.ways(training.ways(7e9, 1e12, 1e8, 1e7, 1e6, cluster), Turbine())
    assert list(ways["way"]) == ["Pretrain", "Fine-tune", "LoRA adapters", "Head only"]
    for column in ("compute_flop", "energy_kwh", "turbine_years"):
        assert (ways[column].diff().dropna() < 0).all(), column
    assert ways["cost_usd"].isna().all()


def test_the_ladder_draws_a_correction_with_its_figure():
    rungs = calculators.rungs("<b>mine</b>", exact(1000.0), Turbine())
    rows = rungs.rename(columns={"energy_kwh": "value", "corrected_kwh": "other"})
    figure = log_dots(rows, "light", say="{:.0f}".format, axis="kWh", title="Reported", other_title="Corrected")
    hollow = next(trace for trace in figure.data if trace.name == "Corrected")
    assert list(hollow.x) == [pytest.approx(656_347 / 88)]
    star = next(trace for trace in figure.data if trace.name == "Yours")
    assert star.marker.symbol == "star" and list(star.x) == [1000.0]
    assert any("&lt;b&gt;mine" in text for text in figure.layout.yaxis.ticktext)
    notes = {note.text for note in figure.layout.annotations}
    assert {"656347", "7458", "1000"} <= notes
