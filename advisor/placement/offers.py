"""Where a server can stand: every instance in every region of its provider, with price, grid and PUE; and the users."""

import hashlib
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from advisor.placement.filters import Filters
from advisor.placement.options import HERE_ID, Here, targets
from advisor.placement.rooms import own_pue
from advisor.placement.types import HERE
from data.errors import InputError
from data.estimate import Estimate, exact
from data.own import SOURCE, Yours
from data.settings import settings
from data.tables import Zone, frame, prices, regions, zone, zones
from data.text import plain

COLUMNS = (
    "offer_id", "target_id", "provider", "instance_type", "device_id", "region_id", "zone_id", "country", "latitude",
    "longitude", "usd_per_h", "spot_usd_per_h", "price_source", "available", "pue_low", "pue", "pue_high", "pue_known",
    "g_low_per_kwh", "g_per_kwh", "g_high_per_kwh", "grid_source", "carbon_free_hourly_frac",
    "renewable_match_annual_frac",
)  # fmt: skip
GRAMS = ("g_low_per_kwh", "g_per_kwh", "g_high_per_kwh")


def offers(filters: Filters, here: Here | None) -> pd.DataFrame:
    """Every offer with `allowed`: what the filters let pass; the user's own devices, zones and prices go before the
    shipped. Raises InputError on a provider, country or region that is in no table."""
    rows = _everywhere()
    if here is not None:
        rows = _with_own(rows, here)
    _check(filters, rows)
    last = len(rows)
    rows = rows if filters.unknown_too else rows[rows["available"].eq(True)]
    if here is not None:
        rows = pd.concat([rows, _here(here, last)], ignore_index=True)
    allowed = pd.Series(True, index=rows.index)
    for column, wanted in (("provider", filters.providers), ("country", filters.countries)):
        allowed &= rows[column].isin([*wanted, HERE]) if wanted else True
    if filters.regions:
        names = rows["provider"] + "/" + rows["region_id"].fillna("")
        allowed &= names.isin([*filters.regions, f"{HERE}/"])
    price = rows["spot_usd_per_h"] if filters.spot else rows["usd_per_h"]
    return rows.assign(allowed=allowed | rows["provider"].eq(HERE), usd_per_h=price.astype(float))


def fingerprint(rows: pd.DataFrame) -> str:
    """Tells these offers from any with another number in them: price, carbon, PUE, place, what is allowed."""
    numbers = rows.select_dtypes(["number", "bool"])
    return f"{len(rows)} {list(numbers)} {hashlib.blake2b(numbers.to_numpy(float).tobytes()).hexdigest()}"


def places(users_at: Sequence[str]) -> pd.DataFrame:
    """Latitude and longitude of the users' places. Raises InputError on one that is not known."""
    found = [_place(name) for name in users_at]
    return pd.DataFrame(found, columns=["latitude", "longitude"], dtype=float)


@cache
def _everywhere() -> pd.DataFrame:
    """All instances x the regions of their provider: priced ones are available, others are not known to be."""
    served = pd.DataFrame([
        {"target_id": one.target_id, "provider": one.provider, "instance_type": one.instance_type,
         "device_id": one.device_id} for one in targets()
    ])  # fmt: skip
    rows = served.merge(_regions(), on="provider")
    priced = pd.DataFrame([
        {"provider": one.provider, "instance_type": one.instance_type, "region_id": one.region_id,
         "usd_per_h": one.usd_per_h, "spot_usd_per_h": one.spot_usd_per_h,
         "price_source": f"instances/{one.source_id}"} for one in prices()
    ])  # fmt: skip
    rows = rows.merge(priced, on=["provider", "instance_type", "region_id"], how="left")
    rows["available"] = rows["usd_per_h"].notna().astype(object).where(rows["usd_per_h"].notna(), None)
    rows["offer_id"] = np.arange(len(rows))
    text = {name: object for name in rows if pd.api.types.is_string_dtype(rows[name])}  # half the time of a join
    return rows[list(COLUMNS)].astype(text)


def _regions() -> pd.DataFrame:
    grid = {one.zone_id: one for one in zones()}
    found = []
    for one in regions():
        at: Zone | None = grid.get(one.zone_id or "")
        found.append({
            "provider": one.provider, "region_id": one.region_id, "zone_id": one.zone_id,
            "country": one.country_iso2, "latitude": one.latitude, "longitude": one.longitude,
            **_pue(one.pue_estimate()),
            "g_low_per_kwh": at and at.low_g_per_kwh, "g_per_kwh": at and at.g_per_kwh,
            "g_high_per_kwh": at and at.high_g_per_kwh, "grid_source": at and at.source,
            "carbon_free_hourly_frac": one.carbon_free_hourly_frac,
            "renewable_match_annual_frac": one.renewable_match_annual_frac,
        })  # fmt: skip
    return pd.DataFrame(found)


