"""The shipped facts, checked when they are read and read once: data frames by name, and records of what advice needs.

Zones are Electricity Maps' (life-cycle, consumption-based) and rank regions; countries and history are Ember's
(life-cycle, production-based). The two are different columns of different tables and are never mixed.
"""

import difflib
import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, TypeVar

import pandas as pd

from data.errors import InputError
from data.estimate import Estimate
from data.records import hints, optional
from data.table_files import ROOT, Header
from data.table_set import Source, check, examine, frame, headers, source, sources

__all__ = [
    "ROOT", "UNVERIFIED_RATIO", "Country", "Device", "Header", "Instance", "Price", "Region", "Source", "Zone",
    "check", "countries", "country", "device", "device_called", "devices", "examine", "frame", "headers", "instances",
    "prices", "records", "region", "regions", "source", "sources", "zone", "zones",
]  # fmt: skip

YEARS_OF_RANGE = 3
# A cell that could not be read again in its source: the largest ratio between two catalogues (this one and Epoch AI's
# of July 2026) among the unverified cells that both hold. Among 149 verified ones the largest is 1.12, most are 1.
UNVERIFIED_RATIO = 2.0
Record = TypeVar("Record")


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A zone of the grid and its newest annual average; `low` and `high` are those of its last three years."""

    zone_id: str
    name: str
    zone_type: str
    g_per_kwh: float
    low_g_per_kwh: float
    high_g_per_kwh: float
    year: int
    parent_zone_id: str | None = None
    iso3: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    basis: str = "life-cycle, consumption-based, annual average"
    source: str = "grid/electricity_maps"
    yours: bool = False

    def estimate(self) -> Estimate:
        """The average as an interval: the last three years are what the next one is likely to look like."""
        return Estimate(
            low=self.low_g_per_kwh,
            mid=self.g_per_kwh,
            high=self.high_g_per_kwh,
            basis="given" if self.yours else "modelled",
            source=self.source,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Country(Zone):
    """A country, the world or EU27, as Ember has it."""

    basis: str = "life-cycle, production-based, annual average"
    source: str = "grid/ember"


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A region of a cloud provider. `pue_low` and `pue_high` span the provider's own regions where only the average
    of its fleet is known; what the provider claims of its electricity stands in columns of its own."""

    provider: str
    region_id: str
    name: str
    location: str | None = None
    country_iso2: str | None = None
    zone_id: str | None = None
    other_zone_id: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    pue: float | None = None
    pue_low: float | None = None
    pue_high: float | None = None
    pue_year: int | None = None
    pue_scope: str | None = None
    wue_l_per_kwh: float | None = None
    operational_g_per_kwh: float | None = None
    carbon_free_hourly_frac: float | None = None
    renewable_match_annual_frac: float | None = None
    source_ids: tuple[str, ...] = ()

    def pue_estimate(self) -> Estimate | None:
        """The provider's PUE as an interval; None where it publishes none."""
        if self.pue is None or self.pue_low is None or self.pue_high is None:
            return None
        return Estimate(low=self.pue_low, mid=self.pue, high=self.pue_high, basis="claimed", source="regions/regions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A processor or accelerator. Peaks are dense; those of a CPU are one socket's. What is not known is None."""

    device_id: str
    name: str
    vendor: str
    kind: str
    release_date: str | None = None
    process_nm: float | None = None
    fp64_flop_per_s: float | None = None
    fp32_flop_per_s: float | None = None
    tf32_flop_per_s: float | None = None
    fp16_flop_per_s: float | None = None
    bf16_flop_per_s: float | None = None
    fp8_flop_per_s: float | None = None
    fp4_flop_per_s: float | None = None
    int8_op_per_s: float | None = None
    int4_op_per_s: float | None = None
    memory_bytes: int | None = None
    memory_bytes_per_s: float | None = None
    l2_bytes: int | None = None
    tdp_w: float | None = None
    idle_w: float | None = None
    embodied_kg_co2e: float | None = None
    cores: int | None = None
    threads_per_core: int | None = None
    base_hz: float | None = None
    allcore_hz: float | None = None
    simd: str | None = None
    flop_basis: str | None = None
    source_ids: tuple[str, ...] = ()
    unverified_fields: tuple[str, ...] = ()
    notes: str | None = None
    yours: bool = False
    pue: float | None = None  # of the building that a device of the user's own stands in

    def estimate(self, name: str) -> Estimate | None:
        """A figure of the catalogue ("tdp_w") as an interval; None where it is not known. A cell that is unverified is
        as wide as catalogues were found to disagree on such cells: a factor of 2 either way."""
        value = getattr(self, name)
        if value is None:
            return None
        wide = UNVERIFIED_RATIO if name in self.unverified_fields else 1.0
        basis = "given" if self.yours else "claimed"
        return Estimate(low=value / wide, mid=value, high=value * wide, basis=basis, source=f"devices/{self.device_id}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A machine one can rent. `accelerator_count` may be a part of one; `cpu_match` is "exact" or "class"."""

    provider: str
    instance_type: str
    vcpus: float | None
    memory_bytes: int | None
    cpu_device_id: str | None
    cpu_match: str | None
    accelerator_device_id: str | None
    accelerator_count: float
    reference_region_id: str
    source_id: str
    notes: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What an instance costs an hour in a region (USD, Linux, without tax): on demand, and the average spot price."""

    provider: str
    instance_type: str
    region_id: str
    usd_per_h: float
    spot_usd_per_h: float | None
    as_of: str
    source_id: str
    yours: bool = False


@cache
def zones() -> tuple[Zone, ...]:
    """Every zone with Electricity Maps' newest year: one basis, fit to rank regions."""
    return _zones(Zone, "electricity_maps", "consumption_lifecycle_g_per_kwh")


@cache
def countries() -> tuple[Country, ...]:
    """Every country, the world and EU27 with Ember's newest year."""
    return _zones(Country, "ember", "production_lifecycle_g_per_kwh")


def zone(zone_id: str) -> Zone:
    """The zone with this id ("DE", "US-CAL-CISO"). Raises InputError where there is none."""
    return _named(zone_id, {zone.zone_id: zone for zone in zones()}, "grid zone")


def country(zone_id: str) -> Country:
    """The country with this two-letter id ("DE", "WORLD"). Raises InputError where there is none."""
    return _named(zone_id, {country.zone_id: country for country in countries()}, "country")


@cache
def regions() -> tuple[Region, ...]:
    """Every cloud region with its place, its PUE and what its provider claims."""
    keys = ["provider", "region_id"]
    rows = frame("regions").merge(frame("regions", "coordinates").drop(columns="source_id"), on=keys, how="left")
    claims = frame("regions", "provider_claims").sort_values("year").groupby(keys, as_index=False).last()
    rows = rows.merge(claims.drop(columns=["year", "source_id"]), on=keys, how="left")
    own = rows[rows.pue_scope != "provider fleet"].groupby("provider").pue.agg(["min", "max"])
    fleet = rows.pue_scope == "provider fleet"
    for column, bound in (("pue_low", "min"), ("pue_high", "max")):
        spread = rows.provider.map(own[bound])
        rows[column] = rows.pue.where(~fleet, getattr(pd.concat([rows.pue, spread], axis=1), bound)(axis=1))
    return records(Region, rows)


def region(provider: str, region_id: str) -> Region:
    """The region of this provider. Raises InputError where there is none."""
    known = {f"{region.provider}/{region.region_id}": region for region in regions()}
    return _named(f"{provider}/{region_id}", known, "cloud region")


@cache
def devices() -> tuple[Device, ...]:
    """Every device of the catalogue."""
    return records(Device, frame("devices"))


def device(device_id: str) -> Device:
    """The device with this id ("nvidia-l4"). Raises InputError where there is none."""
    return _named(device_id, {device.device_id: device for device in devices()}, "device")


def device_called(name: str) -> Device | None:
    """The device a library or a measurement calls `name` ("Tesla T4"): by id, alias or name; None where unknown."""
    aliases = dict(frame("devices", "aliases")[["alias", "device_id"]].itertuples(index=False, name=None))
    known = {device.device_id: device for device in devices()}
    named = {device.name.casefold(): device for device in devices()}
    return known.get(aliases.get(name, name)) or named.get(name.casefold())


@cache
def instances() -> tuple[Instance, ...]:
    """Every instance one can rent."""
    return records(Instance, frame("instances"))


@cache
def prices() -> tuple[Price, ...]:
    """Every price, by provider, instance and region."""
    return records(Price, frame("instances", "prices"))


def records(kind: type[Record], rows: pd.DataFrame) -> tuple[Record, ...]:
    """The rows as records of `kind`: its fields are taken by name, missing cells are None, `*_ids` become tuples."""
    names = [field.name for field in fields(kind) if field.name in rows]  # type: ignore[arg-type]
    makers = {name: _maker(optional(hints(kind)[name])[0]) for name in names}
    plain = rows[names].astype(object).where(rows[names].notna(), None)
    return tuple(
        kind(**{name: makers[name](value) for name, value in zip(names, row, strict=True)})
        for row in plain.itertuples(index=False, name=None)
    )


def _maker(hint: Any) -> Callable[[Any], Any]:
    """What turns a cell into a field of this type; None stays None."""
    if hint in (int, float):
        return lambda value: None if value is None else hint(value)
    if typing.get_origin(hint) is tuple:
        return lambda value: tuple(part.strip() for part in value.split(";")) if value else ()
    return lambda value: value


def _zones(kind: type[Record], table: str, column: str) -> tuple[Record, ...]:
    rows = frame("grid", table).sort_values("year")
    newest = rows.groupby("zone_id").year.transform("max")
    recent = rows[rows.year > newest - YEARS_OF_RANGE].groupby("zone_id")[column]
    found = rows[rows.year == newest].rename(columns={column: "g_per_kwh"}).set_index("zone_id")
    found["low_g_per_kwh"], found["high_g_per_kwh"] = recent.min(), recent.max()
    named = frame("grid", "zones").drop(columns=["source_id", "coordinate_source_id"])
    return records(kind, found.reset_index().merge(named, on="zone_id").sort_values("zone_id"))


def _named(name: str, known: dict[str, Record], what: str) -> Record:
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5) or list(_first(known))
    raise InputError(f"No {what} is called {name}.", hint=f"Known are, among {len(known)}: {', '.join(near)}.")


def _first(known: Iterable[str]) -> Iterable[str]:
    return sorted(known)[:3]
