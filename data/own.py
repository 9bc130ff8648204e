"""Rows of the user's own: a device, the carbon of a zone, a price. Kept in the store, marked "yours", never shipped."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, ClassVar, Protocol, TypeVar

from data import tables, units
from data.errors import InputError
from data.records import from_plain, to_plain
from data.store import Store
from data.table_files import range_fault
from data.tables import Device, Price, Zone

Record = TypeVar("Record", Device, Price, Zone)
SOURCE = "yours"
KINDS: dict[str, type[Any]] = {"device": Device, "zone": Zone, "price": Price}
AT_HERE = "here"  # where a device of one's own stands, in its price
NAME_LIMIT = 80


class Rows(Protocol):
    """What can be asked for kept records: the store, or what a job works with."""

    def all(self, kind: type[Any], **equal: Any) -> list[Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRow:
    """One row the user added: `what` is device, zone or price, `id` is that and a name, `row` the fields given."""

    KEY: ClassVar[str] = "id"

    id: str
    what: str
    created_at: str
    row: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Yours:
    """Everything the user added, as facts: devices, values of zones, prices."""

    devices: tuple[Device, ...] = ()
    zones: tuple[Zone, ...] = ()
    prices: tuple[Price, ...] = ()

    def zone(self, zone_id: str) -> Zone | None:
        """The user's value of this zone; None where there is none."""
        return next((one for one in self.zones if one.zone_id == zone_id), None)

    def device(self, device_id: str) -> Device | None:
        """The user's device of this id; None where there is none."""
        return next((one for one in self.devices if one.device_id == device_id), None)


def yours(store: Rows) -> Yours:
    """The rows of the user's own, read at once."""
    kept: dict[str, list[Any]] = {what: [] for what in KINDS}
    for one in store.all(OwnRow):
        kept[one.what].append(from_plain(KINDS[one.what], one.row))
    return Yours(devices=tuple(kept["device"]), zones=tuple(kept["zone"]), prices=tuple(kept["price"]))


def add_device(store: Store, device: Device) -> Device:
    """Keeps a device under an id of its own. Raises InputError on an id that is shipped, on values out of range, and
    where neither power nor any peak is given."""
    if device.device_id in {shipped.device_id for shipped in tables.devices()}:
        raise InputError(f"{device.device_id} is in the catalogue.", hint="Choose another name for yours.")
    if device.tdp_w is None and not any(value for name, value in _given(device).items() if name.endswith("_per_s")):
        raise InputError("A device needs its rated power or a peak rate.", hint="Fill in one of them, with its unit.")
    return _add(store, "device", device.device_id, replace(device, yours=True, source_ids=(SOURCE,)))


def device_of(
    name: str,
    kind: str,
    *,
    tdp_w: float | None = None,
    fp32_tflop_per_s: float | None = None,
    fp16_tflop_per_s: float | None = None,
    int8_top_per_s: float | None = None,
    memory_gib: float | None = None,
    memory_gb_per_s: float | None = None,
    pue: float | None = None,
) -> Device:
    """A device as its data sheet puts it: dense peaks in TFLOP/s and TOP/s, memory in GiB, bandwidth in GB/s; and the
    PUE of where it stands. Its id is made of its name. Raises InputError on a name without letters or digits."""
    slug = "-".join("".join(mark if mark.isalnum() else " " for mark in name.lower()).split())
    if not slug:
        raise InputError("A device needs a name with letters or digits.", hint="For example: My card.")
    return Device(
        device_id=f"own-{slug}",
        name=name.strip(),
        vendor=SOURCE,
        kind=kind,
        tdp_w=tdp_w,
        fp32_flop_per_s=_times(fp32_tflop_per_s, units.FLOP_PER_TFLOP),
        fp16_flop_per_s=_times(fp16_tflop_per_s, units.FLOP_PER_TFLOP),
        int8_op_per_s=_times(int8_top_per_s, units.FLOP_PER_TFLOP),
        memory_bytes=None if memory_gib is None else round(memory_gib * units.BYTES_PER_GIB),
        memory_bytes_per_s=_times(memory_gb_per_s, units.BYTES_PER_GB),
        pue=pue,
    )


