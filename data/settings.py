"""What people set: from settings.toml in the home, over that the environment, over that the page. Each says which.

settings.toml is the user's own and is never written here; what the page sets stands in page-settings.json beside it.
"""

import difflib
import json
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from data.errors import InputError
from data.home import home
from data.text import plain
from data.units import BYTES_PER_MIB, H_PER_YEAR, TURBINE_FULL_LOAD_H, TURBINE_MW

FILE, PAGE, PREFIX = "settings.toml", "page-settings.json", "RIGHTSIZE_"
DEFAULT = "default"
OBJECTIVES = ("energy", "latency", "size", "cost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is in force. `origins` tells by name where a value comes from: the file, a variable, the page, default."""

    upload_mb: int = 400
    measure_seconds: float = 10.0
    search_seconds: float | None = None
    memory_mb: int | None = None
    zone: str | None = None
    objective: str = "energy"
    usd_per_kwh: float | None = None
    turbine_mw: float = TURBINE_MW
    turbine_h: float = TURBINE_FULL_LOAD_H
    g_per_kwh: dict[str, float] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)

    @property
    def memory_bytes(self) -> int | None:
        """What a child may take; None for half of the machine's memory, at most 8 GiB."""
        return None if self.memory_mb is None else self.memory_mb * BYTES_PER_MIB


@dataclass(frozen=True, slots=True)
class Kind:
    """One setting: what it is in words, and how a typed value becomes it (InputError where it cannot)."""

    title: str
    read: Callable[[Any], Any]


def settings(root: Path | None = None) -> Settings:
    """The settings of this home now. Raises InputError naming the file or variable whose value cannot be."""
    folder = root or home().root
    found: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for origin_of, values in (
        (lambda name: FILE, _file(folder)),
        (lambda name: PREFIX + name.upper(), _environment()),
        (lambda name: "set on the page", _page(folder)),
    ):
        for name, value in values.items():
            found[name] = _checked(name, value, origin_of(name))
            origins[name] = origin_of(name)
    known = [one.name for one in fields(Settings) if one.name != "origins"]
    return Settings(**found, origins={name: origins.get(name, DEFAULT) for name in known})


def home_origin() -> str:
    """Where the home comes from: it cannot be set in a file that lies in it."""
    return "RIGHTSIZE_HOME" if os.environ.get("RIGHTSIZE_HOME") else DEFAULT


def put(name: str, value: Any, root: Path | None = None) -> Settings:
    """Sets a value as the page does; None takes it back, so that the variable, the file or the default counts again.

    Raises InputError on a name or a value that cannot be."""
    folder = root or home().root
    kept = _page(folder)
    kept.pop(name, None)
    if name not in KINDS:
        raise _unknown(name, "The page")
    if value is not None:
        kept[name] = _checked(name, value, "The page")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    passing = folder / f"{PAGE}.new"
    passing.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    passing.replace(folder / PAGE)
    return settings(folder)


def _file(folder: Path) -> dict[str, Any]:
    try:
        return tomllib.loads((folder / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        hint = "docs/operating.md has an example."
        raise InputError(f"{FILE} cannot be read.", hint=hint, details=str(error)) from error


def _environment() -> dict[str, Any]:
    named = {name: os.environ.get(PREFIX + name.upper(), "") for name in KINDS}
    return {name: value for name, value in named.items() if value.strip()}


def _page(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / PAGE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, OSError) as error:
        raise InputError(f"{PAGE} cannot be read.", hint="Delete it: it holds what was set on the page.") from error
    return dict(found) if isinstance(found, dict) else {}


def _checked(name: str, value: Any, origin: str) -> Any:
    if name not in KINDS:
        raise _unknown(name, origin)
    try:
        return KINDS[name].read(value)
    except (ValueError, TypeError, InputError) as error:
        reason = error.message if isinstance(error, InputError) else str(error)
        raise InputError(f"{origin}: {name} cannot be '{plain(value, 40)}'.", hint=plain(reason, 160)) from error


def _unknown(name: str, origin: str) -> InputError:
    near = difflib.get_close_matches(name, KINDS, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(KINDS)}."
    return InputError(f"{origin}: there is no setting '{plain(name, 40)}'.", hint=hint)


def _number(low: float, high: float, whole: bool = False) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if isinstance(value, bool):
            raise ValueError("A number is needed.")
        number = int(value) if whole else float(value)
        if not low <= number <= high:
            raise ValueError(f"It lies between {low:g} and {high:g}.")
        return number

    return read


def _zone(value: Any) -> str:
    from data import tables  # pandas, for those who name a zone

    return tables.zone(str(value)).zone_id


def _objective(value: Any) -> str:
    if value not in OBJECTIVES:
        raise ValueError(f"It is one of {', '.join(OBJECTIVES)}.")
    return str(value)


def _carbon(value: Any) -> dict[str, float]:
    """A table of zone = g/kWh, or the text "DE=320, FR=40" of a variable."""
    from data.table_files import range_fault

    if isinstance(value, str):
        pairs = [part.partition("=") for part in value.split(",") if part.strip()]
        value = {zone.strip(): amount for zone, _, amount in pairs}
    if not isinstance(value, Mapping):
        raise ValueError('Write "DE=320, FR=40".')
    found = {_zone(zone): float(amount) for zone, amount in value.items()}
    for amount in found.values():
        if fault := range_fault("g_per_kwh", amount):
            raise ValueError(fault)
    return found


KINDS = {
    "upload_mb": Kind("Largest upload (MB)", _number(1, 100_000, whole=True)),
    "measure_seconds": Kind("Time for one measurement (s)", _number(0.5, 3_600)),
    "search_seconds": Kind("Time for one search (s); by the model's size where not set", _number(5, 86_400)),
    "memory_mb": Kind("Memory a model's process may take (MiB)", _number(256, 16_000_000, whole=True)),
    "zone": Kind("Grid zone where it runs", _zone),
    "objective": Kind("What the best plan saves", _objective),
    "usd_per_kwh": Kind("Price of electricity (US$ a kWh)", _number(0, 100)),
    "turbine_mw": Kind("Rated power of the wind turbine (MW)", _number(0.001, 100)),
    "turbine_h": Kind("Full-load hours of the wind turbine a year", _number(1, H_PER_YEAR)),
    "g_per_kwh": Kind("Carbon of your own by zone (g CO2e a kWh)", _carbon),
}
