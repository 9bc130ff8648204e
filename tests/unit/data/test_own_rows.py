"""What the user adds is kept, marked as theirs, and takes the place of nothing but what they named."""

import pytest

from data import own, tables
from data.errors import InputError
from data.store import Store
from data.tables import Device


@pytest.fixture
def store():
    opened = Store()
    yield opened
    opened.close()


def mine(**fields):
    given = {
        "device_id": "my-npu",
        "name": "My NPU",
        "vendor": "me",
        "kind": "npu",
        "tdp_w": 9.0,
        "int8_op_per_s": 4e12,
    }
    return Device(**given | fields)


def test_a_device_of_ones_own(store):
    kept = own.add_device(store, mine(memory_bytes=8_000_000_000))
    assert kept.yours and kept.source_ids == ("yours",)
    assert own.devices(store)[-1] == kept
    assert len(own.devices(store)) == len(tables.devices()) + 1
    assert not any(device.yours for device in tables.devices())


def test_a_zone_value_replaces_the_shipped_one_until_it_is_removed(store):
    own.add_zone(store, "FR", 12.5, year=2026)
    france = next(zone for zone in own.zones(store) if zone.zone_id == "FR")
    assert (france.g_per_kwh, france.yours, france.name, france.year) == (12.5, True, "France", 2026)
    assert france.estimate().basis == "given" and france.estimate().low == 12.5
    assert len(own.zones(store)) == len(tables.zones())
    assert tables.zone("FR").g_per_kwh == 31
    own.remove(store, "zone", "FR")
    assert own.zones(store) == tables.zones()


def test_a_new_zone_comes_after_the_shipped_ones(store):
    own.add_zone(store, "our-roof", 45.0, name="Our own roof")
    assert own.zones(store)[-1].name == "Our own roof"
    assert len(own.zones(store)) == len(tables.zones()) + 1


def test_a_price_replaces_the_shipped_one(store):
    own.add_price(store, "aws", "c5.2xlarge", "us-east-1", 0.2)
    found = [p for p in own.prices(store) if (p.instance_type, p.region_id) == ("c5.2xlarge", "us-east-1")]
    assert [(p.usd_per_h, p.yours, p.source_id) for p in found] == [(0.2, True, "yours")]
    assert len(own.prices(store)) == len(tables.prices())


def test_adding_again_replaces(store):
    own.add_zone(store, "FR", 10.0)
    own.add_zone(store, "FR", 11.0)
    assert [zone.g_per_kwh for zone in own.zones(store) if zone.zone_id == "FR"] == [11.0]


def test_the_question_lists_them_newest_first(store):
    own.add_zone(store, "FR", 10.0)
    own.add_device(store, mine())
    rows = store.ask("own_rows")
    assert list(rows.what) == ["device", "zone"]
    assert list(rows.name) == ["my-npu", "FR"]


def test_rows_outlive_the_store_object(tmp_path):
    first = Store(tmp_path / "store.duckdb")
    own.add_device(first, mine(cores=4))
    first.close()
    second = Store(tmp_path / "store.duckdb")
    assert own.devices(second)[-1] == mine(cores=4, yours=True, source_ids=("yours",))
    second.close()


@pytest.mark.parametrize(
    "wrong, message",
    [
        (lambda store: own.add_device(store, mine(device_id="nvidia-l4")), "in the catalogue"),
        (lambda store: own.add_device(store, mine(tdp_w=-5.0)), "tdp_w is -5"),
        (lambda store: own.add_device(store, mine(tdp_w=None, int8_op_per_s=None)), "rated power or a peak"),
        (lambda store: own.add_device(store, mine(device_id=" ")), "visible characters"),
        (lambda store: own.add_device(store, mine(device_id="a\x1b[31m")), "visible characters"),
        (lambda store: own.add_zone(store, "FR", -1.0), "g_per_kwh is -1"),
        (lambda store: own.add_zone(store, "FR", float("nan")), "g_per_kwh is not a finite"),
        (lambda store: own.add_device(store, mine(tdp_w=float("inf"))), "tdp_w is not a finite"),
        (lambda store: own.add_zone(store, "FR", 1e6), "outside 0 to 2500"),
        (lambda store: own.add_price(store, "aws", "c9.huge", "us-east-1", 1.0), "no instance c9.huge"),
        (lambda store: own.add_price(store, "aws", "c5.2xlarge", "mars-1", 1.0), "aws/mars-1"),
        (lambda store: own.add_price(store, "aws", "c5.2xlarge", "us-east-1", -1.0), "usd_per_h is -1"),
        (lambda store: own.remove(store, "zone", "FR"), "no zone called FR"),
    ],
)
def test_what_cannot_be_is_refused_and_not_kept(store, wrong, message):
    with pytest.raises(InputError, match=message):
        wrong(store)
    assert store.ask("own_rows").empty
