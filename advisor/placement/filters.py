"""What a placement may be: the user's own limits on provider, country, region, kind and price."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What the user allows; empty is everything. `unknown_too` takes in instances no price tells to be in a region."""

    providers: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    usd_per_year: float | None = None
    spot: bool = False
    unknown_too: bool = False
