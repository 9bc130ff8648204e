"""Whom a report owes its facts: every shipped source that one of its numbers names, and no other."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from advisor.types import Report, Source
from data import energy, tables
from data.errors import InputError
from data.records import to_plain

# What a year ahead follows: the trend of work per joule, and the demand of data centres (a row of the rebound table).
OF_YEARS = ("trends/hardware", "trends/rebound")
OF_REBOUND = ("trends/rebound",)
OF_TURBINE = ("energy/talk_s0",)  # the reference turbine
DEVICES = "devices/devices"  # each row of it, and each region, names sources of its own


def credited(*records: Any) -> tuple[Source, ...]:
    """The sources that the numbers of these records name, by id: directly, or by a table or row that names its own."""
    parts = [part for record in records for part in _objects(to_plain(record))]
    words = {word.strip("(),;") for part in parts for word in str(part.get("source") or "").split()}
    named = set(words).union(*(_behind(word) for word in words), *(_held(part) for part in parts))
    if DEVICES in words:
        named = named.union(*(_place(part) for part in parts if "device_id" in part))
    return tuple(
        Source(id=one.id, title=one.title, licence=one.licence, as_of=one.as_of, url=one.url)
        for one in tables.sources()
        if one.id in named
    )


def with_sources(report: Report) -> Report:
    """The report with the sources of what it holds now: those of an earlier placement or chart are gone with it."""
    found = credited(
        report.footprint_before, report.footprint_after, report.recommendation, report.outlook, report.placements,
        report.placed, report.clippings,
    )  # fmt: skip
    return replace(report, sources=found)


def _behind(word: str) -> set[str]:
    """The sources that a row ("energy/pue_industry_2024", "devices/intel-8380") or a table whose rows have sources of
    their own names."""
    kind, _, name = word.partition("/")
    if word == "energy/rated_power":
        return set(energy.rated_power_sources())
    if kind == "energy" and name in energy.equivalents():
        return {energy.equivalent(name).source}
    return _of_device(name) if kind == "devices" else set()


def _of_device(name: str) -> set[str]:
    try:
        return {f"devices/{one}" for one in tables.device(name).source_ids}
    except InputError:
        return set()


def _held(part: dict[str, Any]) -> set[str]:
    """What the object owes by the numbers it holds."""
    owed = {"years": OF_YEARS, "rebounds": OF_REBOUND, "turbine_years": OF_TURBINE}
    return {name for field, names in owed.items() if part.get(field) for name in names}


def _place(placement: dict[str, Any]) -> set[str]:
    """The sources of the device and of the region's PUE and claims; a device that no table knows is this machine."""
    found = _of_device(placement["device_id"]) or _behind("energy/rated_power")
    try:
        region = tables.region(placement["provider"], placement["region"]) if placement["region"] else None
    except InputError:
        region = None
    return found | {f"regions/{name}" for name in (region.source_ids if region else ())}


def _objects(plain: Any) -> Iterator[dict[str, Any]]:
    """Every object, however deep."""
    if isinstance(plain, dict):
        yield plain
    for value in plain.values() if isinstance(plain, dict) else plain if isinstance(plain, list) else ():
        yield from _objects(value)