def _with_own(rows: pd.DataFrame, here: Here) -> pd.DataFrame:
    """The offers with the user's values of zones and prices in place of theirs, and the user's devices after them."""
    own = here.yours
    if own == Yours():
        return rows
    rows = rows.copy()
    for one in own.zones:
        at = rows["zone_id"].eq(one.zone_id)
        values: tuple[Any, ...] = (one.low_g_per_kwh, one.g_per_kwh, one.high_g_per_kwh, SOURCE)
        for name, value in zip((*GRAMS, "grid_source"), values, strict=True):
            rows.loc[at, name] = value
    names = rows["provider"] + "/" + rows["instance_type"] + "/" + rows["region_id"].fillna("")
    for price in own.prices:
        at = names.eq(f"{price.provider}/{price.instance_type}/{price.region_id}")
        given: tuple[Any, ...] = (price.usd_per_h, price.spot_usd_per_h, SOURCE, True)
        for name, value in zip(("usd_per_h", "spot_usd_per_h", "price_source", "available"), given, strict=True):
            rows.loc[at, name] = value
    return pd.concat([rows, *_own_devices(here, len(rows))], ignore_index=True)


def _own_devices(here: Here, first_id: int) -> list[pd.DataFrame]:
    """Each device of the user's own, on this machine's grid, at the PUE the user gave it (else the world's average) and
    the user's price where there is one."""
    usd = {one.instance_type: one.usd_per_h for one in here.yours.prices if one.provider == SOURCE}
    standing = _standing(here)
    rows = [
        {**standing, **_pue(None if one.device.pue is None else exact(one.device.pue)),
         "offer_id": first_id + place, "target_id": one.target_id, "provider": SOURCE,
         "instance_type": one.instance_type, "device_id": one.device_id, "usd_per_h": usd.get(one.instance_type),
         "spot_usd_per_h": usd.get(one.instance_type), "price_source": SOURCE}
        for place, one in enumerate(one for one in targets(here.yours.devices) if one.own)
    ]  # fmt: skip
    return [pd.DataFrame(rows, columns=list(COLUMNS))] if rows else []


def _pue(known: Estimate | None) -> dict[str, Any]:
    """The PUE of a place as its columns: the one that is known, else the world's average."""
    pue = known or own_pue()
    return {"pue_low": pue.low, "pue": pue.mid, "pue_high": pue.high, "pue_known": known is not None}


def _here(here: Here, offer_id: int) -> pd.DataFrame:
    row = {
        **_standing(here), "offer_id": offer_id, "target_id": HERE_ID, "provider": HERE, "instance_type": here.name,
        "device_id": here.device_id, "usd_per_h": here.usd_per_h, "price_source": "given",
    }  # fmt: skip
    return pd.DataFrame([row], columns=list(COLUMNS))


def _standing(here: Here) -> dict[str, Any]:
    """Where this machine stands: its place, its PUE, and the carbon of its grid (from the settings, else the user's
    value, else the shipped)."""
    at = (here.yours.zone(here.zone_id) or zone(here.zone_id)) if here.zone_id else None
    latitude = here.latitude if here.latitude is not None else at and at.latitude
    longitude = here.longitude if here.longitude is not None else at and at.longitude
    own = settings().g_per_kwh.get(here.zone_id or "")  # carbon of the user's own contract
    grams = (at and at.low_g_per_kwh, at and at.g_per_kwh, at and at.high_g_per_kwh) if own is None else (own,) * 3
    return {
        "zone_id": here.zone_id, "country": here.zone_id and here.zone_id[:2], "latitude": latitude,
        "longitude": longitude, "available": True, "pue_low": here.pue, "pue": here.pue, "pue_high": here.pue,
        "pue_known": True, **dict(zip(GRAMS, grams, strict=True)),
        "grid_source": (at and at.source) if own is None else SOURCE,
    }  # fmt: skip


def _place(name: str) -> tuple[float, float]:
    parts = name.split(",")
    if len(parts) == 2:
        try:
            latitude, longitude = float(parts[0]), float(parts[1])
        except ValueError:
            latitude = longitude = 1e9
        if abs(latitude) <= 90 and abs(longitude) <= 180:
            return latitude, longitude
    known = {f"{one.provider}/{one.region_id}": (one.latitude, one.longitude) for one in regions()}
    at = known.get(name) or next(((one.latitude, one.longitude) for one in zones() if one.zone_id == name), None)
    if at is None or at[0] is None or at[1] is None:
        raise InputError(
            f"It is not known where '{plain(name, 40)}' is.",
            hint="Give a zone (DE), a region (aws/eu-central-1) or 52.5,13.4.",
        )
    return at[0], at[1]


def _check(filters: Filters, rows: pd.DataFrame) -> None:
    asked: tuple[tuple[str, tuple[str, ...], Callable[[], set[str]]], ...] = (
        ("provider", filters.providers, lambda: {*frame("regions", "providers")["provider"], SOURCE}),
        ("country", filters.countries, lambda: set(rows["country"].dropna())),
        ("region", filters.regions, lambda: set((rows["provider"] + "/" + rows["region_id"]).dropna())),
    )
    for what, wanted, known in asked:
        missing = [name for name in wanted if name not in known()]
        if missing:
            some = ", ".join(sorted(known())[:6])
            raise InputError(f"No {what} of the table is called {plain(missing[0], 40)}.", hint=f"Some: {some}.")