def add_zone(store: Store, zone_id: str, g_per_kwh: float, *, name: str = "", year: int | None = None) -> Zone:
    """Keeps the carbon intensity (g/kWh) of a zone: one that is shipped, whose value it then replaces, or a new one.

    Raises InputError on a value out of range."""
    shipped = {zone.zone_id: zone for zone in tables.zones()}.get(zone_id)
    zone = Zone(
        zone_id=zone_id,
        name=name or (shipped.name if shipped else zone_id),
        zone_type=shipped.zone_type if shipped else "yours",
        g_per_kwh=g_per_kwh,
        low_g_per_kwh=g_per_kwh,
        high_g_per_kwh=g_per_kwh,
        year=year or datetime.now(UTC).year,
        latitude=shipped.latitude if shipped else None,
        longitude=shipped.longitude if shipped else None,
        basis="given by you",
        source=SOURCE,
        yours=True,
    )
    return _add(store, "zone", zone_id, zone)


def add_price(
    store: Store,
    provider: str,
    instance_type: str,
    region_id: str,
    usd_per_h: float,
    spot_usd_per_h: float | None = None,
) -> Price:
    """Keeps a price (USD an hour), which replaces the shipped one of that instance and region; that of a device of
    one's own is yours/<its id>/here.

    Raises InputError on an instance, device or region that is not known, or a value out of range."""
    if provider == SOURCE:
        if region_id != AT_HERE or yours(store).device(instance_type) is None:
            hint = f"Add the device first; its price is then that of {SOURCE}/<its id>/{AT_HERE}."
            raise InputError(f"You have no device {instance_type} at {region_id}.", hint=hint)
    elif (provider, instance_type) not in {(known.provider, known.instance_type) for known in tables.instances()}:
        raise InputError(f"{provider} has no instance {instance_type} here.", hint="Choose one from the list.")
    else:
        tables.region(provider, region_id)
    price = Price(
        provider=provider,
        instance_type=instance_type,
        region_id=region_id,
        usd_per_h=usd_per_h,
        spot_usd_per_h=spot_usd_per_h,
        as_of=datetime.now(UTC).date().isoformat(),
        source_id=SOURCE,
        yours=True,
    )
    return _add(store, "price", f"{provider}/{instance_type}/{region_id}", price)


def remove(store: Store, kind: str, name: str) -> None:
    """Forgets one own row; the shipped value, if there is one, counts again. Raises InputError where there is none."""
    if not store.delete(OwnRow, id=f"{kind}/{name}"):
        raise InputError(f"You have no {kind} called {name}.", hint="The list of your own rows shows what there is.")


def devices(store: Store) -> tuple[Device, ...]:
    """The shipped devices and yours."""
    return (*tables.devices(), *yours(store).devices)


def zones(store: Rows) -> tuple[Zone, ...]:
    """The shipped zones with your values in place of theirs, and your own zones after them."""
    return _merged(tables.zones(), yours(store).zones, lambda zone: zone.zone_id)


def prices(store: Store) -> tuple[Price, ...]:
    """The shipped prices with yours in place of theirs."""
    return _merged(
        tables.prices(),
        yours(store).prices,
        lambda price: (price.provider, price.instance_type, price.region_id),
    )


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _add(store: Store, kind: str, name: str, record: Record) -> Record:
    if not name.strip() or len(name) > NAME_LIMIT or not name.isprintable():
        raise InputError(f"A {kind} needs a name of 1 to {NAME_LIMIT} visible characters.")
    row = _given(record)
    for column, value in row.items():
        if isinstance(value, int | float) and (fault := range_fault(column, float(value))):
            raise InputError(f"{column} {fault}", hint="Check the unit: it is the end of the name.")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    store.save(OwnRow(id=f"{kind}/{name}", what=kind, created_at=now, row=row))
    return record


def _merged(shipped: tuple[Record, ...], own: tuple[Record, ...], key: Callable[[Record], Any]) -> tuple[Record, ...]:
    rows = {key(row): row for row in shipped}
    return tuple({**rows, **{key(row): row for row in own}}.values())


def _given(record: Device | Price | Zone) -> dict[str, Any]:
    """The fields that differ from their default, plain."""
    defaults = {field.name: field.default for field in dataclasses.fields(record)}
    plain: dict[str, Any] = to_plain(record)
    return {name: value for name, value in plain.items() if value not in (defaults[name], [])}
