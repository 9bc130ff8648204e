"""Where a report's grid zone lies, in the words that other formats ask for."""

from dataclasses import dataclass

from data import tables
from data.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A zone by name, the country it is part of, and its centre; what is not known is empty or None."""

    name: str
    country: str = ""
    iso3: str = ""
    region: str = ""
    latitude: float | None = None
    longitude: float | None = None


def place_of(zone_id: str) -> Place:
    """The place of a grid zone; only its id where the tables do not know it (a zone of the user's own)."""
    try:
        zone = tables.zone(zone_id)
        parent = tables.zone(zone.parent_zone_id) if zone.parent_zone_id else zone
    except InputError:
        return Place(name=zone_id)
    return Place(
        name=zone.name,
        country=parent.name,
        iso3=zone.iso3 or parent.iso3 or "",
        region=zone.name if parent is not zone else "",
        latitude=zone.latitude,
        longitude=zone.longitude,
    )
